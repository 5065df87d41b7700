/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* A database whose file is changed on purpose, and commands on it. Failures are cmocka assertions.
 */
#ifndef P11PROF_TESTS_DAMAGE_H
#define P11PROF_TESTS_DAMAGE_H

#include "fault.h"

enum { DAMAGE_SAID_BYTES = 1 << 16 };

/* Runs SQL on the database at `path`. */
void damage_sql(const char *path, const char *text);

/* All of a file; the caller frees it. */
char *damage_file_read(const char *path, size_t *bytes);
void damage_file_write(const char *path, const char *held, size_t bytes);

/* Removes the database and the files beside it. */
void damage_db_remove(const struct fault *fault);

/* One command on the database, killed after 30 s; its status, and what it said, of both outputs. */
int damage_command(const struct fault *fault, const char *words, char *said, size_t said_bytes);

/* It ended as a command ends; not by a signal, nor by a sanitizer, which it is built with or not.
 */
bool damage_ended_well(int status, const char *said);

#endif
