/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What `record` says at its end, to stderr. */
#ifndef P11PROF_RECORD_SUMMARY_H
#define P11PROF_RECORD_SUMMARY_H

#include "modules.h"

#include <stdint.h>

struct sqlite3;

/* Calls, processes, losses, time in the module and the functions that took most of it. Without a
 * call: why that may be. `passed`: modules that were loaded, but not recorded. */
void p11prof_summary_print(struct sqlite3 *db, int64_t run_id,
                           const struct p11prof_modules *modules,
                           const struct p11prof_modules *passed);

#endif
