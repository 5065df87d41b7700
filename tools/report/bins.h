/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The rows of a histogram on a log scale: edges that people can read, of about equal ratio. Pure
 * functions. */
#ifndef P11PROF_REPORT_BINS_H
#define P11PROF_REPORT_BINS_H

#include "tally.h"

enum { P11PROF_BINS_MOST = 24 };

struct p11prof_bins {
    uint64_t edges_ns[P11PROF_BINS_MOST + 1]; /* bin i: [edges_ns[i], edges_ns[i + 1]) */
    size_t count;
    unsigned digits; /* that tell the edges apart */
};

/* Bins from min to max, 24 or few less where durations differ enough. of_buckets: the edges are
 * edges of buckets, so that no bucket is cut: 1 ns or 0.8 % is then the finest. */
void p11prof_bins_choose(struct p11prof_bins *out, uint64_t min_ns, uint64_t max_ns,
                         bool of_buckets);

/* The bin of a duration; the first or last one for what lies outside. */
size_t p11prof_bins_find(const struct p11prof_bins *bins, uint64_t value_ns);

/* Adds the population of a group to `counts`, one number a bin. */
void p11prof_bins_count(const struct p11prof_bins *bins, const struct p11prof_tally_group *group,
                        uint64_t *counts);

#endif
