/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Signatures of messages (3.0). */
#include "message_process.h"
#include "report/allocate.h"

struct message_sign {
    CK_MECHANISM mechanism;
    struct message_process process, inverse; /* the latter for checks */
};

static CK_RV sign(struct p11prof_bench_job *job, const struct p11prof_function_list *list,
                  const struct message_process *process)
{
    return p11prof_bench_said(job, "C_SignMessage",
                              list->C_SignMessage(process->session, NULL, 0, job->in, job->in_bytes,
                                                  job->out, &job->out_bytes));
}

static CK_RV verify(struct p11prof_bench_job *job, const struct p11prof_function_list *list,
                    const struct message_process *process)
{
    return p11prof_bench_said(job, "C_VerifyMessage",
                              list->C_VerifyMessage(process->session, NULL, 0, job->in,
                                                    job->in_bytes, job->out, job->out_bytes));
}

static struct message_sign *state_make(struct p11prof_bench_job *job, unsigned inverse)
{
    struct message_sign *state = p11prof_zalloc(1, sizeof *state);
    job->state = state;
    state->mechanism.mechanism = job->test->mechanism;
    state->process = (struct message_process){.operation = job->test->operation, .recorded = true};
    state->inverse = (struct message_process){.operation = inverse};
    return state;
}

/* What an error left is not to be relied on. */
static void sign_after(struct p11prof_bench_job *job)
{
    struct message_sign *state = job->state;
    if (job->unfinished && state)
        message_process_close(job, &state->process);
    job->unfinished = false;
}

static CK_RV process_reopen(struct p11prof_bench_job *job)
{
    struct message_sign *state = job->state;
    return state->process.session == CK_INVALID_HANDLE
               ? message_process_open(job, &state->process, &state->mechanism)
               : CKR_OK;
}

static void sign_close(struct p11prof_bench_job *job)
{
    struct message_sign *state = job->state;
    if (!state)
        return;
    message_process_close(job, &state->process);
    message_process_close(job, &state->inverse);
    p11prof_bench_state_free(job);
}

/* --- signing --- */

static CK_RV sign_open(struct p11prof_bench_job *job)
{
    struct message_sign *state = state_make(job, P11PROF_OPERATION_MESSAGE_VERIFY);
    CK_RV rv = message_process_open(job, &state->process, &state->mechanism);
    job->unchecked =
        p11prof_bench_key_for(job->key, P11PROF_OPERATION_MESSAGE_VERIFY) == CK_INVALID_HANDLE;
    if (rv != CKR_OK || job->unchecked)
        return rv;
    rv = message_process_open(job, &state->inverse, &state->mechanism);
    job->unfinished = false;
    return p11prof_bench_unable(job, rv) ? CKR_OK : rv;
}

static CK_RV sign_before(struct p11prof_bench_job *job)
{
    p11prof_bench_out_clear(job);
    return process_reopen(job);
}

static CK_RV sign_run(struct p11prof_bench_job *job)
{
    const struct message_sign *state = job->state;
    return sign(job, job->timed_3, &state->process);
}

static bool sign_check(struct p11prof_bench_job *job)
{
    const struct message_sign *state = job->state;
    if (job->unchecked)
        return true;
    CK_RV rv = verify(job, job->raw_3, &state->inverse);
    job->unfinished = false;
    return rv == CKR_OK || p11prof_bench_unable(job, rv);
}

/* --- verifying --- */

/* In a process of its own, which is not needed after the error. */
static CK_RV wrong_refused(struct p11prof_bench_job *job)
{
    struct message_sign *state = job->state;
    struct message_process process = {.operation = job->test->operation};
    CK_BYTE *changed = &job->out[job->out_bytes / 2];
    CK_RV rv = message_process_open(job, &process, &state->mechanism);
    if (rv != CKR_OK)
        return rv;
    *changed ^= 1;
    rv = verify(job, job->raw_3, &process);
    *changed ^= 1;
    message_process_close(job, &process);
    job->unfinished = false;
    if (rv == CKR_OK)
        return p11prof_bench_wrong(job, "the token accepts wrong signatures");
    return rv == CKR_SIGNATURE_INVALID || rv == CKR_SIGNATURE_LEN_RANGE ? CKR_OK : rv;
}

static CK_RV verify_open(struct p11prof_bench_job *job)
{
    struct message_sign *state = state_make(job, P11PROF_OPERATION_MESSAGE_SIGN);
    CK_RV rv = message_process_open(job, &state->inverse, &state->mechanism);
    p11prof_bench_out_clear(job);
    if (rv == CKR_OK)
        rv = sign(job, job->raw_3, &state->inverse);
    message_process_close(job, &state->inverse);
    if (rv == CKR_OK)
        rv = wrong_refused(job);
    return rv == CKR_OK ? message_process_open(job, &state->process, &state->mechanism) : rv;
}

static CK_RV verify_run(struct p11prof_bench_job *job)
{
    const struct message_sign *state = job->state;
    return verify(job, job->timed_3, &state->process);
}

const struct p11prof_bench_steps p11prof_bench_message_sign_steps = {
    .open = sign_open,
    .before = sign_before,
    .run = sign_run,
    .check = sign_check,
    .after = sign_after,
    .close = sign_close,
};

/* Its answer is its result. */
const struct p11prof_bench_steps p11prof_bench_message_verify_steps = {
    .open = verify_open,
    .before = process_reopen,
    .run = verify_run,
    .after = sign_after,
    .close = sign_close,
};
