/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Reads any text as a suite: it is refused with a reason, or has steps that are in their bounds. */
#include "bench/settings.h"
#include "bench/suite.h"
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check_step(const struct bench_step *step)
{
    check(*step->suite && *step->type, "a step without test or type");
    check(step->number >= 1 && step->place.line >= 1 && step->place.column >= 1, "no place");
    check(step->data_bytes <= 1 << 30, "too much data");
    check(step->threads <= BENCH_THREADS_MOST, "too many threads");
    check(memchr(step->key, 0, sizeof step->key), "a key without end");
}

static void try_suite(const uint8_t *data, size_t size)
{
    struct bench_suite suite;
    struct p11prof_error error = {.text = ""};
    enum p11prof_status status =
        bench_suite_parse(&suite, (const char *)data, size, "s.toml", &error);
    check(status == P11PROF_OK || (status == P11PROF_BAD_INPUT && error.text[0]), "no reason");
    check((status == P11PROF_OK) == (suite.step_count > 0), "nothing, or something in spite of it");
    for (size_t i = 0; i < suite.step_count; i++)
        check_step(&suite.steps[i]);
    bench_suite_clear(&suite);
}

/* As it is; and with digits for what is no text, so that a change is a value more often than no
 * TOML. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *digits = malloc(size + 1);
    check(digits, "no memory");
    for (size_t i = 0; i < size; i++) {
        bool text = (data[i] >= ' ' && data[i] <= '~') || data[i] == '\n';
        digits[i] = text ? data[i] : (uint8_t)('0' + data[i] % 10);
    }
    try_suite(data, size);
    try_suite(digits, size);
    free(digits);
    return 0;
}
