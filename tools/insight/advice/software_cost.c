/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "software_cost.h"
#include "p11prof/pkcs11.h"

#include <stddef.h>

/* SHA-256 without instructions of its own does 400 MB/s. */
enum { CALL_NS = 1000, DIGEST_BYTES_PER_US = 400, RANDOM_BYTES_PER_US = 200 };

/* OpenSSL on one core of some years ago, the next larger size of each kind; 0: any. */
static const struct {
    unsigned long key_type;
    int64_t bits_max, ns;
} public_keys[] = {
    {CKK_RSA, 2048, 40000},  {CKK_RSA, 3072, 80000},    {CKK_RSA, 4096, 140000},
    {CKK_RSA, 0, 600000},    {CKK_EC, 256, 120000},     {CKK_EC, 384, 600000},
    {CKK_EC, 0, 1000000},    {CKK_DSA, 0, 400000},      {CKK_EC_EDWARDS, 0, 200000},
    {CKK_ML_DSA, 0, 200000}, {CKK_SLH_DSA, 0, 2000000},
};

enum { BITS_USUAL = 256 };

static int64_t bytes_ns(int64_t bytes, int64_t bytes_per_us)
{
    return CALL_NS + (bytes > 0
                          ? bytes / bytes_per_us * 1000 + bytes % bytes_per_us * 1000 / bytes_per_us
                          : 0);
}

int64_t p11prof_software_digest_ns(int64_t bytes)
{
    return bytes_ns(bytes, DIGEST_BYTES_PER_US);
}

int64_t p11prof_software_random_ns(int64_t bytes)
{
    return bytes_ns(bytes, RANDOM_BYTES_PER_US);
}

int64_t p11prof_software_public_key_ns(int64_t key_type, int64_t key_bits)
{
    int64_t bits = key_bits > 0 ? key_bits : BITS_USUAL;
    for (size_t i = 0; i < sizeof public_keys / sizeof public_keys[0]; i++)
        if ((int64_t)public_keys[i].key_type == key_type &&
            (public_keys[i].bits_max == 0 || bits <= public_keys[i].bits_max))
            return public_keys[i].ns;
    return -1;
}
