/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Digests, by libcrypto, and random bytes that never come twice. */
#include "token.h"

#include <openssl/evp.h>
#include <string.h>

static const EVP_MD *kind_of(CK_MECHANISM_TYPE mechanism)
{
    switch (token_mechanism_find(mechanism) ? mechanism : CK_UNAVAILABLE_INFORMATION) {
    case CKM_SHA_1:
        return EVP_sha1();
    case CKM_SHA224:
        return EVP_sha224();
    case CKM_SHA256:
        return EVP_sha256();
    case CKM_SHA384:
        return EVP_sha384();
    case CKM_SHA512:
        return EVP_sha512();
    case CKM_SHA512_256:
        return EVP_sha512_256();
    case CKM_SHA3_224:
        return EVP_sha3_224();
    case CKM_SHA3_256:
        return EVP_sha3_256();
    case CKM_SHA3_384:
        return EVP_sha3_384();
    case CKM_SHA3_512:
        return EVP_sha3_512();
    default:
        return NULL;
    }
}

CK_RV token_C_DigestInit(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism)
{
    struct token_operation *operation;
    CK_RV rv = token_operation_find(hSession, TOKEN_DIGEST, &operation);
    const EVP_MD *kind = kind_of(pMechanism->mechanism);
    if (rv != CKR_OPERATION_NOT_INITIALIZED)
        return rv == CKR_OK ? CKR_OPERATION_ACTIVE : rv;
    if (!kind)
        return CKR_MECHANISM_INVALID;
    if (!operation->digest)
        operation->digest = EVP_MD_CTX_new();
    operation->active = EVP_DigestInit_ex(operation->digest, kind, NULL) == 1;
    return operation->active ? CKR_OK : CKR_HOST_MEMORY;
}

CK_RV token_C_DigestUpdate(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pPart, CK_ULONG ulPartLen)
{
    struct token_operation *operation;
    CK_RV rv = token_operation_find(hSession, TOKEN_DIGEST, &operation);
    if (rv == CKR_OK)
        EVP_DigestUpdate(operation->digest, pPart, ulPartLen);
    return rv;
}

CK_RV token_C_DigestFinal(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pDigest,
                          CK_ULONG_PTR pulDigestLen)
{
    struct token_operation *operation;
    CK_RV rv = token_operation_find(hSession, TOKEN_DIGEST, &operation);
    if (rv != CKR_OK)
        return rv;
    CK_ULONG bytes = (CK_ULONG)EVP_MD_CTX_get_size(operation->digest);
    if (!token_output_room(pDigest, pulDigestLen, bytes, &rv))
        return rv;
    EVP_DigestFinal_ex(operation->digest, pDigest, NULL);
    operation->active = false;
    pDigest[0] ^= token_result_is_wrong();
    return CKR_OK;
}

CK_RV token_C_Digest(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pData, CK_ULONG ulDataLen,
                     CK_BYTE_PTR pDigest, CK_ULONG_PTR pulDigestLen)
{
    struct token_operation *operation;
    CK_RV rv = token_operation_find(hSession, TOKEN_DIGEST, &operation);
    if (rv != CKR_OK)
        return rv;
    CK_ULONG bytes = (CK_ULONG)EVP_MD_CTX_get_size(operation->digest);
    if (pDigest && *pulDigestLen >= bytes)
        EVP_DigestUpdate(operation->digest, pData, ulDataLen);
    return token_C_DigestFinal(hSession, pDigest, pulDigestLen);
}

static uint64_t random_count;

/* A seed that starts all over again is a wrong one. */
CK_RV token_C_SeedRandom(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pSeed, CK_ULONG ulSeedLen)
{
    if (!token_session_find(hSession))
        return CKR_SESSION_HANDLE_INVALID;
    if (!pSeed || ulSeedLen == 0)
        return CKR_ARGUMENTS_BAD;
    if (token_result_is_wrong())
        random_count = 0;
    return CKR_OK;
}

CK_RV token_C_GenerateRandom(CK_SESSION_HANDLE hSession, CK_BYTE_PTR RandomData,
                             CK_ULONG ulRandomLen)
{
    if (!token_session_find(hSession))
        return CKR_SESSION_HANDLE_INVALID;
    memset(RandomData, 0, ulRandomLen);
    token_stream(++random_count, 0, RandomData, RandomData, ulRandomLen);
    return CKR_OK;
}
