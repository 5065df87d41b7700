/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "token.h"

#include <string.h>

#define SIGNS    (CKF_SIGN | CKF_VERIFY)
#define ENCRYPTS (CKF_ENCRYPT | CKF_DECRYPT)
#define ROW(type, ...)                                                                             \
    {                                                                                              \
        type, #type, __VA_ARGS__                                                                   \
    }
static const struct token_mechanism mechanisms[] = {
    ROW(CKM_RSA_PKCS_KEY_PAIR_GEN, CKK_RSA, 1024, 4096, CKF_GENERATE_KEY_PAIR, 0),
    ROW(CKM_EC_KEY_PAIR_GEN, CKK_EC, 256, 521, CKF_GENERATE_KEY_PAIR, 0),
    ROW(CKM_AES_KEY_GEN, CKK_AES, 16, 32, CKF_GENERATE, 0),
    ROW(CKM_GENERIC_SECRET_KEY_GEN, CKK_GENERIC_SECRET, 8, 512, CKF_GENERATE, 0),
    ROW(CKM_RSA_PKCS, CKK_RSA, 1024, 4096, SIGNS | ENCRYPTS, 0),
    ROW(CKM_RSA_PKCS_OAEP, CKK_RSA, 1024, 4096, ENCRYPTS, 0),
    ROW(CKM_SHA256_RSA_PKCS, CKK_RSA, 1024, 4096, SIGNS, 0),
    ROW(CKM_SHA256_RSA_PKCS_PSS, CKK_RSA, 1024, 4096, SIGNS, 0),
    ROW(CKM_ECDSA, CKK_EC, 256, 521, SIGNS, 0),
    ROW(CKM_AES_CBC, CKK_AES, 16, 32, ENCRYPTS, 0),
    ROW(CKM_AES_CTR, CKK_AES, 16, 32, ENCRYPTS, 0),
    ROW(CKM_AES_GCM, CKK_AES, 16, 32, ENCRYPTS, 0),
    ROW(CKM_AES_CMAC, CKK_AES, 16, 32, SIGNS, 16),
    ROW(CKM_SHA256_HMAC, CKK_GENERIC_SECRET, 8, 512, SIGNS, 32),
    ROW(CKM_SHA384_HMAC, CKK_GENERIC_SECRET, 8, 512, SIGNS, 48),
    ROW(CKM_SHA512_HMAC, CKK_GENERIC_SECRET, 8, 512, SIGNS, 64),
    ROW(CKM_SHA256, CK_UNAVAILABLE_INFORMATION, 0, 0, CKF_DIGEST, 0),
    ROW(CKM_SHA384, CK_UNAVAILABLE_INFORMATION, 0, 0, CKF_DIGEST, 0),
    ROW(CKM_SHA512, CK_UNAVAILABLE_INFORMATION, 0, 0, CKF_DIGEST, 0),
};
enum { MECHANISMS = sizeof mechanisms / sizeof *mechanisms };

const struct token_mechanism *token_mechanism_find(CK_MECHANISM_TYPE type)
{
    for (unsigned i = 0; i < MECHANISMS; i++)
        if (mechanisms[i].type == type && strcmp(mechanisms[i].name, token_control.refuse) != 0)
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
    if (token_output_room(pMechanismList, pulCount, MECHANISMS, &rv))
        for (unsigned i = 0; i < MECHANISMS; i++)
            pMechanismList[i] = mechanisms[i].type;
    return rv;
}

CK_RV token_C_GetMechanismInfo(CK_SLOT_ID slotID, CK_MECHANISM_TYPE type,
                               CK_MECHANISM_INFO_PTR pInfo)
{
    if (slotID != 0)
        return CKR_SLOT_ID_INVALID;
    for (unsigned i = 0; i < MECHANISMS; i++) {
        if (mechanisms[i].type != type)
            continue;
        *pInfo = (CK_MECHANISM_INFO){mechanisms[i].min_size, mechanisms[i].max_size,
                                     mechanisms[i].flags};
        return CKR_OK;
    }
    return CKR_MECHANISM_INVALID;
}
