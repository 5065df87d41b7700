/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Encryption and decryption of messages (3.0) with AES-GCM. */
#include "message_process.h"
#include "report/allocate.h"

#include <stdlib.h>
#include <string.h>

enum { NONCE_BYTES = 12, TAG_BYTES = 16 };

struct message_cipher {
    struct p11prof_bench_mechanism nonces; /* the nonce stands in its iv */
    CK_GCM_MESSAGE_PARAMS parameter;
    CK_BYTE tag[TAG_BYTES];
    CK_MECHANISM mechanism;
    struct message_process process, inverse; /* the latter for checks */
    CK_BYTE *plaintext;
    CK_ULONG plaintext_bytes;
    uint64_t nonce_count;
};

static CK_RV encrypt(struct p11prof_bench_job *job, const struct p11prof_function_list *list,
                     const struct message_process *process, CK_BYTE *in, CK_ULONG in_bytes,
                     CK_BYTE *out, CK_ULONG *out_bytes)
{
    struct message_cipher *cipher = job->state;
    CK_RV rv =
        list->C_EncryptMessage(process->session, &cipher->parameter, sizeof cipher->parameter, NULL,
                               0, in, in_bytes, out, out_bytes);
    return p11prof_bench_said(job, "C_EncryptMessage", rv);
}

static CK_RV decrypt(struct p11prof_bench_job *job, const struct p11prof_function_list *list,
                     const struct message_process *process, CK_BYTE *in, CK_ULONG in_bytes,
                     CK_BYTE *out, CK_ULONG *out_bytes)
{
    struct message_cipher *cipher = job->state;
    CK_RV rv =
        list->C_DecryptMessage(process->session, &cipher->parameter, sizeof cipher->parameter, NULL,
                               0, in, in_bytes, out, out_bytes);
    return p11prof_bench_said(job, "C_DecryptMessage", rv);
}

/* --- processes --- */

static void state_make(struct p11prof_bench_job *job, unsigned inverse)
{
    struct message_cipher *cipher = p11prof_zalloc(1, sizeof *cipher);
    job->state = cipher;
    p11prof_bench_mechanism_make(&cipher->nonces, job->test);
    cipher->parameter = (CK_GCM_MESSAGE_PARAMS){.pIv = cipher->nonces.iv,
                                                .ulIvLen = NONCE_BYTES,
                                                .ivGenerator = CKG_NO_GENERATE,
                                                .pTag = cipher->tag,
                                                .ulTagBits = 8 * TAG_BYTES};
    cipher->mechanism = (CK_MECHANISM){.mechanism = job->test->mechanism,
                                       .pParameter = &cipher->parameter,
                                       .ulParameterLen = sizeof cipher->parameter};
    cipher->process = (struct message_process){.operation = job->test->operation, .recorded = true};
    cipher->inverse = (struct message_process){.operation = inverse};
    cipher->plaintext = p11prof_zalloc(1, job->in_capacity);
}

/* Some tokens want the parameters with each message only. */
static CK_RV process_open(struct p11prof_bench_job *job, struct message_process *process)
{
    struct message_cipher *cipher = job->state;
    CK_RV rv = message_process_open(job, process, &cipher->mechanism);
    if (rv != CKR_MECHANISM_PARAM_INVALID || !cipher->mechanism.pParameter)
        return rv;
    cipher->mechanism.pParameter = NULL;
    cipher->mechanism.ulParameterLen = 0;
    return message_process_open(job, process, &cipher->mechanism);
}

/* What an error left is not to be relied on. */
static void cipher_after(struct p11prof_bench_job *job)
{
    struct message_cipher *cipher = job->state;
    if (job->unfinished && cipher)
        message_process_close(job, &cipher->process);
    job->unfinished = false;
}

static CK_RV cipher_before(struct p11prof_bench_job *job)
{
    struct message_cipher *cipher = job->state;
    p11prof_bench_out_clear(job);
    return cipher->process.session == CK_INVALID_HANDLE ? process_open(job, &cipher->process)
                                                        : CKR_OK;
}

static void cipher_close(struct p11prof_bench_job *job)
{
    struct message_cipher *cipher = job->state;
    if (!cipher)
        return;
    message_process_close(job, &cipher->process);
    message_process_close(job, &cipher->inverse);
    free(cipher->plaintext);
    p11prof_bench_state_free(job);
}

/* --- encryption --- */

/* No nonce comes twice with a key, also where the token makes them. */
static void nonce_next(struct message_cipher *cipher)
{
    if (cipher->parameter.ivGenerator == CKG_NO_GENERATE)
        p11prof_bench_nonce_next(&cipher->nonces, cipher->nonce_count++);
    memset(cipher->tag, 0, sizeof cipher->tag);
}

/* The ciphertext is in the job's `out`. */
static CK_RV encrypt_once(struct p11prof_bench_job *job, const struct message_process *process)
{
    nonce_next(job->state);
    job->out_bytes = job->out_capacity;
    return encrypt(job, job->raw_3, process, job->in, job->in_bytes, job->out, &job->out_bytes);
}

/* The token takes our nonces, or, as FIPS 140 wants it, only its own. */
static CK_RV nonce_form_find(struct p11prof_bench_job *job, struct message_process *process)
{
    struct message_cipher *cipher = job->state;
    CK_RV rv = encrypt_once(job, process);
    if (rv != CKR_MECHANISM_PARAM_INVALID)
        return rv;
    cipher->parameter.ivGenerator = CKG_GENERATE;
    message_process_close(job, process);
    rv = process_open(job, process);
    return rv == CKR_OK ? encrypt_once(job, process) : rv;
}

static CK_RV encrypt_open(struct p11prof_bench_job *job)
{
    state_make(job, P11PROF_OPERATION_MESSAGE_DECRYPT);
    struct message_cipher *cipher = job->state;
    CK_RV rv = process_open(job, &cipher->process);
    if (rv == CKR_OK)
        rv = nonce_form_find(job, &cipher->process);
    if (rv != CKR_OK)
        return rv;
    rv = process_open(job, &cipher->inverse);
    job->unfinished = false;
    return p11prof_bench_unable(job, rv) ? CKR_OK : rv;
}

static CK_RV encrypt_before(struct p11prof_bench_job *job)
{
    nonce_next(job->state);
    return cipher_before(job);
}

static CK_RV encrypt_run(struct p11prof_bench_job *job)
{
    const struct message_cipher *cipher = job->state;
    return encrypt(job, job->timed_3, &cipher->process, job->in, job->in_bytes, job->out,
                   &job->out_bytes);
}

static bool encrypt_check(struct p11prof_bench_job *job)
{
    struct message_cipher *cipher = job->state;
    CK_ULONG bytes = job->in_capacity;
    if (job->unchecked)
        return true;
    memset(cipher->plaintext, 0, job->in_bytes);
    CK_RV rv = decrypt(job, job->raw_3, &cipher->inverse, job->out, job->out_bytes,
                       cipher->plaintext, &bytes);
    job->unfinished = false;
    if (rv != CKR_OK)
        return p11prof_bench_unable(job, rv);
    return bytes == job->in_bytes && memcmp(cipher->plaintext, job->in, bytes) == 0;
}

/* --- decryption --- */

/* In a process of its own, which is not needed after the error. */
static CK_RV changed_refused(struct p11prof_bench_job *job)
{
    struct message_cipher *cipher = job->state;
    struct message_process process = {.operation = job->test->operation};
    CK_ULONG bytes = job->out_capacity;
    CK_RV rv = process_open(job, &process);
    if (rv != CKR_OK)
        return rv;
    cipher->tag[0] ^= 1;
    rv = decrypt(job, job->raw_3, &process, job->in, job->in_bytes, job->out, &bytes);
    cipher->tag[0] ^= 1;
    message_process_close(job, &process);
    job->unfinished = false;
    return rv == CKR_OK ? p11prof_bench_wrong(job, "the token accepts changed tags") : CKR_OK;
}

/* The plaintext is put aside, its ciphertext takes its place. */
static CK_RV decrypt_open(struct p11prof_bench_job *job)
{
    state_make(job, P11PROF_OPERATION_MESSAGE_ENCRYPT);
    struct message_cipher *cipher = job->state;
    memcpy(cipher->plaintext, job->in, job->in_bytes);
    cipher->plaintext_bytes = job->in_bytes;
    CK_RV rv = process_open(job, &cipher->inverse);
    if (rv == CKR_OK)
        rv = nonce_form_find(job, &cipher->inverse);
    if (rv != CKR_OK)
        return rv;
    if (job->out_bytes > job->in_capacity)
        return p11prof_bench_wrong(job, "its ciphertext is too long");
    memcpy(job->in, job->out, job->out_bytes);
    job->in_bytes = job->out_bytes;
    message_process_close(job, &cipher->inverse);
    rv = changed_refused(job);
    return rv == CKR_OK ? process_open(job, &cipher->process) : rv;
}

static CK_RV decrypt_run(struct p11prof_bench_job *job)
{
    const struct message_cipher *cipher = job->state;
    return decrypt(job, job->timed_3, &cipher->process, job->in, job->in_bytes, job->out,
                   &job->out_bytes);
}

static bool decrypt_check(struct p11prof_bench_job *job)
{
    const struct message_cipher *cipher = job->state;
    return job->out_bytes == cipher->plaintext_bytes &&
           memcmp(job->out, cipher->plaintext, job->out_bytes) == 0;
}

const struct p11prof_bench_steps p11prof_bench_message_encrypt_steps = {
    .open = encrypt_open,
    .before = encrypt_before,
    .run = encrypt_run,
    .check = encrypt_check,
    .after = cipher_after,
    .close = cipher_close,
};

const struct p11prof_bench_steps p11prof_bench_message_decrypt_steps = {
    .open = decrypt_open,
    .before = cipher_before,
    .run = decrypt_run,
    .check = decrypt_check,
    .after = cipher_after,
    .close = cipher_close,
};
