/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "settings.h"

#include "../message.h"
#include "../report/allocate.h"
#include "amounts.h"
#include "ramp.h"
#include "settings_options.h"
#include "suite.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static bool refuse(const char *option, const char *wants, const char *value)
{
    p11prof_complain(0, "--%s wants %s, not '%s'", option, wants, value);
    return false;
}

/* The place of a word that is in the table: the options have its words. */
static unsigned word_of(const char *value, const char *const *words)
{
    unsigned place = 0;
    while (strcmp(value, words[place]) != 0)
        place++;
    return place;
}

static bool take_verify(struct bench_settings *settings, const char *value)
{
    static const char *const words[] = {"sample", "all", "none"};
    settings->verify = (enum bench_verify)word_of(value, words);
    return true;
}

static bool take_record(struct bench_settings *settings, const char *value)
{
    static const char *const words[] = {"", "calls", "summary", "off"};
    settings->record = (enum bench_record)word_of(value, words);
    return true;
}

static bool take_format(struct bench_settings *settings, const char *value)
{
    settings->metrics = strcmp(value, "prometheus") == 0;
    settings->junit = strcmp(value, "junit") == 0;
    return settings->metrics || settings->junit || p11prof_format_named(value, &settings->format);
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

static bool take_suite(struct bench_settings *settings, const char *value)
{
    if (settings->suite_path)
        return p11prof_complain(false, "--suite is given twice: a run has one");
    settings->suite_path = value;
    return *value || refuse("suite", "the path of a file", value);
}

static bool take_ramp(struct bench_settings *settings, const char *value)
{
    struct p11prof_error error;
    if (settings->ramp.wanted)
        return p11prof_complain(false, "--ramp is given twice: a run has one");
    settings->ramp.wanted = true;
    return ramp_read(&settings->ramp, value, &error) == P11PROF_OK ||
           p11prof_complain(false, "%s", error.text);
}

static bool take_number(const char *option, const char *value, uint64_t least, uint64_t most,
                        uint64_t *out)
{
    char wants[64];
    if (!p11prof_option_number(option, value, most, out))
        return false;
    snprintf(wants, sizeof wants, "a number from %" PRIu64 " on", least);
    return *out >= least || refuse(option, wants, value);
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
        return *value || refuse("module", "the path of a module", value);
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
    case KEY: /* an empty one would be any key */
        *key_label = value;
        return *value || refuse("key", "the label of a key", value);
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
        return *value || refuse("vs", "the path of a module, or 'same'", value);
    }
    if (id == THRESHOLD) {
        vs->has_threshold = true;
        return amounts_percent(value, &vs->threshold) ||
               refuse("threshold", "a percentage (10%, 0)", value);
    }
    return take_token(&vs->target, &vs->key_label, same[id - VS], value);
}

static bool take_arrivals(struct bench_settings *settings, const char *value)
{
    static const char *const words[] = {"constant", "poisson"};
    settings->has_arrivals = true;
    settings->poisson = word_of(value, words) == 1;
    return true;
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
    case RATE:
        return amounts_rate(value, &settings->rate) ||
               refuse("rate", "operations in a time, at most a million a second (500/s, 30/m)",
                      value);
    case ARRIVALS:
        return take_arrivals(settings, value);
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
        add_tests(settings, value); /* an empty one would be the default suite */
        return *value || refuse("test", "ids, names, families or globs, or all", value);
    case SUITE:
        return take_suite(settings, value);
    case SUITE_FROM:
        settings->suite_from = value;
        return *value || refuse("suite-from", "a run", value);
    case LIKE:
        settings->like = value;
        return *value || refuse("like", "a run", value);
    case MIX:
        return take_mix(settings, value);
    case RAMP:
        return take_ramp(settings, value);
    case SLO:
        settings->ramp.slo = value;
        return true;
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
    if (!p11prof_options_read(&settings_usage, argc, argv, take_option, settings, &first,
                              exit_code))
        return false;
    if (first < argc) {
        p11prof_complain(0, "bench takes no argument '%s'", argv[first]);
        *exit_code = p11prof_usage_hint(&settings_usage);
        return false;
    }
    if (settings_complete(settings))
        return true;
    *exit_code = p11prof_usage_hint(&settings_usage);
    return false;
}

void settings_clear(struct bench_settings *settings)
{
    free(settings->tests);
    settings->tests = NULL;
    bench_mix_clear(&settings->mix);
    bench_suite_clear(&settings->suite);
}
