/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Where results go: stdout, or a file that is replaced in one step when all of it is written. */
#ifndef P11PROF_TOOLS_OUTPUT_FILE_H
#define P11PROF_TOOLS_OUTPUT_FILE_H

#include <stdio.h>

struct output_file {
    const char *path; /* borrowed; NULL: stdout */
    char *temporary;
    FILE *stream;
};

/* False, after it said so, if the file cannot be made. A path that is no regular file (/dev/stdout)
 * is written to as it is. */
int output_file_open(struct output_file *file, const char *path);

/* Puts the file in place. Returns 0 or an exit code, after it said so; then what was there stays.
 */
int output_file_close(struct output_file *file);

/* Leaves what was there. */
void output_file_discard(struct output_file *file);

#endif
