/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Operations in several parts: Init, Updates, Final. */
#include "steps.h"

enum { BLOCK_BYTES = 16 };

CK_RV p11prof_bench_init(struct p11prof_bench_job *job, CK_FUNCTION_LIST *list, unsigned operation,
                         CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
    CK_SESSION_HANDLE session = job->session;
    switch (operation) {
    case P11PROF_OPERATION_SIGN:
        return p11prof_bench_said(job, "C_SignInit", list->C_SignInit(session, mechanism, key));
    case P11PROF_OPERATION_VERIFY:
        return p11prof_bench_said(job, "C_VerifyInit", list->C_VerifyInit(session, mechanism, key));
    case P11PROF_OPERATION_ENCRYPT:
        return p11prof_bench_said(job, "C_EncryptInit",
                                  list->C_EncryptInit(session, mechanism, key));
    case P11PROF_OPERATION_DECRYPT:
        return p11prof_bench_said(job, "C_DecryptInit",
                                  list->C_DecryptInit(session, mechanism, key));
    default:
        return p11prof_bench_said(job, "C_DigestInit", list->C_DigestInit(session, mechanism));
    }
}

CK_RV p11prof_bench_update(struct p11prof_bench_job *job, CK_FUNCTION_LIST *list,
                           unsigned operation, CK_BYTE *in, CK_ULONG in_bytes, CK_BYTE *out,
                           CK_ULONG *out_bytes)
{
    CK_SESSION_HANDLE session = job->session;
    switch (operation) {
    case P11PROF_OPERATION_SIGN:
        return p11prof_bench_said(job, "C_SignUpdate", list->C_SignUpdate(session, in, in_bytes));
    case P11PROF_OPERATION_VERIFY:
        return p11prof_bench_said(job, "C_VerifyUpdate",
                                  list->C_VerifyUpdate(session, in, in_bytes));
    case P11PROF_OPERATION_ENCRYPT:
        return p11prof_bench_said(job, "C_EncryptUpdate",
                                  list->C_EncryptUpdate(session, in, in_bytes, out, out_bytes));
    case P11PROF_OPERATION_DECRYPT:
        return p11prof_bench_said(job, "C_DecryptUpdate",
                                  list->C_DecryptUpdate(session, in, in_bytes, out, out_bytes));
    default:
        return p11prof_bench_said(job, "C_DigestUpdate",
                                  list->C_DigestUpdate(session, in, in_bytes));
    }
}

CK_RV p11prof_bench_final(struct p11prof_bench_job *job, CK_FUNCTION_LIST *list, unsigned operation,
                          CK_BYTE *out, CK_ULONG *out_bytes)
{
    CK_SESSION_HANDLE session = job->session;
    switch (operation) {
    case P11PROF_OPERATION_SIGN:
        return p11prof_bench_said(job, "C_SignFinal", list->C_SignFinal(session, out, out_bytes));
    case P11PROF_OPERATION_VERIFY:
        return p11prof_bench_said(job, "C_VerifyFinal",
                                  list->C_VerifyFinal(session, out, *out_bytes));
    case P11PROF_OPERATION_ENCRYPT:
        return p11prof_bench_said(job, "C_EncryptFinal",
                                  list->C_EncryptFinal(session, out, out_bytes));
    case P11PROF_OPERATION_DECRYPT:
        return p11prof_bench_said(job, "C_DecryptFinal",
                                  list->C_DecryptFinal(session, out, out_bytes));
    default:
        return p11prof_bench_said(job, "C_DigestFinal",
                                  list->C_DigestFinal(session, out, out_bytes));
    }
}

CK_ULONG p11prof_bench_part_bytes(const struct p11prof_bench_job *job, unsigned part)
{
    unsigned count = p11prof_bench_variant(job->test)->part_count;
    CK_ULONG bytes = job->in_bytes / count;
    if (bytes >= BLOCK_BYTES)
        bytes -= bytes % BLOCK_BYTES;
    return part + 1 < count ? bytes : job->in_bytes - (count - 1) * bytes;
}

CK_RV p11prof_bench_parts_crypt(struct p11prof_bench_job *job, CK_FUNCTION_LIST *list,
                                unsigned operation, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
    bool streams = operation == P11PROF_OPERATION_ENCRYPT || operation == P11PROF_OPERATION_DECRYPT;
    CK_ULONG done = 0, out_done = 0, room = job->out_bytes;
    CK_RV rv = p11prof_bench_init(job, list, operation, mechanism, key);
    for (unsigned i = 0; rv == CKR_OK && i < p11prof_bench_variant(job->test)->part_count; i++) {
        CK_ULONG bytes = p11prof_bench_part_bytes(job, i), out_bytes = room - out_done;
        rv = p11prof_bench_update(job, list, operation, job->in + done, bytes, job->out + out_done,
                                  &out_bytes);
        done += bytes;
        out_done += streams && rv == CKR_OK ? out_bytes : 0;
    }
    if (rv != CKR_OK)
        return rv;
    job->out_bytes = room - out_done;
    rv = p11prof_bench_final(job, list, operation, job->out + out_done, &job->out_bytes);
    job->out_bytes += out_done;
    return rv;
}
