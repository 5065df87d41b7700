/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "steps.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { NONCE_BYTES = 12, COUNTER_BYTES = 6, TAG_BITS = 128, CTR_BITS = 128, DES_IV_BYTES = 8 };

static void parameter_set(struct p11prof_bench_mechanism *out, void *parameter, CK_ULONG bytes)
{
    out->mechanism.pParameter = parameter;
    out->mechanism.ulParameterLen = bytes;
}

static void rsa_make(struct p11prof_bench_mechanism *out,
                     const struct p11prof_bench_variant *variant)
{
    if (variant->parameter == P11PROF_BENCH_PARAMETER_PSS) {
        out->parameter.pss = (CK_RSA_PKCS_PSS_PARAMS){
            .hashAlg = variant->hash, .mgf = variant->mgf, .sLen = variant->salt_bytes};
        parameter_set(out, &out->parameter.pss, sizeof out->parameter.pss);
    } else {
        out->parameter.oaep = (CK_RSA_PKCS_OAEP_PARAMS){
            .hashAlg = variant->hash, .mgf = variant->mgf, .source = CKZ_DATA_SPECIFIED};
        parameter_set(out, &out->parameter.oaep, sizeof out->parameter.oaep);
    }
}

static void gcm_make(struct p11prof_bench_mechanism *out)
{
    out->parameter.gcm = (CK_GCM_PARAMS){
        .pIv = out->iv, .ulIvLen = NONCE_BYTES, .ulIvBits = 8 * NONCE_BYTES, .ulTagBits = TAG_BITS};
    parameter_set(out, &out->parameter.gcm, sizeof out->parameter.gcm);
}

static void ccm_make(struct p11prof_bench_mechanism *out)
{
    out->parameter.ccm = (struct p11prof_ccm_params){
        .pNonce = out->iv, .ulNonceLen = NONCE_BYTES, .ulMACLen = TAG_BITS / 8};
    parameter_set(out, &out->parameter.ccm, sizeof out->parameter.ccm);
}

static void ctr_make(struct p11prof_bench_mechanism *out)
{
    out->parameter.ctr.ulCounterBits = CTR_BITS;
    memcpy(out->parameter.ctr.cb, out->iv, sizeof out->iv);
    parameter_set(out, &out->parameter.ctr, sizeof out->parameter.ctr);
}

void p11prof_bench_mechanism_make(struct p11prof_bench_mechanism *out,
                                  const struct p11prof_bench_test *test)
{
    const struct p11prof_bench_variant *variant = p11prof_bench_variant(test);
    memset(out, 0, sizeof *out);
    out->mechanism.mechanism = test->mechanism;
    if (getrandom(out->iv, sizeof out->iv, 0) != sizeof out->iv)
        abort(); /* a nonce that came before could give away what a user's key encrypted */
    switch (variant->parameter) {
    case P11PROF_BENCH_PARAMETER_NONE:
        break;
    case P11PROF_BENCH_PARAMETER_PSS:
    case P11PROF_BENCH_PARAMETER_OAEP:
        rsa_make(out, variant);
        break;
    case P11PROF_BENCH_PARAMETER_IV:
        parameter_set(out, out->iv,
                      test->key_kind == P11PROF_BENCH_KEY_DES3 ? DES_IV_BYTES : sizeof out->iv);
        break;
    case P11PROF_BENCH_PARAMETER_CTR:
        ctr_make(out);
        break;
    case P11PROF_BENCH_PARAMETER_GCM:
        gcm_make(out);
        break;
    case P11PROF_BENCH_PARAMETER_CCM:
        ccm_make(out);
        break;
    case P11PROF_BENCH_PARAMETER_NONCE:
        parameter_set(out, out->iv, NONCE_BYTES);
        break;
    case P11PROF_BENCH_PARAMETER_EDDSA:
        parameter_set(out, &out->parameter.eddsa, sizeof out->parameter.eddsa);
        break;
    }
    out->fresh = variant->parameter == P11PROF_BENCH_PARAMETER_GCM ||
                 variant->parameter == P11PROF_BENCH_PARAMETER_CCM ||
                 variant->parameter == P11PROF_BENCH_PARAMETER_NONCE;
}

void p11prof_bench_mechanism_sized(struct p11prof_bench_mechanism *mechanism, CK_ULONG bytes)
{
    if (mechanism->mechanism.mechanism == CKM_AES_CCM)
        mechanism->parameter.ccm.ulDataLen = bytes;
}

void p11prof_bench_nonce_next(struct p11prof_bench_mechanism *mechanism, uint64_t iteration)
{
    for (unsigned i = 0; i < COUNTER_BYTES; i++)
        mechanism->iv[NONCE_BYTES - 1 - i] = (CK_BYTE)(iteration >> 8 * i);
}
