/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Two operations at once. */
#include "token.h"

typedef CK_RV (*take_function)(CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG);

/* Both must be open before anything is done. */
static CK_RV both_find(CK_SESSION_HANDLE session, enum token_operation_kind cipher,
                       enum token_operation_kind other)
{
    struct token_operation *operation;
    CK_RV rv = token_operation_find(session, cipher, &operation);
    return rv == CKR_OK ? token_operation_find(session, other, &operation) : rv;
}

static CK_RV encrypt_with(CK_SESSION_HANDLE session, enum token_operation_kind other,
                          take_function take, CK_BYTE *in, CK_ULONG in_bytes, CK_BYTE *out,
                          CK_ULONG *out_bytes)
{
    CK_RV rv = both_find(session, TOKEN_ENCRYPT, other);
    if (rv == CKR_OK)
        rv = token_C_EncryptUpdate(session, in, in_bytes, out, out_bytes);
    return rv == CKR_OK && out ? take(session, in, in_bytes) : rv;
}

static CK_RV decrypt_with(CK_SESSION_HANDLE session, enum token_operation_kind other,
                          take_function take, CK_BYTE *in, CK_ULONG in_bytes, CK_BYTE *out,
                          CK_ULONG *out_bytes)
{
    CK_RV rv = both_find(session, TOKEN_DECRYPT, other);
    if (rv == CKR_OK)
        rv = token_C_DecryptUpdate(session, in, in_bytes, out, out_bytes);
    return rv == CKR_OK && out ? take(session, out, *out_bytes) : rv;
}

CK_RV token_C_DigestEncryptUpdate(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pPart, CK_ULONG ulPartLen,
                                  CK_BYTE_PTR pEncryptedPart, CK_ULONG_PTR pulEncryptedPartLen)
{
    return encrypt_with(hSession, TOKEN_DIGEST, token_C_DigestUpdate, pPart, ulPartLen,
                        pEncryptedPart, pulEncryptedPartLen);
}

CK_RV token_C_SignEncryptUpdate(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pPart, CK_ULONG ulPartLen,
                                CK_BYTE_PTR pEncryptedPart, CK_ULONG_PTR pulEncryptedPartLen)
{
    return encrypt_with(hSession, TOKEN_SIGN, token_C_SignUpdate, pPart, ulPartLen, pEncryptedPart,
                        pulEncryptedPartLen);
}

CK_RV token_C_DecryptDigestUpdate(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pEncryptedPart,
                                  CK_ULONG ulEncryptedPartLen, CK_BYTE_PTR pPart,
                                  CK_ULONG_PTR pulPartLen)
{
    return decrypt_with(hSession, TOKEN_DIGEST, token_C_DigestUpdate, pEncryptedPart,
                        ulEncryptedPartLen, pPart, pulPartLen);
}

CK_RV token_C_DecryptVerifyUpdate(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pEncryptedPart,
                                  CK_ULONG ulEncryptedPartLen, CK_BYTE_PTR pPart,
                                  CK_ULONG_PTR pulPartLen)
{
    return decrypt_with(hSession, TOKEN_VERIFY, token_C_VerifyUpdate, pEncryptedPart,
                        ulEncryptedPartLen, pPart, pulPartLen);
}
