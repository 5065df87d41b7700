/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Looks into modules before a bench loads one, in a child: modules crash, hang and fork. A shim
 * among them records nothing of it. */
#ifndef P11PROF_BENCH_TARGET_SEARCH_H
#define P11PROF_BENCH_TARGET_SEARCH_H

#include "target.h"

/* Finds the target's token among the modules that p11-kit has configured for this user (but the
 * trust modules and its proxy; those that fail are passed over) and sets target->module and shim.
 * P11PROF_BAD_INPUT: none or several, listed; P11PROF_FAILED: a module crashed or hung. */
enum p11prof_status p11prof_bench_search(struct p11prof_bench_target *target,
                                         struct p11prof_error *error);

/* Reads *token in target->module. False if there is not exactly one that fits, or it failed. */
bool p11prof_bench_peek(const struct p11prof_bench_target *target, CK_TOKEN_INFO *token);

/* The path of the first configured module whose file name starts with `name`. False: none. */
bool p11prof_bench_configured_module(const char *name, char path[P11PROF_PATH_BYTES]);

#endif
