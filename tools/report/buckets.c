/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "buckets.h"
#include "allocate.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

void p11prof_buckets_clear(struct p11prof_buckets *buckets)
{
    for (unsigned i = 0; i < P11PROF_OCTAVES; i++)
        free(buckets->octaves[i]);
    *buckets = (struct p11prof_buckets){0};
}

bool p11prof_buckets_reserve(struct p11prof_buckets *buckets, uint64_t value_ns)
{
    uint64_t **counts = &buckets->octaves[p11prof_octave(value_ns)];
    if (!*counts)
        *counts = calloc(P11PROF_OCTAVE_BUCKETS, sizeof **counts);
    return *counts != NULL;
}

void p11prof_buckets_add(struct p11prof_buckets *buckets, uint64_t value_ns, uint64_t count)
{
    unsigned octave = p11prof_octave(value_ns);
    if (!buckets->octaves[octave])
        buckets->octaves[octave] = p11prof_zalloc(P11PROF_OCTAVE_BUCKETS, sizeof(uint64_t));
    buckets->octaves[octave][p11prof_octave_bucket(value_ns, octave)] += count;
    buckets->count += count;
}

bool p11prof_buckets_next(const struct p11prof_buckets *buckets, struct p11prof_bucket *bucket)
{
    for (; bucket->next < P11PROF_OCTAVES * P11PROF_OCTAVE_BUCKETS; bucket->next++) {
        unsigned octave = bucket->next / P11PROF_OCTAVE_BUCKETS;
        unsigned place = bucket->next % P11PROF_OCTAVE_BUCKETS;
        if (!buckets->octaves[octave]) {
            bucket->next += P11PROF_OCTAVE_BUCKETS - 1 - place;
        } else if (buckets->octaves[octave][place] > 0) {
            bucket->low_ns = p11prof_bucket_low_ns(octave, place);
            bucket->high_ns = bucket->low_ns + p11prof_bucket_width_ns(octave);
            bucket->count = buckets->octaves[octave][place];
            bucket->next++;
            return true;
        }
    }
    return false;
}

void p11prof_buckets_merge(struct p11prof_buckets *buckets, const struct p11prof_buckets *others)
{
    struct p11prof_bucket bucket = {0};
    while (p11prof_buckets_next(others, &bucket))
        p11prof_buckets_add(buckets, bucket.low_ns, bucket.count);
}

char *p11prof_buckets_text(const struct p11prof_buckets *buckets)
{
    struct p11prof_bucket bucket = {0};
    char *text;
    size_t bytes;
    FILE *stream = p11prof_text_open(&text, &bytes);
    fputc('[', stream);
    for (const char *comma = ""; p11prof_buckets_next(buckets, &bucket); comma = ",")
        fprintf(stream, "%s[%" PRIu64 ",%" PRIu64 ",%" PRIu64 "]", comma, bucket.low_ns,
                bucket.high_ns, bucket.count);
    fputc(']', stream);
    fclose(stream);
    return text;
}
