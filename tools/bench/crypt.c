/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The calls of operations that an Init opens, and the way out of one that stayed open. */
#include "steps.h"

#include <string.h>

typedef CK_RV (*init_function)(CK_SESSION_HANDLE, CK_MECHANISM_PTR, CK_OBJECT_HANDLE);
typedef CK_RV (*one_function)(CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG_PTR);

static CK_RV verify(struct p11prof_bench_job *job, CK_FUNCTION_LIST *list, CK_MECHANISM *mechanism,
                    CK_OBJECT_HANDLE key, CK_BYTE *in, CK_ULONG in_bytes, CK_BYTE *signature,
                    CK_ULONG signature_bytes)
{
    CK_RV rv = list->C_VerifyInit(job->session, mechanism, key);
    if (rv != CKR_OK)
        return p11prof_bench_said(job, "C_VerifyInit", rv);
    rv = list->C_Verify(job->session, in, in_bytes, signature, signature_bytes);
    return p11prof_bench_said(job, "C_Verify", rv);
}

CK_RV p11prof_bench_crypt(struct p11prof_bench_job *job, CK_FUNCTION_LIST *list, unsigned operation,
                          CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key, CK_BYTE *in,
                          CK_ULONG in_bytes, CK_BYTE *out, CK_ULONG *out_bytes)
{
    init_function init = list->C_EncryptInit;
    one_function one = list->C_Encrypt;
    const char *init_name = "C_EncryptInit", *one_name = "C_Encrypt";
    if (operation == P11PROF_OPERATION_VERIFY)
        return verify(job, list, mechanism, key, in, in_bytes, out, *out_bytes);
    if (operation == P11PROF_OPERATION_SIGN) {
        init = list->C_SignInit, one = list->C_Sign;
        init_name = "C_SignInit", one_name = "C_Sign";
    } else if (operation == P11PROF_OPERATION_DECRYPT) {
        init = list->C_DecryptInit, one = list->C_Decrypt;
        init_name = "C_DecryptInit", one_name = "C_Decrypt";
    }
    CK_RV rv = init(job->session, mechanism, key);
    if (rv != CKR_OK)
        return p11prof_bench_said(job, init_name, rv);
    return p11prof_bench_said(job, one_name, one(job->session, in, in_bytes, out, out_bytes));
}

/* Whatever the last call of an operation answers, the operation is over, unless the room was too
 * small: there is enough. */
static CK_RV last_call(struct p11prof_bench_job *job)
{
    CK_FUNCTION_LIST *list = job->raw;
    CK_ULONG out_bytes = job->out_capacity;
    CK_RV rv;
    switch (job->test->operation) {
    case P11PROF_OPERATION_SIGN:
        return list->C_Sign(job->session, job->in, job->in_bytes, job->out, &out_bytes);
    case P11PROF_OPERATION_VERIFY:
        return list->C_Verify(job->session, job->in, job->in_bytes, job->out, 1);
    case P11PROF_OPERATION_ENCRYPT:
        return list->C_Encrypt(job->session, job->in, job->in_bytes, job->out, &out_bytes);
    case P11PROF_OPERATION_DECRYPT:
        return list->C_Decrypt(job->session, job->in, job->in_bytes, job->out, &out_bytes);
    case P11PROF_OPERATION_DIGEST:
        rv = list->C_DigestFinal(job->session, job->out, &out_bytes);
        out_bytes = job->out_capacity;
        return rv == CKR_OK
                   ? rv
                   : list->C_Digest(job->session, job->in, job->in_bytes, job->out, &out_bytes);
    case P11PROF_OPERATION_FIND:
        return list->C_FindObjectsFinal(job->session);
    default:
        return CKR_OK;
    }
}

/* An operation that nothing ends goes with its session. */
static void session_reopen(struct p11prof_bench_job *job)
{
    CK_SESSION_INFO info;
    CK_SESSION_HANDLE session;
    if (job->raw->C_GetSessionInfo(job->session, &info) != CKR_OK ||
        job->raw->C_OpenSession(job->slot_id, info.flags, NULL, NULL, &session) != CKR_OK)
        return;
    job->raw->C_CloseSession(job->session);
    job->session = session;
}

void p11prof_bench_finish(struct p11prof_bench_job *job)
{
    if (!job->unfinished)
        return;
    job->unfinished = false;
    if (last_call(job) == CKR_BUFFER_TOO_SMALL)
        session_reopen(job);
}

/* CBC: every token that has AES has it. */
CK_RV p11prof_bench_block_make(struct p11prof_bench_job *job, CK_OBJECT_HANDLE key,
                               CK_BYTE block[static 16])
{
    CK_BYTE iv[P11PROF_BENCH_IV_BYTES] = {0}, in[16] = "p11prof: a block", out[32] = {0};
    CK_MECHANISM mechanism = {CKM_AES_CBC, iv, sizeof iv};
    CK_ULONG bytes = sizeof out;
    CK_RV rv = job->raw->C_EncryptInit(job->session, &mechanism, key);
    if (rv == CKR_OK)
        rv = job->raw->C_Encrypt(job->session, in, sizeof in, out, &bytes);
    memcpy(block, out, 16);
    return rv;
}

bool p11prof_bench_keys_equal(struct p11prof_bench_job *job, CK_OBJECT_HANDLE one,
                              CK_OBJECT_HANDLE other, CK_RV *rv)
{
    CK_BYTE blocks[2][16];
    *rv = p11prof_bench_block_make(job, one, blocks[0]);
    if (*rv == CKR_OK)
        *rv = p11prof_bench_block_make(job, other, blocks[1]);
    return *rv == CKR_OK && memcmp(blocks[0], blocks[1], sizeof blocks[0]) == 0;
}
