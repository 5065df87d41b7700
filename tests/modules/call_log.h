/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What a module says of its own calls: what it measures is compared with what p11prof recorded.
 *
 * P11PROF_TEST_DELAY_LOG  a file that gets a struct call_log_entry for each call; appended when
 *                         4096 calls are due, in C_Finalize, and at the end. */
#ifndef P11PROF_TESTS_CALL_LOG_H
#define P11PROF_TESTS_CALL_LOG_H

#include <stdbool.h>
#include <stdint.h>

struct call_log_entry {
    uint64_t function, duration_ns, rv;
    uint64_t start_ns; /* CLOCK_MONOTONIC */
    uint64_t thread_id;
};

uint64_t call_log_now_ns(void);

/* Fills in the thread. `last`: nothing comes for a while, all that is due is written. */
void call_log_add(struct call_log_entry entry, bool last);

/* Keeps the processor until so long after start_ns, or sleeps so long. */
void call_log_wait(uint64_t start_ns, uint64_t ns, bool sleeps);

/* The nanoseconds of "200us"; *end is what follows. 0: it is none. */
uint64_t call_log_time_ns(const char *text, const char **end);

#endif
