/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Made-up calls for one detector, and what it finds in them. Each call takes ADVICE_CALL_NS, and
 * the next one of any thread begins ADVICE_GAP_NS later, unless a test says otherwise. */
#ifndef P11PROF_ADVICE_FIXTURE_H
#define P11PROF_ADVICE_FIXTURE_H

#include "insight/advice/detectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { ADVICE_CALL_NS = 100000, ADVICE_GAP_NS = 1000, ADVICE_CALLER = 7 };

/* Where the next calls come from: process 1, thread 1, session 1 at first. */
extern struct advice_place {
    int64_t process_id, thread_id, session, duration_ns;
} advice_at;

/* What is found, once advice_end() was called. */
extern struct p11prof_findings advice_found;

/* Starts a detector anew; the test ends with advice_clear(). */
void advice_begin(const struct p11prof_detector *detector);
void advice_end(void);
void advice_clear(void);

/* A call of now that says nothing besides, and giving it to the detector. */
struct p11prof_event advice_call(unsigned function);
void advice_give(struct p11prof_event event);

/* A call that says nothing besides. */
void advice_plain(unsigned function);
/* C_FindObjectsInit by these enum p11prof_template_type, C_FindObjects until nothing more comes
 * (each wants so many), C_FindObjectsFinal. Objects are found from `first` on. */
void advice_search(int64_t template_types, int64_t wanted, int64_t first, int64_t count);
/* C_SignInit and C_Sign. */
void advice_sign(int64_t key_id);
/* C_GetAttributeValue, of that many types from `type` on. */
void advice_read(enum p11prof_call_kind kind, int64_t key_id, int64_t type, int64_t count);
/* C_OpenSession and C_CloseSession of the session at hand. */
void advice_open(void);
void advice_close(void);

/* Fails unless there are so many findings; the finding of that subject (NULL: without one). */
void advice_check_count(size_t count);
const struct p11prof_finding *advice_finding(const char *subject);
/* Fails unless the finding has a saving of at most its cost, and both evidence and estimate. */
void advice_check_sane(const struct p11prof_finding *finding);

#endif
