/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The calls of operations that an Init opens, and the way out of one that stayed open. */
#include "steps.h"

#include <string.h>

static const char *one_name(unsigned operation)
{
    switch (operation) {
    case P11PROF_OPERATION_SIGN:
        return "C_Sign";
    case P11PROF_OPERATION_VERIFY:
        return "C_Verify";
    case P11PROF_OPERATION_ENCRYPT:
        return "C_Encrypt";
    default:
        return "C_Decrypt";
    }
}

CK_RV p11prof_bench_crypt(struct p11prof_bench_job *job, CK_FUNCTION_LIST *list, unsigned operation,
                          CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key, CK_BYTE *in,
                          CK_ULONG in_bytes, CK_BYTE *out, CK_ULONG *out_bytes)
{
    CK_RV rv = p11prof_bench_init(job, list, operation, mechanism, key);
    if (rv != CKR_OK)
        return rv;
    switch (operation) {
    case P11PROF_OPERATION_SIGN:
        rv = list->C_Sign(job->session, in, in_bytes, out, out_bytes);
        break;
    case P11PROF_OPERATION_VERIFY:
        rv = list->C_Verify(job->session, in, in_bytes, out, *out_bytes);
        break;
    case P11PROF_OPERATION_ENCRYPT:
        rv = list->C_Encrypt(job->session, in, in_bytes, out, out_bytes);
        break;
    default:
        rv = list->C_Decrypt(job->session, in, in_bytes, out, out_bytes);
        break;
    }
    return p11prof_bench_said(job, one_name(operation), rv);
}

/* Whatever the last call of an operation answers, the operation is over, unless the room was too
 * small: there is enough. */
static CK_RV one_call(struct p11prof_bench_job *job, unsigned operation)
{
    CK_FUNCTION_LIST *list = job->raw;
    CK_ULONG out_bytes = job->out_capacity;
    switch (operation) {
    case P11PROF_OPERATION_SIGN:
        return list->C_Sign(job->session, job->in, job->in_bytes, job->out, &out_bytes);
    case P11PROF_OPERATION_VERIFY:
        return list->C_Verify(job->session, job->in, job->in_bytes, job->out, 1);
    case P11PROF_OPERATION_ENCRYPT:
        return list->C_Encrypt(job->session, job->in, job->in_bytes, job->out, &out_bytes);
    case P11PROF_OPERATION_DECRYPT:
        return list->C_Decrypt(job->session, job->in, job->in_bytes, job->out, &out_bytes);
    case P11PROF_OPERATION_DIGEST:
        return list->C_Digest(job->session, job->in, job->in_bytes, job->out, &out_bytes);
    case P11PROF_OPERATION_FIND:
        return list->C_FindObjectsFinal(job->session);
    default:
        return CKR_OK;
    }
}

/* Of an operation in parts. Some modules have those of one part only, and SoftHSM never has enough
 * room to end the deciphering of nothing with padding. CKR_BUFFER_TOO_SMALL: it goes on. */
static CK_RV final_call(struct p11prof_bench_job *job, unsigned operation)
{
    CK_ULONG out_bytes = operation == P11PROF_OPERATION_VERIFY ? 1 : job->out_capacity;
    CK_RV rv = p11prof_bench_final(job, job->raw, operation, job->out, &out_bytes);
    if (rv == CKR_OK)
        return rv;
    CK_RV one_rv = one_call(job, operation);
    bool goes_on = rv == CKR_BUFFER_TOO_SMALL && one_rv == CKR_OPERATION_ACTIVE;
    return goes_on ? rv : one_rv;
}

static CK_RV last_call(struct p11prof_bench_job *job)
{
    unsigned operation = job->test->operation;
    bool in_parts =
        operation == P11PROF_OPERATION_DIGEST || p11prof_bench_variant(job->test)->part_count > 0;
    return in_parts ? final_call(job, operation) : one_call(job, operation);
}

/* An operation that nothing ends goes with its session. */
void p11prof_bench_session_reopen(struct p11prof_bench_job *job)
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
    const char *failed_call = job->failed_call;
    if (!job->unfinished)
        return;
    if (last_call(job) == CKR_BUFFER_TOO_SMALL)
        p11prof_bench_session_reopen(job);
    job->failed_call = failed_call;
    job->unfinished = false;
}

void p11prof_bench_settle(struct p11prof_bench_job *job)
{
    static const unsigned operations[] = {P11PROF_OPERATION_ENCRYPT, P11PROF_OPERATION_DECRYPT,
                                          P11PROF_OPERATION_DIGEST, P11PROF_OPERATION_SIGN,
                                          P11PROF_OPERATION_VERIFY};
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++)
        final_call(job, operations[i]);
    job->unfinished = false;
}

static CK_RV block_make(struct p11prof_bench_job *job, CK_MECHANISM *mechanism,
                        CK_OBJECT_HANDLE key, CK_BYTE block[static 16])
{
    CK_BYTE in[16] = "p11prof: a block", out[32] = {0};
    CK_ULONG bytes = sizeof out;
    CK_RV rv = job->raw->C_EncryptInit(job->session, mechanism, key);
    if (rv == CKR_OK)
        rv = job->raw->C_Encrypt(job->session, in, sizeof in, out, &bytes);
    memcpy(block, out, 16);
    return rv;
}

/* CBC: every token that has AES or DES3 has it. */
CK_RV p11prof_bench_block_make(struct p11prof_bench_job *job, CK_OBJECT_HANDLE key,
                               CK_BYTE block[static 16])
{
    CK_BYTE iv[P11PROF_BENCH_IV_BYTES] = {0};
    CK_MECHANISM mechanism = {CKM_AES_CBC, iv, sizeof iv};
    return block_make(job, &mechanism, key, block);
}

CK_RV p11prof_bench_des3_block_make(struct p11prof_bench_job *job, CK_OBJECT_HANDLE key,
                                    CK_BYTE block[static 16])
{
    CK_BYTE iv[8] = {0};
    CK_MECHANISM mechanism = {CKM_DES3_CBC, iv, sizeof iv};
    return block_make(job, &mechanism, key, block);
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
