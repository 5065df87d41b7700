/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Which database a spool is meant for. It bears the path that the process which made it would open
 * and, once a part of it was drained, the id of the database that has it. */
#ifndef P11PROF_TOOLS_INTENDED_H
#define P11PROF_TOOLS_INTENDED_H

#include "database.h"
#include "p11prof/drain.h"

/* Whether its process is gone or nobody drains it: no drain of its own, and no `record` or `bench`
 * that it descends from. */
bool p11prof_spool_waits(const struct p11prof_found_spool *spool);

/* Whether a database has its first part; and whether that is this one. store may be NULL. */
bool p11prof_spool_is_begun(const struct p11prof_found_spool *spool);
bool p11prof_spool_is_begun_in(const struct p11prof_found_spool *spool,
                               struct p11prof_store *store);

/* Whether the path that it bears is that of `database`. */
bool p11prof_spool_is_for(const struct p11prof_found_spool *spool,
                          const struct p11prof_database *database);

/* The command that takes it: "p11prof collect --db PATH", with PATH as a shell reads it. */
void p11prof_spool_command(char *out, size_t out_bytes, const char *database_path);

#endif
