/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Digests, in one call or in parts. */
#include "report/allocate.h"
#include "steps.h"

#include <openssl/evp.h>
#include <string.h>

struct digest {
    CK_MECHANISM mechanism;
    CK_BYTE expected[EVP_MAX_MD_SIZE];
    unsigned expected_bytes;
};

static CK_RV digest_open(struct p11prof_bench_job *job)
{
    const struct p11prof_bench_variant *variant = p11prof_bench_variant(job->test);
    struct digest *digest = p11prof_zalloc(1, sizeof *digest);
    job->state = digest;
    digest->mechanism.mechanism = job->test->mechanism;
    if (!EVP_Digest(job->in, job->in_bytes, digest->expected, &digest->expected_bytes,
                    EVP_get_digestbyname(variant->digest), NULL))
        return p11prof_bench_refuse(job, "libcrypto could not make the digest to compare with");
    return CKR_OK;
}

static CK_RV digest_run(struct p11prof_bench_job *job)
{
    struct digest *digest = job->state;
    if (p11prof_bench_variant(job->test)->part_count > 0)
        return p11prof_bench_parts_crypt(job, job->timed, P11PROF_OPERATION_DIGEST,
                                         &digest->mechanism, CK_INVALID_HANDLE);
    CK_RV rv = job->timed->C_DigestInit(job->session, &digest->mechanism);
    if (rv != CKR_OK)
        return p11prof_bench_said(job, "C_DigestInit", rv);
    rv = job->timed->C_Digest(job->session, job->in, job->in_bytes, job->out, &job->out_bytes);
    return p11prof_bench_said(job, "C_Digest", rv);
}

static bool digest_check(struct p11prof_bench_job *job)
{
    const struct digest *digest = job->state;
    return job->out_bytes == digest->expected_bytes &&
           memcmp(job->out, digest->expected, digest->expected_bytes) == 0;
}

const struct p11prof_bench_steps p11prof_bench_digest_steps = {
    .open = digest_open,
    .before = p11prof_bench_out_clear,
    .run = digest_run,
    .check = digest_check,
    .after = p11prof_bench_finish,
    .close = p11prof_bench_state_free,
};
