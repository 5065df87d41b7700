/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The parts of a merge. In their SQL the database merged into is `main`, the source is `source`,
 * and temporary tables map_process, map_spool and map_group say which `old` number of the source
 * became which `new` one. */
#ifndef P11PROF_RETENTION_MERGE_PARTS_H
#define P11PROF_RETENTION_MERGE_PARTS_H

#include "merge.h"

struct sqlite3;

/* A run that both have, or one of them. */
struct p11prof_merge_run {
    int64_t source_id, id; /* its numbers; id 0: it is not here */
    int64_t shift_ns;      /* its start in the source against its start here */
};

/* Attaches the source and checks whose it is and that it is whole. On failure nothing is attached.
 */
enum p11prof_status p11prof_merge_attach(struct p11prof_store *store, const char *path,
                                         struct p11prof_error *error);
void p11prof_merge_detach(struct p11prof_store *store);

/* In a transaction: finds the run here and what there is to do with it. P11PROF_MERGE_REFUSED: why
 * is told in *error, and the status is P11PROF_OK. */
enum p11prof_status p11prof_merge_compare(struct sqlite3 *db, struct p11prof_merge_run *run,
                                          enum p11prof_merge_outcome *outcome,
                                          struct p11prof_error *error);

/* In a transaction: copies a run that is not here (COPIED), in place of what is here (REPLACED), or
 * to it (ADDED). P11PROF_BAD_INPUT if something of it is here as a part of another run. */
enum p11prof_status p11prof_merge_copy(struct p11prof_store *store, struct p11prof_merge_run *run,
                                       enum p11prof_merge_outcome outcome,
                                       struct p11prof_error *error);

/* In a transaction: names of codes that this database does not know, and baselines whose runs are
 * all here. */
enum p11prof_status p11prof_merge_names(struct sqlite3 *db, struct p11prof_error *error);
enum p11prof_status p11prof_merge_baselines(const struct p11prof_merge *merge, uint64_t *count,
                                            struct p11prof_error *error);

#endif
