/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Counts and durations of calls (operations) by group, added one by one or a histogram at a time:
 * a hash table in memory, because GROUP BY over rows costs SQLite many times a scan. Starts with
 * only its grouping set. One thread. */
#ifndef P11PROF_REPORT_TALLY_H
#define P11PROF_REPORT_TALLY_H

#include "dimensions.h"
#include "stats.h"

/* Values of the grouping's dimensions, in its order; 0 where unknown. */
struct p11prof_key {
    int64_t values[P11PROF_DIMENSIONS];
    uint32_t known; /* bit n: values[n] */
};

struct p11prof_tally_group {
    struct p11prof_key key;
    uint64_t count, error_count, undisclosed_count; /* completed; failed; not told */
    uint64_t total_ns;                              /* failed ones too */
    uint64_t in_bytes, out_bytes;
    uint64_t *durations; /* of the population, where they are known one by one */
    size_t duration_count, duration_capacity;
    struct p11prof_sums sums; /* of the population, where they are not */
    struct p11prof_buckets buckets;
    bool quantiles_known; /* exactly, though the durations are not */
    uint64_t quantile_ns[P11PROF_QUANTILES];
};

struct p11prof_tally {
    struct p11prof_grouping grouping;
    struct p11prof_tally_group *groups; /* in the order of their first call */
    size_t group_count, group_capacity;
    uint32_t *slots; /* private: index + 1 in groups, 0: free */
    size_t slot_count;
    struct p11prof_tally_group *last; /* private: calls of a group come one after another */
};

void p11prof_tally_clear(struct p11prof_tally *tally);

/* The group of that key, made if need be; valid until the next call. */
struct p11prof_tally_group *p11prof_tally_find(struct p11prof_tally *tally,
                                               const struct p11prof_key *key);

/* Index of the group of that key; group_count if there is none. Changes nothing. */
size_t p11prof_tally_index(const struct p11prof_tally *tally, const struct p11prof_key *key);

/* Moves all groups of `from`, which has the same grouping, into `into`. */
void p11prof_tally_absorb(struct p11prof_tally *into, struct p11prof_tally *from);

/* Adds a duration to the group's population. */
void p11prof_tally_add_duration(struct p11prof_tally_group *group, uint64_t duration_ns);

/* Adds all of `from` but its key. */
void p11prof_tally_merge(struct p11prof_tally_group *into, const struct p11prof_tally_group *from);

/* Frees what a group that stands in no tally has. */
void p11prof_tally_group_clear(struct p11prof_tally_group *group);

/* "[[low, high, count], ...]" of the group's population. The caller frees it. */
char *p11prof_tally_histogram(const struct p11prof_tally_group *group);

/* Whether nothing is known of the time of its calls: they are of an imported log. */
bool p11prof_tally_is_untimed(const struct p11prof_tally_group *group);

/* Whether the group's percentiles are durations that occurred. */
bool p11prof_tally_is_exact(const struct p11prof_tally_group *group);

/* Statistics of the group's population. */
void p11prof_tally_stats(struct p11prof_tally_group *group, struct p11prof_stats *out);

/* The quantiles of the group's population (0 values: all 0) at ascending probabilities. */
void p11prof_tally_quantiles(struct p11prof_tally_group *group, const uint32_t *millionths,
                             size_t count, uint64_t *out);

/* The value of a dimension; false if it is unknown or no dimension of this tally. */
bool p11prof_tally_value(const struct p11prof_tally *tally, const struct p11prof_key *key,
                         enum p11prof_dimension_id id, int64_t *value);

#endif
