/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Applications whose calls are known, for like_test.sh:
 *
 *   like_app MODULE PIN paced THREADS CALLS THINK_MS   signatures with a key of its own, and waits
 *   like_app MODULE PIN make                           leaves keys on the token
 *   like_app MODULE PIN work TIMES PAUSE_MS            does all that these keys can do
 *
 * The token is the first one that is initialised. */
#include "p11prof/pkcs11.h"

#include <dlfcn.h>

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static CK_FUNCTION_LIST *module;
static CK_SLOT_ID slot;
static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
static CK_BYTE data[4096], out[8192], signature[8192];
static unsigned call_count, think_ms;

static void check(CK_RV rv, const char *what)
{
    if (rv == CKR_OK)
        return;
    fprintf(stderr, "like_app: %s: 0x%lx\n", what, rv);
    exit(1);
}

static void load(const char *path)
{
    CK_C_GetFunctionList get = NULL;
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    void *symbol = handle ? dlsym(handle, "C_GetFunctionList") : NULL;
    memcpy(&get, &symbol, sizeof get);
    check(get ? get(&module) : CKR_GENERAL_ERROR, "C_GetFunctionList");
}

static void token_find(void)
{
    CK_C_INITIALIZE_ARGS arguments = {.flags = CKF_OS_LOCKING_OK};
    CK_SLOT_ID slots[16];
    CK_TOKEN_INFO info;
    CK_ULONG count = 16;
    check(module->C_Initialize(&arguments), "C_Initialize");
    check(module->C_GetSlotList(CK_TRUE, slots, &count), "C_GetSlotList");
    for (CK_ULONG i = count; i-- > 0;)
        if (module->C_GetTokenInfo(slots[i], &info) == CKR_OK && info.flags & CKF_TOKEN_INITIALIZED)
            slot = slots[i];
}

static CK_SESSION_HANDLE session_open(void)
{
    CK_SESSION_HANDLE session;
    check(module->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session),
          "C_OpenSession");
    return session;
}

/* --- paced --- */

static CK_OBJECT_HANDLE own_key(CK_SESSION_HANDLE session)
{
    CK_ULONG bits = 2048;
    CK_MECHANISM mechanism = {.mechanism = CKM_RSA_PKCS_KEY_PAIR_GEN};
    CK_ATTRIBUTE public[] = {{CKA_MODULUS_BITS, &bits, sizeof bits}};
    CK_ATTRIBUTE private[] = {{CKA_SIGN, &yes, sizeof yes}};
    CK_OBJECT_HANDLE public_key, private_key;
    check(module->C_GenerateKeyPair(session, &mechanism, public, 1, private, 1, &public_key,
                                    &private_key),
          "C_GenerateKeyPair");
    return private_key;
}

static void *sign_paced(void *unused)
{
    CK_MECHANISM mechanism = {.mechanism = CKM_SHA256_RSA_PKCS};
    CK_SESSION_HANDLE session = session_open();
    CK_OBJECT_HANDLE key = own_key(session);
    CK_BYTE result[512];
    const struct timespec pause = {think_ms / 1000, (long)(think_ms % 1000) * 1000000};
    for (unsigned i = 0; i < call_count; i++) {
        CK_ULONG bytes = sizeof result;
        check(module->C_SignInit(session, &mechanism, key), "C_SignInit");
        check(module->C_Sign(session, data, 32, result, &bytes), "C_Sign");
        nanosleep(&pause, NULL);
    }
    check(module->C_CloseSession(session), "C_CloseSession");
    return unused;
}

static void paced(char **arguments)
{
    unsigned count = (unsigned)atoi(arguments[0]);
    pthread_t threads[64];
    call_count = (unsigned)atoi(arguments[1]);
    think_ms = (unsigned)atoi(arguments[2]);
    for (unsigned i = 0; i < count && i < 64; i++)
        if (pthread_create(&threads[i], NULL, sign_paced, NULL) != 0)
            exit(1);
    for (unsigned i = 0; i < count && i < 64; i++)
        pthread_join(threads[i], NULL);
}

/* --- make --- */

static void pair_make(CK_SESSION_HANDLE session, CK_MECHANISM_TYPE type, char *label,
                      CK_ATTRIBUTE size)
{
    CK_MECHANISM mechanism = {.mechanism = type};
    CK_OBJECT_HANDLE public_key, private_key;
    bool rsa = type == CKM_RSA_PKCS_KEY_PAIR_GEN;
    CK_ATTRIBUTE public[] = {size,
                             {CKA_TOKEN, &yes, sizeof yes},
                             {CKA_LABEL, label, strlen(label)},
                             {CKA_VERIFY, &yes, sizeof yes},
                             {CKA_ENCRYPT, rsa ? &yes : &no, sizeof yes}};
    CK_ATTRIBUTE private[] = {{CKA_TOKEN, &yes, sizeof yes},
                              {CKA_PRIVATE, &yes, sizeof yes},
                              {CKA_LABEL, label, strlen(label)},
                              {CKA_SIGN, &yes, sizeof yes},
                              {CKA_DECRYPT, rsa ? &yes : &no, sizeof yes},
                              {CKA_DERIVE, rsa ? &no : &yes, sizeof yes}};
    check(module->C_GenerateKeyPair(session, &mechanism, public, 5, private, 6, &public_key,
                                    &private_key),
          "C_GenerateKeyPair");
}

static void make(CK_SESSION_HANDLE session)
{
    CK_ULONG bits = 2048, bytes = 32;
    CK_BYTE p256[] = {6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7};
    CK_MECHANISM aes = {.mechanism = CKM_AES_KEY_GEN};
    CK_OBJECT_HANDLE key;
    char label[] = "the-aes";
    CK_ATTRIBUTE secret[] = {{CKA_TOKEN, &yes, sizeof yes},   {CKA_LABEL, label, strlen(label)},
                             {CKA_VALUE_LEN, &bytes, 8},      {CKA_ENCRYPT, &yes, sizeof yes},
                             {CKA_DECRYPT, &yes, sizeof yes}, {CKA_WRAP, &yes, sizeof yes},
                             {CKA_UNWRAP, &yes, sizeof yes}};
    pair_make(session, CKM_RSA_PKCS_KEY_PAIR_GEN, (char[]){"the-rsa"},
              (CK_ATTRIBUTE){CKA_MODULUS_BITS, &bits, sizeof bits});
    pair_make(session, CKM_EC_KEY_PAIR_GEN, (char[]){"the-ec"},
              (CK_ATTRIBUTE){CKA_EC_PARAMS, p256, sizeof p256});
    check(module->C_GenerateKey(session, &aes, secret, 7, &key), "C_GenerateKey");
}

/* --- work --- */

static CK_OBJECT_HANDLE find(CK_SESSION_HANDLE session, CK_OBJECT_CLASS class, const char *label)
{
    CK_OBJECT_HANDLE found = CK_INVALID_HANDLE;
    CK_ULONG count = 0;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof class},
                               {CKA_LABEL, (void *)(uintptr_t)label, strlen(label)}};
    check(module->C_FindObjectsInit(session, template, 2), "C_FindObjectsInit");
    check(module->C_FindObjects(session, &found, 1, &count), "C_FindObjects");
    check(module->C_FindObjectsFinal(session), "C_FindObjectsFinal");
    return found;
}

static void verified(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, const char *label,
                     bool in_parts)
{
    CK_ULONG bytes = sizeof signature;
    CK_OBJECT_HANDLE private_key = find(session, CKO_PRIVATE_KEY, label),
                     public_key = find(session, CKO_PUBLIC_KEY, label);
    check(module->C_SignInit(session, mechanism, private_key), "C_SignInit");
    if (in_parts) {
        check(module->C_SignUpdate(session, data, 100), "C_SignUpdate");
        check(module->C_SignUpdate(session, data, 28), "C_SignUpdate");
        check(module->C_SignFinal(session, signature, &bytes), "C_SignFinal");
    } else {
        check(module->C_Sign(session, data, 32, NULL, &bytes), "C_Sign");
        check(module->C_Sign(session, data, 32, signature, &bytes), "C_Sign");
    }
    check(module->C_VerifyInit(session, mechanism, public_key), "C_VerifyInit");
    if (in_parts) {
        check(module->C_VerifyUpdate(session, data, 100), "C_VerifyUpdate");
        check(module->C_VerifyUpdate(session, data, 28), "C_VerifyUpdate");
        check(module->C_VerifyFinal(session, signature, bytes), "C_VerifyFinal");
    } else {
        check(module->C_Verify(session, data, 32, signature, bytes), "C_Verify");
    }
}

static void deciphered(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE one,
                       CK_OBJECT_HANDLE other, CK_ULONG plain_bytes, CK_ULONG part_bytes)
{
    CK_BYTE cipher[8192];
    CK_ULONG bytes = sizeof cipher, done = sizeof out;
    check(module->C_EncryptInit(session, mechanism, one), "C_EncryptInit");
    check(module->C_Encrypt(session, data, plain_bytes, cipher, &bytes), "C_Encrypt");
    check(module->C_DecryptInit(session, mechanism, other), "C_DecryptInit");
    if (part_bytes == 0) {
        check(module->C_Decrypt(session, cipher, bytes, out, &done), "C_Decrypt");
        return;
    }
    for (CK_ULONG at = 0; at < bytes; at += part_bytes, done = sizeof out)
        check(module->C_DecryptUpdate(session, cipher + at,
                                      bytes - at < part_bytes ? bytes - at : part_bytes, out,
                                      &done),
              "C_DecryptUpdate");
    check(module->C_DecryptFinal(session, out, &done), "C_DecryptFinal");
}

static void ciphers(CK_SESSION_HANDLE session)
{
    CK_OBJECT_HANDLE aes = find(session, CKO_SECRET_KEY, "the-aes");
    CK_BYTE iv[16] = {1};
    CK_GCM_PARAMS gcm = {.pIv = iv, .ulIvLen = 12, .ulIvBits = 96, .ulTagBits = 128};
    CK_RSA_PKCS_OAEP_PARAMS oaep = {CKM_SHA_1, CKG_MGF1_SHA1, CKZ_DATA_SPECIFIED, NULL, 0};
    CK_MECHANISM cbc = {CKM_AES_CBC_PAD, iv, sizeof iv}, in_gcm = {CKM_AES_GCM, &gcm, sizeof gcm},
                 in_oaep = {CKM_RSA_PKCS_OAEP, &oaep, sizeof oaep};
    deciphered(session, &cbc, aes, aes, 1000, 0);
    deciphered(session, &cbc, aes, aes, 1000, 256);
    deciphered(session, &in_gcm, aes, aes, 500, 0);
    deciphered(session, &in_oaep, find(session, CKO_PUBLIC_KEY, "the-rsa"),
               find(session, CKO_PRIVATE_KEY, "the-rsa"), 40, 0);
}

static void wrapped(CK_SESSION_HANDLE session)
{
    CK_OBJECT_CLASS class = CKO_SECRET_KEY;
    CK_KEY_TYPE type = CKK_AES;
    CK_ULONG bytes = 32, length = sizeof out;
    CK_OBJECT_HANDLE key, unwrapped, aes = find(session, CKO_SECRET_KEY, "the-aes");
    CK_MECHANISM generator = {.mechanism = CKM_AES_KEY_GEN}, wrap = {.mechanism = CKM_AES_KEY_WRAP};
    CK_ATTRIBUTE made[] = {{CKA_VALUE_LEN, &bytes, sizeof bytes},
                           {CKA_EXTRACTABLE, &yes, sizeof yes}};
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof class},
                               {CKA_KEY_TYPE, &type, sizeof type},
                               {CKA_TOKEN, &no, sizeof no}};
    check(module->C_GenerateKey(session, &generator, made, 2, &key), "C_GenerateKey");
    check(module->C_WrapKey(session, &wrap, aes, key, out, &length), "C_WrapKey");
    check(module->C_UnwrapKey(session, &wrap, aes, out, length, template, 3, &unwrapped),
          "C_UnwrapKey");
    check(module->C_DestroyObject(session, unwrapped), "C_DestroyObject");
    check(module->C_DestroyObject(session, key), "C_DestroyObject");
}

static void derived(CK_SESSION_HANDLE session)
{
    CK_BYTE point[128];
    CK_OBJECT_CLASS class = CKO_SECRET_KEY;
    CK_KEY_TYPE type = CKK_GENERIC_SECRET;
    CK_ULONG bytes = 32;
    CK_OBJECT_HANDLE secret;
    CK_ATTRIBUTE attribute = {CKA_EC_POINT, point, sizeof point};
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof class},
                               {CKA_KEY_TYPE, &type, sizeof type},
                               {CKA_VALUE_LEN, &bytes, sizeof bytes},
                               {CKA_TOKEN, &no, sizeof no}};
    check(module->C_GetAttributeValue(session, find(session, CKO_PUBLIC_KEY, "the-ec"), &attribute,
                                      1),
          "C_GetAttributeValue");
    CK_ECDH1_DERIVE_PARAMS parameters = {CKD_NULL, 0, NULL, attribute.ulValueLen - 2, point + 2};
    CK_MECHANISM mechanism = {CKM_ECDH1_DERIVE, &parameters, sizeof parameters};
    check(module->C_DeriveKey(session, &mechanism, find(session, CKO_PRIVATE_KEY, "the-ec"),
                              template, 4, &secret),
          "C_DeriveKey");
    check(module->C_DestroyObject(session, secret), "C_DestroyObject");
}

static void digested(CK_SESSION_HANDLE session)
{
    CK_MECHANISM mechanism = {.mechanism = CKM_SHA256};
    CK_ULONG bytes = sizeof out;
    check(module->C_DigestInit(session, &mechanism), "C_DigestInit");
    check(module->C_DigestUpdate(session, data, 3000), "C_DigestUpdate");
    check(module->C_DigestFinal(session, out, &bytes), "C_DigestFinal");
    check(module->C_GenerateRandom(session, out, 77), "C_GenerateRandom");
}

static void work(CK_SESSION_HANDLE session)
{
    CK_RSA_PKCS_PSS_PARAMS pss = {CKM_SHA256, CKG_MGF1_SHA256, 32};
    CK_MECHANISM rsa = {.mechanism = CKM_SHA256_RSA_PKCS}, ecdsa = {.mechanism = CKM_ECDSA},
                 with_pss = {CKM_RSA_PKCS_PSS, &pss, sizeof pss};
    verified(session, &rsa, "the-rsa", true);
    verified(session, &rsa, "the-rsa", false);
    verified(session, &with_pss, "the-rsa", false);
    verified(session, &ecdsa, "the-ec", false);
    ciphers(session);
    wrapped(session);
    derived(session);
    digested(session);
}

static void repeat(CK_SESSION_HANDLE session, char **arguments)
{
    long pause_ms = atol(arguments[1]);
    const struct timespec pause = {pause_ms / 1000, pause_ms % 1000 * 1000000};
    for (int i = atoi(arguments[0]); i > 0; i--) {
        work(session);
        nanosleep(&pause, NULL);
    }
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: like_app MODULE PIN paced|make|work ...\n");
        return 2;
    }
    load(argv[1]);
    token_find();
    CK_SESSION_HANDLE session = session_open();
    check(module->C_Login(session, CKU_USER, (CK_UTF8CHAR *)argv[2], strlen(argv[2])), "C_Login");
    if (strcmp(argv[3], "paced") == 0 && argc == 7)
        paced(argv + 4);
    else if (strcmp(argv[3], "make") == 0)
        make(session);
    else if (strcmp(argv[3], "work") == 0 && argc == 6)
        repeat(session, argv + 4);
    check(module->C_Finalize(NULL), "C_Finalize");
    return 0;
}
