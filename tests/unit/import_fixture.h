/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Imports texts, as if they were files, into fixture_store. */
#ifndef P11PROF_IMPORT_FIXTURE_H
#define P11PROF_IMPORT_FIXTURE_H

#include "import/import.h"
#include "store_fixture.h"

/* What the last import said. */
extern struct p11prof_import_result imported;
extern struct p11prof_error import_error;
extern int64_t known_run;

/* Imports the bytes; P11PROF_IMPORT_UNKNOWN: as they look. */
enum p11prof_status import_bytes(enum p11prof_import_format format, const char *bytes,
                                 size_t count);
enum p11prof_status import_text(const char *text);

/* A file of tests/data/import. The caller frees it. */
char *import_data(const char *name, size_t *bytes);

#endif
