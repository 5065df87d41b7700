/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "bench_job.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

const struct p11prof_bench_test *bench_test_of(const char *id)
{
    size_t count;
    const struct p11prof_bench_test *tests = p11prof_bench_tests(&count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(tests[i].id, id) == 0)
            return &tests[i];
    fail_msg("no test %s", id);
    return NULL;
}

CK_RV bench_job_open(struct p11prof_bench_job *job, const struct bench_token *token,
                     const struct p11prof_bench_test *test, const struct p11prof_bench_key *key,
                     CK_FUNCTION_LIST *timed, CK_FUNCTION_LIST *raw, struct p11prof_error *error)
{
    *job = (struct p11prof_bench_job){.test = test,
                                      .key = key,
                                      .timed = timed,
                                      .raw = raw,
                                      .timed_3 = token->functions_3,
                                      .raw_3 = token->functions_3,
                                      .slot_id = token->slot_id,
                                      .session = bench_token_session(token),
                                      .pin = (const CK_BYTE *)token->pin,
                                      .pin_bytes = strlen(token->pin)};
    CK_RV rv = p11prof_bench_job_open(job, test->data_bytes, error);
    if (rv != CKR_OK)
        token->real->C_CloseSession(job->session);
    return rv;
}

void bench_job_close(struct p11prof_bench_job *job)
{
    p11prof_bench_job_close(job);
    assert_int_equal(job->raw->C_CloseSession(job->session), CKR_OK);
}

CK_RV bench_job_iterate(struct p11prof_bench_job *job)
{
    CK_RV rv = job->test->steps->before ? job->test->steps->before(job) : CKR_OK;
    job->iteration++;
    return rv == CKR_OK ? job->test->steps->run(job) : rv;
}

bool bench_job_right(struct p11prof_bench_job *job)
{
    return !job->test->steps->check || job->test->steps->check(job);
}

void bench_job_clean_up(struct p11prof_bench_job *job)
{
    if (job->test->steps->after)
        job->test->steps->after(job);
}
