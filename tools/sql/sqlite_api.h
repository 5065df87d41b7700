/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Instead of <sqlite3.h>, for code that is both linked into a program and loaded by SQLite: a
 * loaded extension (P11PROF_SQL_EXTENSION) reaches SQLite by a table of its functions. */
#ifndef P11PROF_SQL_SQLITE_API_H
#define P11PROF_SQL_SQLITE_API_H

#ifdef P11PROF_SQL_EXTENSION
#include <sqlite3ext.h>
extern const sqlite3_api_routines *sqlite3_api;
#else
#include <sqlite3.h>
#endif

#endif
