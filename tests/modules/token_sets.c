/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Bytes of public keys, signatures and ciphertexts: FIPS 204 table 2, FIPS 203 table 3, FIPS 205
 * table 2 and section 9.1. */
#include "token.h"

#define SLH_DSA(set, n, signature)                                                                 \
    {                                                                                              \
        CKK_SLH_DSA, CKP_SLH_DSA_##set, 2 * (n), signature                                         \
    }

static const struct token_set sets[] = {
    {CKK_ML_DSA, CKP_ML_DSA_44, 1312, 2420},
    {CKK_ML_DSA, CKP_ML_DSA_65, 1952, 3309},
    {CKK_ML_DSA, CKP_ML_DSA_87, 2592, 4627},
    {CKK_ML_KEM, CKP_ML_KEM_512, 800, 768},
    {CKK_ML_KEM, CKP_ML_KEM_768, 1184, 1088},
    {CKK_ML_KEM, CKP_ML_KEM_1024, 1568, 1568},
    SLH_DSA(SHA2_128S, 16, 7856),
    SLH_DSA(SHAKE_128S, 16, 7856),
    SLH_DSA(SHA2_128F, 16, 17088),
    SLH_DSA(SHAKE_128F, 16, 17088),
    SLH_DSA(SHA2_192S, 24, 16224),
    SLH_DSA(SHAKE_192S, 24, 16224),
    SLH_DSA(SHA2_192F, 24, 35664),
    SLH_DSA(SHAKE_192F, 24, 35664),
    SLH_DSA(SHA2_256S, 32, 29792),
    SLH_DSA(SHAKE_256S, 32, 29792),
    SLH_DSA(SHA2_256F, 32, 49856),
    SLH_DSA(SHAKE_256F, 32, 49856),
};

const struct token_set *token_set_find(CK_KEY_TYPE key_type, CK_ULONG value)
{
    for (unsigned i = 0; i < sizeof sets / sizeof *sets; i++)
        if (sets[i].key_type == key_type && sets[i].value == value)
            return &sets[i];
    return NULL;
}
