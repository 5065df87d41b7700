/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Wrapping and unwrapping of an AES-256 key. */
#include "report/allocate.h"
#include "steps.h"
#include "templates.h"

#include <string.h>

struct wrap {
    struct p11prof_bench_mechanism mechanism;
    CK_OBJECT_HANDLE target; /* the key that is wrapped */
    CK_ATTRIBUTE template[8];
    CK_ULONG template_count;
    CK_OBJECT_CLASS class;
    CK_KEY_TYPE key_type;
    CK_BBOOL private_object;
};

static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;

static void template_make(struct wrap *wrap, const struct p11prof_bench_key *key)
{
    const CK_ATTRIBUTE template[] = {
        {CKA_CLASS, &wrap->class, sizeof wrap->class},
        {CKA_KEY_TYPE, &wrap->key_type, sizeof wrap->key_type},
        {CKA_TOKEN, &no, sizeof no},
        {CKA_PRIVATE, &wrap->private_object, sizeof wrap->private_object},
        {CKA_LABEL, (void *)(uintptr_t)key->label, strlen(key->label)},
        {CKA_ENCRYPT, &yes, sizeof yes},
        {CKA_DECRYPT, &yes, sizeof yes},
    };
    memcpy(wrap->template, template, sizeof template);
    wrap->template_count = sizeof template / sizeof template[0];
    wrap->class = CKO_SECRET_KEY;
    wrap->key_type = CKK_AES;
    wrap->private_object = key->private_objects;
}

static CK_RV target_make(struct p11prof_bench_job *job)
{
    struct wrap *wrap = job->state;
    const struct p11prof_bench_key_wish wish = {.kind = P11PROF_BENCH_KEY_AES,
                                                .bits = 8 * P11PROF_BENCH_AES_KEY_BYTES,
                                                .operation = P11PROF_OPERATION_ENCRYPT,
                                                .label = job->key->label,
                                                .private_object = job->key->private_objects,
                                                .extractable = true};
    CK_OBJECT_HANDLE handles[2];
    const char *function;
    unsigned attempt;
    CK_RV rv =
        p11prof_bench_wish_generate(&wish, job->raw, job->session, handles, &function, &attempt);
    wrap->target = handles[0];
    return p11prof_bench_said(job, function, rv);
}

static CK_RV wrap_open(struct p11prof_bench_job *job)
{
    struct wrap *wrap = p11prof_zalloc(1, sizeof *wrap);
    job->state = wrap;
    p11prof_bench_mechanism_make(&wrap->mechanism, job->test);
    template_make(wrap, job->key);
    job->unchecked = p11prof_bench_key_for(job->key, P11PROF_OPERATION_UNWRAP) == CK_INVALID_HANDLE;
    return target_make(job);
}

static CK_RV target_wrap(struct p11prof_bench_job *job, CK_FUNCTION_LIST *list)
{
    struct wrap *wrap = job->state;
    CK_RV rv = list->C_WrapKey(job->session, &wrap->mechanism.mechanism,
                               p11prof_bench_key_for(job->key, P11PROF_OPERATION_WRAP),
                               wrap->target, job->out, &job->out_bytes);
    return p11prof_bench_said(job, "C_WrapKey", rv);
}

static CK_RV unwrap(struct p11prof_bench_job *job, CK_FUNCTION_LIST *list)
{
    struct wrap *wrap = job->state;
    CK_RV rv =
        list->C_UnwrapKey(job->session, &wrap->mechanism.mechanism,
                          p11prof_bench_key_for(job->key, P11PROF_OPERATION_UNWRAP), job->out,
                          job->out_bytes, wrap->template, wrap->template_count, &job->made[0]);
    return p11prof_bench_made(job, "C_UnwrapKey", rv);
}

static CK_RV wrap_run(struct p11prof_bench_job *job)
{
    return target_wrap(job, job->timed);
}

static bool unwrap_check(struct p11prof_bench_job *job)
{
    const struct wrap *wrap = job->state;
    CK_RV rv;
    return p11prof_bench_keys_equal(job, wrap->target, job->made[0], &rv) ||
           p11prof_bench_unable(job, rv);
}

static bool wrap_check(struct p11prof_bench_job *job)
{
    if (job->unchecked)
        return true;
    CK_RV rv = unwrap(job, job->raw);
    if (rv != CKR_OK)
        return p11prof_bench_unable(job, rv);
    bool equal = unwrap_check(job);
    job->raw->C_DestroyObject(job->session, job->made[0]);
    job->made[0] = CK_INVALID_HANDLE;
    return equal;
}

/* RFC 3394 and 5649: a token that takes a changed key does not do what the test is of. */
static CK_RV changed_refused(struct p11prof_bench_job *job)
{
    CK_BYTE *changed = &job->out[job->out_bytes / 2];
    if (job->test->mechanism != CKM_AES_KEY_WRAP && job->test->mechanism != CKM_AES_KEY_WRAP_PAD)
        return CKR_OK;
    *changed ^= 1;
    CK_RV rv = unwrap(job, job->raw);
    *changed ^= 1;
    job->unfinished = false;
    if (rv != CKR_OK)
        return CKR_OK;
    job->raw->C_DestroyObject(job->session, job->made[0]);
    job->made[0] = CK_INVALID_HANDLE;
    return p11prof_bench_wrong(job, "the token accepts changed keys");
}

static CK_RV unwrap_open(struct p11prof_bench_job *job)
{
    CK_RV rv = wrap_open(job);
    if (rv != CKR_OK)
        return rv;
    job->unchecked = false;
    p11prof_bench_out_clear(job);
    rv = target_wrap(job, job->raw);
    return rv == CKR_OK ? changed_refused(job) : rv;
}

static CK_RV unwrap_run(struct p11prof_bench_job *job)
{
    return unwrap(job, job->timed);
}

static void wrap_close(struct p11prof_bench_job *job)
{
    struct wrap *wrap = job->state;
    if (wrap && wrap->target != CK_INVALID_HANDLE)
        job->raw->C_DestroyObject(job->session, wrap->target);
    p11prof_bench_state_free(job);
}

const struct p11prof_bench_steps p11prof_bench_wrap_steps = {
    .open = wrap_open,
    .before = p11prof_bench_out_clear,
    .run = wrap_run,
    .check = wrap_check,
    .close = wrap_close,
};

const struct p11prof_bench_steps p11prof_bench_unwrap_steps = {
    .open = unwrap_open,
    .run = unwrap_run,
    .check = unwrap_check,
    .after = p11prof_bench_made_destroy,
    .close = wrap_close,
};
