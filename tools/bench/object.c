/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Data objects: made and destroyed, copied, changed. They are session objects of 32 bytes. */
#include "report/allocate.h"
#include "steps.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

enum { VALUE_BYTES = 32, LABEL_BYTES = 96 };

struct object {
    CK_OBJECT_CLASS class;
    CK_BYTE value[VALUE_BYTES];
    char label[LABEL_BYTES];     /* no other job's */
    char new_label[LABEL_BYTES]; /* of a copy, or of the object from now on */
    CK_ATTRIBUTE template[6];
    CK_OBJECT_HANDLE source; /* that is copied or changed */
    uint64_t change_count;
};

enum { CLASS, TOKEN, PRIVATE, APPLICATION, LABEL, VALUE, ATTRIBUTES };

static CK_BBOOL no = CK_FALSE;
static char application[] = "p11prof";

static CK_RV object_open(struct p11prof_bench_job *job)
{
    struct object *object = p11prof_zalloc(1, sizeof *object);
    uint64_t random = 0;
    job->state = object;
    if (getrandom(&random, sizeof random, 0) != sizeof random)
        return p11prof_bench_refuse(job, "the system gives no random bytes for a label");
    p11prof_bench_in_fill(job, VALUE_BYTES);
    memcpy(object->value, job->in, VALUE_BYTES);
    snprintf(object->label, sizeof object->label, "%s-%016llx", job->key->label,
             (unsigned long long)random);
    object->class = CKO_DATA;
    object->template[CLASS] = (CK_ATTRIBUTE){CKA_CLASS, &object->class, sizeof object->class};
    object->template[TOKEN] = (CK_ATTRIBUTE){CKA_TOKEN, &no, sizeof no};
    object->template[PRIVATE] = (CK_ATTRIBUTE){CKA_PRIVATE, &no, sizeof no};
    object->template[APPLICATION] =
        (CK_ATTRIBUTE){CKA_APPLICATION, application, sizeof application - 1};
    object->template[LABEL] = (CK_ATTRIBUTE){CKA_LABEL, object->label, strlen(object->label)};
    object->template[VALUE] = (CK_ATTRIBUTE){CKA_VALUE, object->value, VALUE_BYTES};
    return CKR_OK;
}

/* Whether an object has this label and the value that all have. */
static bool is_like(struct p11prof_bench_job *job, CK_OBJECT_HANDLE handle, const char *label)
{
    const struct object *object = job->state;
    char label_read[LABEL_BYTES] = "";
    CK_BYTE value_read[VALUE_BYTES] = {0};
    CK_ATTRIBUTE read[] = {{CKA_LABEL, label_read, sizeof label_read - 1},
                           {CKA_VALUE, value_read, sizeof value_read}};
    return job->raw->C_GetAttributeValue(job->session, handle, read, 2) == CKR_OK &&
           strcmp(label_read, label) == 0 && read[1].ulValueLen == VALUE_BYTES &&
           memcmp(value_read, object->value, VALUE_BYTES) == 0;
}

/* --- made and destroyed --- */

static CK_RV create(struct p11prof_bench_job *job, CK_FUNCTION_LIST *list)
{
    struct object *object = job->state;
    CK_RV rv = list->C_CreateObject(job->session, object->template, ATTRIBUTES, &job->made[0]);
    return p11prof_bench_made(job, "C_CreateObject", rv);
}

/* What is made is looked at once: in an iteration it is gone before anybody could. */
static CK_RV pair_open(struct p11prof_bench_job *job)
{
    const struct object *object;
    CK_RV rv = object_open(job);
    if (rv == CKR_OK)
        rv = create(job, job->raw);
    if (rv != CKR_OK)
        return rv;
    object = job->state;
    bool right = is_like(job, job->made[0], object->label);
    job->raw->C_DestroyObject(job->session, job->made[0]);
    job->made[0] = CK_INVALID_HANDLE;
    return right ? CKR_OK : p11prof_bench_wrong(job, "the token keeps other data than it is given");
}

static CK_RV pair_run(struct p11prof_bench_job *job)
{
    CK_RV rv = create(job, job->timed);
    if (rv != CKR_OK)
        return rv;
    rv = job->timed->C_DestroyObject(job->session, job->made[0]);
    if (rv == CKR_OK)
        job->made[0] = CK_INVALID_HANDLE;
    return p11prof_bench_said(job, "C_DestroyObject", rv);
}

/* By its label: the handle may be another object's by now. What is still there is taken away. */
static bool pair_check(struct p11prof_bench_job *job)
{
    struct object *object = job->state;
    CK_OBJECT_HANDLE found = CK_INVALID_HANDLE;
    CK_ULONG count = 0;
    CK_RV rv = job->raw->C_FindObjectsInit(job->session, &object->template[LABEL], 1);
    if (rv != CKR_OK)
        return p11prof_bench_unable(job, rv);
    rv = job->raw->C_FindObjects(job->session, &found, 1, &count);
    job->raw->C_FindObjectsFinal(job->session);
    if (rv == CKR_OK && count > 0)
        job->raw->C_DestroyObject(job->session, found);
    return rv == CKR_OK && count == 0;
}

const struct p11prof_bench_steps p11prof_bench_object_steps = {
    .open = pair_open,
    .run = pair_run,
    .check = pair_check,
    .after = p11prof_bench_made_destroy,
    .close = p11prof_bench_state_free,
};

/* --- of an object that stays --- */

static CK_RV source_open(struct p11prof_bench_job *job)
{
    CK_RV rv = object_open(job);
    struct object *object = job->state;
    if (rv == CKR_OK)
        rv = create(job, job->raw);
    object->source = job->made[0];
    job->made[0] = CK_INVALID_HANDLE;
    return rv;
}

/* Every iteration has its own label. */
static CK_RV label_next(struct p11prof_bench_job *job)
{
    struct object *object = job->state;
    snprintf(object->new_label, sizeof object->new_label, "p11prof-%llu",
             (unsigned long long)++object->change_count);
    return CKR_OK;
}

static void source_close(struct p11prof_bench_job *job)
{
    const struct object *object = job->state;
    if (object && object->source != CK_INVALID_HANDLE)
        job->raw->C_DestroyObject(job->session, object->source);
    p11prof_bench_state_free(job);
}

static CK_RV copy_run(struct p11prof_bench_job *job)
{
    struct object *object = job->state;
    CK_ATTRIBUTE label = {CKA_LABEL, object->new_label, strlen(object->new_label)};
    CK_RV rv = job->timed->C_CopyObject(job->session, object->source, &label, 1, &job->made[0]);
    return p11prof_bench_made(job, "C_CopyObject", rv);
}

static bool copy_check(struct p11prof_bench_job *job)
{
    const struct object *object = job->state;
    return is_like(job, job->made[0], object->new_label) &&
           is_like(job, object->source, object->label);
}

const struct p11prof_bench_steps p11prof_bench_copy_steps = {
    .open = source_open,
    .before = label_next,
    .run = copy_run,
    .check = copy_check,
    .after = p11prof_bench_made_destroy,
    .close = source_close,
};

static CK_RV set_run(struct p11prof_bench_job *job)
{
    struct object *object = job->state;
    CK_ATTRIBUTE label = {CKA_LABEL, object->new_label, strlen(object->new_label)};
    CK_RV rv = job->timed->C_SetAttributeValue(job->session, object->source, &label, 1);
    return p11prof_bench_said(job, "C_SetAttributeValue", rv);
}

static bool set_check(struct p11prof_bench_job *job)
{
    const struct object *object = job->state;
    return is_like(job, object->source, object->new_label);
}

const struct p11prof_bench_steps p11prof_bench_set_attribute_steps = {
    .open = source_open,
    .before = label_next,
    .run = set_run,
    .check = set_check,
    .close = source_close,
};
