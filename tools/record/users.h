/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The processes that go on with a copy of the shim when the program itself has ended: daemons,
 * workers that have not made a call yet and so have no spool. */
#ifndef P11PROF_RECORD_USERS_H
#define P11PROF_RECORD_USERS_H

#include "folder.h"

#include <stdbool.h>

/* Number of processes that have a copy of the shim mapped, as far as we may look into them. Reads
 * /proc/PID/maps of all: some ten ms on a busy machine. */
unsigned p11prof_run_folder_users(const struct p11prof_run_folder *folder);

/* Whether processes go on that would look for their audit library there, or that may be so. */
bool p11prof_run_folder_is_named(const struct p11prof_run_folder *folder);

#endif
