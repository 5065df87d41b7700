/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "settings.h"

#include "../message.h"
#include "../options.h"
#include "../report/allocate.h"
#include "amounts.h"
#include "suite.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum {
    MODULE = 256,
    TOKEN_LABEL,
    SLOT,
    SLOT_INDEX,
    URI,
    PIN,
    PIN_SOURCE,
    KEY,
    KEY_URI,
    VS,
    VS_TOKEN_LABEL,
    VS_SLOT,
    VS_SLOT_INDEX,
    VS_URI,
    VS_PIN_SOURCE,
    VS_KEY,
    VS_KEY_URI,
    THRESHOLD,
    TOKEN_KEYS,
    CREATE_KEYS,
    TEST,
    MIX,
    SUITE,
    LIST_TESTS,
    ITERATIONS,
    DURATION,
    THREADS,
    PROCESSES,
    DATA_SIZES,
    WARMUP,
    COOLDOWN,
    SLICES,
    REPEAT,
    SEED,
    VERIFY,
    RECORD,
    STRESS,
    INTERVAL,
    MAX_ERRORS,
    QUICK,
    DRY_RUN,
    QUIET,
    FORMAT,
    JSON,
    CSV,
    PROMETHEUS,
    OUTPUT,
    DB,
    NAME,
};

static const struct p11prof_option options[] = {
    {"module", MODULE, "FILE", "the PKCS#11 module (default: those that p11-kit has configured)"},
    {"token-label", TOKEN_LABEL, "LABEL", "the token with this label (also --label)"},
    {"label", TOKEN_LABEL, "LABEL", "the same"},
    {"slot", SLOT, "ID", "the token in the slot of this CK_SLOT_ID"},
    {"slot-index", SLOT_INDEX, "N", "the N-th slot with a token, from 0"},
    {"uri", URI, "URI", "the token of this RFC 7512 URI"},
    {"pin-source", PIN_SOURCE, "SOURCE", "env:NAME, file:PATH, fd:N or prompt"},
    {"pin", PIN, "PIN", "the user PIN; others can see it in the list of processes"},
    {"user-pin", PIN, "PIN", "the same"},
    {"key", KEY, "LABEL", "your own key; nothing of yours is changed (also --key-label)"},
    {"key-label", KEY, "LABEL", "the same"},
    {"key-uri", KEY_URI, "URI", "your own key by its URI"},
    {"vs", VS, "MODULE", "compare with this module, or with the same one, in pairs of slices"},
    {"vs-token-label", VS_TOKEN_LABEL, "LABEL", "the token there (default: named as the first)"},
    {"vs-slot", VS_SLOT, "ID", "the same by CK_SLOT_ID"},
    {"vs-slot-index", VS_SLOT_INDEX, "N", "the same by its place"},
    {"vs-uri", VS_URI, "URI", "the same by URI"},
    {"vs-pin-source", VS_PIN_SOURCE, "SOURCE", "its PIN (default: the first one's)"},
    {"vs-key", VS_KEY, "LABEL", "your own key there (default: --key)"},
    {"vs-key-uri", VS_KEY_URI, "URI", "the same by its URI"},
    {"threshold", THRESHOLD, "PERCENT", "smaller differences are none (default: 5%)"},
    {"stress", STRESS, NULL, "one test for a long time, with a line for each interval"},
    {"interval", INTERVAL, "TIME", "of a line of --stress (default: 1/12 of --duration, 1s to 5m)"},
    {"max-errors", MAX_ERRORS, "N", "of --stress, that end it"},
    {"token-keys", TOKEN_KEYS, NULL, "make keys as token objects; destroyed at the end, too"},
    {"test", TEST, "TESTS", "ids, names, families or globs, with commas between, or all"},
    {"mix", MIX, "MIX", "tests drawn by weight for each operation: sign:50%,verify:30%,random:20%"},
    {"suite", SUITE, "FILE", "tests of several steps, from a TOML file (also --config)"},
    {"config", SUITE, "FILE", "the same"},
    {"create-keys", CREATE_KEYS, NULL, "make session keys for those of a suite that are not there"},
    {"list-tests", LIST_TESTS, NULL, "list all tests, and whether this token can do each"},
    {"iterations", ITERATIONS, "N", "of each test (or the mix) and thread"},
    {"duration", DURATION, "TIME", "of each test, or of the mix (default: 6s)"},
    {"threads", THREADS, "N,...", "a row for each number (default: 1)"},
    {"processes", PROCESSES, "N,...", "a row for each number (default: 1)"},
    {"data-sizes", DATA_SIZES, "SIZE,...", "a row for each size, where the test has one"},
    {"warmup", WARMUP, "N|TIME", "of each test, not counted (default: 10 % of each slice)"},
    {"cooldown", COOLDOWN, "N|TIME", "of each test, compared with the measured part"},
    {"slices", SLICES, "N", "a test is cut into, taken in turns (default: 30)"},
    {"repeat", REPEAT, "N", "whole runs"},
    {"seed", SEED, "N", "of the order of slices, and of the operations of a mix"},
    {"verify", VERIFY, "WHICH", "results: sample (default: first, last, every 100th), all, none"},
    {"record", RECORD, "WHAT", "calls (a row each), summary (histograms) or off (nothing kept)"},
    {"quick", QUICK, NULL, "half a second a test"},
    {"dry-run", DRY_RUN, NULL, "say what would be done and how long it takes"},
    {"quiet", QUIET, NULL, "no progress"},
    {"format", FORMAT, "FORMAT",
     "text (default), json, csv, markdown, prometheus; with --vs: junit"},
    {"json", JSON, NULL, "--format json"},
    {"csv", CSV, NULL, "--format csv"},
    {"prometheus", PROMETHEUS, NULL, "--format prometheus"},
    {"output", OUTPUT, "FILE", "the results go there (it is replaced in one step)"},
    {"db", DB, "FILE", "the database (default: P11PROF_DB, a .conf file, the state folder)"},
    {"name", NAME, "NAME", "free text kept with the run"},
    {.name = NULL},
};

static const struct p11prof_usage usage = {
    .command = "bench",
    .arguments = "",
    .summary = "Puts load on a token and reports rates and latencies.",
    .options = options,
    .notes =
        "Without a token named, a throw-away SoftHSM token is made and used. Keys are session\n"
        "objects and destroyed at the end, after Ctrl-C too. Times are s, ms, us, m or h; sizes\n"
        "KB or MB. A test ends after --iterations or --duration, whichever comes first; the\n"
        "slices of all tests are interleaved in random order.\n"
        "\n"
        "--mix: one load of several tests, with ids or families. Percentages add up to 100; "
        "numbers\n"
        "without % are weights. A row for each operation, and the rate of all of them.\n"
        "\n"
        "--suite: the steps of a file, one after the other, with a total for each of its tests;\n"
        "docs/benchmarking.md says what it may hold.\n"
        "\n"
        "--record: calls, or summary where more than 10 million operations are expected.\n"
        "Exit code: 0; 2 wrong usage; 3 if an operation failed or gave a wrong result.\n"
        "\n"
        "--vs: two runs that take turns, slice by slice: 60 of 100 ms each, with histograms only.\n"
        "Exit code 1 if a test is slower there, for sure and by more than --threshold.\n"
        "\n"
        "--stress: one test, --duration by the clock (default: 1m); ends early after --max-errors, "
        "or\n"
        "an interval in which nothing succeeded. At the end it says whether the token became "
        "slower.\n"
        "\n"
        "  p11prof bench\n"
        "  p11prof bench --module FILE --token-label T --pin-source env:PIN --test sign,verify\n"
        "  p11prof bench --test rsa-2048-sign --threads 1,2,4 --duration 10s --format json\n"
        "  p11prof bench --mix sign:50%,verify:30%,encrypt:20% --threads 4 --duration 60s\n"
        "  p11prof bench --module FILE --token-label T --pin-source env:PIN --suite suite.toml\n"
        "  p11prof bench --module OLD --vs NEW --token-label T --pin-source env:PIN --test sign\n"
        "  p11prof bench --stress --duration 1h --threads 8 --interval 5m --key K",
};

static bool refuse(const char *option, const char *wants, const char *value)
{
    p11prof_complain(0, "--%s wants %s, not '%s'", option, wants, value);
    return false;
}

/* One word of a table; its place, -1 if it is none. */
static int word_of(const char *value, const char *const *words, int count)
{
    for (int i = 0; i < count; i++)
        if (strcmp(value, words[i]) == 0)
            return i;
    return -1;
}

static bool take_verify(struct bench_settings *settings, const char *value)
{
    static const char *const words[] = {"sample", "all", "none"};
    int word = word_of(value, words, 3);
    settings->verify = (enum bench_verify)(word < 0 ? 0 : word);
    return word >= 0 || refuse("verify", "sample, all or none", value);
}

static bool take_record(struct bench_settings *settings, const char *value)
{
    static const char *const words[] = {"auto", "calls", "summary", "off"};
    int word = word_of(value, words, 4);
    settings->record = (enum bench_record)(word < 0 ? 0 : word);
    return word >= 0 || refuse("record", "calls, summary or off", value);
}

static bool take_format(struct bench_settings *settings, const char *value)
{
    settings->metrics = strcmp(value, "prometheus") == 0;
    settings->junit = strcmp(value, "junit") == 0;
    return settings->metrics || settings->junit || p11prof_format_named(value, &settings->format) ||
           refuse("format", "text, json, csv, markdown, prometheus or junit", value);
}

/* --test may be given again. */
static void add_tests(struct bench_settings *settings, const char *value)
{
    size_t before = settings->tests ? strlen(settings->tests) + 1 : 0;
    char *all = p11prof_zalloc(1, before + strlen(value) + 1);
    if (settings->tests)
        stpcpy(stpcpy(all, settings->tests), ",");
    strcpy(all + before, value);
    free(settings->tests);
    settings->tests = all;
}

static bool take_mix(struct bench_settings *settings, const char *value)
{
    struct p11prof_error error;
    if (settings->mix.count > 0)
        return p11prof_complain(false, "--mix is given twice: a run has one");
    return bench_mix_read(&settings->mix, value, &error) == P11PROF_OK ||
           p11prof_complain(false, "%s", error.text);
}

static bool take_number(const char *option, const char *value, uint64_t least, uint64_t most,
                        uint64_t *out)
{
    if (!p11prof_option_number(option, value, most, out))
        return false;
    return *out >= least || refuse(option, "a larger number", value);
}

static bool take_list(const char *option, const char *value, uint64_t most, struct bench_list *out)
{
    return amounts_list(value, most, amounts_number, out) ||
           refuse(option, "up to 16 numbers with commas between", value);
}

static bool take_amount(const char *option, const char *value, struct bench_amount *out)
{
    return amounts_read(value, out) ||
           refuse(option, "a number of iterations or a time (100, 5s)", value);
}

static bool take_token(struct p11prof_bench_target_options *target, const char **key_label, int id,
                       const char *value)
{
    uint64_t number = 0;
    switch (id) {
    case MODULE:
        target->module = value;
        return true;
    case TOKEN_LABEL:
        target->token_label = value;
        return true;
    case SLOT:
        target->has_slot = amounts_number(value, &number) && number <= UINT64_MAX - 1;
        target->slot = number;
        return target->has_slot || refuse("slot", "a CK_SLOT_ID", value);
    case SLOT_INDEX:
        target->has_slot_index = take_number("slot-index", value, 0, UINT32_MAX, &number);
        target->slot_index = number;
        return target->has_slot_index;
    case URI:
        target->uri = value;
        return true;
    case PIN:
        target->pin = value;
        return true;
    case PIN_SOURCE:
        target->pin_source = value;
        return true;
    case KEY:
        *key_label = value;
        return true;
    default:
        target->key_uri = value;
        return true;
    }
}

/* The other side's: the same options again. */
static bool take_vs(struct bench_settings *settings, int id, const char *value)
{
    static const int same[] = {[VS_TOKEN_LABEL - VS] = TOKEN_LABEL, [VS_SLOT - VS] = SLOT,
                               [VS_SLOT_INDEX - VS] = SLOT_INDEX,   [VS_URI - VS] = URI,
                               [VS_PIN_SOURCE - VS] = PIN_SOURCE,   [VS_KEY - VS] = KEY,
                               [VS_KEY_URI - VS] = KEY_URI};
    struct bench_vs *vs = &settings->vs;
    if (id == VS) {
        vs->wanted = true;
        vs->target.module = strcmp(value, "same") == 0 ? NULL : value;
        return true;
    }
    if (id == THRESHOLD) {
        vs->has_threshold = true;
        return amounts_percent(value, &vs->threshold) ||
               refuse("threshold", "a percentage (10%, 0)", value);
    }
    return take_token(&vs->target, &vs->key_label, same[id - VS], value);
}

static bool take_load(struct bench_settings *settings, int id, const char *value)
{
    switch (id) {
    case ITERATIONS:
        return take_number("iterations", value, 1, UINT64_C(1) << 48, &settings->measured.count);
    case DURATION:
        return amounts_time(value, &settings->measured.ns) ||
               refuse("duration", "a time (60s, 5m)", value);
    case THREADS:
        return take_list("threads", value, BENCH_THREADS_MOST, &settings->threads);
    case PROCESSES:
        return take_list("processes", value, BENCH_PROCESSES_MOST, &settings->processes);
    case DATA_SIZES:
        return amounts_list(value, UINT64_C(1) << 30, amounts_size, &settings->data_sizes) ||
               refuse("data-sizes", "up to 16 sizes with commas between (1KB,1MB)", value);
    case WARMUP:
        settings->has_warmup = true;
        return take_amount("warmup", value, &settings->warmup);
    case COOLDOWN:
        return take_amount("cooldown", value, &settings->cooldown);
    case SLICES:
        return take_number("slices", value, 1, 10000, &settings->slices);
    case INTERVAL:
        return amounts_time(value, &settings->stress.interval_ns) ||
               refuse("interval", "a time", value);
    case MAX_ERRORS:
        return take_number("max-errors", value, 1, UINT64_C(1) << 48, &settings->stress.max_errors);
    case REPEAT:
        return take_number("repeat", value, 1, BENCH_REPEAT_MOST, &settings->repeat);
    default:
        return take_number("seed", value, 0, UINT64_MAX, &settings->seed);
    }
}

static bool take_flag(struct bench_settings *settings, int id)
{
    switch (id) {
    case TOKEN_KEYS:
        settings->token_keys = true;
        return true;
    case CREATE_KEYS:
        settings->create_keys = true;
        return true;
    case LIST_TESTS:
        settings->list_tests = true;
        return true;
    case STRESS:
        settings->stress.wanted = true;
        return true;
    case QUICK:
        settings->quick = true;
        return true;
    case DRY_RUN:
        settings->dry_run = true;
        return true;
    case QUIET:
        settings->quiet = true;
        return true;
    case JSON:
        return take_format(settings, "json");
    case CSV:
        return take_format(settings, "csv");
    default:
        return take_format(settings, "prometheus");
    }
}

static bool take_option(void *payload, int id, const char *value)
{
    struct bench_settings *settings = payload;
    if (!value)
        return take_flag(settings, id);
    if (id <= KEY_URI)
        return take_token(&settings->target, &settings->key_label, id, value);
    if (id <= THRESHOLD)
        return take_vs(settings, id, value);
    switch (id) {
    case TEST:
        add_tests(settings, value);
        return true;
    case SUITE:
        settings->suite_path = value;
        return *value || refuse("suite", "the path of a file", value);
    case MIX:
        return take_mix(settings, value);
    case VERIFY:
        return take_verify(settings, value);
    case RECORD:
        return take_record(settings, value);
    case FORMAT:
        return take_format(settings, value);
    case OUTPUT:
        settings->output = value;
        return *value || refuse("output", "the path of a file", value);
    case DB:
        settings->db = value;
        return *value || refuse("db", "the path of a database", value);
    case NAME:
        settings->name = value;
        return true;
    default:
        return take_load(settings, id, value);
    }
}

bool settings_read(struct bench_settings *settings, int argc, char **argv, int *exit_code)
{
    int first;
    uint32_t seed = 1;
    if (getrandom(&seed, sizeof seed, 0) == sizeof seed)
        settings->seed = seed;
    if (!p11prof_options_read(&usage, argc, argv, take_option, settings, &first, exit_code))
        return false;
    if (first < argc) {
        p11prof_complain(0, "bench takes no argument '%s'", argv[first]);
        *exit_code = p11prof_usage_hint(&usage);
        return false;
    }
    if (settings_complete(settings))
        return true;
    *exit_code = p11prof_usage_hint(&usage);
    return false;
}

void settings_clear(struct bench_settings *settings)
{
    free(settings->tests);
    settings->tests = NULL;
    bench_mix_clear(&settings->mix);
    bench_suite_clear(&settings->suite);
}
