/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Ends a command that a damaged database keeps busy: pages that point at each other never end. */
#ifndef P11PROF_TOOLS_DATABASE_WATCH_H
#define P11PROF_TOOLS_DATABASE_WATCH_H

struct p11prof_database_watch;

/* After some seconds, more for a file of more than a GiB, another thread looks, once, whether the
 * database is whole; if it is not, it says so and ends the process with P11PROF_EXIT_FAILED: what
 * a transaction has changed by then is as if it had not been. However long a command takes on a
 * database that is whole, it is left alone. NULL without memory or a thread: then nobody looks. */
struct p11prof_database_watch *p11prof_database_watch_start(const char *path);

/* NULL is allowed. */
void p11prof_database_watch_stop(struct p11prof_database_watch *watch);

#endif
