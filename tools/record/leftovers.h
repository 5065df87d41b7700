/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Folders of runs whose `p11prof record` was killed: 6 MB of memory each. */
#ifndef P11PROF_RECORD_LEFTOVERS_H
#define P11PROF_RECORD_LEFTOVERS_H

#include "folder.h"

/* Removes those of this user in the folder that `folder` was made in, but for those that a record
 * holds, that processes name, and that are younger than a minute: one may be in the making. */
void p11prof_leftovers_remove(const struct p11prof_run_folder *folder);

#endif
