/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* A SoftHSM token for one run. */
#ifndef P11PROF_BENCH_THROW_AWAY_H
#define P11PROF_BENCH_THROW_AWAY_H

#include "target.h"

#define P11PROF_BENCH_THROW_AWAY_LABEL "p11prof"

/* Makes a folder (0700) below TMPDIR with a SoftHSM token of random PINs and sets the target to
 * it, and SOFTHSM2_CONF of this process. SoftHSM is the one of P11PROF_SOFTHSM, else where systems
 * have it, else what p11-kit knows. P11PROF_MISSING: it is not installed.
 * SIGINT, SIGTERM and SIGHUP are blocked from here on: who has handlers for them lets them in. */
enum p11prof_status p11prof_bench_throw_away_make(struct p11prof_bench_target *target,
                                                  struct p11prof_error *error);

/* Removes the folder with all in it, following no link. */
void p11prof_bench_throw_away_remove(struct p11prof_bench_target *target);

#endif
