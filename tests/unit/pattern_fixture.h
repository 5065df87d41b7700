/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Made-up calls for a detector of advice, one after another. One thread. */
#ifndef P11PROF_PATTERN_FIXTURE_H
#define P11PROF_PATTERN_FIXTURE_H

#include "insight/advice/detectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

enum { PATTERN_NS = 1000000 }; /* what a call takes that says nothing else */

/* Setup: nothing is left of the last test. */
int pattern_setup(void **state);
int pattern_teardown(void **state);

/* Whose calls follow. */
void pattern_begin(const struct p11prof_detector *detector);

/* A call, right behind the last one. Members that are 0: process 1, thread 10, session 1, caller 1,
 * PATTERN_NS, no known object. */
void pattern_call(struct p11prof_event event);
#define CALL(name, ...)                                                                            \
    pattern_call((struct p11prof_event){.function = P11PROF_##name, __VA_ARGS__})

/* C_SignInit and C_Sign. */
void pattern_sign(int64_t process_id);

/* Nobody calls for so long. */
void pattern_rest(int64_t ns);

/* What was found; valid until the next pattern_begin(). */
const struct p11prof_findings *pattern_end(void);

/* Fails unless it found so many. Ends what pattern_begin() began. */
void pattern_finds(size_t count);

#endif
