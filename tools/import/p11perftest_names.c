/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "import/p11perftest_names.h"
#include "p11prof/batch.h"
#include "p11prof/calls.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The first row fits whose words are all in the name of the algorithm, whatever their case. "%s" is
 * the size or curve of the key. */
static const struct {
    const char *words[3];
    const char *id; /* NULL: the tool's own name */
    unsigned operation;
    uint64_t mechanism;
} tests[] = {
    {{"jwe", "encr"}, NULL, P11PROF_OPERATION_ENCRYPT, CKM_RSA_PKCS_OAEP},
    {{"jwe"}, NULL, P11PROF_OPERATION_DECRYPT, CKM_RSA_PKCS_OAEP},
    {{"oaep", "unwrap", "sha256"},
     "rsa-%s-unwrap-oaep-sha256",
     P11PROF_OPERATION_UNWRAP,
     CKM_RSA_PKCS_OAEP},
    {{"oaep", "unwrap"}, "rsa-%s-unwrap-oaep-sha1", P11PROF_OPERATION_UNWRAP, CKM_RSA_PKCS_OAEP},
    {{"oaep", "encr", "sha256"},
     "rsa-%s-encrypt-oaep-sha256",
     P11PROF_OPERATION_ENCRYPT,
     CKM_RSA_PKCS_OAEP},
    {{"oaep", "encr"}, "rsa-%s-encrypt-oaep-sha1", P11PROF_OPERATION_ENCRYPT, CKM_RSA_PKCS_OAEP},
    {{"oaep", "sha256"},
     "rsa-%s-decrypt-oaep-sha256",
     P11PROF_OPERATION_DECRYPT,
     CKM_RSA_PKCS_OAEP},
    {{"oaep"}, "rsa-%s-decrypt-oaep-sha1", P11PROF_OPERATION_DECRYPT, CKM_RSA_PKCS_OAEP},
    {{"ckm_sha256_rsa_pkcs_pss"},
     "rsa-%s-sign-pss-sha256",
     P11PROF_OPERATION_SIGN,
     CKM_SHA256_RSA_PKCS_PSS},
    {{"ckm_sha256_rsa_pkcs"}, "rsa-%s-sign", P11PROF_OPERATION_SIGN, CKM_SHA256_RSA_PKCS},
    {{"ckm_ecdsa"}, "ecdsa-p%s-sign", P11PROF_OPERATION_SIGN, CKM_ECDSA},
    {{"ckm_ecdh1_derive"}, "ecdh-p%s-derive", P11PROF_OPERATION_DERIVE, CKM_ECDH1_DERIVE},
    {{"ckm_sha_1_hmac"}, "hmac-sha1", P11PROF_OPERATION_SIGN, CKM_SHA_1_HMAC},
    {{"ckm_sha256_hmac"}, "hmac-sha256", P11PROF_OPERATION_SIGN, CKM_SHA256_HMAC},
    {{"ckm_sha512_hmac"}, "hmac-sha512", P11PROF_OPERATION_SIGN, CKM_SHA512_HMAC},
    {{"ckm_des3_ecb"}, "des3-%s-ecb-encrypt", P11PROF_OPERATION_ENCRYPT, CKM_DES3_ECB},
    {{"ckm_des3_cbc"}, "des3-%s-cbc-encrypt", P11PROF_OPERATION_ENCRYPT, CKM_DES3_CBC},
    {{"ckm_aes_ecb"}, "aes-%s-ecb-encrypt", P11PROF_OPERATION_ENCRYPT, CKM_AES_ECB},
    {{"ckm_aes_cbc"}, "aes-%s-cbc-encrypt", P11PROF_OPERATION_ENCRYPT, CKM_AES_CBC},
    {{"ckm_aes_gcm"}, "aes-%s-gcm-encrypt", P11PROF_OPERATION_ENCRYPT, CKM_AES_GCM},
    {{"ckm_xor_base_and_data"}, "xor-%s-derive", P11PROF_OPERATION_DERIVE, CKM_XOR_BASE_AND_DATA},
    {{"c_seedrandom"}, "random-seed", P11PROF_OPERATION_SEED_RANDOM, UINT64_MAX},
    {{"c_generaterandom"}, "random-%d", P11PROF_OPERATION_GENERATE_RANDOM, UINT64_MAX},
    {{"find"}, "find-by-label-%d", P11PROF_OPERATION_FIND, UINT64_MAX},
};
enum { TESTS = sizeof tests / sizeof *tests };

/* By the begin of a key's label. */
static const struct {
    const char *label;
    uint64_t key_type;
} key_types[] = {
    {"rsa", CKK_RSA},
    {"ecdsa", CKK_EC},
    {"ecdh", CKK_EC},
    {"aes", CKK_AES},
    {"des-128", CKK_DES2},
    {"des-192", CKK_DES3},
    {"des", CKK_DES3},
    {"hmac", CKK_GENERIC_SECRET},
    {"xorder", CKK_GENERIC_SECRET},
};

static size_t test_find(const char *algorithm)
{
    for (size_t i = 0; i < TESTS; i++) {
        size_t word = 0;
        while (word < 3 && tests[i].words[word] && strcasestr(algorithm, tests[i].words[word]))
            word++;
        if (word == 3 || !tests[i].words[word])
            return i;
    }
    return TESTS;
}

/* "RSA Signature" as "rsa-signature". */
static void slug(char *out, size_t bytes, const char *text)
{
    size_t length = 0;
    for (; *text && length + 1 < bytes; text++) {
        bool upper = *text >= 'A' && *text <= 'Z';
        bool plain = upper || (*text >= 'a' && *text <= 'z') || (*text >= '0' && *text <= '9');
        if (plain)
            out[length++] = (char)(upper ? *text - 'A' + 'a' : *text);
        else if (length > 0 && out[length - 1] != '-')
            out[length++] = '-';
    }
    while (length > 0 && out[length - 1] == '-')
        length--;
    out[length] = '\0';
}

/* "rsa-2048", "ecdsa-secp256r1", "aes-256-th-00001": the first number. */
static void key_read(struct p11prof_p11perftest_test *out, const char *label)
{
    size_t length = 0;
    for (size_t i = 0; length == 0 && i < sizeof key_types / sizeof *key_types; i++) {
        size_t bytes = strlen(key_types[i].label);
        if (strncmp(label, key_types[i].label, bytes) != 0)
            continue;
        length = bytes;
        out->key_type = (int64_t)key_types[i].key_type;
    }
    const char *digits = label + strcspn(label, "0123456789");
    unsigned long bits = strtoul(digits, NULL, 10);
    if (length > 0 && bits > 0 && bits <= 65536)
        out->key_bits = (int64_t)bits;
}

void p11prof_p11perftest_name(struct p11prof_p11perftest_test *out, const char *algorithm,
                              const char *label, int64_t vector_bytes)
{
    size_t test = test_find(algorithm);
    const char *id = test < TESTS ? tests[test].id : NULL;
    char size[24] = "";
    *out = (struct p11prof_p11perftest_test){
        .mechanism = -1, .key_type = -1, .key_bits = -1, .data_bytes = vector_bytes};
    key_read(out, label);
    if (test < TESTS) {
        out->operation = tests[test].operation;
        out->mechanism = (int64_t)tests[test].mechanism;
    }
    if (out->operation == P11PROF_OPERATION_FIND)
        out->data_bytes = -1; /* the vector's size is a number of objects */
    const char *hole = id ? strchr(id, '%') : NULL;
    int64_t number = hole && hole[1] == 'd' ? vector_bytes : out->key_bits;
    if (!id || (hole && number < 0)) {
        slug(out->id, sizeof out->id, algorithm);
        if (label[0] && strlen(out->id) + 2 < sizeof out->id) {
            strcat(out->id, "-");
            slug(out->id + strlen(out->id), sizeof out->id - strlen(out->id), label);
        }
        if (!out->id[strspn(out->id, "-")])
            strcpy(out->id, "test");
        return;
    }
    if (hole)
        snprintf(size, sizeof size, "%" PRId64, number);
    snprintf(out->id, sizeof out->id, "%.*s%s%s", (int)(hole ? (size_t)(hole - id) : strlen(id)),
             id, size, hole ? hole + 2 : "");
}
