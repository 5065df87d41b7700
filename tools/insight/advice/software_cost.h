/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What public work takes a processor: rough and rather too much, so that an estimate promises too
 * little. Pure functions. */
#ifndef P11PROF_INSIGHT_ADVICE_SOFTWARE_COST_H
#define P11PROF_INSIGHT_ADVICE_SOFTWARE_COST_H

#include <stdbool.h>
#include <stdint.h>

/* A digest, or random numbers of a generator that was seeded. */
int64_t p11prof_software_digest_ns(int64_t bytes);
int64_t p11prof_software_random_ns(int64_t bytes);

/* An operation with a public key of that CKK_ and size (unknown: usual ones); -1: not of a kind
 * that has public keys. */
int64_t p11prof_software_public_key_ns(int64_t key_type, int64_t key_bits);

#endif
