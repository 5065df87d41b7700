/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Deleting a run. */
#ifndef P11PROF_RETENTION_DELETE_H
#define P11PROF_RETENTION_DELETE_H

#include "p11prof/store.h"

#include <stdint.h>

/* Deletes a run and all that belongs to it, in short transactions, the run itself last: killed
 * before that, it is still listed and can be deleted again. P11PROF_BAD_INPUT if it is in a
 * baseline. *call_count grows by the rows of calls that it had. Whether it is still being recorded
 * is for the caller to know. */
enum p11prof_status p11prof_run_delete(struct p11prof_store *store, int64_t run_id,
                                       uint64_t *call_count, struct p11prof_error *error);

/* P11PROF_BAD_INPUT if it is in a baseline. */
enum p11prof_status p11prof_run_check_baselines(struct p11prof_store *store, int64_t run_id,
                                                struct p11prof_error *error);

/* In the caller's transaction: deletes all that belongs to a run but the run itself, however long
 * that takes. */
enum p11prof_status p11prof_run_empty(struct p11prof_store *store, int64_t run_id,
                                      struct p11prof_error *error);

#endif
