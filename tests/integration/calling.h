/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Any function of a list by its number, with any words as arguments; and the files that a test of
 * the shim opens. */
#ifndef P11PROF_TESTS_CALLING_H
#define P11PROF_TESTS_CALLING_H

#include "p11prof/calls.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CALLING_WORDS = 10 };

/* The function's pointer in a list (of module or shim), NULL if the slot is empty. */
static inline void *calling_slot(const void *list, unsigned function)
{
    void *slot;
    memcpy(&slot, (const char *)list + function * sizeof slot, sizeof slot);
    return slot;
}

/* Calls it with ten words: it takes as many as it has parameters (as every Unix ABI passes them).
 */
static inline CK_RV calling_words(void *function, const uint64_t *w)
{
    CK_RV(*callable)
    (uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
     uint64_t);
    memcpy(&callable, &function, sizeof callable);
    return callable(w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7], w[8], w[9]);
}

static inline void *calling_open(const char *path)
{
    void *handle = path ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
    if (!handle) {
        fprintf(stderr, "cannot open %s: %s\n", path ? path : "(not set)", dlerror());
        exit(1);
    }
    return handle;
}

/* An exported function of module or shim. */
static inline struct p11prof_function_list calling_entries(void *handle)
{
    struct p11prof_function_list entries = {.version = {0, 0}};
    void *symbol = dlsym(handle, "C_GetFunctionList");
    memcpy(&entries.C_GetFunctionList, &symbol, sizeof symbol);
    symbol = dlsym(handle, "C_GetInterfaceList");
    memcpy(&entries.C_GetInterfaceList, &symbol, sizeof symbol);
    symbol = dlsym(handle, "C_GetInterface");
    memcpy(&entries.C_GetInterface, &symbol, sizeof symbol);
    return entries;
}

#endif
