/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The program that `record` is to start. */
#ifndef P11PROF_RECORD_TARGET_H
#define P11PROF_RECORD_TARGET_H

#include <stddef.h>

/* Exit codes of a shell for a command that cannot be started. */
enum { P11PROF_EXIT_NOT_STARTED = 126, P11PROF_EXIT_NOT_FOUND = 127 };

/* Finds `command` as execvp() would and writes its path. Returns 0, or the exit code of one of the
 * above after it said why. */
int p11prof_target_find(const char *command, char *path, size_t path_bytes);

/* Warns if the dynamic loader will ignore the audit library in the program at `path`: static,
 * set-uid, not for glibc. Looks at the interpreter of a script. */
void p11prof_target_warn(const char *path);

#endif
