/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Key agreement: ECDH with a peer whose key is made in software. */
#include "derive_peer.h"
#include "report/allocate.h"
#include "steps.h"

#include <string.h>

struct derive {
    CK_MECHANISM mechanism;
    CK_ECDH1_DERIVE_PARAMS parameter;
    CK_ATTRIBUTE template[10];
    CK_ULONG template_count;
    CK_OBJECT_CLASS class;
    CK_KEY_TYPE key_type;
    CK_ULONG value_bytes;
    CK_BBOOL private_object, sensitive, extractable;
    struct p11prof_bench_peer peer;
};

static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;

/* A secret of full length: which end of it a shorter key would lose depends on the token. */
static void template_make(struct derive *derive, const struct p11prof_bench_job *job)
{
    const CK_ATTRIBUTE template[] = {
        {CKA_CLASS, &derive->class, sizeof derive->class},
        {CKA_KEY_TYPE, &derive->key_type, sizeof derive->key_type},
        {CKA_VALUE_LEN, &derive->value_bytes, sizeof derive->value_bytes},
        {CKA_TOKEN, &no, sizeof no},
        {CKA_PRIVATE, &derive->private_object, sizeof derive->private_object},
        {CKA_LABEL, (void *)(uintptr_t)job->key->label, strlen(job->key->label)},
        {CKA_SENSITIVE, &derive->sensitive, sizeof derive->sensitive},
        {CKA_EXTRACTABLE, &derive->extractable, sizeof derive->extractable},
        {CKA_SIGN, &yes, sizeof yes},
    };
    memcpy(derive->template, template, sizeof template);
    derive->template_count = sizeof template / sizeof template[0];
    derive->class = CKO_SECRET_KEY;
    derive->key_type = CKK_GENERIC_SECRET;
    derive->value_bytes = (job->test->key_bits + 7) / 8;
    derive->private_object = job->key->private_objects;
}

static CK_RV derive_run(struct p11prof_bench_job *job)
{
    struct derive *derive = job->state;
    return p11prof_bench_made(job, "C_DeriveKey",
                              job->timed->C_DeriveKey(job->session, &derive->mechanism,
                                                      job->key->private_key, derive->template,
                                                      derive->template_count, &job->made[0]));
}

/* Tokens want the peer's point as it is, or in DER; and not all make keys that can be read. */
static CK_RV form_find(struct p11prof_bench_job *job)
{
    struct derive *derive = job->state;
    CK_FUNCTION_LIST *timed = job->timed;
    CK_RV first = CKR_OK, rv = CKR_OK;
    job->timed = job->raw;
    for (unsigned attempt = 0; attempt < 4; attempt++) {
        bool der = attempt & 1, readable = attempt < 2;
        derive->parameter.pPublicData = der ? derive->peer.der : derive->peer.point;
        derive->parameter.ulPublicDataLen = der ? derive->peer.der_bytes : derive->peer.point_bytes;
        derive->sensitive = !readable;
        derive->extractable = readable;
        rv = derive_run(job);
        p11prof_bench_made_destroy(job);
        if (rv == CKR_OK)
            break;
        first = attempt == 0 ? rv : first;
    }
    job->timed = timed;
    return rv == CKR_OK ? rv : first;
}

static CK_RV derive_open(struct p11prof_bench_job *job)
{
    struct derive *derive = p11prof_zalloc(1, sizeof *derive);
    job->state = derive;
    derive->parameter.kdf = CKD_NULL;
    derive->mechanism = (CK_MECHANISM){.mechanism = job->test->mechanism,
                                       .pParameter = &derive->parameter,
                                       .ulParameterLen = sizeof derive->parameter};
    template_make(derive, job);
    const char *problem = p11prof_bench_peer_make(&derive->peer, job);
    if (problem)
        return p11prof_bench_refuse(job, problem);
    job->unchecked = derive->peer.secret_bytes == 0;
    return form_find(job);
}

/* A value that the token does not give away shows in a MAC that it makes. */
static bool mac_check(struct p11prof_bench_job *job)
{
    const struct derive *derive = job->state;
    CK_MECHANISM mechanism = {CKM_SHA256_HMAC, NULL, 0};
    CK_BYTE expected[32];
    job->out_bytes = job->out_capacity;
    CK_RV rv = p11prof_bench_crypt(job, job->raw, P11PROF_OPERATION_SIGN, &mechanism, job->made[0],
                                   job->in, 1, job->out, &job->out_bytes);
    job->unfinished = false;
    if (rv != CKR_OK)
        return p11prof_bench_unable(job, rv);
    p11prof_bench_peer_mac(&derive->peer, job->in, 1, expected);
    return job->out_bytes == sizeof expected && memcmp(job->out, expected, sizeof expected) == 0;
}

static bool derive_check(struct p11prof_bench_job *job)
{
    const struct derive *derive = job->state;
    CK_BYTE value[P11PROF_BENCH_SECRET_MAX] = {0};
    CK_ATTRIBUTE attribute = {CKA_VALUE, value, sizeof value};
    if (job->unchecked)
        return true;
    CK_RV rv = job->raw->C_GetAttributeValue(job->session, job->made[0], &attribute, 1);
    if (rv == CKR_ATTRIBUTE_SENSITIVE || rv == CKR_ATTRIBUTE_TYPE_INVALID)
        return mac_check(job);
    return rv == CKR_OK && attribute.ulValueLen == derive->peer.secret_bytes &&
           memcmp(value, derive->peer.secret, derive->peer.secret_bytes) == 0;
}

const struct p11prof_bench_steps p11prof_bench_derive_steps = {
    .open = derive_open,
    .run = derive_run,
    .check = derive_check,
    .after = p11prof_bench_made_destroy,
    .close = p11prof_bench_state_free,
};
