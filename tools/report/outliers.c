/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "outliers.h"

#include <math.h>

enum { P25 = 250000, P75 = 750000 };

static uint64_t middle_ns(const struct p11prof_bucket *bucket, const struct p11prof_sums *sums)
{
    return p11prof_bucket_value_ns(bucket->low_ns, bucket->high_ns, sums->min_ns, sums->max_ns);
}

static void quartiles_of_buckets(const struct p11prof_tally_group *group, uint64_t *quartiles_ns)
{
    static const uint32_t parts[] = {P25, P75};
    for (size_t i = 0; i < 2; i++) {
        struct p11prof_bucket bucket = {0};
        uint64_t rank = p11prof_quantile_rank(group->buckets.count, parts[i]);
        for (uint64_t passed = 0; passed < rank && p11prof_buckets_next(&group->buckets, &bucket);)
            passed += bucket.count;
        quartiles_ns[i] = middle_ns(&bucket, &group->sums);
    }
}

static uint64_t fence_ns(const uint64_t *quartiles_ns)
{
    double low = quartiles_ns[0] > 0 ? (double)quartiles_ns[0] : 1;
    double high = quartiles_ns[1] > 0 ? (double)quartiles_ns[1] : 1;
    double width = (double)p11prof_bucket_width_ns(p11prof_octave(quartiles_ns[1]));
    double ratio = fmax(high / low, 1 + width / high);
    double fence = high * ratio * ratio * ratio;
    return fence < 0x1p63 ? (uint64_t)fence : INT64_MAX;
}

void p11prof_outliers_find(struct p11prof_outliers *out, const struct p11prof_tally_group *group)
{
    size_t count = group->duration_count;
    uint64_t population = count ? count : group->buckets.count;
    uint64_t quartiles_ns[2];
    struct p11prof_bucket bucket = {0};
    *out = (struct p11prof_outliers){.beyond_ns = INT64_MAX};
    if (population == 0)
        return;
    if (count > 0)
        p11prof_select(
            group->durations, count,
            (uint64_t[]){p11prof_quantile_rank(count, P25), p11prof_quantile_rank(count, P75)}, 2,
            quartiles_ns);
    else
        quartiles_of_buckets(group, quartiles_ns);
    out->beyond_ns = fence_ns(quartiles_ns);
    for (size_t i = 0; i < count; i++)
        out->count += group->durations[i] > out->beyond_ns;
    while (count == 0 && p11prof_buckets_next(&group->buckets, &bucket))
        out->count += middle_ns(&bucket, &group->sums) > out->beyond_ns ? bucket.count : 0;
    out->share = (double)out->count / (double)population;
}
