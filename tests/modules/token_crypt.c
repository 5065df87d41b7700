/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Signatures and ciphertexts. A ciphertext of RSA is {length, bytes under the key stream, zeros},
 * one of AES-GCM ends with a checksum. */
#include "token.h"

#include <string.h>

enum { GCM_TAG = 16, RSA_PADDING = 11 };

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

void token_stream(uint64_t number, CK_BYTE *out, const CK_BYTE *in, CK_ULONG bytes)
{
    for (CK_ULONG i = 0; i < bytes; i++)
        out[i] = in[i] ^ (CK_BYTE)(token_mix(number + (i / 8 + 1) * 0x1000193) >> i % 8 * 8);
}

/* --- beginning --- */

static uint64_t parameter_of(const CK_MECHANISM *mechanism)
{
    const uint64_t basis = UINT64_C(0xcbf29ce484222325);
    const CK_GCM_PARAMS *gcm = mechanism->pParameter;
    switch (mechanism->mechanism) {
    case CKM_AES_GCM:
        return token_hash(basis, gcm->pIv, gcm->ulIvLen);
    case CKM_RSA_PKCS_OAEP:
        return basis;
    default:
        return token_hash(basis, mechanism->pParameter, mechanism->ulParameterLen);
    }
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
    session->operations[kind] = (struct token_operation){.active = true,
                                                         .mechanism = mechanism->mechanism,
                                                         .key_number = key->number,
                                                         .key_bits = key->bits,
                                                         .parameter = parameter_of(mechanism)};
    return CKR_OK;
}

static CK_RV operation_find(CK_SESSION_HANDLE handle, enum token_operation_kind kind,
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

/* --- signatures --- */

static CK_ULONG signature_bytes(const struct token_operation *operation)
{
    CK_ULONG bytes = token_mechanism_find(operation->mechanism)->signature_bytes;
    if (bytes)
        return bytes;
    bytes = (operation->key_bits + 7) / 8;
    return operation->mechanism == CKM_ECDSA ? 2 * bytes : bytes;
}

static void signature_make(const struct token_operation *operation, const CK_BYTE *data,
                           CK_ULONG bytes, CK_BYTE *out)
{
    CK_ULONG out_bytes = signature_bytes(operation);
    uint64_t hash =
        token_hash(token_mix(operation->key_number) ^ operation->mechanism, data, bytes);
    memset(out, 0, out_bytes);
    token_stream(hash, out, out, out_bytes);
}

CK_RV token_C_Sign(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pData, CK_ULONG ulDataLen,
                   CK_BYTE_PTR pSignature, CK_ULONG_PTR pulSignatureLen)
{
    struct token_operation *operation;
    CK_RV rv = operation_find(hSession, TOKEN_SIGN, &operation);
    if (rv != CKR_OK ||
        !token_output_room(pSignature, pulSignatureLen, signature_bytes(operation), &rv))
        return rv;
    operation->active = false;
    if (token_signature_fails())
        return CKR_DEVICE_ERROR;
    signature_make(operation, pData, ulDataLen, pSignature);
    pSignature[3] ^= token_result_is_wrong();
    return CKR_OK;
}

CK_RV token_C_Verify(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pData, CK_ULONG ulDataLen,
                     CK_BYTE_PTR pSignature, CK_ULONG ulSignatureLen)
{
    struct token_operation *operation;
    CK_BYTE expected[512];
    CK_RV rv = operation_find(hSession, TOKEN_VERIFY, &operation);
    if (rv != CKR_OK)
        return rv;
    operation->active = false;
    if (ulSignatureLen != signature_bytes(operation))
        return CKR_SIGNATURE_LEN_RANGE;
    signature_make(operation, pData, ulDataLen, expected);
    return memcmp(expected, pSignature, ulSignatureLen) ? CKR_SIGNATURE_INVALID : CKR_OK;
}

/* --- ciphertexts --- */

static bool is_rsa(const struct token_operation *operation)
{
    return token_mechanism_find(operation->mechanism)->key_type == CKK_RSA;
}

static uint64_t stream_of(const struct token_operation *operation)
{
    return token_mix(operation->key_number ^ operation->parameter);
}

static void checksum(const struct token_operation *operation, const CK_BYTE *in, CK_ULONG bytes,
                     CK_BYTE tag[static GCM_TAG])
{
    memset(tag, 0, GCM_TAG);
    token_stream(token_hash(stream_of(operation), in, bytes), tag, tag, GCM_TAG);
}

CK_RV token_C_Encrypt(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pData, CK_ULONG ulDataLen,
                      CK_BYTE_PTR pEncryptedData, CK_ULONG_PTR pulEncryptedDataLen)
{
    struct token_operation *operation;
    CK_RV rv = operation_find(hSession, TOKEN_ENCRYPT, &operation);
    if (rv != CKR_OK)
        return rv;
    bool rsa = is_rsa(operation), gcm = operation->mechanism == CKM_AES_GCM;
    CK_ULONG bytes = rsa ? operation->key_bits / 8 : ulDataLen + (gcm ? GCM_TAG : 0);
    if (rsa && ulDataLen > bytes - RSA_PADDING)
        rv = CKR_DATA_LEN_RANGE;
    if (operation->mechanism == CKM_AES_CBC && ulDataLen % 16 != 0)
        rv = CKR_DATA_LEN_RANGE;
    if (rv == CKR_OK && !token_output_room(pEncryptedData, pulEncryptedDataLen, bytes, &rv))
        return rv;
    operation->active = false;
    if (rv != CKR_OK)
        return rv;
    if (rsa) {
        memset(pEncryptedData, 0, bytes);
        pEncryptedData[0] = (CK_BYTE)ulDataLen;
    }
    token_stream(stream_of(operation), pEncryptedData + rsa, pData, ulDataLen);
    if (gcm)
        checksum(operation, pEncryptedData, ulDataLen, pEncryptedData + ulDataLen);
    pEncryptedData[1] ^= token_result_is_wrong();
    return CKR_OK;
}

CK_RV token_C_Decrypt(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pEncryptedData,
                      CK_ULONG ulEncryptedDataLen, CK_BYTE_PTR pData, CK_ULONG_PTR pulDataLen)
{
    struct token_operation *operation;
    CK_BYTE tag[GCM_TAG];
    CK_RV rv = operation_find(hSession, TOKEN_DECRYPT, &operation);
    if (rv != CKR_OK)
        return rv;
    bool rsa = is_rsa(operation), gcm = operation->mechanism == CKM_AES_GCM;
    CK_ULONG bytes = rsa ? pEncryptedData[0] : ulEncryptedDataLen - (gcm ? GCM_TAG : 0);
    if ((rsa && ulEncryptedDataLen != operation->key_bits / 8) || bytes > ulEncryptedDataLen)
        rv = CKR_ENCRYPTED_DATA_LEN_RANGE;
    if (rv == CKR_OK && !token_output_room(pData, pulDataLen, bytes, &rv))
        return rv;
    operation->active = false;
    if (rv != CKR_OK)
        return rv;
    if (gcm)
        checksum(operation, pEncryptedData, bytes, tag);
    if (gcm && memcmp(tag, pEncryptedData + bytes, GCM_TAG) != 0)
        return CKR_ENCRYPTED_DATA_INVALID;
    token_stream(stream_of(operation), pData, pEncryptedData + rsa, bytes);
    return CKR_OK;
}
