/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Questions to the helper that reads ELF files (helper.c). */
#ifndef P11PROF_SYMBOLS_ASK_H
#define P11PROF_SYMBOLS_ASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct p11prof_symbol_question {
    const char *path;      /* without newlines; borrowed */
    uint64_t offset_bytes; /* in the file, of a return address */
    uint64_t before_ns;    /* since 1970: the file must be older */
    bool answered;         /* set, also where there is no such function */
    char *symbol;          /* set; the function, owned by the caller; NULL: none */
    uint64_t symbol_offset_bytes;
};

/* Answers the questions, which are ordered by their paths; `helper` is its path. Those about a file
 * that the helper dies of have no function. What is not answered after 20 s, or because there is no
 * helper, stays so. One thread. */
void p11prof_symbols_ask(const char *helper, struct p11prof_symbol_question *questions,
                         size_t count);

#endif
