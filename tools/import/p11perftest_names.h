/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What p11perftest calls its tests, in the words of `p11prof bench`. */
#ifndef P11PROF_IMPORT_P11PERFTEST_NAMES_H
#define P11PROF_IMPORT_P11PERFTEST_NAMES_H

#include <stdint.h>

/* -1: unknown or none. */
struct p11prof_p11perftest_test {
    char id[80];        /* a test id of ours, or the tool's own name in that shape */
    unsigned operation; /* enum p11prof_operation; 0: unknown */
    int64_t mechanism, key_type, key_bits, data_bytes;
};

/* algorithm: "RSA Signature (CKM_SHA256_RSA_PKCS)"; label: of the key, "rsa-2048"; vector_bytes: of
 * the test's vector, -1 if it is not known. */
void p11prof_p11perftest_name(struct p11prof_p11perftest_test *out, const char *algorithm,
                              const char *label, int64_t vector_bytes);

#endif
