/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Whether a database is whole, before all of it is read. */
#ifndef P11PROF_RETENTION_WHOLE_H
#define P11PROF_RETENTION_WHOLE_H

#include "p11prof/error.h"

struct sqlite3;

/* P11PROF_FAILED if the database attached as `schema` is damaged, so that reading it may fail half
 * way, or never end. Reads all of its pages once. */
enum p11prof_status p11prof_check_whole(struct sqlite3 *db, const char *schema, const char *path,
                                        struct p11prof_error *error);

#endif
