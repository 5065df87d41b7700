/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "attribution.h"

/* Mechanisms of one key type stand together, with few exceptions (3.2 section 6). */
static const struct {
    uint64_t first, last;
    uint64_t key_type;
} key_types[] = {
    {CKM_RSA_PKCS_KEY_PAIR_GEN, CKM_SHA1_RSA_PKCS_PSS, CKK_RSA},
    {CKM_ML_KEM_KEY_PAIR_GEN, CKM_ML_KEM_KEY_PAIR_GEN, CKK_ML_KEM},
    {CKM_ML_KEM, CKM_ML_KEM, CKK_ML_KEM},
    {CKM_ML_DSA_KEY_PAIR_GEN, CKM_HASH_ML_DSA, CKK_ML_DSA},
    {CKM_HASH_ML_DSA_SHA224, CKM_HASH_ML_DSA_SHAKE256, CKK_ML_DSA},
    {CKM_SLH_DSA_KEY_PAIR_GEN, CKM_HASH_SLH_DSA, CKK_SLH_DSA},
    {CKM_HASH_SLH_DSA_SHA224, CKM_HASH_SLH_DSA_SHAKE256, CKK_SLH_DSA},
    {CKM_SHA256_RSA_PKCS, CKM_SHA512_RSA_PKCS_PSS, CKK_RSA},
    {CKM_SHA224_RSA_PKCS, CKM_SHA224_RSA_PKCS_PSS, CKK_RSA},
    {CKM_SHA3_256_RSA_PKCS, CKM_SHA3_512_RSA_PKCS_PSS, CKK_RSA},
    {CKM_SHA3_224_RSA_PKCS, CKM_SHA3_224_RSA_PKCS_PSS, CKK_RSA},
    {CKM_EC_KEY_PAIR_GEN, CKM_ECDSA_SHA512, CKK_EC},
    {CKM_ECDSA_SHA3_224, CKM_ECDSA_SHA3_512, CKK_EC},
    {CKM_EDDSA, CKM_EDDSA, CKK_EC_EDWARDS},
    {CKM_AES_XTS, CKM_AES_XTS, CKK_AES},
    {CKM_AES_KEY_GEN, CKM_AES_GMAC, CKK_AES},
    {CKM_AES_ECB_ENCRYPT_DATA, CKM_AES_CBC_ENCRYPT_DATA, CKK_AES},
    {CKM_AES_OFB, CKM_AES_KEY_WRAP_PKCS7, CKK_AES},
};

int64_t mechanism_key_type(uint64_t mechanism)
{
    for (size_t i = 0; i < sizeof key_types / sizeof *key_types; i++)
        if (mechanism >= key_types[i].first && mechanism <= key_types[i].last)
            return (int64_t)key_types[i].key_type;
    return P11PROF_UNKNOWN;
}

/* An ECDSA signature is two integers of the order's length; the curves in use differ in it. */
static uint32_t ecdsa_bits(uint64_t out_bytes)
{
    switch (out_bytes) {
    case 48:
    case 56:
    case 64:
    case 80:
    case 96:
    case 128:
        return (uint32_t)out_bytes * 4;
    case 132:
        return 521;
    default:
        return 0;
    }
}

uint32_t mechanism_key_bits(uint64_t mechanism, unsigned operation, uint64_t out_bytes)
{
    int64_t key_type = mechanism_key_type(mechanism);
    if (operation == P11PROF_OPERATION_SIGN && key_type == CKK_EC)
        return ecdsa_bits(out_bytes);
    if ((operation == P11PROF_OPERATION_SIGN || operation == P11PROF_OPERATION_ENCRYPT) &&
        key_type == CKK_RSA && out_bytes >= 64 && out_bytes <= 4096)
        return (uint32_t)out_bytes * 8;
    return 0;
}

static bool operation_decrypts(unsigned operation)
{
    return operation == P11PROF_OPERATION_DECRYPT ||
           operation == P11PROF_OPERATION_MESSAGE_DECRYPT ||
           operation == P11PROF_OPERATION_UNWRAP || operation == P11PROF_OPERATION_DECAPSULATE;
}

/* Mechanisms whose decryption checks no padding that an attacker can vary: their answers may be
 * kept. */
static const uint64_t harmless[] = {
    CKM_RSA_PKCS_OAEP,    CKM_AES_ECB,      CKM_AES_CBC,      CKM_AES_CTR,
    CKM_AES_GCM,          CKM_AES_CCM,      CKM_AES_KEY_WRAP, CKM_AES_OFB,
    CKM_AES_CFB1,         CKM_AES_CFB8,     CKM_AES_CFB64,    CKM_AES_CFB128,
    CKM_AES_XTS,          CKM_DES3_ECB,     CKM_DES3_CBC,     CKM_DES_ECB,
    CKM_DES_CBC,          CKM_CHACHA20,     CKM_SALSA20,      CKM_CHACHA20_POLY1305,
    CKM_SALSA20_POLY1305, CKM_CAMELLIA_ECB, CKM_CAMELLIA_CBC, CKM_CAMELLIA_CTR,
    CKM_ML_KEM,           CKM_ECDH1_DERIVE,
};

bool disclosure_forbidden(unsigned operation, bool mechanism_known, uint64_t mechanism)
{
    if (!operation_decrypts(operation))
        return false;
    for (size_t i = 0; mechanism_known && i < sizeof harmless / sizeof *harmless; i++)
        if (harmless[i] == mechanism)
            return false;
    return true;
}

bool rv_discloses_nothing(uint64_t rv)
{
    switch (rv) {
    case CKR_ARGUMENTS_BAD:
    case CKR_HOST_MEMORY:
    case CKR_SLOT_ID_INVALID:
    case CKR_FUNCTION_NOT_SUPPORTED:
    case CKR_FUNCTION_CANCELED:
    case CKR_CRYPTOKI_NOT_INITIALIZED:
    case CKR_DEVICE_ERROR:
    case CKR_DEVICE_MEMORY:
    case CKR_DEVICE_REMOVED:
    case CKR_TOKEN_NOT_PRESENT:
    case CKR_TOKEN_NOT_RECOGNIZED:
    case CKR_TOKEN_WRITE_PROTECTED:
    case CKR_SESSION_CLOSED:
    case CKR_SESSION_COUNT:
    case CKR_SESSION_HANDLE_INVALID:
    case CKR_SESSION_READ_ONLY:
    case CKR_USER_NOT_LOGGED_IN:
    case CKR_USER_TYPE_INVALID:
    case CKR_USER_PIN_NOT_INITIALIZED:
    case CKR_PIN_EXPIRED:
    case CKR_PIN_LOCKED:
    case CKR_OPERATION_NOT_INITIALIZED:
    case CKR_OPERATION_ACTIVE:
    case CKR_MECHANISM_INVALID:
    case CKR_MECHANISM_PARAM_INVALID:
    case CKR_KEY_HANDLE_INVALID:
    case CKR_KEY_TYPE_INCONSISTENT:
    case CKR_KEY_FUNCTION_NOT_PERMITTED:
    case CKR_UNWRAPPING_KEY_HANDLE_INVALID:
    case CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT:
    case CKR_PENDING:
        return true;
    default:
        return false;
    }
}
