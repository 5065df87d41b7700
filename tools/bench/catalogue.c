/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The table of the tests, made of catalogue.def. */
#include "steps.h"

static const struct p11prof_bench_variant plain,
    pss_sha256 = {.parameter = P11PROF_BENCH_PARAMETER_PSS,
                  .hash = CKM_SHA256,
                  .mgf = CKG_MGF1_SHA256,
                  .salt_bytes = 32},
    oaep_sha1 = {.parameter = P11PROF_BENCH_PARAMETER_OAEP,
                 .hash = CKM_SHA_1,
                 .mgf = CKG_MGF1_SHA1},
    oaep_sha256 = {.parameter = P11PROF_BENCH_PARAMETER_OAEP,
                   .hash = CKM_SHA256,
                   .mgf = CKG_MGF1_SHA256},
    gcm = {.parameter = P11PROF_BENCH_PARAMETER_GCM},
    cbc = {.parameter = P11PROF_BENCH_PARAMETER_IV},
    ctr = {.parameter = P11PROF_BENCH_PARAMETER_CTR}, sha_256 = {.digest = "SHA256"},
    sha_384 = {.digest = "SHA384"}, sha_512 = {.digest = "SHA512"},
    sha_256_multipart = {.digest = "SHA256", .part_count = 4}, among_1 = {.object_count = 1},
    among_100 = {.object_count = 100};

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
#define CALLS(its_id, its_name, its_family, calls, kind, bits, is_alone, its_steps)                \
    {.id = its_id,                                                                                 \
     .name = its_name,                                                                             \
     .family = its_family,                                                                         \
     .iteration_calls = calls,                                                                     \
     .mechanism = CK_UNAVAILABLE_INFORMATION,                                                      \
     .key_kind = P11PROF_BENCH_KEY_##kind,                                                         \
     .key_bits = bits,                                                                             \
     .alone = is_alone,                                                                            \
     .steps = &p11prof_bench_##its_steps##_steps,                                                  \
     .variant = &plain},
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
