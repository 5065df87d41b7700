/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Numbers for records of one size that are the same byte for byte: from 0, in the order of their
 * first occurrence. Starts as {.bytes = size of a record}; records have no padding. One thread. */
#ifndef P11PROF_BENCH_LIKE_INTERN_H
#define P11PROF_BENCH_LIKE_INTERN_H

#include <stddef.h>
#include <stdint.h>

struct like_intern {
    size_t bytes;
    char *records; /* owned; count of them */
    size_t count, capacity;
    uint32_t *slots; /* number + 1; 0: free */
    size_t slot_count;
};

/* Its number; a new one is that of the last record. */
uint32_t like_intern_put(struct like_intern *intern, const void *record);
/* UINT32_MAX: it is not there. */
uint32_t like_intern_find(const struct like_intern *intern, const void *record);
const void *like_intern_at(const struct like_intern *intern, size_t number);

/* Empties it; it can be filled again. */
void like_intern_clear(struct like_intern *intern);

#endif
