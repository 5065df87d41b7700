/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Databases with many calls: sign, encrypt, find and random of a token with log-normal times, in
 * four threads. Every failure ends the program with a message. */
#ifndef P11PROF_TESTS_BENCH_FILL_H
#define P11PROF_TESTS_BENCH_FILL_H

#include "p11prof/spool.h"
#include "p11prof/store.h"

#include <stdbool.h>
#include <stddef.h>

/* The header of a spool of a run of its own. The caller frees it. */
struct p11prof_spool_header *bench_header(unsigned number);

/* Writes the same calls for each of the headers, their rows for the first one only. ended: their
 * processes end with the last one. */
void bench_fill(struct p11prof_store *store, struct p11prof_spool_header *const *headers,
                unsigned count, size_t calls, bool ended);

#endif
