/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "mechanisms.h"

#include "p11prof/calls.h"

#include <string.h>

enum {
    GCM_NONCE_BYTES = 12,
    GCM_TAG_BITS = 128,
    CCM_NONCE_BYTES = 12,
    CCM_TAG_BYTES = 16,
    CTR_BITS = 128
};

enum parameter { NONE, PSS, OAEP, IV_8, IV_16, CTR, GCM, CCM, ECDH, MAC_LENGTH, DATA };

/* Those with parameters. */
static const struct parametrised {
    CK_MECHANISM_TYPE type;
    enum parameter parameter;
    CK_MECHANISM_TYPE hash; /* of PSS; 0: as long as the data */
} parametrised[] = {
    {CKM_RSA_PKCS_PSS, PSS, 0},
    {CKM_SHA1_RSA_PKCS_PSS, PSS, CKM_SHA_1},
    {CKM_SHA224_RSA_PKCS_PSS, PSS, CKM_SHA224},
    {CKM_SHA256_RSA_PKCS_PSS, PSS, CKM_SHA256},
    {CKM_SHA384_RSA_PKCS_PSS, PSS, CKM_SHA384},
    {CKM_SHA512_RSA_PKCS_PSS, PSS, CKM_SHA512},
    {CKM_RSA_PKCS_OAEP, OAEP, 0},
    {CKM_DES_CBC, IV_8, 0},
    {CKM_DES_CBC_PAD, IV_8, 0},
    {CKM_DES3_CBC, IV_8, 0},
    {CKM_DES3_CBC_PAD, IV_8, 0},
    {CKM_AES_CBC, IV_16, 0},
    {CKM_AES_CBC_PAD, IV_16, 0},
    {CKM_AES_CTS, IV_16, 0},
    {CKM_AES_OFB, IV_16, 0},
    {CKM_AES_CFB8, IV_16, 0},
    {CKM_AES_CFB128, IV_16, 0},
    {CKM_CAMELLIA_CBC, IV_16, 0},
    {CKM_CAMELLIA_CBC_PAD, IV_16, 0},
    {CKM_AES_CTR, CTR, 0},
    {CKM_AES_GCM, GCM, 0},
    {CKM_AES_CCM, CCM, 0},
    {CKM_ECDH1_DERIVE, ECDH, 0},
    {CKM_ECDH1_COFACTOR_DERIVE, ECDH, 0},
    {CKM_AES_CMAC_GENERAL, MAC_LENGTH, 0},
    {CKM_SHA_1_HMAC_GENERAL, MAC_LENGTH, 0},
    {CKM_SHA256_HMAC_GENERAL, MAC_LENGTH, 0},
    {CKM_AES_ECB_ENCRYPT_DATA, DATA, 0},
    {CKM_CONCATENATE_BASE_AND_DATA, DATA, 0},
    {CKM_XOR_BASE_AND_DATA, DATA, 0},
};

static const struct hash {
    CK_MECHANISM_TYPE hash;
    CK_RSA_PKCS_MGF_TYPE mgf;
    CK_ULONG bytes;
} hashes[] = {
    {CKM_SHA256, CKG_MGF1_SHA256, 32}, {CKM_SHA_1, CKG_MGF1_SHA1, 20},
    {CKM_SHA224, CKG_MGF1_SHA224, 28}, {CKM_SHA384, CKG_MGF1_SHA384, 48},
    {CKM_SHA512, CKG_MGF1_SHA512, 64},
};

static const struct hash *hash_of(CK_MECHANISM_TYPE type, uint64_t bytes)
{
    for (size_t i = 0; i < sizeof hashes / sizeof hashes[0]; i++)
        if (type ? hashes[i].hash == type : hashes[i].bytes == bytes)
            return &hashes[i];
    return &hashes[0];
}

static const struct parametrised *parametrised_of(int64_t type)
{
    for (size_t i = 0; i < sizeof parametrised / sizeof parametrised[0]; i++)
        if ((int64_t)parametrised[i].type == type)
            return &parametrised[i];
    return NULL;
}

static void parameter_set(struct like_mechanism *out, void *parameter, size_t bytes)
{
    out->mechanism.pParameter = parameter;
    out->mechanism.ulParameterLen = bytes;
}

static void rsa_make(struct like_mechanism *out, const struct parametrised *row,
                     uint64_t data_bytes)
{
    if (row->parameter == PSS) {
        const struct hash *hash = hash_of(row->hash, data_bytes);
        out->parameter.pss = (CK_RSA_PKCS_PSS_PARAMS){hash->hash, hash->mgf, hash->bytes};
        parameter_set(out, &out->parameter.pss, sizeof out->parameter.pss);
    } else { /* with SHA-1: the only one that many tokens have */
        out->parameter.oaep = (CK_RSA_PKCS_OAEP_PARAMS){
            .hashAlg = CKM_SHA_1, .mgf = CKG_MGF1_SHA1, .source = CKZ_DATA_SPECIFIED};
        parameter_set(out, &out->parameter.oaep, sizeof out->parameter.oaep);
    }
}

static void cipher_make(struct like_mechanism *out, enum parameter parameter, uint64_t data_bytes)
{
    if (parameter == CTR) {
        out->parameter.ctr.ulCounterBits = CTR_BITS;
        memcpy(out->parameter.ctr.cb, out->iv, sizeof out->iv);
        parameter_set(out, &out->parameter.ctr, sizeof out->parameter.ctr);
    } else if (parameter == GCM) {
        out->parameter.gcm = (CK_GCM_PARAMS){.pIv = out->iv,
                                             .ulIvLen = GCM_NONCE_BYTES,
                                             .ulIvBits = 8 * GCM_NONCE_BYTES,
                                             .ulTagBits = GCM_TAG_BITS};
        parameter_set(out, &out->parameter.gcm, sizeof out->parameter.gcm);
    } else if (parameter == CCM) {
        out->parameter.ccm = (struct like_ccm_params){.ulDataLen = data_bytes,
                                                      .pNonce = out->iv,
                                                      .ulNonceLen = CCM_NONCE_BYTES,
                                                      .ulMACLen = CCM_TAG_BYTES};
        parameter_set(out, &out->parameter.ccm, sizeof out->parameter.ccm);
    } else {
        parameter_set(out, out->iv, parameter == IV_8 ? 8 : LIKE_IV_BYTES);
    }
}

static void derivation_make(struct like_mechanism *out, enum parameter parameter, CK_BYTE *value,
                            CK_ULONG value_bytes)
{
    if (parameter == ECDH) {
        out->parameter.ecdh = (CK_ECDH1_DERIVE_PARAMS){
            .kdf = CKD_NULL, .ulPublicDataLen = value_bytes, .pPublicData = value};
        parameter_set(out, &out->parameter.ecdh, sizeof out->parameter.ecdh);
    } else {
        out->parameter.string =
            (CK_KEY_DERIVATION_STRING_DATA){.pData = out->iv, .ulLen = sizeof out->iv};
        parameter_set(out, &out->parameter.string, sizeof out->parameter.string);
    }
}

void like_mechanism_make(struct like_mechanism *out, int64_t type, const CK_BYTE iv[LIKE_IV_BYTES],
                         uint64_t data_bytes, CK_BYTE *value, CK_ULONG value_bytes)
{
    const struct parametrised *row = parametrised_of(type);
    memset(out, 0, sizeof *out);
    memcpy(out->iv, iv, sizeof out->iv);
    out->mechanism.mechanism = (CK_MECHANISM_TYPE)type;
    switch (row ? row->parameter : NONE) {
    case NONE:
        break;
    case PSS:
    case OAEP:
        rsa_make(out, row, data_bytes);
        break;
    case ECDH:
    case DATA:
        derivation_make(out, row->parameter, value, value_bytes);
        break;
    case MAC_LENGTH:
        out->parameter.length = 16;
        parameter_set(out, &out->parameter.length, sizeof out->parameter.length);
        break;
    default:
        cipher_make(out, row->parameter, data_bytes);
    }
}

bool like_mechanism_is_ecdh(int64_t type)
{
    const struct parametrised *row = parametrised_of(type);
    return row && row->parameter == ECDH;
}

bool like_mechanism_is_known(int64_t type)
{
    return type < 0 || p11prof_mechanism_name((uint64_t)type) != NULL;
}

/* By a word in their names. */
CK_KEY_TYPE like_mechanism_usual_key(int64_t type, uint32_t *bits)
{
    static const struct {
        const char *word;
        CK_KEY_TYPE key_type;
        uint32_t bits;
    } words[] = {{"HMAC", CKK_GENERIC_SECRET, 256},
                 {"EDDSA", CKK_EC_EDWARDS, 255},
                 {"EDWARDS", CKK_EC_EDWARDS, 255},
                 {"RSA", CKK_RSA, 2048},
                 {"ECD", CKK_EC, 256},
                 {"_EC_", CKK_EC, 256},
                 {"AES", CKK_AES, 256},
                 {"DES3", CKK_DES3, 192},
                 {"GENERIC", CKK_GENERIC_SECRET, 256}};
    const char *name = type < 0 ? NULL : p11prof_mechanism_name((uint64_t)type);
    for (size_t i = 0; name && i < sizeof words / sizeof words[0]; i++) {
        if (!strstr(name, words[i].word))
            continue;
        *bits = words[i].bits;
        return words[i].key_type;
    }
    return CK_UNAVAILABLE_INFORMATION;
}
