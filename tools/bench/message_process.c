/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "message_process.h"

static CK_RV init(const struct p11prof_function_list *list, const struct message_process *process,
                  CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key, const char **function)
{
    switch (process->operation) {
    case P11PROF_OPERATION_MESSAGE_ENCRYPT:
        *function = "C_MessageEncryptInit";
        return list->C_MessageEncryptInit(process->session, mechanism, key);
    case P11PROF_OPERATION_MESSAGE_DECRYPT:
        *function = "C_MessageDecryptInit";
        return list->C_MessageDecryptInit(process->session, mechanism, key);
    case P11PROF_OPERATION_MESSAGE_SIGN:
        *function = "C_MessageSignInit";
        return list->C_MessageSignInit(process->session, mechanism, key);
    default:
        *function = "C_MessageVerifyInit";
        return list->C_MessageVerifyInit(process->session, mechanism, key);
    }
}

static void final(const struct p11prof_function_list *list, const struct message_process *process)
{
    switch (process->operation) {
    case P11PROF_OPERATION_MESSAGE_ENCRYPT:
        list->C_MessageEncryptFinal(process->session);
        break;
    case P11PROF_OPERATION_MESSAGE_DECRYPT:
        list->C_MessageDecryptFinal(process->session);
        break;
    case P11PROF_OPERATION_MESSAGE_SIGN:
        list->C_MessageSignFinal(process->session);
        break;
    default:
        list->C_MessageVerifyFinal(process->session);
        break;
    }
}

/* In a session like that of the job. */
static CK_RV session_open(struct p11prof_bench_job *job, CK_FUNCTION_LIST *list,
                          struct message_process *process)
{
    CK_SESSION_INFO info;
    CK_RV rv = job->raw->C_GetSessionInfo(job->session, &info);
    if (rv != CKR_OK)
        return p11prof_bench_said(job, "C_GetSessionInfo", rv);
    rv = list->C_OpenSession(job->slot_id, info.flags, NULL, NULL, &process->session);
    if (rv != CKR_OK)
        process->session = CK_INVALID_HANDLE;
    return p11prof_bench_said(job, "C_OpenSession", rv);
}

CK_RV message_process_open(struct p11prof_bench_job *job, struct message_process *process,
                           CK_MECHANISM *mechanism)
{
    CK_FUNCTION_LIST *list = process->recorded ? job->timed : job->raw;
    CK_OBJECT_HANDLE key = p11prof_bench_key_for(job->key, process->operation);
    const char *function;
    CK_RV rv = session_open(job, list, process);
    if (rv != CKR_OK)
        return rv;
    rv = init(process->recorded ? job->timed_3 : job->raw_3, process, mechanism, key, &function);
    if (rv == CKR_OK)
        return rv;
    list->C_CloseSession(process->session);
    process->session = CK_INVALID_HANDLE;
    return p11prof_bench_said(job, function, rv);
}

void message_process_close(struct p11prof_bench_job *job, struct message_process *process)
{
    if (process->session == CK_INVALID_HANDLE)
        return;
    final(process->recorded && !job->unfinished ? job->timed_3 : job->raw_3, process);
    (process->recorded ? job->timed : job->raw)->C_CloseSession(process->session);
    process->session = CK_INVALID_HANDLE;
}
