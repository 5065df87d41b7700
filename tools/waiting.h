/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Spools that wait for a database: their process is gone or nobody drains them, and this database
 * has their first part, or they are meant for it. Those that do not say what they are meant for
 * belong to the database that has their run, or else to the one that shims here write, if they lie
 * where shims here put theirs. Others are left alone: a report on some other database must not draw
 * the configured one's calls into it. */
#ifndef P11PROF_TOOLS_WAITING_H
#define P11PROF_TOOLS_WAITING_H

#include "database.h"
#include "p11prof/drain.h"

/* Whether a spool without a problem, waiting or not, belongs to the database; store: of that, NULL:
 * there is none. folder: where it was found, NULL: a default one. */
bool p11prof_spool_belongs(const struct p11prof_found_spool *spool,
                           const struct p11prof_database *database, struct p11prof_store *store,
                           const char *folder);

/* Drains them, and looks up who called; makes the database where something waits for it. Says on
 * stderr what could not be done. */
void p11prof_waiting_collect(const struct p11prof_database *database);

/* Drains them only, hardly waits for other writers, and tells `say` what could not be done. */
void p11prof_waiting_take(const struct p11prof_database *database,
                          void (*say)(void *payload, const char *text), void *payload);

#endif
