/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The database that a command works on: which one, and what has to be in it before it is read. */
#ifndef P11PROF_TOOLS_DATABASE_H
#define P11PROF_TOOLS_DATABASE_H

#include "p11prof/config.h"
#include "p11prof/store.h"

struct p11prof_database_options {
    const char *path; /* --db; NULL: as a shim here would choose it */
    bool no_collect;  /* --no-collect */
};

struct p11prof_database {
    char path[P11PROF_PATH_BYTES];
    char spool_folder[P11PROF_PATH_BYTES]; /* configured, if it is no default one; else "" */
    bool configured;                       /* a shim here writes this one too */
    struct p11prof_store *store;           /* NULL: not open */
    struct p11prof_database_watch *watch;  /* NULL: none */
};

/* Fills all but the store. path: --db, or NULL. */
void p11prof_database_name(struct p11prof_database *out, const struct p11prof_config *config,
                           const char *path);

/* The same with the settings of a shim installed here. False, after it said so, if no database is
 * named and none can be derived. */
bool p11prof_database_choose(struct p11prof_database *out, const char *path);

/* Whether both are the path of one database, there or not. Of the second, unless it is trusted,
 * only the text is looked at: a path that another user named may lead anywhere, or never answer. */
bool p11prof_database_is(const char *path, const char *other, bool trusted);

/* The settings that a shim installed here would see. */
void p11prof_database_settings(struct p11prof_config *config);

/* Chooses the database, takes into it what waits for it in spools (which makes it, where there is
 * none yet), and opens it for queries. Failing to drain is a warning. Returns 0, or an exit code
 * after it said what is wrong; if nothing is recorded yet, how to make a first recording. */
int p11prof_database_open(struct p11prof_database *out,
                          const struct p11prof_database_options *options);

/* The same, to be changed. */
int p11prof_database_open_to_change(struct p11prof_database *out,
                                    const struct p11prof_database_options *options);

/* Allowed on what was not opened. */
void p11prof_database_close(struct p11prof_database *database);

#endif
