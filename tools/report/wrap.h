/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Breaks text into lines. Pure functions. */
#ifndef P11PROF_REPORT_WRAP_H
#define P11PROF_REPORT_WRAP_H

#include <stddef.h>

/* Bytes of the first line of a text that is not empty: what of it fits `width` characters, up to a
 * blank. A blank behind a digit is none: "12 ms" stays together. A word that is too long is cut.
 * *next: where the next line starts. */
size_t p11prof_wrap(const char *text, size_t width, const char **next);

#endif
