/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Hashes of numbers that somebody else chose: without the seed they cannot be chosen to collide. */
#ifndef P11PROF_DRAIN_MIX_H
#define P11PROF_DRAIN_MIX_H

#include <stdint.h>
#include <sys/random.h>

static inline uint64_t mix_seed(void)
{
    uint64_t seed;
    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) != (ssize_t)sizeof seed)
        seed = (uint64_t)(uintptr_t)&seed * 0x9e3779b97f4a7c15u; /* no entropy yet */
    return seed;
}

static inline uint64_t mix(uint64_t value, uint64_t seed)
{
    value = (value ^ seed) * 0xff51afd7ed558ccdu;
    value = (value ^ value >> 32) * 0xc4ceb9fe1a85ec53u;
    return value ^ value >> 29;
}

#endif
