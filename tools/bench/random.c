/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Random bytes, and seeds for them. */
#include "report/allocate.h"
#include "steps.h"

#include <string.h>

/* The state is the output that was checked last. */
static CK_RV random_open(struct p11prof_bench_job *job)
{
    job->state = p11prof_zalloc(1, job->in_bytes);
    return CKR_OK;
}

/* All of it: zeros at the end are a fault to be found, too. */
static CK_RV random_before(struct p11prof_bench_job *job)
{
    job->out_bytes = job->in_bytes;
    memset(job->out, 0, job->out_bytes);
    return CKR_OK;
}

static CK_RV random_run(struct p11prof_bench_job *job)
{
    return p11prof_bench_said(job, "C_GenerateRandom",
                              job->timed->C_GenerateRandom(job->session, job->out, job->out_bytes));
}

static bool all_zero(const CK_BYTE *bytes, CK_ULONG count)
{
    return count > 0 && bytes[0] == 0 && memcmp(bytes, bytes + 1, count - 1) == 0;
}

/* Eight zeros at the end are no accident: one in 2^64. */
static bool random_check(struct p11prof_bench_job *job)
{
    CK_ULONG tail_bytes = job->out_bytes < 8 ? job->out_bytes : 8;
    bool fresh = memcmp(job->out, job->state, job->out_bytes) != 0;
    memcpy(job->state, job->out, job->out_bytes);
    return fresh && !all_zero(job->out + job->out_bytes - tail_bytes, tail_bytes);
}

const struct p11prof_bench_steps p11prof_bench_random_steps = {
    .open = random_open,
    .before = random_before,
    .run = random_run,
    .check = random_check,
    .close = p11prof_bench_state_free,
};

/* The state is what was random after the last seed that was checked. */
static CK_RV seed_run(struct p11prof_bench_job *job)
{
    return p11prof_bench_said(job, "C_SeedRandom",
                              job->timed->C_SeedRandom(job->session, job->in, job->in_bytes));
}

/* A seed adds to what the token has: the same seed must not bring the same bytes again. */
static bool seed_check(struct p11prof_bench_job *job)
{
    random_before(job);
    CK_RV rv = job->raw->C_GenerateRandom(job->session, job->out, job->out_bytes);
    return rv == CKR_OK ? random_check(job) : p11prof_bench_unable(job, rv);
}

const struct p11prof_bench_steps p11prof_bench_seed_steps = {
    .open = random_open,
    .run = seed_run,
    .check = seed_check,
    .close = p11prof_bench_state_free,
};
