/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Signatures and MACs: numbers made of the key's and a checksum of the data. */
#include "token.h"

#include <string.h>

CK_ULONG token_signature_bytes(const struct token_operation *operation)
{
    const struct token_mechanism *mechanism = token_mechanism_find(operation->mechanism);
    const struct token_set *set = token_set_find(mechanism->key_type, operation->key_bits);
    if (set)
        return set->output_bytes;
    if (mechanism->signature_bytes)
        return mechanism->signature_bytes;
    if (mechanism->key_type == CKK_EC_EDWARDS)
        return 2 * (operation->key_bits / 8 + 1);
    return (operation->key_bits + 7) / 8 * (mechanism->key_type == CKK_EC ? 2 : 1);
}

static void right_make(const struct token_operation *operation, CK_BYTE *out)
{
    memset(out, 0, token_signature_bytes(operation));
    token_stream(operation->hash, 0, out, out, token_signature_bytes(operation));
}

void token_signature_make(const struct token_operation *operation, CK_BYTE *out)
{
    right_make(operation, out);
    out[3] ^= token_result_is_wrong();
}

CK_RV token_signature_check(const struct token_operation *operation, const CK_BYTE *signature,
                            CK_ULONG bytes)
{
    static CK_BYTE expected[TOKEN_SIGNATURE]; /* whoever is here has the lock */
    if (bytes != token_signature_bytes(operation))
        return CKR_SIGNATURE_LEN_RANGE;
    right_make(operation, expected);
    bool right = memcmp(expected, signature, bytes) == 0;
    return right || token_control.accepts ? CKR_OK : CKR_SIGNATURE_INVALID;
}

static CK_RV take(CK_SESSION_HANDLE session, enum token_operation_kind kind, const CK_BYTE *part,
                  CK_ULONG bytes)
{
    struct token_operation *operation;
    CK_RV rv = token_operation_find(session, kind, &operation);
    if (rv != CKR_OK)
        return rv;
    operation->hash = token_hash(operation->hash, part, bytes);
    operation->in_parts = true;
    return CKR_OK;
}

CK_RV token_C_SignUpdate(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pPart, CK_ULONG ulPartLen)
{
    return take(hSession, TOKEN_SIGN, pPart, ulPartLen);
}

CK_RV token_C_SignFinal(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pSignature,
                        CK_ULONG_PTR pulSignatureLen)
{
    struct token_operation *operation;
    CK_RV rv = token_operation_find(hSession, TOKEN_SIGN, &operation);
    if (rv != CKR_OK ||
        !token_output_room(pSignature, pulSignatureLen, token_signature_bytes(operation), &rv))
        return rv;
    operation->active = false;
    if (token_signature_fails())
        return CKR_DEVICE_ERROR;
    token_signature_make(operation, pSignature);
    return CKR_OK;
}

CK_RV token_C_Sign(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pData, CK_ULONG ulDataLen,
                   CK_BYTE_PTR pSignature, CK_ULONG_PTR pulSignatureLen)
{
    struct token_operation *operation;
    CK_RV rv = token_operation_find(hSession, TOKEN_SIGN, &operation);
    if (rv == CKR_OK && operation->in_parts)
        return CKR_OPERATION_ACTIVE;
    if (rv == CKR_OK && pSignature && *pulSignatureLen >= token_signature_bytes(operation))
        token_C_SignUpdate(hSession, pData, ulDataLen);
    return token_C_SignFinal(hSession, pSignature, pulSignatureLen);
}

CK_RV token_C_VerifyUpdate(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pPart, CK_ULONG ulPartLen)
{
    return take(hSession, TOKEN_VERIFY, pPart, ulPartLen);
}

CK_RV token_C_VerifyFinal(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pSignature,
                          CK_ULONG ulSignatureLen)
{
    struct token_operation *operation;
    CK_RV rv = token_operation_find(hSession, TOKEN_VERIFY, &operation);
    if (rv != CKR_OK)
        return rv;
    operation->active = false;
    return token_signature_check(operation, pSignature, ulSignatureLen);
}

CK_RV token_C_Verify(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pData, CK_ULONG ulDataLen,
                     CK_BYTE_PTR pSignature, CK_ULONG ulSignatureLen)
{
    struct token_operation *operation;
    CK_RV rv = token_operation_find(hSession, TOKEN_VERIFY, &operation);
    if (rv == CKR_OK && operation->in_parts)
        return CKR_OPERATION_ACTIVE;
    if (rv == CKR_OK)
        token_C_VerifyUpdate(hSession, pData, ulDataLen);
    return token_C_VerifyFinal(hSession, pSignature, ulSignatureLen);
}
