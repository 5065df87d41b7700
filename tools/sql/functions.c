/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "functions.h"
#include "latency.h"
#include "percentile.h"
#include "readable.h"

#include <stddef.h>

/* A function is scalar, or has a step and a final. */
static const struct function {
    const char *name;
    int argument_count;
    void (*scalar)(sqlite3_context *context, int count, sqlite3_value **arguments);
    void (*step)(sqlite3_context *context, int count, sqlite3_value **arguments);
    void (*final)(sqlite3_context *context);
} functions[] = {
    {"percentile", 2, NULL, p11prof_percentile_step, p11prof_percentile_final},
    {"median", 1, NULL, p11prof_median_step, p11prof_percentile_final},
    {"histogram", 1, NULL, p11prof_histogram_step, p11prof_histogram_final},
    {"latency_low", 1, p11prof_latency_low, NULL, NULL},
    {"latency_high", 1, p11prof_latency_high, NULL, NULL},
    {"duration", 1, p11prof_duration, NULL, NULL},
    {"duration_ns", 1, p11prof_duration_ns, NULL, NULL},
    {"bar", 2, p11prof_bar, NULL, NULL},
    {"bar", 3, p11prof_bar, NULL, NULL},
};

int p11prof_functions_register(sqlite3 *db)
{
    static const int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
    int result = SQLITE_OK;
    for (size_t i = 0; i < sizeof functions / sizeof functions[0] && result == SQLITE_OK; i++) {
        const struct function *function = &functions[i];
        result = sqlite3_create_function_v2(db, function->name, function->argument_count, flags,
                                            (void *)function->name, function->scalar,
                                            function->step, function->final, NULL);
    }
    return result;
}
