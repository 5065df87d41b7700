/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Where the other files of p11prof are: as installed, or as built beside this program. */
#ifndef P11PROF_RECORD_PARTS_H
#define P11PROF_RECORD_PARTS_H

#include "p11prof/error.h"

#include <stddef.h>

/* The shim. P11PROF_SHIM names another one. P11PROF_MISSING if it is not found. */
enum p11prof_status p11prof_find_shim(char *path, size_t path_bytes, struct p11prof_error *error);

/* The audit library; P11PROF_AUDIT names another one. */
enum p11prof_status p11prof_find_audit(char *path, size_t path_bytes, struct p11prof_error *error);

/* The functions of SQL that the sqlite3 shell loads; P11PROF_SQL_EXTENSION names another one. */
enum p11prof_status p11prof_find_sql_extension(char *path, size_t path_bytes,
                                               struct p11prof_error *error);

/* The folder of the ready queries; P11PROF_QUERIES names another one. */
enum p11prof_status p11prof_find_queries(char *path, size_t path_bytes,
                                         struct p11prof_error *error);

/* The program that reads symbols of ELF files; P11PROF_SYMBOLS names another one. */
enum p11prof_status p11prof_find_symbols(char *path, size_t path_bytes,
                                         struct p11prof_error *error);

/* The web server of the exporter; P11PROF_HTTP names another one. */
enum p11prof_status p11prof_find_http(char *path, size_t path_bytes, struct p11prof_error *error);

#endif
