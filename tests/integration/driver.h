/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What driver.c and the tests that run it share: a file that counts the calls that returned.
 *
 * A thread takes the next slot and counts after each return, so a killed driver's truth is within
 * one call a thread. The n-th call of a slot is C_GenerateRandom for n bytes: a row tells which one
 * it is. */
#ifndef P11PROF_TESTS_DRIVER_H
#define P11PROF_TESTS_DRIVER_H

#include <stdatomic.h>
#include <stdint.h>

enum { DRIVER_SLOTS = 1024 };

struct driver_slot {
    _Atomic(uint32_t) pid;
    _Atomic(uint32_t) thread_id;
    _Atomic(uint64_t) returned_count;
};

struct driver_counts {
    _Atomic(uint32_t) slot_count;
    _Atomic(uint32_t) phase; /* the test's: `phases` goes on when it is not 0 */
    struct driver_slot slots[DRIVER_SLOTS];
};

#endif
