/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* p11prof runs rename and p11prof runs delete. */
#ifndef P11PROF_RUNS_CHANGE_H
#define P11PROF_RUNS_CHANGE_H

#include "database.h"

/* "RUN NEWNAME"; an empty name removes it. Returns an exit code, after it said what was done. */
int p11prof_runs_rename(struct p11prof_database *database, char **words, int count);

/* "RUN[,RUN...]...": all of them, or none if one is refused. Asks on a terminal, unless yes is
 * set. */
int p11prof_runs_delete(struct p11prof_database *database, char **words, int count, bool yes);

#endif
