/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* A histogram of durations in memory, with the buckets of p11prof/histogram.h. Starts as {0}. One
 * thread. */
#ifndef P11PROF_REPORT_BUCKETS_H
#define P11PROF_REPORT_BUCKETS_H

#include "p11prof/histogram.h"

#include <stdbool.h>

struct p11prof_buckets {
    uint64_t *octaves[P11PROF_OCTAVES]; /* P11PROF_OCTAVE_BUCKETS counts each, NULL where empty */
    uint64_t count;
};

void p11prof_buckets_clear(struct p11prof_buckets *buckets);

/* Makes room for a duration, so that adding it later cannot fail; false if there is no memory. */
bool p11prof_buckets_reserve(struct p11prof_buckets *buckets, uint64_t value_ns);

/* Adds `count` times a duration, or all of the bucket that it is the lower edge of. */
void p11prof_buckets_add(struct p11prof_buckets *buckets, uint64_t value_ns, uint64_t count);

/* Adds all of another histogram. */
void p11prof_buckets_merge(struct p11prof_buckets *buckets, const struct p11prof_buckets *others);

/* A place in the histogram; starts as {0}. */
struct p11prof_bucket {
    uint64_t low_ns, high_ns, count;
    unsigned next; /* private */
};

/* The next bucket that is not empty, from short to long; false behind the last one. */
bool p11prof_buckets_next(const struct p11prof_buckets *buckets, struct p11prof_bucket *bucket);

/* "[[low, high, count], ...]" of the buckets that are not empty. The caller frees it. */
char *p11prof_buckets_text(const struct p11prof_buckets *buckets);

#endif
