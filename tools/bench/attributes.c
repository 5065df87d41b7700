/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Reading what applications read of a key. */
#include "report/allocate.h"
#include "steps.h"

#include <string.h>

enum { ATTRIBUTES = 5, VALUE_MAX = 128 };

static const CK_ATTRIBUTE_TYPE types[ATTRIBUTES] = {CKA_CLASS, CKA_KEY_TYPE, CKA_LABEL, CKA_ID,
                                                    CKA_TOKEN};

struct attributes {
    CK_ATTRIBUTE template[ATTRIBUTES];
    CK_BYTE value[ATTRIBUTES][VALUE_MAX], first[ATTRIBUTES][VALUE_MAX];
    CK_ULONG first_bytes[ATTRIBUTES];
};

static CK_RV attributes_before(struct p11prof_bench_job *job)
{
    struct attributes *attributes = job->state;
    memset(attributes->value, 0, sizeof attributes->value);
    for (unsigned i = 0; i < ATTRIBUTES; i++)
        attributes->template[i] = (CK_ATTRIBUTE){types[i], attributes->value[i], VALUE_MAX};
    return CKR_OK;
}

static CK_RV attributes_run(struct p11prof_bench_job *job)
{
    struct attributes *attributes = job->state;
    CK_OBJECT_HANDLE key = p11prof_bench_key_for(job->key, P11PROF_OPERATION_NONE);
    CK_RV rv = job->timed->C_GetAttributeValue(job->session, key, attributes->template, ATTRIBUTES);
    return p11prof_bench_said(job, "C_GetAttributeValue", rv);
}

static CK_RV attributes_open(struct p11prof_bench_job *job)
{
    struct attributes *attributes = p11prof_zalloc(1, sizeof *attributes);
    CK_FUNCTION_LIST *timed = job->timed;
    job->state = attributes;
    job->timed = job->raw;
    attributes_before(job);
    CK_RV rv = attributes_run(job);
    job->timed = timed;
    memcpy(attributes->first, attributes->value, sizeof attributes->first);
    for (unsigned i = 0; i < ATTRIBUTES; i++)
        attributes->first_bytes[i] = attributes->template[i].ulValueLen;
    return rv;
}

static bool attributes_check(struct p11prof_bench_job *job)
{
    const struct attributes *attributes = job->state;
    for (unsigned i = 0; i < ATTRIBUTES; i++)
        if (attributes->template[i].ulValueLen != attributes->first_bytes[i])
            return false;
    return memcmp(attributes->value, attributes->first, sizeof attributes->value) == 0;
}

const struct p11prof_bench_steps p11prof_bench_attributes_steps = {
    .open = attributes_open,
    .before = attributes_before,
    .run = attributes_run,
    .check = attributes_check,
    .close = p11prof_bench_state_free,
};
