/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Searches by label, of another object in each iteration. */
#include "report/allocate.h"
#include "steps.h"

#include <string.h>

enum { FOUND_MAX = 16 };

struct find {
    char label[80];
    unsigned index; /* of the object that is searched */
    CK_OBJECT_HANDLE found[FOUND_MAX];
    CK_ULONG found_count;
};

static CK_RV find_open(struct p11prof_bench_job *job)
{
    job->state = p11prof_zalloc(1, sizeof(struct find));
    return CKR_OK;
}

static CK_RV find_before(struct p11prof_bench_job *job)
{
    struct find *find = job->state;
    find->index = (find->index + 1) % job->key->found_count;
    find->found_count = 0;
    p11prof_bench_found_label(job->key, find->index, find->label);
    return CKR_OK;
}

/* Until there are no more, as the standard has it. */
static CK_RV find_all(struct p11prof_bench_job *job)
{
    struct find *find = job->state;
    CK_ULONG count = 0;
    CK_RV rv;
    do {
        find->found_count += count;
        rv = job->timed->C_FindObjects(job->session, find->found + find->found_count,
                                       FOUND_MAX - find->found_count, &count);
    } while (rv == CKR_OK && count > 0 && count < FOUND_MAX - find->found_count);
    return p11prof_bench_said(job, "C_FindObjects", rv);
}

static CK_RV find_run(struct p11prof_bench_job *job)
{
    struct find *find = job->state;
    CK_ATTRIBUTE label = {CKA_LABEL, find->label, strlen(find->label)};
    CK_RV rv = job->timed->C_FindObjectsInit(job->session, &label, 1);
    if (rv != CKR_OK)
        return p11prof_bench_said(job, "C_FindObjectsInit", rv);
    rv = find_all(job);
    if (rv != CKR_OK)
        return rv;
    return p11prof_bench_said(job, "C_FindObjectsFinal",
                              job->timed->C_FindObjectsFinal(job->session));
}

static bool find_check(struct p11prof_bench_job *job)
{
    const struct find *find = job->state;
    return find->found_count == 1 && find->found[0] == job->key->found[find->index];
}

const struct p11prof_bench_steps p11prof_bench_find_steps = {
    .open = find_open,
    .before = find_before,
    .run = find_run,
    .check = find_check,
    .after = p11prof_bench_finish,
    .close = p11prof_bench_state_free,
};
