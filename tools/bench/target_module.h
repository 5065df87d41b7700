/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The file of the module. */
#ifndef P11PROF_BENCH_TARGET_MODULE_H
#define P11PROF_BENCH_TARGET_MODULE_H

#include "target.h"

/* Sets target->module to the real module at `path`, and target->shim if that is a shim.
 * P11PROF_MISSING: there is none; P11PROF_BAD_INPUT: it is no module, or a shim whose settings
 * name none. */
enum p11prof_status p11prof_bench_module_take(struct p11prof_bench_target *target, const char *path,
                                              struct p11prof_error *error);

#endif
