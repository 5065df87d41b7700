/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "traits.h"

#include "script.h"

#include <string.h>

#define USE(operation) (UINT32_C(1) << P11PROF_OPERATION_##operation)

static const uint32_t private_uses = USE(SIGN) | USE(SIGN_RECOVER) | USE(DECRYPT) |
                                     USE(MESSAGE_SIGN) | USE(MESSAGE_DECRYPT) | USE(UNWRAP) |
                                     USE(DERIVE) | USE(DECAPSULATE);
static const uint32_t public_uses = USE(VERIFY) | USE(VERIFY_RECOVER) | USE(ENCRYPT) |
                                    USE(MESSAGE_VERIFY) | USE(MESSAGE_ENCRYPT) | USE(WRAP) |
                                    USE(ENCAPSULATE);

/* A longer name stands before what it starts with. */
static const struct {
    const char *prefix;
    int64_t key_type;
} families[] = {
    {"CKM_RSA_", CKK_RSA},
    {"CKM_ECDSA", CKK_EC},
    {"CKM_ECDH", CKK_EC},
    {"CKM_EC_EDWARDS_", CKK_EC_EDWARDS},
    {"CKM_EC_MONTGOMERY_", CKK_EC_MONTGOMERY},
    {"CKM_EC_", CKK_EC},
    {"CKM_EDDSA", CKK_EC_EDWARDS},
    {"CKM_DSA", CKK_DSA},
    {"CKM_DH_", CKK_DH},
    {"CKM_AES_", CKK_AES},
    {"CKM_DES3_", CKK_DES3},
    {"CKM_DES_", CKK_DES},
    {"CKM_CHACHA20", CKK_CHACHA20},
    {"CKM_ML_DSA", CKK_ML_DSA},
    {"CKM_ML_KEM", CKK_ML_KEM},
    {"CKM_SLH_DSA", CKK_SLH_DSA},
    {"CKM_GENERIC_SECRET_", CKK_GENERIC_SECRET},
};

int64_t like_mechanism_key_type(int64_t mechanism)
{
    const char *name =
        mechanism == LIKE_UNKNOWN ? NULL : p11prof_mechanism_name((uint64_t)mechanism);
    for (size_t i = 0; name && i < sizeof families / sizeof families[0]; i++)
        if (strncmp(name, families[i].prefix, strlen(families[i].prefix)) == 0)
            return families[i].key_type;
    if (name && strncmp(name, "CKM_SHA", 7) == 0) {
        if (strstr(name, "_HMAC"))
            return CKK_GENERIC_SECRET;
        return strstr(name, "_RSA_") ? (int64_t)CKK_RSA : LIKE_UNKNOWN;
    }
    return LIKE_UNKNOWN;
}

static bool has_halves(int64_t key_type)
{
    static const int64_t types[] = {CKK_RSA,      CKK_DSA,           CKK_DH,     CKK_EC,
                                    CKK_X9_42_DH, CKK_EC_EDWARDS,    CKK_ML_DSA, CKK_ML_KEM,
                                    CKK_SLH_DSA,  CKK_EC_MONTGOMERY, CKK_HSS,    CKK_XMSS,
                                    CKK_XMSSMT,   CKK_GOSTR3410};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (types[i] == key_type)
            return true;
    return false;
}

int64_t like_class_of(int64_t key_type, uint32_t uses)
{
    bool as_private = (uses & private_uses) != 0, as_public = (uses & public_uses) != 0;
    if (key_type != LIKE_UNKNOWN && !has_halves(key_type))
        return CKO_SECRET_KEY;
    if (key_type == LIKE_UNKNOWN && as_private && as_public)
        return CKO_SECRET_KEY;
    if (as_private)
        return CKO_PRIVATE_KEY;
    return as_public ? (int64_t)CKO_PUBLIC_KEY : LIKE_UNKNOWN;
}
