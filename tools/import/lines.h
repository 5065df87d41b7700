/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* A file of another tool, read once from its begin to its end: line by line, or whole. What it is
 * known by afterwards is a hash of its content. */
#ifndef P11PROF_IMPORT_LINES_H
#define P11PROF_IMPORT_LINES_H

#include "p11prof/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { P11PROF_LINES_BUFFER_BYTES = 1 << 16 };

struct p11prof_lines {
    FILE *stream;      /* borrowed */
    const char *name;  /* of the file, for messages; borrowed */
    uint64_t number;   /* of the line last returned, from 1 */
    uint64_t bytes;    /* read so far */
    uint64_t most;     /* bytes that are read at most */
    uint64_t hash[2];  /* of what was read, high part first */
    size_t start, end; /* of what is left in the buffer */
    bool ended;
    char buffer[P11PROF_LINES_BUFFER_BYTES + 1];
};

void p11prof_lines_init(struct p11prof_lines *lines, FILE *stream, const char *name, uint64_t most);

/* What the file begins with, but for a byte order mark of UTF-8, up to the size of the buffer; ends
 * with a NUL that is not counted. */
const char *p11prof_lines_peek(struct p11prof_lines *lines, size_t *bytes);

/* The next line without its end, NULL at the end of the file or after a failure. A line that does
 * not fit the buffer is cut. Valid until the next call. */
char *p11prof_lines_next(struct p11prof_lines *lines);

/* All that is left. The caller frees it; NULL after a failure. */
char *p11prof_lines_rest(struct p11prof_lines *lines, size_t *bytes, struct p11prof_error *error);

/* After the last line: whether the file was read to its end. */
enum p11prof_status p11prof_lines_check(const struct p11prof_lines *lines,
                                        struct p11prof_error *error);

/* A UUID (version 8) made of the hash. */
void p11prof_lines_uuid(const struct p11prof_lines *lines, uint8_t uuid[16]);

#endif
