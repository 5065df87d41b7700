/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Sessions and logins. */
#include "report/allocate.h"
#include "steps.h"

static CK_RV session_run(struct p11prof_bench_job *job)
{
    CK_RV rv =
        job->timed->C_OpenSession(job->slot_id, CKF_SERIAL_SESSION, NULL, NULL, &job->opened);
    if (rv != CKR_OK) {
        job->opened = CK_INVALID_HANDLE;
        return p11prof_bench_said(job, "C_OpenSession", rv);
    }
    rv = job->timed->C_CloseSession(job->opened);
    if (rv == CKR_OK)
        job->opened = CK_INVALID_HANDLE;
    return p11prof_bench_said(job, "C_CloseSession", rv);
}

static void session_after(struct p11prof_bench_job *job)
{
    if (job->opened != CK_INVALID_HANDLE)
        job->raw->C_CloseSession(job->opened);
    job->opened = CK_INVALID_HANDLE;
}

/* The answers are the result: the handle may be another thread's by now. */
const struct p11prof_bench_steps p11prof_bench_session_steps = {
    .run = session_run,
    .after = session_after,
};

struct login {
    bool was_logged_in; /* before the job */
    CK_RV refused;      /* what the token has against the PIN: it is not tried again */
};

static bool logged_in(const struct p11prof_bench_job *job)
{
    CK_SESSION_INFO info;
    return job->raw->C_GetSessionInfo(job->session, &info) == CKR_OK &&
           (info.state == CKS_RW_USER_FUNCTIONS || info.state == CKS_RO_USER_FUNCTIONS);
}

static CK_RV login_call(struct p11prof_bench_job *job, CK_FUNCTION_LIST *list)
{
    struct login *login = job->state;
    CK_RV rv =
        list->C_Login(job->session, CKU_USER, (CK_BYTE_PTR)(uintptr_t)job->pin, job->pin_bytes);
    if (rv == CKR_PIN_INCORRECT || rv == CKR_PIN_LOCKED || rv == CKR_PIN_EXPIRED)
        login->refused = rv;
    return p11prof_bench_said(job, "C_Login", rv);
}

static CK_RV login_open(struct p11prof_bench_job *job)
{
    struct login *login = p11prof_zalloc(1, sizeof *login);
    job->state = login;
    if (!job->pin)
        return p11prof_bench_refuse(job, "it needs the user's PIN");
    if (!logged_in(job))
        return CKR_OK;
    login->was_logged_in = true;
    return p11prof_bench_said(job, "C_Logout", job->raw->C_Logout(job->session));
}

/* A wrong PIN again and again locks the token. */
static CK_RV login_before(struct p11prof_bench_job *job)
{
    const struct login *login = job->state;
    return p11prof_bench_said(job, "C_Login", login->refused);
}

static CK_RV login_run(struct p11prof_bench_job *job)
{
    CK_RV rv = login_call(job, job->timed);
    if (rv != CKR_OK)
        return rv;
    return p11prof_bench_said(job, "C_Logout", job->timed->C_Logout(job->session));
}

static bool login_check(struct p11prof_bench_job *job)
{
    return !logged_in(job);
}

static void login_after(struct p11prof_bench_job *job)
{
    if (logged_in(job))
        job->raw->C_Logout(job->session);
}

static void login_close(struct p11prof_bench_job *job)
{
    const struct login *login = job->state;
    if (login && login->was_logged_in && login->refused == CKR_OK)
        login_call(job, job->raw);
    p11prof_bench_state_free(job);
}

const struct p11prof_bench_steps p11prof_bench_login_steps = {
    .open = login_open,
    .before = login_before,
    .run = login_run,
    .check = login_check,
    .after = login_after,
    .close = login_close,
};
