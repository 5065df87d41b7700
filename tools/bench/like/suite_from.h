/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* bench --suite-from RUN. */
#ifndef P11PROF_BENCH_LIKE_SUITE_FROM_H
#define P11PROF_BENCH_LIKE_SUITE_FROM_H

#include "../settings.h"

/* Writes the script of a recorded run to stdout or --output. Returns an exit code, after it said
 * what is wrong. */
int suite_from(const struct bench_settings *settings);

struct like_script;

/* Says on stderr what a script has, and what the recording does not tell. */
void suite_from_note(const struct like_script *script);

#endif
