/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Whether a file may say which code runs: only if nobody but root and the user can have written
 * it.
 *
 * Every folder and link on the way, and the file, must belong to root or to the user (effective;
 * in a set-uid program root alone) and be writable by nobody else. A folder with the sticky bit
 * (/tmp, /dev/shm) may be writable for others where what is taken from it is a folder. */
#ifndef P11PROF_SHIM_TRUSTED_H
#define P11PROF_SHIM_TRUSTED_H

#include "p11prof/error.h"

/* Opens the regular file at `path` (a relative one starts at the working directory) for reading,
 * close-on-exec. Returns the descriptor, which the caller closes, or -1 with error->status
 * P11PROF_MISSING (there is none), P11PROF_REFUSED (not to be believed) or P11PROF_FAILED. Each
 * step is checked on the descriptor that the next one starts from. Any thread; nothing is
 * allocated. */
int p11prof_trusted_open(const char *path, struct p11prof_error *error);

#endif
