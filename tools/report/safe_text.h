/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Text of others (token labels, program names) made fit for a terminal or for JSON. UTF-8 passes;
 * everything is cut at a whole character if `out` is too small. Pure functions. */
#ifndef P11PROF_REPORT_SAFE_TEXT_H
#define P11PROF_REPORT_SAFE_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* The next character of *text, which is moved behind it; P11PROF_NO_CHARACTER for a byte that is
 * no UTF-8 (one byte is passed). Not to be called at the end. */
#define P11PROF_NO_CHARACTER UINT32_MAX
uint32_t p11prof_next_character(const char **text);

/* For a terminal: control characters, what changes the direction of writing, and bytes that are no
 * UTF-8 become \x1B or \u202E. */
void p11prof_safe_text(char *out, size_t out_bytes, const char *text);

/* The same, all of it; the caller frees it. */
char *p11prof_safe_copy(const char *text);

/* For JSON: bytes that are no UTF-8 become U+FFFD. 3 bytes for each of `text` and one are enough.
 */
void p11prof_valid_text(char *out, size_t out_bytes, const char *text);

/* Columns on a terminal: one for each character. */
size_t p11prof_text_width(const char *text);

/* Bytes of the first `width` characters of text. */
size_t p11prof_text_prefix(const char *text, size_t width);

#endif
