/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Key generation. */
#include "report/allocate.h"
#include "steps.h"
#include "templates.h"

#include <string.h>

/* Which mechanism shows that two halves belong together. */
static const CK_MECHANISM_TYPE sample_mechanisms[] = {
    [P11PROF_BENCH_KEY_RSA] = CKM_SHA256_RSA_PKCS, [P11PROF_BENCH_KEY_EC] = CKM_ECDSA,
    [P11PROF_BENCH_KEY_EDWARDS] = CKM_EDDSA,       [P11PROF_BENCH_KEY_ML_DSA] = CKM_ML_DSA,
    [P11PROF_BENCH_KEY_SLH_DSA] = CKM_SLH_DSA,
};

static struct p11prof_bench_key_wish wish_of(const struct p11prof_bench_job *job)
{
    bool derives = job->test->key_kind == P11PROF_BENCH_KEY_MONTGOMERY;
    return (struct p11prof_bench_key_wish){.kind = job->test->key_kind,
                                           .bits = job->test->key_bits,
                                           .operation = derives ? P11PROF_OPERATION_DERIVE
                                                                : job->test->operation,
                                           .label = job->key->label,
                                           .token_object = job->key->token_objects,
                                           .private_object = job->key->private_objects};
}

struct keygen {
    struct p11prof_bench_template template;
    CK_BYTE last_block[16]; /* of the secret key that was checked last */
};

/* The form of the curve's name that the token takes is found out once. */
static CK_RV keygen_open(struct p11prof_bench_job *job)
{
    struct keygen *keygen = p11prof_zalloc(1, sizeof *keygen);
    struct p11prof_bench_key_wish wish = wish_of(job);
    CK_FUNCTION_LIST *timed = job->timed;
    const char *function = NULL;
    CK_RV rv = CKR_OK;
    unsigned attempt = 0;
    job->state = keygen;
    p11prof_bench_in_fill(job, 32);
    if (job->test->key_kind == P11PROF_BENCH_KEY_EDWARDS ||
        job->test->key_kind == P11PROF_BENCH_KEY_MONTGOMERY)
        rv = p11prof_bench_wish_generate(&wish, job->raw, job->session, job->made, &function,
                                         &attempt);
    job->timed = job->raw;
    p11prof_bench_made_destroy(job);
    job->timed = timed;
    p11prof_bench_template_make(&keygen->template, &wish, attempt);
    return p11prof_bench_said(job, function, rv);
}

static CK_RV keygen_run(struct p11prof_bench_job *job)
{
    struct p11prof_bench_template *template = &((struct keygen *)job->state)->template;
    CK_RV rv = p11prof_bench_template_generate(template, job->timed, job->session, job->made);
    return p11prof_bench_made(job, template->pair ? "C_GenerateKeyPair" : "C_GenerateKey", rv);
}

/* Signed with one half, verified with the other. */
static bool signing_check(struct p11prof_bench_job *job)
{
    struct p11prof_eddsa_params ed448 = {0};
    CK_MECHANISM mechanism = {sample_mechanisms[job->test->key_kind], NULL, 0};
    CK_RV rv;
    if (job->test->key_kind == P11PROF_BENCH_KEY_EDWARDS && job->test->key_bits == 448)
        mechanism.pParameter = &ed448, mechanism.ulParameterLen = sizeof ed448;
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

/* What one half derives with a peer is what the peer derives with the other. */
static bool agreement_check(struct p11prof_bench_job *job)
{
    const struct p11prof_bench_steps *steps = &p11prof_bench_derive_steps;
    const struct p11prof_bench_key key = {.private_key = job->made[0],
                                          .public_key = job->made[1],
                                          .private_objects = job->key->private_objects};
    struct p11prof_bench_test test = *job->test;
    struct p11prof_bench_job other = *job;
    test.mechanism = CKM_ECDH1_DERIVE;
    other.test = &test;
    other.key = &key;
    other.timed = job->raw;
    other.state = NULL;
    other.made[0] = other.made[1] = CK_INVALID_HANDLE;
    CK_RV rv = steps->open(&other);
    if (rv == CKR_OK)
        rv = steps->run(&other);
    bool right = rv == CKR_OK && steps->check(&other);
    steps->after(&other);
    steps->close(&other);
    job->unchecked = job->unchecked || other.unchecked;
    return right || (rv != CKR_OK && p11prof_bench_unable(job, rv));
}

static bool pair_check(struct p11prof_bench_job *job)
{
    return job->test->key_kind == P11PROF_BENCH_KEY_MONTGOMERY ? agreement_check(job)
                                                               : signing_check(job);
}

static bool length_check(struct p11prof_bench_job *job)
{
    const struct keygen *keygen = job->state;
    CK_ULONG value_bytes = 0;
    CK_ATTRIBUTE length = {CKA_VALUE_LEN, &value_bytes, sizeof value_bytes};
    return job->raw->C_GetAttributeValue(job->session, job->made[0], &length, 1) == CKR_OK &&
           value_bytes == keygen->template.value_bytes;
}

/* Of the parameter set that was asked for, where there is one. */
static bool set_right(struct p11prof_bench_job *job)
{
    const struct keygen *keygen = job->state;
    CK_ULONG value = 0;
    CK_ATTRIBUTE attribute = {CKA_PARAMETER_SET, &value, sizeof value};
    if (keygen->template.parameter_set == 0)
        return true;
    return job->raw->C_GetAttributeValue(job->session, job->made[1], &attribute, 1) == CKR_OK &&
           value == keygen->template.parameter_set;
}

static bool kem_check(struct p11prof_bench_job *job)
{
    CK_RV rv;
    bool works = p11prof_bench_kem_works(job, job->made[1], job->made[0], &rv);
    job->unfinished = false;
    return works || p11prof_bench_unable(job, rv);
}

/* Of the length that was asked for, and not the one before. */
static bool secret_check(struct p11prof_bench_job *job)
{
    struct keygen *keygen = job->state;
    bool des3 = job->test->key_kind == P11PROF_BENCH_KEY_DES3;
    CK_BYTE block[16];
    if (!des3 && !length_check(job))
        return false;
    CK_RV rv = des3 ? p11prof_bench_des3_block_make(job, job->made[0], block)
                    : p11prof_bench_block_make(job, job->made[0], block);
    if (rv != CKR_OK)
        return p11prof_bench_unable(job, rv);
    bool fresh = memcmp(block, keygen->last_block, sizeof block) != 0;
    memcpy(keygen->last_block, block, sizeof block);
    return fresh;
}

static bool keygen_check(struct p11prof_bench_job *job)
{
    const struct keygen *keygen = job->state;
    if (!keygen->template.pair)
        return secret_check(job);
    return set_right(job) &&
           (job->test->key_kind == P11PROF_BENCH_KEY_ML_KEM ? kem_check(job) : pair_check(job));
}

const struct p11prof_bench_steps p11prof_bench_keygen_steps = {
    .open = keygen_open,
    .run = keygen_run,
    .check = keygen_check,
    .after = p11prof_bench_made_destroy,
    .close = p11prof_bench_state_free,
};
