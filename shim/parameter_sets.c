/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "p11prof/parameter_sets.h"

#include "p11prof/pkcs11.h"

#define SLH_DSA(value, name)                                                                       \
    {                                                                                              \
        CKK_SLH_DSA, value, value, "SLH-DSA-" name                                                 \
    }

static const struct p11prof_parameter_set sets[] = {
    {CKK_ML_DSA, CKP_ML_DSA_44, 44, "ML-DSA-44"},
    {CKK_ML_DSA, CKP_ML_DSA_65, 65, "ML-DSA-65"},
    {CKK_ML_DSA, CKP_ML_DSA_87, 87, "ML-DSA-87"},
    {CKK_ML_KEM, CKP_ML_KEM_512, 512, "ML-KEM-512"},
    {CKK_ML_KEM, CKP_ML_KEM_768, 768, "ML-KEM-768"},
    {CKK_ML_KEM, CKP_ML_KEM_1024, 1024, "ML-KEM-1024"},
    SLH_DSA(CKP_SLH_DSA_SHA2_128S, "SHA2-128s"),
    SLH_DSA(CKP_SLH_DSA_SHAKE_128S, "SHAKE-128s"),
    SLH_DSA(CKP_SLH_DSA_SHA2_128F, "SHA2-128f"),
    SLH_DSA(CKP_SLH_DSA_SHAKE_128F, "SHAKE-128f"),
    SLH_DSA(CKP_SLH_DSA_SHA2_192S, "SHA2-192s"),
    SLH_DSA(CKP_SLH_DSA_SHAKE_192S, "SHAKE-192s"),
    SLH_DSA(CKP_SLH_DSA_SHA2_192F, "SHA2-192f"),
    SLH_DSA(CKP_SLH_DSA_SHAKE_192F, "SHAKE-192f"),
    SLH_DSA(CKP_SLH_DSA_SHA2_256S, "SHA2-256s"),
    SLH_DSA(CKP_SLH_DSA_SHAKE_256S, "SHAKE-256s"),
    SLH_DSA(CKP_SLH_DSA_SHA2_256F, "SHA2-256f"),
    SLH_DSA(CKP_SLH_DSA_SHAKE_256F, "SHAKE-256f"),
};
enum { SETS = sizeof sets / sizeof *sets };

const struct p11prof_parameter_set *p11prof_parameter_set_of_value(uint64_t key_type,
                                                                   uint64_t value)
{
    for (unsigned i = 0; i < SETS; i++)
        if (sets[i].key_type == key_type && sets[i].value == value)
            return &sets[i];
    return NULL;
}

const struct p11prof_parameter_set *p11prof_parameter_set_of_number(uint64_t key_type,
                                                                    uint32_t number)
{
    for (unsigned i = 0; i < SETS; i++)
        if (sets[i].key_type == key_type && sets[i].number == number)
            return &sets[i];
    return NULL;
}
