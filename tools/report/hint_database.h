/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The database in commands that output names: who types them after --db wants the same one. Set
 * once, before anything is said; one thread. */
#ifndef P11PROF_REPORT_HINT_DATABASE_H
#define P11PROF_REPORT_HINT_DATABASE_H

#include <stddef.h>

/* The path of a database that is not the configured one; NULL: of none, since what is written is to
 * be read elsewhere. */
void p11prof_hint_database_set(const char *path);

/* " --db PATH", with PATH as a shell reads it; "" where no --db is needed. */
const char *p11prof_hint_database(void);

/* Appends a word as a shell reads it, cut where it does not fit. */
void p11prof_shell_word_append(char *out, size_t out_bytes, const char *word);

#endif
