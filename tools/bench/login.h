/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* One try for all workers of a bench: a token locks itself after a few wrong PINs. */
#ifndef P11PROF_BENCH_LOGIN_H
#define P11PROF_BENCH_LOGIN_H

#include "target.h"

/* Shared with the processes forked later; NULL: no memory (errno). */
struct p11prof_bench_login_gate *p11prof_bench_login_gate_new(void);
void p11prof_bench_login_gate_free(struct p11prof_bench_login_gate *gate);

#endif
