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

/* Drains them; makes the database where something waits for it. Says on stderr what could not be
 * done. */
void p11prof_waiting_collect(const struct p11prof_database *database);

#endif
