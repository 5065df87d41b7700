/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Memory of a command. There is no way on without it: these say "out of memory" and end the process
 * with exit code 3 instead of returning NULL. */
#ifndef P11PROF_REPORT_ALLOCATE_H
#define P11PROF_REPORT_ALLOCATE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

/* Zeroed; the caller frees it. */
void *p11prof_zalloc(size_t count, size_t bytes);

/* A copy; the caller frees it. */
char *p11prof_copy(const char *text);

/* Makes room for at least `needed` elements: doubles *capacity and moves the array if it is less.
 * Returns the array. */
void *p11prof_grow(void *array, size_t *capacity, size_t needed, size_t bytes);

/* A stream that writes into memory: *text is complete once it is closed, and the caller frees it.
 */
FILE *p11prof_text_open(char **text, size_t *bytes);

/* The text of a format and its arguments; the caller frees it. */
char *p11prof_text_make(const char *format, va_list arguments);

#endif
