/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The table of the tests, made of catalogue.def. */
#include "steps.h"

#define PSS(its_hash, its_mgf, salt)                                                               \
    {                                                                                              \
        .parameter = P11PROF_BENCH_PARAMETER_PSS, .hash = its_hash, .mgf = its_mgf,                \
        .salt_bytes = salt                                                                         \
    }
#define OAEP(its_hash, its_mgf)                                                                    \
    {                                                                                              \
        .parameter = P11PROF_BENCH_PARAMETER_OAEP, .hash = its_hash, .mgf = its_mgf                \
    }
enum { PARTS = 4 };

/* Rows that do the same have the same variant: see same_work() of select.c. */
static const struct p11prof_bench_variant plain, multipart = {.part_count = PARTS};

static const struct p11prof_bench_variant pss_sha1 = PSS(CKM_SHA_1, CKG_MGF1_SHA1, 20),
                                          pss_sha256 = PSS(CKM_SHA256, CKG_MGF1_SHA256, 32),
                                          pss_sha384 = PSS(CKM_SHA384, CKG_MGF1_SHA384, 48),
                                          pss_sha512 = PSS(CKM_SHA512, CKG_MGF1_SHA512, 64),
                                          oaep_sha1 = OAEP(CKM_SHA_1, CKG_MGF1_SHA1),
                                          oaep_sha256 = OAEP(CKM_SHA256, CKG_MGF1_SHA256),
                                          oaep_sha384 = OAEP(CKM_SHA384, CKG_MGF1_SHA384),
                                          oaep_sha512 = OAEP(CKM_SHA512, CKG_MGF1_SHA512);

static const struct p11prof_bench_variant
    gcm = {.parameter = P11PROF_BENCH_PARAMETER_GCM},
    ccm = {.parameter = P11PROF_BENCH_PARAMETER_CCM},
    cbc = {.parameter = P11PROF_BENCH_PARAMETER_IV},
    ctr = {.parameter = P11PROF_BENCH_PARAMETER_CTR},
    gmac = {.parameter = P11PROF_BENCH_PARAMETER_NONCE},
    ed448 = {.parameter = P11PROF_BENCH_PARAMETER_EDDSA},
    gcm_multipart = {.parameter = P11PROF_BENCH_PARAMETER_GCM, .part_count = PARTS},
    cbc_multipart = {.parameter = P11PROF_BENCH_PARAMETER_IV, .part_count = PARTS},
    ctr_multipart = {.parameter = P11PROF_BENCH_PARAMETER_CTR, .part_count = PARTS},
    digest_encrypt = {.parameter = P11PROF_BENCH_PARAMETER_IV, .part_count = PARTS},
    sign_encrypt = {.parameter = P11PROF_BENCH_PARAMETER_IV, .part_count = PARTS, .mac_key = true};

static const struct p11prof_bench_variant
    sha_1 = {.digest = "SHA1"},
    sha_224 = {.digest = "SHA224"}, sha_256 = {.digest = "SHA256"}, sha_384 = {.digest = "SHA384"},
    sha_512 = {.digest = "SHA512"}, sha_512_256 = {.digest = "SHA512-256"},
    sha3_224 = {.digest = "SHA3-224"}, sha3_256 = {.digest = "SHA3-256"},
    sha3_384 = {.digest = "SHA3-384"}, sha3_512 = {.digest = "SHA3-512"},
    sha_256_multipart = {.digest = "SHA256", .part_count = PARTS},
    sha_512_multipart = {.digest = "SHA512", .part_count = PARTS},
    sha3_256_multipart = {.digest = "SHA3-256", .part_count = PARTS};

static const struct p11prof_bench_variant among_1 = {.object_count = 1},
                                          among_100 = {.object_count = 100},
                                          among_1000 = {.object_count = 1000};

static const struct p11prof_bench_test tests[] = {
#define TEST(place, its_id, its_name, its_family, its_operation, its_mechanism, kind, bits, bytes, \
             is_sized, its_steps, its_variant)                                                     \
    {.id = its_id,                                                                                 \
     .name = its_name,                                                                             \
     .family = its_family,                                                                         \
     .suite = place,                                                                               \
     .operation = P11PROF_OPERATION_##its_operation,                                               \
     .mechanism = its_mechanism,                                                                   \
     .key_kind = P11PROF_BENCH_KEY_##kind,                                                         \
     .key_bits = bits,                                                                             \
     .data_bytes = bytes,                                                                          \
     .sized = is_sized,                                                                            \
     .steps = &p11prof_bench_##its_steps##_steps,                                                  \
     .variant = &its_variant},
#define CALLS(its_id, its_name, its_family, its_operation, calls, its_mechanism, kind, bits,       \
              bytes, is_alone, its_steps, its_variant)                                             \
    {.id = its_id,                                                                                 \
     .name = its_name,                                                                             \
     .family = its_family,                                                                         \
     .operation = P11PROF_OPERATION_##its_operation,                                               \
     .iteration_calls = calls,                                                                     \
     .mechanism = its_mechanism,                                                                   \
     .key_kind = P11PROF_BENCH_KEY_##kind,                                                         \
     .key_bits = bits,                                                                             \
     .data_bytes = bytes,                                                                          \
     .sized = (bytes) > 0,                                                                         \
     .alone = is_alone,                                                                            \
     .steps = &p11prof_bench_##its_steps##_steps,                                                  \
     .variant = &its_variant},
#include "catalogue.def"
};

const struct p11prof_bench_test *p11prof_bench_tests(size_t *count)
{
    *count = sizeof tests / sizeof tests[0];
    return tests;
}

const struct p11prof_bench_variant *p11prof_bench_variant(const struct p11prof_bench_test *test)
{
    return test->variant;
}
