/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What detectors of patterns that processes have by themselves share. */
#ifndef P11PROF_INSIGHT_ADVICE_PATTERN_H
#define P11PROF_INSIGHT_ADVICE_PATTERN_H

#include "evidence.h"

#include <stdbool.h>

/* Adds a process's calls; the first one of the first process is the example. */
void p11prof_pattern_add(struct p11prof_evidence *evidence, int64_t process_id,
                         const struct p11prof_calls_sum *calls);

/* Whether an operation succeeded here that an application wants for itself: no search, and no
 * random numbers. */
bool p11prof_pattern_is_work(const struct p11prof_event *event);

/* C_Login or C_LoginUser. */
bool p11prof_pattern_is_login(const struct p11prof_event *event);

/* "", or "es" behind "process". */
const char *p11prof_pattern_es(int64_t count);

#endif
