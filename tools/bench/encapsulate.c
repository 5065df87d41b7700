/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Key encapsulation. The shared secret is an AES-256 key that no one can read: two are the same if
 * they make the same block. */
#include "report/allocate.h"
#include "steps.h"

#include <string.h>

struct encapsulate {
    CK_MECHANISM mechanism;
    CK_ATTRIBUTE template[10];
    CK_ULONG template_count;
    CK_OBJECT_CLASS class;
    CK_KEY_TYPE key_type;
    CK_ULONG value_bytes;
    CK_BBOOL private_object;
    CK_OBJECT_HANDLE target; /* the key that a decapsulation must give */
    CK_BYTE last_block[16];  /* of the secret that was checked last */
};

static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;

/* The last one, the length, is what some tokens want and others refuse: a secret has but one. */
static void template_make(struct encapsulate *state, const struct p11prof_bench_job *job)
{
    const CK_ATTRIBUTE template[] = {
        {CKA_CLASS, &state->class, sizeof state->class},
        {CKA_KEY_TYPE, &state->key_type, sizeof state->key_type},
        {CKA_TOKEN, &no, sizeof no},
        {CKA_PRIVATE, &state->private_object, sizeof state->private_object},
        {CKA_LABEL, (void *)(uintptr_t)job->key->label, strlen(job->key->label)},
        {CKA_SENSITIVE, &yes, sizeof yes},
        {CKA_EXTRACTABLE, &no, sizeof no},
        {CKA_ENCRYPT, &yes, sizeof yes},
        {CKA_DECRYPT, &yes, sizeof yes},
        {CKA_VALUE_LEN, &state->value_bytes, sizeof state->value_bytes},
    };
    memcpy(state->template, template, sizeof template);
    state->template_count = sizeof template / sizeof template[0];
    state->class = CKO_SECRET_KEY;
    state->key_type = CKK_AES;
    state->value_bytes = P11PROF_BENCH_AES_KEY_BYTES;
    state->private_object = job->key->private_objects;
}

static void state_make(struct encapsulate *state, const struct p11prof_bench_job *job)
{
    state->mechanism.mechanism = CKM_ML_KEM;
    template_make(state, job);
}

/* The ciphertext is in the job's `out`. After an error no key is made, whatever the handle is. */
static CK_RV encapsulate(struct p11prof_bench_job *job, const struct p11prof_function_list *list,
                         struct encapsulate *state, CK_OBJECT_HANDLE key, CK_OBJECT_HANDLE *made)
{
    CK_RV rv = list->C_EncapsulateKey(job->session, &state->mechanism, key, state->template,
                                      state->template_count, job->out, &job->out_bytes, made);
    if (rv != CKR_OK)
        *made = CK_INVALID_HANDLE;
    return rv;
}

static CK_RV decapsulate(struct p11prof_bench_job *job, const struct p11prof_function_list *list,
                         struct encapsulate *state, CK_OBJECT_HANDLE key, CK_OBJECT_HANDLE *made)
{
    CK_RV rv = list->C_DecapsulateKey(job->session, &state->mechanism, key, state->template,
                                      state->template_count, job->out, job->out_bytes, made);
    if (rv != CKR_OK)
        *made = CK_INVALID_HANDLE;
    return rv;
}

static void destroy(struct p11prof_bench_job *job, CK_OBJECT_HANDLE *object)
{
    if (*object != CK_INVALID_HANDLE)
        job->raw->C_DestroyObject(job->session, *object);
    *object = CK_INVALID_HANDLE;
}

/* Makes a secret with the template that the token takes. */
static CK_RV form_find(struct p11prof_bench_job *job, struct encapsulate *state,
                       CK_OBJECT_HANDLE key, CK_OBJECT_HANDLE *made)
{
    p11prof_bench_out_clear(job);
    CK_RV rv = encapsulate(job, job->raw_3, state, key, made);
    if (rv != CKR_TEMPLATE_INCONSISTENT && rv != CKR_ATTRIBUTE_TYPE_INVALID &&
        rv != CKR_ATTRIBUTE_VALUE_INVALID && rv != CKR_ATTRIBUTE_READ_ONLY)
        return p11prof_bench_said(job, "C_EncapsulateKey", rv);
    state->template_count--;
    p11prof_bench_out_clear(job);
    rv = encapsulate(job, job->raw_3, state, key, made);
    return p11prof_bench_said(job, "C_EncapsulateKey", rv);
}

/* --- encapsulation --- */

static CK_RV encapsulate_open(struct p11prof_bench_job *job)
{
    struct encapsulate *state = p11prof_zalloc(1, sizeof *state);
    job->state = state;
    state_make(state, job);
    job->unchecked = job->key->private_key == CK_INVALID_HANDLE;
    CK_RV rv = form_find(job, state, job->key->public_key, &job->made[0]);
    destroy(job, &job->made[0]);
    return rv;
}

static CK_RV encapsulate_run(struct p11prof_bench_job *job)
{
    return p11prof_bench_said(
        job, "C_EncapsulateKey",
        encapsulate(job, job->timed_3, job->state, job->key->public_key, &job->made[0]));
}

/* A secret that is the same each time is none. */
static bool fresh(struct p11prof_bench_job *job, CK_RV *rv)
{
    struct encapsulate *state = job->state;
    CK_BYTE block[16];
    *rv = p11prof_bench_block_make(job, job->made[0], block);
    bool differs = memcmp(block, state->last_block, sizeof block) != 0;
    memcpy(state->last_block, block, sizeof block);
    return differs;
}

static bool encapsulate_check(struct p11prof_bench_job *job)
{
    struct encapsulate *state = job->state;
    CK_OBJECT_HANDLE other = CK_INVALID_HANDLE;
    if (job->unchecked)
        return true;
    CK_RV rv = decapsulate(job, job->raw_3, state, job->key->private_key, &other);
    if (rv != CKR_OK)
        return p11prof_bench_unable(job, rv);
    bool equal = p11prof_bench_keys_equal(job, job->made[0], other, &rv);
    destroy(job, &other);
    if (rv != CKR_OK)
        return p11prof_bench_unable(job, rv);
    return equal && fresh(job, &rv) && rv == CKR_OK;
}

/* --- decapsulation --- */

/* A changed ciphertext gives another secret (FIPS 203, 6.3), or an error. */
static CK_RV changed_refused(struct p11prof_bench_job *job)
{
    struct encapsulate *state = job->state;
    CK_OBJECT_HANDLE other = CK_INVALID_HANDLE;
    CK_BYTE *changed = &job->out[job->out_bytes / 2];
    *changed ^= 1;
    CK_RV rv = decapsulate(job, job->raw_3, state, job->key->private_key, &other);
    *changed ^= 1;
    if (rv != CKR_OK)
        return CKR_OK;
    bool equal = p11prof_bench_keys_equal(job, state->target, other, &rv);
    destroy(job, &other);
    return equal ? p11prof_bench_wrong(job, "the token accepts changed ciphertexts") : CKR_OK;
}

static CK_RV decapsulate_open(struct p11prof_bench_job *job)
{
    struct encapsulate *state = p11prof_zalloc(1, sizeof *state);
    job->state = state;
    state_make(state, job);
    CK_RV rv = form_find(job, state, job->key->public_key, &state->target);
    return rv == CKR_OK ? changed_refused(job) : rv;
}

static CK_RV decapsulate_run(struct p11prof_bench_job *job)
{
    return p11prof_bench_said(
        job, "C_DecapsulateKey",
        decapsulate(job, job->timed_3, job->state, job->key->private_key, &job->made[0]));
}

static bool decapsulate_check(struct p11prof_bench_job *job)
{
    const struct encapsulate *state = job->state;
    CK_RV rv;
    return p11prof_bench_keys_equal(job, state->target, job->made[0], &rv) ||
           p11prof_bench_unable(job, rv);
}

static void decapsulate_close(struct p11prof_bench_job *job)
{
    struct encapsulate *state = job->state;
    if (state)
        destroy(job, &state->target);
    p11prof_bench_state_free(job);
}

/* --- of a pair that was made --- */

bool p11prof_bench_kem_works(struct p11prof_bench_job *job, CK_OBJECT_HANDLE public_key,
                             CK_OBJECT_HANDLE private_key, CK_RV *rv)
{
    struct encapsulate state = {.target = CK_INVALID_HANDLE};
    CK_OBJECT_HANDLE sent = CK_INVALID_HANDLE, received = CK_INVALID_HANDLE;
    state_make(&state, job);
    *rv = form_find(job, &state, public_key, &sent);
    if (*rv == CKR_OK)
        *rv = decapsulate(job, job->raw_3, &state, private_key, &received);
    bool equal = *rv == CKR_OK && p11prof_bench_keys_equal(job, sent, received, rv);
    destroy(job, &sent);
    destroy(job, &received);
    return equal;
}

const struct p11prof_bench_steps p11prof_bench_encapsulate_steps = {
    .open = encapsulate_open,
    .before = p11prof_bench_out_clear,
    .run = encapsulate_run,
    .check = encapsulate_check,
    .after = p11prof_bench_made_destroy,
    .close = p11prof_bench_state_free,
};

const struct p11prof_bench_steps p11prof_bench_decapsulate_steps = {
    .open = decapsulate_open,
    .run = decapsulate_run,
    .check = decapsulate_check,
    .after = p11prof_bench_made_destroy,
    .close = decapsulate_close,
};
