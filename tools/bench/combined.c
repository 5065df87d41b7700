/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Two operations at once: each part is enciphered or deciphered, and digested, signed or verified,
 * by one call. AES-CBC, with SHA-256 or HMAC-SHA256. */
#include "report/allocate.h"
#include "steps.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum { RESULT_MAX = 64 };

/* Which two. */
static const struct pair {
    unsigned operation, cipher, other;
    CK_MECHANISM_TYPE mechanism; /* of the other */
    const char *function;
} pairs[] = {
    {P11PROF_OPERATION_DIGEST_ENCRYPT, P11PROF_OPERATION_ENCRYPT, P11PROF_OPERATION_DIGEST,
     CKM_SHA256, "C_DigestEncryptUpdate"},
    {P11PROF_OPERATION_DECRYPT_DIGEST, P11PROF_OPERATION_DECRYPT, P11PROF_OPERATION_DIGEST,
     CKM_SHA256, "C_DecryptDigestUpdate"},
    {P11PROF_OPERATION_SIGN_ENCRYPT, P11PROF_OPERATION_ENCRYPT, P11PROF_OPERATION_SIGN,
     CKM_SHA256_HMAC, "C_SignEncryptUpdate"},
    {P11PROF_OPERATION_DECRYPT_VERIFY, P11PROF_OPERATION_DECRYPT, P11PROF_OPERATION_VERIFY,
     CKM_SHA256_HMAC, "C_DecryptVerifyUpdate"},
};

struct combined {
    const struct pair *pair;
    struct p11prof_bench_mechanism cipher;
    CK_MECHANISM other;
    CK_BYTE *plaintext; /* what goes in, or must come out; then what a check deciphers */
    CK_ULONG plaintext_bytes;
    CK_BYTE result[RESULT_MAX]; /* digest or signature */
    CK_ULONG result_bytes;
    CK_BYTE digest[EVP_MAX_MD_SIZE]; /* of the plaintext */
};

static CK_RV update(struct p11prof_bench_job *job, CK_FUNCTION_LIST *list, CK_BYTE *in,
                    CK_ULONG in_bytes, CK_BYTE *out, CK_ULONG *out_bytes)
{
    const struct combined *combined = job->state;
    CK_SESSION_HANDLE session = job->session;
    CK_RV rv;
    switch (combined->pair->operation) {
    case P11PROF_OPERATION_DIGEST_ENCRYPT:
        rv = list->C_DigestEncryptUpdate(session, in, in_bytes, out, out_bytes);
        break;
    case P11PROF_OPERATION_DECRYPT_DIGEST:
        rv = list->C_DecryptDigestUpdate(session, in, in_bytes, out, out_bytes);
        break;
    case P11PROF_OPERATION_SIGN_ENCRYPT:
        rv = list->C_SignEncryptUpdate(session, in, in_bytes, out, out_bytes);
        break;
    default:
        rv = list->C_DecryptVerifyUpdate(session, in, in_bytes, out, out_bytes);
        break;
    }
    return p11prof_bench_said(job, combined->pair->function, rv);
}

static CK_RV both_init(struct p11prof_bench_job *job, CK_FUNCTION_LIST *list)
{
    struct combined *combined = job->state;
    CK_RV rv =
        p11prof_bench_init(job, list, combined->pair->other, &combined->other, job->key->mac_key);
    if (rv != CKR_OK)
        return rv;
    return p11prof_bench_init(job, list, combined->pair->cipher, &combined->cipher.mechanism,
                              job->key->secret_key);
}

static CK_RV both_final(struct p11prof_bench_job *job, CK_FUNCTION_LIST *list, CK_ULONG done)
{
    struct combined *combined = job->state;
    CK_ULONG bytes = job->out_capacity - done;
    CK_RV rv = p11prof_bench_final(job, list, combined->pair->cipher, job->out + done, &bytes);
    if (rv != CKR_OK)
        return rv;
    job->out_bytes = done + bytes;
    return p11prof_bench_final(job, list, combined->pair->other, combined->result,
                               &combined->result_bytes);
}

static CK_RV both(struct p11prof_bench_job *job, CK_FUNCTION_LIST *list)
{
    CK_ULONG done = 0, out_done = 0;
    CK_RV rv = both_init(job, list);
    for (unsigned i = 0; rv == CKR_OK && i < p11prof_bench_variant(job->test)->part_count; i++) {
        CK_ULONG bytes = p11prof_bench_part_bytes(job, i), out_bytes = job->out_capacity - out_done;
        rv = update(job, list, job->in + done, bytes, job->out + out_done, &out_bytes);
        done += bytes;
        out_done += rv == CKR_OK ? out_bytes : 0;
    }
    return rv == CKR_OK ? both_final(job, list, out_done) : rv;
}

/* A digest or signature of before must not pass for a new one. */
static CK_RV combined_before(struct p11prof_bench_job *job)
{
    struct combined *combined = job->state;
    if (combined->pair->other != P11PROF_OPERATION_VERIFY) {
        memset(combined->result, 0, sizeof combined->result);
        combined->result_bytes = sizeof combined->result;
    }
    return p11prof_bench_out_clear(job);
}

static CK_RV combined_run(struct p11prof_bench_job *job)
{
    return both(job, job->timed);
}

/* After an error neither of the two may stay open. */
static void combined_after(struct p11prof_bench_job *job)
{
    const struct combined *combined = job->state;
    const char *failed_call = job->failed_call;
    CK_BYTE scratch[RESULT_MAX];
    bool verifies = combined->pair->other == P11PROF_OPERATION_VERIFY;
    CK_ULONG bytes = job->out_capacity, scratch_bytes = verifies ? 1 : sizeof scratch;
    if (!job->unfinished)
        return;
    scratch[0] = 0;
    CK_RV rv = p11prof_bench_final(job, job->raw, combined->pair->cipher, job->out, &bytes);
    CK_RV other_rv =
        p11prof_bench_final(job, job->raw, combined->pair->other, scratch, &scratch_bytes);
    if (rv == CKR_BUFFER_TOO_SMALL || other_rv == CKR_BUFFER_TOO_SMALL)
        p11prof_bench_session_reopen(job);
    job->failed_call = failed_call;
    job->unfinished = false;
}

/* --- opening --- */

/* Many tokens have none of this. Without the operations it must be refused too, for another reason.
 */
static CK_RV support_ask(struct p11prof_bench_job *job)
{
    CK_ULONG bytes = job->out_capacity;
    CK_RV rv = update(job, job->raw, job->in, job->in_bytes, job->out, &bytes);
    job->unfinished = false;
    return rv == CKR_FUNCTION_NOT_SUPPORTED ? rv : CKR_OK;
}

/* The plaintext is put aside, its ciphertext takes its place. */
static CK_RV ciphertext_make(struct p11prof_bench_job *job)
{
    struct combined *combined = job->state;
    CK_ULONG bytes = job->out_capacity;
    CK_RV rv = p11prof_bench_crypt(
        job, job->raw, P11PROF_OPERATION_ENCRYPT, &combined->cipher.mechanism, job->key->secret_key,
        combined->plaintext, combined->plaintext_bytes, job->out, &bytes);
    if (rv != CKR_OK)
        return rv;
    memcpy(job->in, job->out, bytes);
    job->in_bytes = bytes;
    return CKR_OK;
}

/* A token that takes a signature for good whatever it is makes a worthless test. */
static CK_RV wrong_refused(struct p11prof_bench_job *job)
{
    struct combined *combined = job->state;
    combined->result[0] ^= 1;
    CK_RV rv = both(job, job->raw);
    combined->result[0] ^= 1;
    if (rv == CKR_OK)
        return p11prof_bench_wrong(job, "the token accepts wrong signatures");
    combined_after(job);
    return rv == CKR_SIGNATURE_INVALID || rv == CKR_SIGNATURE_LEN_RANGE ? CKR_OK : rv;
}

static CK_RV signature_make(struct p11prof_bench_job *job)
{
    struct combined *combined = job->state;
    combined->result_bytes = sizeof combined->result;
    CK_RV rv = p11prof_bench_crypt(
        job, job->raw, P11PROF_OPERATION_SIGN, &combined->other, job->key->mac_key,
        combined->plaintext, combined->plaintext_bytes, combined->result, &combined->result_bytes);
    return rv == CKR_OK ? wrong_refused(job) : rv;
}

static CK_RV combined_open(struct p11prof_bench_job *job)
{
    struct combined *combined = p11prof_zalloc(1, sizeof *combined);
    job->state = combined;
    combined->pair = pairs;
    while (combined->pair->operation != job->test->operation)
        combined->pair++;
    p11prof_bench_mechanism_make(&combined->cipher, job->test);
    combined->other.mechanism = combined->pair->mechanism;
    combined->plaintext = p11prof_zalloc(1, job->in_capacity);
    combined->plaintext_bytes = job->in_bytes;
    memcpy(combined->plaintext, job->in, job->in_bytes);
    if (!EVP_Digest(job->in, job->in_bytes, combined->digest, NULL, EVP_sha256(), NULL))
        return p11prof_bench_refuse(job, "libcrypto could not make the digest to compare with");
    CK_RV rv = support_ask(job);
    if (rv == CKR_OK && combined->pair->cipher == P11PROF_OPERATION_DECRYPT)
        rv = ciphertext_make(job);
    if (rv == CKR_OK && combined->pair->other == P11PROF_OPERATION_VERIFY)
        rv = signature_make(job);
    return rv;
}

/* --- checking --- */

/* What was enciphered is deciphered by itself. */
static bool cipher_check(struct p11prof_bench_job *job)
{
    struct combined *combined = job->state;
    if (combined->pair->cipher == P11PROF_OPERATION_DECRYPT)
        return job->out_bytes == combined->plaintext_bytes &&
               memcmp(job->out, combined->plaintext, job->out_bytes) == 0;
    CK_ULONG bytes = job->in_capacity;
    memset(combined->plaintext, 0, job->in_bytes);
    CK_RV rv = p11prof_bench_crypt(job, job->raw, P11PROF_OPERATION_DECRYPT,
                                   &combined->cipher.mechanism, job->key->secret_key, job->out,
                                   job->out_bytes, combined->plaintext, &bytes);
    job->unfinished = false;
    if (rv != CKR_OK)
        return p11prof_bench_unable(job, rv);
    return bytes == job->in_bytes && memcmp(combined->plaintext, job->in, bytes) == 0;
}

/* Of a verification the answer is the result. */
static bool other_check(struct p11prof_bench_job *job)
{
    struct combined *combined = job->state;
    if (combined->pair->other == P11PROF_OPERATION_DIGEST)
        return combined->result_bytes == 32 && memcmp(combined->result, combined->digest, 32) == 0;
    if (combined->pair->other == P11PROF_OPERATION_VERIFY)
        return true;
    CK_RV rv = p11prof_bench_crypt(job, job->raw, P11PROF_OPERATION_VERIFY, &combined->other,
                                   job->key->mac_key, job->in, job->in_bytes, combined->result,
                                   &combined->result_bytes);
    job->unfinished = false;
    return rv == CKR_OK || p11prof_bench_unable(job, rv);
}

static bool combined_check(struct p11prof_bench_job *job)
{
    return cipher_check(job) && other_check(job);
}

static void combined_close(struct p11prof_bench_job *job)
{
    struct combined *combined = job->state;
    if (combined)
        free(combined->plaintext);
    p11prof_bench_state_free(job);
}

const struct p11prof_bench_steps p11prof_bench_combined_steps = {
    .open = combined_open,
    .before = combined_before,
    .run = combined_run,
    .check = combined_check,
    .after = combined_after,
    .close = combined_close,
};
