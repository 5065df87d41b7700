/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Runs that were imported from another tool's file, and may have no durations. */
#ifndef P11PROF_REPORT_IMPORTED_H
#define P11PROF_REPORT_IMPORTED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sqlite3;

/* The format that a run's options say it was imported from ("pkcs11-spy"); false: it was not. */
bool p11prof_imported_from(const char *options_json, char *out, size_t out_bytes);

/* Whether a run was imported and there is no duration in it. Then *out says so: "run 3 has no
 * durations: imported from pkcs11-spy". */
enum { P11PROF_UNTIMED_BYTES = 128 };
bool p11prof_run_is_untimed(struct sqlite3 *db, int64_t run_id, char out[P11PROF_UNTIMED_BYTES]);

#endif
