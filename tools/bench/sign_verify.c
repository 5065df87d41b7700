/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Signatures and MACs. */
#include "report/allocate.h"
#include "steps.h"

#include <string.h>

struct signing {
    struct p11prof_bench_mechanism mechanism;
    uint64_t nonce_count;
};

/* One operation of the job's data and key; `out` is the signature. */
static CK_RV crypt(struct p11prof_bench_job *job, CK_FUNCTION_LIST *list, unsigned operation)
{
    struct signing *signing = job->state;
    return p11prof_bench_crypt(job, list, operation, &signing->mechanism.mechanism,
                               p11prof_bench_key_for(job->key, operation), job->in, job->in_bytes,
                               job->out, &job->out_bytes);
}

/* The same in one part or in several, as the test has it. */
static CK_RV test_crypt(struct p11prof_bench_job *job, CK_FUNCTION_LIST *list, unsigned operation)
{
    struct signing *signing = job->state;
    if (p11prof_bench_variant(job->test)->part_count == 0)
        return crypt(job, list, operation);
    return p11prof_bench_parts_crypt(job, list, operation, &signing->mechanism.mechanism,
                                     p11prof_bench_key_for(job->key, operation));
}

static CK_RV sign_open(struct p11prof_bench_job *job)
{
    struct signing *signing = p11prof_zalloc(1, sizeof *signing);
    p11prof_bench_mechanism_make(&signing->mechanism, job->test);
    job->state = signing;
    job->unchecked = p11prof_bench_key_for(job->key, P11PROF_OPERATION_VERIFY) == CK_INVALID_HANDLE;
    return CKR_OK;
}

static CK_RV sign_before(struct p11prof_bench_job *job)
{
    struct signing *signing = job->state;
    if (signing->mechanism.fresh)
        p11prof_bench_nonce_next(&signing->mechanism, signing->nonce_count++);
    return p11prof_bench_out_clear(job);
}

static CK_RV sign_run(struct p11prof_bench_job *job)
{
    return test_crypt(job, job->timed, P11PROF_OPERATION_SIGN);
}

static bool sign_check(struct p11prof_bench_job *job)
{
    if (job->unchecked)
        return true;
    CK_RV rv = crypt(job, job->raw, P11PROF_OPERATION_VERIFY);
    job->unfinished = false;
    return rv == CKR_OK || p11prof_bench_unable(job, rv);
}

/* A token that takes a signature for good whatever it is makes a fast test and a worthless one. */
static CK_RV wrong_refused(struct p11prof_bench_job *job)
{
    CK_BYTE *changed = &job->out[job->out_bytes / 2];
    *changed ^= 1;
    CK_RV rv = test_crypt(job, job->raw, P11PROF_OPERATION_VERIFY);
    *changed ^= 1;
    job->unfinished = false;
    if (rv == CKR_OK)
        return p11prof_bench_wrong(job, "the token accepts wrong signatures");
    return rv == CKR_SIGNATURE_INVALID || rv == CKR_SIGNATURE_LEN_RANGE ? CKR_OK : rv;
}

static CK_RV verify_open(struct p11prof_bench_job *job)
{
    sign_open(job);
    p11prof_bench_out_clear(job);
    CK_RV rv = crypt(job, job->raw, P11PROF_OPERATION_SIGN);
    return rv == CKR_OK ? wrong_refused(job) : rv;
}

static CK_RV verify_run(struct p11prof_bench_job *job)
{
    return test_crypt(job, job->timed, P11PROF_OPERATION_VERIFY);
}

const struct p11prof_bench_steps p11prof_bench_sign_steps = {
    .open = sign_open,
    .before = sign_before,
    .run = sign_run,
    .check = sign_check,
    .after = p11prof_bench_finish,
    .close = p11prof_bench_state_free,
};

/* Its answer is its result. */
const struct p11prof_bench_steps p11prof_bench_verify_steps = {
    .open = verify_open,
    .run = verify_run,
    .after = p11prof_bench_finish,
    .close = p11prof_bench_state_free,
};
