/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* How operations with keys begin, and the numbers that stand for cryptography. */
#include "token.h"

uint64_t token_hash(uint64_t hash, const void *bytes, size_t count)
{
    const CK_BYTE *byte = bytes;
    for (size_t i = 0; i < count; i++)
        hash = (hash ^ byte[i]) * UINT64_C(0x100000001b3);
    return hash;
}

uint64_t token_mix(uint64_t number)
{
    number *= UINT64_C(0x9E3779B97F4A7C15);
    number = (number ^ number >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    number = (number ^ number >> 27) * UINT64_C(0x94D049BB133111EB);
    return number ^ number >> 31;
}

void token_stream(uint64_t number, CK_ULONG offset, CK_BYTE *out, const CK_BYTE *in, CK_ULONG bytes)
{
    for (CK_ULONG i = offset; i < offset + bytes; i++)
        *out++ = *in++ ^ (CK_BYTE)(token_mix(number + (i / 8 + 1) * 0x1000193) >> i % 8 * 8);
}

/* --- beginning --- */

uint64_t token_parameter(const CK_MECHANISM *mechanism)
{
    const uint64_t basis = UINT64_C(0xcbf29ce484222325);
    const CK_GCM_PARAMS *gcm = mechanism->pParameter;
    const struct p11prof_ccm_params *ccm = mechanism->pParameter;
    const CK_RSA_PKCS_OAEP_PARAMS *oaep = mechanism->pParameter;
    switch (mechanism->mechanism) {
    case CKM_AES_GCM:
        return token_hash(basis, gcm->pIv, gcm->ulIvLen);
    case CKM_AES_CCM:
        return token_hash(basis, ccm->pNonce, ccm->ulNonceLen);
    case CKM_RSA_PKCS_OAEP:
        return token_hash(basis, &oaep->hashAlg, sizeof oaep->hashAlg);
    case CKM_EDDSA:
        return basis;
    default:
        return token_hash(basis, mechanism->pParameter, mechanism->ulParameterLen);
    }
}

static CK_ULONG announced_bytes(const CK_MECHANISM *mechanism)
{
    const struct p11prof_ccm_params *ccm = mechanism->pParameter;
    return mechanism->mechanism == CKM_AES_CCM ? ccm->ulDataLen : CK_UNAVAILABLE_INFORMATION;
}

static CK_RV begin(CK_SESSION_HANDLE handle, const CK_MECHANISM *mechanism, CK_OBJECT_HANDLE hKey,
                   enum token_operation_kind kind, CK_FLAGS flag)
{
    struct token_session *session = token_session_find(handle);
    const struct token_mechanism *known = token_mechanism_find(mechanism->mechanism);
    const struct token_object *key = token_object_find(hKey);
    if (!session)
        return CKR_SESSION_HANDLE_INVALID;
    if (session->operations[kind].active)
        return CKR_OPERATION_ACTIVE;
    if (!known || !(known->flags & flag))
        return CKR_MECHANISM_INVALID;
    if (!key)
        return CKR_KEY_HANDLE_INVALID;
    if (key->key_type != known->key_type)
        return CKR_KEY_TYPE_INCONSISTENT;
    uint64_t parameter = token_parameter(mechanism);
    session->operations[kind] =
        (struct token_operation){.active = true,
                                 .mechanism = mechanism->mechanism,
                                 .key_number = key->number,
                                 .key_bits = key->bits,
                                 .parameter = parameter,
                                 .announced = announced_bytes(mechanism),
                                 .hash = token_mix(key->number ^ parameter) ^ mechanism->mechanism};
    return CKR_OK;
}

CK_RV token_operation_find(CK_SESSION_HANDLE handle, enum token_operation_kind kind,
                           struct token_operation **out)
{
    struct token_session *session = token_session_find(handle);
    if (!session)
        return CKR_SESSION_HANDLE_INVALID;
    *out = &session->operations[kind];
    return (*out)->active ? CKR_OK : CKR_OPERATION_NOT_INITIALIZED;
}

#define INIT(name, kind, flag)                                                                     \
    CK_RV token_##name(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism,                    \
                       CK_OBJECT_HANDLE hKey)                                                      \
    {                                                                                              \
        return begin(hSession, pMechanism, hKey, kind, flag);                                      \
    }
INIT(C_SignInit, TOKEN_SIGN, CKF_SIGN)
INIT(C_VerifyInit, TOKEN_VERIFY, CKF_VERIFY)
INIT(C_EncryptInit, TOKEN_ENCRYPT, CKF_ENCRYPT)
INIT(C_DecryptInit, TOKEN_DECRYPT, CKF_DECRYPT)
