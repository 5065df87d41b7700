/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Buckets of latency: log-linear, 128 per octave, width max(1 ns, lower edge of the octave / 128),
 * [low, high). Below 256 ns every ns is its own bucket. Pure functions; any thread. */
#ifndef P11PROF_HISTOGRAM_H
#define P11PROF_HISTOGRAM_H

#include <stdint.h>

enum { P11PROF_OCTAVE_BUCKETS = 128, P11PROF_OCTAVES = 58 };

/* Octave 0 holds [0, 128), octave k > 0 holds [2^(k+6), 2^(k+7)). */
static inline unsigned p11prof_octave(uint64_t value_ns)
{
    return value_ns < 128 ? 0 : 57 - (unsigned)__builtin_clzll(value_ns);
}

/* Index in its octave: 0 to 127. */
static inline unsigned p11prof_octave_bucket(uint64_t value_ns, unsigned octave)
{
    return (unsigned)(octave == 0 ? value_ns : (value_ns >> (octave - 1)) & 127);
}

static inline uint64_t p11prof_bucket_width_ns(unsigned octave)
{
    return octave == 0 ? 1 : UINT64_C(1) << (octave - 1);
}

static inline uint64_t p11prof_bucket_low_ns(unsigned octave, unsigned bucket)
{
    return octave == 0 ? bucket : (UINT64_C(128) + bucket) << (octave - 1);
}

/* The value a bucket stands for: its midpoint, clipped to what occurred. */
static inline uint64_t p11prof_bucket_value_ns(uint64_t low_ns, uint64_t high_ns, uint64_t min_ns,
                                               uint64_t max_ns)
{
    uint64_t middle_ns = low_ns + (high_ns - low_ns - 1) / 2;
    return middle_ns < min_ns ? min_ns : middle_ns > max_ns ? max_ns : middle_ns;
}

#endif
