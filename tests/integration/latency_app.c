/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* An application that signs with several keys in turn, for latency_test.sh:
 *
 *   latency_app MODULE PIN BITS,BITS… CALLS BYTES,BYTES…
 *
 * A key pair of each size, then CALLS signatures (every other key from a place of its own), of data
 * of these sizes in turn for each key, and a C_GetSessionInfo and C_GetTokenInfo for each. The
 * token is the first one that is initialised.
 */
#include "p11prof/pkcs11.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_MOST = 16 };

static CK_FUNCTION_LIST *module;
static CK_SESSION_HANDLE session;
static CK_SLOT_ID slot;
static CK_BYTE data[1 << 20];

static void check(CK_RV rv, const char *what)
{
    if (rv == CKR_OK)
        return;
    fprintf(stderr, "latency_app: %s: 0x%lx\n", what, rv);
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

static void login(char *pin)
{
    CK_SLOT_ID slots[16];
    CK_TOKEN_INFO info;
    CK_ULONG count = 16;
    check(module->C_Initialize(NULL), "C_Initialize");
    check(module->C_GetSlotList(CK_TRUE, slots, &count), "C_GetSlotList");
    for (CK_ULONG i = count; i-- > 0;)
        if (module->C_GetTokenInfo(slots[i], &info) == CKR_OK && info.flags & CKF_TOKEN_INITIALIZED)
            slot = slots[i];
    check(module->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session),
          "C_OpenSession");
    check(module->C_Login(session, CKU_USER, (CK_BYTE *)pin, strlen(pin)), "C_Login");
}

static size_t read_list(CK_ULONG *out, char *text)
{
    size_t count = 0;
    for (char *word; count < LIST_MOST && (word = strsep(&text, ",")) != NULL;)
        out[count++] = strtoul(word, NULL, 10);
    return count;
}

static CK_OBJECT_HANDLE make_key(CK_ULONG bits)
{
    CK_BBOOL yes = CK_TRUE;
    CK_MECHANISM mechanism = {.mechanism = CKM_RSA_PKCS_KEY_PAIR_GEN};
    CK_ATTRIBUTE public[] = {{CKA_MODULUS_BITS, &bits, sizeof bits}};
    CK_ATTRIBUTE private[] = {{CKA_SIGN, &yes, sizeof yes}};
    CK_OBJECT_HANDLE public_key, private_key;
    check(module->C_GenerateKeyPair(session, &mechanism, public, 1, private, 1, &public_key,
                                    &private_key),
          "C_GenerateKeyPair");
    return private_key;
}

/* Two places that call: every other key has its own. */
static __attribute__((noinline)) CK_RV sign_here(CK_ULONG bytes, CK_BYTE *out, CK_ULONG *out_bytes)
{
    CK_RV rv = module->C_Sign(session, data, bytes, out, out_bytes);
    __asm__ volatile(""); /* it calls, and does not jump */
    return rv;
}

static void sign(CK_OBJECT_HANDLE key, CK_ULONG bytes, bool here)
{
    CK_MECHANISM mechanism = {.mechanism = CKM_SHA256_RSA_PKCS};
    CK_SESSION_INFO session_info;
    CK_TOKEN_INFO token_info;
    CK_BYTE result[1024];
    CK_ULONG result_bytes = sizeof result;
    check(module->C_GetSessionInfo(session, &session_info), "C_GetSessionInfo");
    check(module->C_GetTokenInfo(slot, &token_info), "C_GetTokenInfo");
    check(module->C_SignInit(session, &mechanism, key), "C_SignInit");
    check(here ? sign_here(bytes, result, &result_bytes)
               : module->C_Sign(session, data, bytes, result, &result_bytes),
          "C_Sign");
}

int main(int argc, char **argv)
{
    CK_ULONG bits[LIST_MOST], sizes[LIST_MOST];
    CK_OBJECT_HANDLE keys[LIST_MOST];
    if (argc != 6)
        return 2;
    size_t key_count = read_list(bits, argv[3]), size_count = read_list(sizes, argv[5]);
    load(argv[1]);
    login(argv[2]);
    for (size_t i = 0; i < key_count; i++)
        keys[i] = make_key(bits[i]);
    for (size_t i = 0; i < strtoul(argv[4], NULL, 10); i++)
        sign(keys[i % key_count], sizes[i / key_count % size_count], i % key_count % 2);
    check(module->C_Finalize(NULL), "C_Finalize");
    return 0;
}
