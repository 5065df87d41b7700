/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What all fuzz targets have: an entry that takes any bytes and returns, or aborts with the reason.
 *
 * A target NAME is NAME_fuzz.c, an entry of CMakeLists.txt and seeds/NAME/. It is built three ways:
 *
 *   NAME_fuzz       with standalone.c: its seeds and some changed ones, the same each time (a test)
 *   NAME_libfuzzer  with -DP11PROF_FUZZER=libfuzzer, by clang with its runtime
 *   NAME_afl        with -DP11PROF_FUZZER=afl, by afl-clang-fast
 *
 * tests/fuzz/long builds and runs the latter two. What they find becomes a seed. */
#ifndef P11PROF_TESTS_FUZZ_H
#define P11PROF_TESTS_FUZZ_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void check(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "%s\n", what);
    abort();
}

#endif
