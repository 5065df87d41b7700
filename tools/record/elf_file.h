/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What the dynamic loader would make of a file. Reads; loads and runs nothing. */
#ifndef P11PROF_RECORD_ELF_FILE_H
#define P11PROF_RECORD_ELF_FILE_H

#include <stdbool.h>
#include <stddef.h>

enum p11prof_file_kind {
    P11PROF_FILE_OTHER,      /* neither ELF nor script, or not readable */
    P11PROF_FILE_SCRIPT,     /* "#!": interpreter is the rest of its first line */
    P11PROF_FILE_FOREIGN,    /* ELF for another machine or word size */
    P11PROF_FILE_EXECUTABLE, /* ELF; interpreter is its dynamic loader, "": it is static */
    P11PROF_FILE_LIBRARY,    /* ELF shared object without a dynamic loader of its own */
};

struct p11prof_file {
    enum p11prof_file_kind kind;
    char interpreter[256];
};

/* Never fails: what cannot be read is P11PROF_FILE_OTHER. A static position-independent program
 * is a P11PROF_FILE_LIBRARY. */
void p11prof_file_read(struct p11prof_file *out, const char *path);

/* Whether the file holds `bytes` bytes equal to `pattern`. */
bool p11prof_file_holds(const char *path, const void *pattern, size_t bytes);

#endif
