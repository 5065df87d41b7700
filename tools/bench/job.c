/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Opening and closing of jobs. */
#include "report/allocate.h"
#include "steps.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ROOM_BYTES = 2048 + 64,         /* for what an operation adds: at most a block of RSA-16384 */
    ML_DSA_ROOM_BYTES = 4627 + 64,  /* a signature of ML-DSA-87 */
    SLH_DSA_ROOM_BYTES = 49856 + 64 /* and of SLH-DSA-SHA2-256f */
};

static size_t room_bytes(const struct p11prof_bench_test *test)
{
    if (test->key_kind == P11PROF_BENCH_KEY_SLH_DSA)
        return SLH_DSA_ROOM_BYTES;
    return test->key_kind == P11PROF_BENCH_KEY_ML_DSA ? ML_DSA_ROOM_BYTES : ROOM_BYTES;
}

/* One iteration through the list that nobody measures. */
static CK_RV iteration_try(struct p11prof_bench_job *job)
{
    const struct p11prof_bench_steps *steps = job->test->steps;
    CK_FUNCTION_LIST *timed = job->timed;
    const struct p11prof_function_list *timed_3 = job->timed_3;
    job->timed = job->raw;
    job->timed_3 = job->raw_3;
    CK_RV rv = steps->before ? steps->before(job) : CKR_OK;
    if (rv == CKR_OK)
        rv = steps->run(job);
    if (rv == CKR_OK && steps->check && !steps->check(job))
        rv = p11prof_bench_wrong(job, "its result is wrong");
    if (steps->after)
        steps->after(job);
    job->timed = timed;
    job->timed_3 = timed_3;
    return rv;
}

/* Key generation takes seconds, and a wrong PIN may be tried but a few times. */
static bool worth_trying(const struct p11prof_bench_test *test)
{
    return test->operation != P11PROF_OPERATION_GENERATE_KEY_PAIR && !test->alone;
}

static CK_RV steps_open(struct p11prof_bench_job *job)
{
    const struct p11prof_bench_test *test = job->test;
    CK_RV rv = test->steps->open ? test->steps->open(job) : CKR_OK;
    if (rv == CKR_OK && worth_trying(test))
        rv = iteration_try(job);
    job->iteration = 0;
    return rv;
}

static void described(struct p11prof_error *error, const struct p11prof_bench_job *job, CK_RV rv)
{
    char rv_text[32];
    const char *mechanism = job->test->mechanism == CK_UNAVAILABLE_INFORMATION
                                ? NULL
                                : p11prof_mechanism_name(job->test->mechanism);
    if (job->problem)
        p11prof_error_set(error, P11PROF_FAILED, "%s: %s", job->test->id, job->problem);
    else
        p11prof_error_set(error, P11PROF_FAILED, "%s: %s%s%s%s: %s", job->test->id,
                          job->failed_call ? job->failed_call : "the module", mechanism ? " (" : "",
                          mechanism ? mechanism : "", mechanism ? ")" : "",
                          p11prof_rv_text(rv, rv_text));
}

CK_RV p11prof_bench_job_open(struct p11prof_bench_job *job, uint64_t data_bytes,
                             struct p11prof_error *error)
{
    job->in_capacity = job->out_capacity = data_bytes + room_bytes(job->test);
    job->in = p11prof_zalloc(1, job->in_capacity);
    job->out = p11prof_zalloc(1, job->out_capacity);
    p11prof_bench_in_fill(job, data_bytes);
    CK_RV rv = steps_open(job);
    if (rv == CKR_OK)
        return rv;
    described(error, job, rv);
    p11prof_bench_settle(job); /* other jobs work in this session */
    p11prof_bench_job_close(job);
    return rv;
}

void p11prof_bench_job_close(struct p11prof_bench_job *job)
{
    if (job->test->steps->close)
        job->test->steps->close(job);
    free(job->out);
    free(job->in);
    job->in = job->out = NULL;
}

CK_RV p11prof_bench_said(struct p11prof_bench_job *job, const char *function, CK_RV rv)
{
    if (rv != CKR_OK) {
        job->failed_call = function;
        job->unfinished = true; /* an Init that failed may have done what it should */
    }
    return rv;
}

CK_RV p11prof_bench_made(struct p11prof_bench_job *job, const char *function, CK_RV rv)
{
    if (rv != CKR_OK)
        job->made[0] = job->made[1] = CK_INVALID_HANDLE;
    return p11prof_bench_said(job, function, rv);
}

CK_RV p11prof_bench_refuse(struct p11prof_bench_job *job, const char *problem)
{
    job->problem = problem;
    return CKR_GENERAL_ERROR;
}

CK_RV p11prof_bench_wrong(struct p11prof_bench_job *job, const char *problem)
{
    job->wrong = true;
    return p11prof_bench_refuse(job, problem);
}

bool p11prof_bench_unable(struct p11prof_bench_job *job, CK_RV rv)
{
    switch (rv) {
    case CKR_KEY_FUNCTION_NOT_PERMITTED:
    case CKR_MECHANISM_INVALID:
    case CKR_FUNCTION_NOT_SUPPORTED:
        job->unchecked = true;
        return true;
    default:
        return false;
    }
}

/* Not all the same, so that a result of the wrong place of it is wrong. */
void p11prof_bench_in_fill(struct p11prof_bench_job *job, CK_ULONG bytes)
{
    uint64_t random = UINT64_C(0x9e3779b97f4a7c15);
    job->in_bytes = bytes;
    for (CK_ULONG i = 0; i < bytes; i++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        job->in[i] = (CK_BYTE)(random >> 32);
    }
}

/* The head is enough: a module that writes nothing, or not from the start, is found out, and large
 * outputs cost nothing. */
CK_RV p11prof_bench_out_clear(struct p11prof_bench_job *job)
{
    job->out_bytes = job->out_capacity;
    memset(job->out, 0, 64);
    return CKR_OK;
}

/* Where an iteration is so many calls of whatever kind, one more would be the next one's. */
void p11prof_bench_made_destroy(struct p11prof_bench_job *job)
{
    CK_FUNCTION_LIST *list = job->test->iteration_calls > 0 ? job->raw : job->timed;
    for (unsigned i = 0; i < 2; i++) {
        if (job->made[i] != CK_INVALID_HANDLE &&
            list->C_DestroyObject(job->session, job->made[i]) != CKR_OK)
            job->raw->C_DestroyObject(job->session, job->made[i]);
        job->made[i] = CK_INVALID_HANDLE;
    }
}

void p11prof_bench_state_free(struct p11prof_bench_job *job)
{
    free(job->state);
    job->state = NULL;
}
