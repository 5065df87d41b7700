/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "token.h"

#include <string.h>

#define SIGNS            (CKF_SIGN | CKF_VERIFY)
#define ENCRYPTS         (CKF_ENCRYPT | CKF_DECRYPT)
#define MESSAGE_SIGNS    (CKF_MESSAGE_SIGN | CKF_MESSAGE_VERIFY)
#define MESSAGE_ENCRYPTS (CKF_MESSAGE_ENCRYPT | CKF_MESSAGE_DECRYPT)
#define MESSAGES         (MESSAGE_SIGNS | MESSAGE_ENCRYPTS)
#define WRAPS            (CKF_WRAP | CKF_UNWRAP)
#define SINCE(version, type, ...)                                                                  \
    {                                                                                              \
        type, #type, __VA_ARGS__, version                                                          \
    }
#define ROW(type, ...)                                                                             \
    {                                                                                              \
        type, #type, __VA_ARGS__, 200                                                              \
    }
static const struct token_mechanism mechanisms[] = {
    ROW(CKM_RSA_PKCS_KEY_PAIR_GEN, CKK_RSA, 1024, 4096, CKF_GENERATE_KEY_PAIR, 0, TOKEN_STREAM),
    ROW(CKM_EC_KEY_PAIR_GEN, CKK_EC, 256, 521, CKF_GENERATE_KEY_PAIR, 0, TOKEN_STREAM),
    ROW(CKM_EC_EDWARDS_KEY_PAIR_GEN, CKK_EC_EDWARDS, 255, 448, CKF_GENERATE_KEY_PAIR, 0,
        TOKEN_STREAM),
    ROW(CKM_EC_MONTGOMERY_KEY_PAIR_GEN, CKK_EC_MONTGOMERY, 255, 448, CKF_GENERATE_KEY_PAIR, 0,
        TOKEN_STREAM),
    ROW(CKM_AES_KEY_GEN, CKK_AES, 16, 32, CKF_GENERATE, 0, TOKEN_STREAM),
    ROW(CKM_GENERIC_SECRET_KEY_GEN, CKK_GENERIC_SECRET, 8, 512, CKF_GENERATE, 0, TOKEN_STREAM),
    ROW(CKM_RSA_PKCS, CKK_RSA, 1024, 4096, SIGNS | ENCRYPTS | WRAPS, 0, TOKEN_STREAM),
    ROW(CKM_RSA_PKCS_OAEP, CKK_RSA, 1024, 4096, ENCRYPTS | WRAPS, 0, TOKEN_STREAM),
    ROW(CKM_SHA256_RSA_PKCS, CKK_RSA, 1024, 4096, SIGNS, 0, TOKEN_STREAM),
    ROW(CKM_SHA384_RSA_PKCS, CKK_RSA, 1024, 4096, SIGNS, 0, TOKEN_STREAM),
    ROW(CKM_SHA512_RSA_PKCS, CKK_RSA, 1024, 4096, SIGNS, 0, TOKEN_STREAM),
    ROW(CKM_SHA1_RSA_PKCS_PSS, CKK_RSA, 1024, 4096, SIGNS, 0, TOKEN_STREAM),
    ROW(CKM_SHA256_RSA_PKCS_PSS, CKK_RSA, 1024, 4096, SIGNS, 0, TOKEN_STREAM),
    ROW(CKM_SHA384_RSA_PKCS_PSS, CKK_RSA, 1024, 4096, SIGNS, 0, TOKEN_STREAM),
    ROW(CKM_SHA512_RSA_PKCS_PSS, CKK_RSA, 1024, 4096, SIGNS, 0, TOKEN_STREAM),
    ROW(CKM_ECDSA, CKK_EC, 256, 521, SIGNS | MESSAGE_SIGNS, 0, TOKEN_STREAM),
    ROW(CKM_ECDSA_SHA256, CKK_EC, 256, 521, SIGNS, 0, TOKEN_STREAM),
    ROW(CKM_ECDSA_SHA384, CKK_EC, 256, 521, SIGNS, 0, TOKEN_STREAM),
    ROW(CKM_ECDSA_SHA512, CKK_EC, 256, 521, SIGNS, 0, TOKEN_STREAM),
    ROW(CKM_EDDSA, CKK_EC_EDWARDS, 255, 448, SIGNS, 0, TOKEN_STREAM),
    ROW(CKM_ECDH1_DERIVE, CKK_EC_MONTGOMERY, 255, 448, CKF_DERIVE, 0, TOKEN_STREAM),
    ROW(CKM_AES_ECB, CKK_AES, 16, 32, ENCRYPTS, 0, TOKEN_BLOCKS),
    ROW(CKM_AES_CBC, CKK_AES, 16, 32, ENCRYPTS, 0, TOKEN_BLOCKS),
    ROW(CKM_AES_CBC_PAD, CKK_AES, 16, 32, ENCRYPTS, 0, TOKEN_PADDED),
    ROW(CKM_AES_CTR, CKK_AES, 16, 32, ENCRYPTS, 0, TOKEN_STREAM),
    ROW(CKM_AES_GCM, CKK_AES, 16, 32, ENCRYPTS | MESSAGE_ENCRYPTS, 0, TOKEN_TAGGED),
    ROW(CKM_AES_CCM, CKK_AES, 16, 32, ENCRYPTS, 0, TOKEN_TAGGED),
    ROW(CKM_AES_KEY_WRAP, CKK_AES, 16, 32, WRAPS, 0, TOKEN_STREAM),
    ROW(CKM_AES_KEY_WRAP_PAD, CKK_AES, 16, 32, WRAPS, 0, TOKEN_STREAM),
    ROW(CKM_AES_CMAC, CKK_AES, 16, 32, SIGNS, 16, TOKEN_STREAM),
    ROW(CKM_AES_GMAC, CKK_AES, 16, 32, SIGNS, 16, TOKEN_STREAM),
    ROW(CKM_SHA_1_HMAC, CKK_GENERIC_SECRET, 8, 512, SIGNS, 20, TOKEN_STREAM),
    ROW(CKM_SHA224_HMAC, CKK_GENERIC_SECRET, 8, 512, SIGNS, 28, TOKEN_STREAM),
    ROW(CKM_SHA256_HMAC, CKK_GENERIC_SECRET, 8, 512, SIGNS, 32, TOKEN_STREAM),
    ROW(CKM_SHA384_HMAC, CKK_GENERIC_SECRET, 8, 512, SIGNS, 48, TOKEN_STREAM),
    ROW(CKM_SHA512_HMAC, CKK_GENERIC_SECRET, 8, 512, SIGNS, 64, TOKEN_STREAM),
    ROW(CKM_SHA3_224_HMAC, CKK_GENERIC_SECRET, 8, 512, SIGNS, 28, TOKEN_STREAM),
    ROW(CKM_SHA3_256_HMAC, CKK_GENERIC_SECRET, 8, 512, SIGNS, 32, TOKEN_STREAM),
    ROW(CKM_SHA3_384_HMAC, CKK_GENERIC_SECRET, 8, 512, SIGNS, 48, TOKEN_STREAM),
    ROW(CKM_SHA3_512_HMAC, CKK_GENERIC_SECRET, 8, 512, SIGNS, 64, TOKEN_STREAM),
    ROW(CKM_SHA_1, CK_UNAVAILABLE_INFORMATION, 0, 0, CKF_DIGEST, 0, TOKEN_STREAM),
    ROW(CKM_SHA224, CK_UNAVAILABLE_INFORMATION, 0, 0, CKF_DIGEST, 0, TOKEN_STREAM),
    ROW(CKM_SHA256, CK_UNAVAILABLE_INFORMATION, 0, 0, CKF_DIGEST, 0, TOKEN_STREAM),
    ROW(CKM_SHA384, CK_UNAVAILABLE_INFORMATION, 0, 0, CKF_DIGEST, 0, TOKEN_STREAM),
    ROW(CKM_SHA512, CK_UNAVAILABLE_INFORMATION, 0, 0, CKF_DIGEST, 0, TOKEN_STREAM),
    ROW(CKM_SHA512_256, CK_UNAVAILABLE_INFORMATION, 0, 0, CKF_DIGEST, 0, TOKEN_STREAM),
    ROW(CKM_SHA3_224, CK_UNAVAILABLE_INFORMATION, 0, 0, CKF_DIGEST, 0, TOKEN_STREAM),
    ROW(CKM_SHA3_256, CK_UNAVAILABLE_INFORMATION, 0, 0, CKF_DIGEST, 0, TOKEN_STREAM),
    ROW(CKM_SHA3_384, CK_UNAVAILABLE_INFORMATION, 0, 0, CKF_DIGEST, 0, TOKEN_STREAM),
    ROW(CKM_SHA3_512, CK_UNAVAILABLE_INFORMATION, 0, 0, CKF_DIGEST, 0, TOKEN_STREAM),
    SINCE(302, CKM_ML_DSA_KEY_PAIR_GEN, CKK_ML_DSA, 1, 3, CKF_GENERATE_KEY_PAIR, 0, TOKEN_STREAM),
    SINCE(302, CKM_ML_DSA, CKK_ML_DSA, 1, 3, SIGNS | MESSAGE_SIGNS, 0, TOKEN_STREAM),
    SINCE(302, CKM_HASH_ML_DSA_SHA512, CKK_ML_DSA, 1, 3, SIGNS, 0, TOKEN_STREAM),
    SINCE(302, CKM_ML_KEM_KEY_PAIR_GEN, CKK_ML_KEM, 1, 3, CKF_GENERATE_KEY_PAIR, 0, TOKEN_STREAM),
    SINCE(302, CKM_ML_KEM, CKK_ML_KEM, 1, 3, CKF_ENCAPSULATE | CKF_DECAPSULATE, 0, TOKEN_STREAM),
    SINCE(302, CKM_SLH_DSA_KEY_PAIR_GEN, CKK_SLH_DSA, 1, 12, CKF_GENERATE_KEY_PAIR, 0,
          TOKEN_STREAM),
    SINCE(302, CKM_SLH_DSA, CKK_SLH_DSA, 1, 12, SIGNS, 0, TOKEN_STREAM),
};
enum { MECHANISMS = sizeof mechanisms / sizeof *mechanisms };

static bool is_there(const struct token_mechanism *mechanism)
{
    return mechanism->since <= token_control.interface;
}

/* Those of 3.2 stand last. */
static CK_ULONG there_count(void)
{
    CK_ULONG count = 0;
    while (count < MECHANISMS && is_there(&mechanisms[count]))
        count++;
    return count;
}

const struct token_mechanism *token_mechanism_find(CK_MECHANISM_TYPE type)
{
    for (unsigned i = 0; i < MECHANISMS; i++)
        if (mechanisms[i].type == type && is_there(&mechanisms[i]) &&
            strcmp(mechanisms[i].name, token_control.refuse) != 0)
            return &mechanisms[i];
    return NULL;
}

bool token_output_room(void *out, CK_ULONG *out_bytes, CK_ULONG bytes, CK_RV *rv)
{
    if (!out_bytes) {
        *rv = CKR_ARGUMENTS_BAD;
        return false;
    }
    bool fits = *out_bytes >= bytes;
    *out_bytes = bytes;
    *rv = !out || fits ? CKR_OK : CKR_BUFFER_TOO_SMALL;
    return out && fits;
}

CK_RV token_C_GetMechanismList(CK_SLOT_ID slotID, CK_MECHANISM_TYPE_PTR pMechanismList,
                               CK_ULONG_PTR pulCount)
{
    CK_RV rv;
    if (slotID != 0)
        return CKR_SLOT_ID_INVALID;
    CK_ULONG count = there_count();
    if (token_output_room(pMechanismList, pulCount, count, &rv))
        for (unsigned i = 0; i < count; i++)
            pMechanismList[i] = mechanisms[i].type;
    return rv;
}

CK_RV token_C_GetMechanismInfo(CK_SLOT_ID slotID, CK_MECHANISM_TYPE type,
                               CK_MECHANISM_INFO_PTR pInfo)
{
    if (slotID != 0)
        return CKR_SLOT_ID_INVALID;
    CK_FLAGS known = token_control.interface < 300 ? ~(CK_FLAGS)MESSAGES : ~(CK_FLAGS)0;
    for (unsigned i = 0; i < MECHANISMS; i++) {
        if (mechanisms[i].type != type || !is_there(&mechanisms[i]))
            continue;
        *pInfo = (CK_MECHANISM_INFO){mechanisms[i].min_size, mechanisms[i].max_size,
                                     mechanisms[i].flags & known};
        return CKR_OK;
    }
    return CKR_MECHANISM_INVALID;
}
