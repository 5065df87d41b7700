/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What --help of bench shows. */
#include "settings_options.h"

#include <stddef.h>

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
    {"token-keys", TOKEN_KEYS, NULL, "make keys as token objects; destroyed at the end, too"},
    {"test", TEST, "TESTS", "ids, names, families or globs, with commas between, or all"},
    {"mix", MIX, "MIX", "tests drawn by weight for each operation: sign:50%,verify:30%,random:20%"},
    {"suite", SUITE, "FILE", "tests of several steps, from a TOML file (also --config)"},
    {"config", SUITE, "FILE", "the same"},
    {"create-keys", CREATE_KEYS, NULL, "make session keys for those of a suite that are not there"},
    {"stress", STRESS, NULL, "one test for a long time, with a line for each interval"},
    {"interval", INTERVAL, "TIME", "of a line of --stress (default: 1/12 of --duration, 1s to 5m)"},
    {"max-errors", MAX_ERRORS, "N", "of --stress, that end it"},
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

const struct p11prof_usage settings_usage = {
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
        "--mix: one load of several tests, with ids or families. Percentages add up to 100;\n"
        "numbers without % are weights. A row for each operation, and the rate of all of them.\n"
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
        "--stress: one test, --duration by the clock (default: 1m); ends early after\n"
        "--max-errors, or an interval in which nothing succeeded. At the end it says whether\n"
        "the token became slower.\n"
        "\n"
        "  p11prof bench\n"
        "  p11prof bench --module FILE --token-label T --pin-source env:PIN --test sign,verify\n"
        "  p11prof bench --test rsa-2048-sign --threads 1,2,4 --duration 10s --format json\n"
        "  p11prof bench --mix sign:50%,verify:30%,encrypt:20% --threads 4 --duration 60s\n"
        "  p11prof bench --module FILE --token-label T --pin-source env:PIN --suite suite.toml\n"
        "  p11prof bench --module OLD --vs NEW --token-label T --pin-source env:PIN --test sign\n"
        "  p11prof bench --stress --duration 1h --threads 8 --interval 5m --key K",
};
