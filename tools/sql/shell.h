/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The sqlite3 shell, with our functions. */
#ifndef P11PROF_SQL_SHELL_H
#define P11PROF_SQL_SHELL_H

#include <stdint.h>

/* Becomes the shell on a database that it only reads; :run is run_id, if that is not 0. Where the
 * functions are not found it starts without them, and says so. Returns, with an exit code after it
 * said why, only if there is no shell. */
int p11prof_sql_shell(const char *database_path, int64_t run_id);

#endif
