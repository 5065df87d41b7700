/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Encryption and decryption. */
#include "report/allocate.h"
#include "steps.h"

#include <stdlib.h>
#include <string.h>

struct cipher {
    struct p11prof_bench_mechanism mechanism;
    CK_BYTE *plaintext; /* what a decryption must give */
    CK_ULONG plaintext_bytes;
    uint64_t nonce_count;
};

static CK_RV crypt(struct p11prof_bench_job *job, CK_FUNCTION_LIST *list, unsigned operation,
                   CK_BYTE *in, CK_ULONG in_bytes, CK_BYTE *out, CK_ULONG *out_bytes)
{
    struct cipher *cipher = job->state;
    return p11prof_bench_crypt(job, list, operation, &cipher->mechanism.mechanism,
                               p11prof_bench_key_for(job->key, operation), in, in_bytes, out,
                               out_bytes);
}

/* The job's own data, in one part or in several. */
static CK_RV test_crypt(struct p11prof_bench_job *job, CK_FUNCTION_LIST *list, unsigned operation)
{
    struct cipher *cipher = job->state;
    if (p11prof_bench_variant(job->test)->part_count == 0)
        return crypt(job, list, operation, job->in, job->in_bytes, job->out, &job->out_bytes);
    return p11prof_bench_parts_crypt(job, list, operation, &cipher->mechanism.mechanism,
                                     p11prof_bench_key_for(job->key, operation));
}

static CK_RV encrypt_open(struct p11prof_bench_job *job)
{
    struct cipher *cipher = p11prof_zalloc(1, sizeof *cipher);
    job->state = cipher;
    p11prof_bench_mechanism_make(&cipher->mechanism, job->test);
    p11prof_bench_mechanism_sized(&cipher->mechanism, job->in_bytes);
    cipher->plaintext = p11prof_zalloc(1, job->in_capacity);
    job->unchecked =
        p11prof_bench_key_for(job->key, P11PROF_OPERATION_DECRYPT) == CK_INVALID_HANDLE;
    return CKR_OK;
}

/* No nonce comes twice with a key: GCM and CCM are broken then, and tokens refuse it. */
static CK_RV encrypt_before(struct p11prof_bench_job *job)
{
    struct cipher *cipher = job->state;
    if (cipher->mechanism.fresh)
        p11prof_bench_nonce_next(&cipher->mechanism, cipher->nonce_count++);
    return p11prof_bench_out_clear(job);
}

static CK_RV encrypt_run(struct p11prof_bench_job *job)
{
    return test_crypt(job, job->timed, P11PROF_OPERATION_ENCRYPT);
}

static bool encrypt_check(struct p11prof_bench_job *job)
{
    struct cipher *cipher = job->state;
    CK_ULONG bytes = job->in_capacity;
    if (job->unchecked)
        return true;
    memset(cipher->plaintext, 0, job->in_bytes);
    CK_RV rv = crypt(job, job->raw, P11PROF_OPERATION_DECRYPT, job->out, job->out_bytes,
                     cipher->plaintext, &bytes);
    job->unfinished = false;
    if (rv != CKR_OK)
        return p11prof_bench_unable(job, rv);
    return bytes == job->in_bytes && memcmp(cipher->plaintext, job->in, bytes) == 0;
}

/* GCM and CCM: a token that takes a changed tag does not do what the test is of. */
static CK_RV changed_refused(struct p11prof_bench_job *job)
{
    const struct cipher *cipher = job->state;
    if (!cipher->mechanism.fresh || job->in_bytes == 0)
        return CKR_OK;
    CK_BYTE *changed = &job->in[job->in_bytes - 1];
    p11prof_bench_out_clear(job);
    *changed ^= 1;
    CK_RV rv = test_crypt(job, job->raw, P11PROF_OPERATION_DECRYPT);
    *changed ^= 1;
    p11prof_bench_finish(job);
    return rv == CKR_OK ? p11prof_bench_wrong(job, "the token accepts changed tags") : CKR_OK;
}

/* The plaintext is put aside, its ciphertext takes its place. */
static CK_RV decrypt_open(struct p11prof_bench_job *job)
{
    CK_ULONG bytes = job->out_capacity;
    encrypt_open(job);
    struct cipher *cipher = job->state;
    memcpy(cipher->plaintext, job->in, job->in_bytes);
    cipher->plaintext_bytes = job->in_bytes;
    CK_RV rv = crypt(job, job->raw, P11PROF_OPERATION_ENCRYPT, cipher->plaintext,
                     cipher->plaintext_bytes, job->out, &bytes);
    if (rv != CKR_OK)
        return rv;
    memcpy(job->in, job->out, bytes);
    job->in_bytes = bytes;
    return changed_refused(job);
}

static CK_RV decrypt_run(struct p11prof_bench_job *job)
{
    return test_crypt(job, job->timed, P11PROF_OPERATION_DECRYPT);
}

static bool decrypt_check(struct p11prof_bench_job *job)
{
    const struct cipher *cipher = job->state;
    return job->out_bytes == cipher->plaintext_bytes &&
           memcmp(job->out, cipher->plaintext, job->out_bytes) == 0;
}

static void cipher_close(struct p11prof_bench_job *job)
{
    struct cipher *cipher = job->state;
    if (cipher)
        free(cipher->plaintext);
    p11prof_bench_state_free(job);
}

const struct p11prof_bench_steps p11prof_bench_encrypt_steps = {
    .open = encrypt_open,
    .before = encrypt_before,
    .run = encrypt_run,
    .check = encrypt_check,
    .after = p11prof_bench_finish,
    .close = cipher_close,
};

const struct p11prof_bench_steps p11prof_bench_decrypt_steps = {
    .open = decrypt_open,
    .before = p11prof_bench_out_clear,
    .run = decrypt_run,
    .check = decrypt_check,
    .after = p11prof_bench_finish,
    .close = cipher_close,
};
