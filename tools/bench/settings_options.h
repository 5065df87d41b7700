/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The options of bench by their numbers. settings.c relies on the order of the first ones: those of
 * a token, those of the other side. */
#ifndef P11PROF_BENCH_SETTINGS_OPTIONS_H
#define P11PROF_BENCH_SETTINGS_OPTIONS_H

#include "../options.h"

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
    SUITE_FROM,
    LIKE,
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
    RATE,
    ARRIVALS,
    VERIFY,
    RECORD,
    STRESS,
    RAMP,
    SLO,
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

extern const struct p11prof_usage settings_usage;

#endif
