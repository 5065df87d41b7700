/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Key generation. */
#include "report/allocate.h"
#include "steps.h"
#include "templates.h"

#include <string.h>

/* Which mechanism shows that two halves belong together. */
static const CK_MECHANISM_TYPE sample_mechanisms[] = {
    [P11PROF_BENCH_KEY_RSA] = CKM_SHA256_RSA_PKCS,
    [P11PROF_BENCH_KEY_EC] = CKM_ECDSA,
    [P11PROF_BENCH_KEY_EDWARDS] = CKM_EDDSA,
};

static struct p11prof_bench_key_wish wish_of(const struct p11prof_bench_job *job)
{
    return (struct p11prof_bench_key_wish){.kind = job->test->key_kind,
                                           .bits = job->test->key_bits,
                                           .operation = job->test->operation,
                                           .label = job->key->label,
                                           .token_object = job->key->token_objects,
                                           .private_object = job->key->private_objects};
}

struct keygen {
    struct p11prof_bench_template template;
    CK_BYTE last_block[16]; /* of the AES key that was checked last */
};

/* The form of the curve's name that the token takes is found out once. */
static CK_RV keygen_open(struct p11prof_bench_job *job)
{
    struct keygen *keygen = p11prof_zalloc(1, sizeof *keygen);
    struct p11prof_bench_key_wish wish = wish_of(job);
    const char *function = NULL;
    CK_RV rv = CKR_OK;
    unsigned attempt = 0;
    job->state = keygen;
    p11prof_bench_in_fill(job, 32);
    if (job->test->key_kind == P11PROF_BENCH_KEY_EDWARDS)
        rv = p11prof_bench_wish_generate(&wish, job->raw, job->session, job->made, &function,
                                         &attempt);
    p11prof_bench_made_destroy(job);
    p11prof_bench_template_make(&keygen->template, &wish, attempt);
    return p11prof_bench_said(job, function, rv);
}

static CK_RV keygen_run(struct p11prof_bench_job *job)
{
    struct p11prof_bench_template *template = &((struct keygen *)job->state)->template;
    CK_RV rv = p11prof_bench_template_generate(template, job->timed, job->session, job->made);
    return p11prof_bench_made(job, template->pair ? "C_GenerateKeyPair" : "C_GenerateKey", rv);
}

static bool pair_check(struct p11prof_bench_job *job)
{
    CK_MECHANISM mechanism = {sample_mechanisms[job->test->key_kind], NULL, 0};
    CK_RV rv;
    job->out_bytes = job->out_capacity;
    rv = p11prof_bench_crypt(job, job->raw, P11PROF_OPERATION_SIGN, &mechanism, job->made[0],
                             job->in, job->in_bytes, job->out, &job->out_bytes);
    if (rv == CKR_OK)
        rv = p11prof_bench_crypt(job, job->raw, P11PROF_OPERATION_VERIFY, &mechanism, job->made[1],
                                 job->in, job->in_bytes, job->out, &job->out_bytes);
    job->unfinished = false;
    /* A signature of RSA is as long as its modulus: a smaller key is not what was asked for. */
    bool long_enough =
        job->test->key_kind != P11PROF_BENCH_KEY_RSA || job->out_bytes * 8 == job->test->key_bits;
    return rv == CKR_OK ? long_enough : p11prof_bench_unable(job, rv);
}

/* Of the length that was asked for, and not the one before. */
static bool secret_check(struct p11prof_bench_job *job)
{
    struct keygen *keygen = job->state;
    CK_BYTE block[16];
    CK_ULONG value_bytes = 0;
    CK_ATTRIBUTE length = {CKA_VALUE_LEN, &value_bytes, sizeof value_bytes};
    if (job->raw->C_GetAttributeValue(job->session, job->made[0], &length, 1) != CKR_OK ||
        value_bytes != keygen->template.value_bytes)
        return false;
    CK_RV rv = p11prof_bench_block_make(job, job->made[0], block);
    if (rv != CKR_OK)
        return p11prof_bench_unable(job, rv);
    bool fresh = memcmp(block, keygen->last_block, sizeof block) != 0;
    memcpy(keygen->last_block, block, sizeof block);
    return fresh;
}

static bool keygen_check(struct p11prof_bench_job *job)
{
    const struct keygen *keygen = job->state;
    return keygen->template.pair ? pair_check(job) : secret_check(job);
}

const struct p11prof_bench_steps p11prof_bench_keygen_steps = {
    .open = keygen_open,
    .run = keygen_run,
    .check = keygen_check,
    .after = p11prof_bench_made_destroy,
    .close = p11prof_bench_state_free,
};
