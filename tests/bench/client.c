/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* A program that does always the same: it signs with an RSA 2048 key of its session.
 *
 *   client MODULE PIN SECONDS
 *
 * The token is the first one that is initialised. */
#include "bench.h"

#include "p11prof/calls.h"

#include <string.h>

static void check(CK_RV rv, const char *what)
{
    if (rv == CKR_OK)
        return;
    fprintf(stderr, "client: %s: 0x%lx\n", what, rv);
    exit(1);
}

static CK_SLOT_ID first_slot(CK_FUNCTION_LIST *module)
{
    CK_SLOT_ID slots[16];
    CK_TOKEN_INFO info;
    CK_ULONG count = 16;
    check(module->C_GetSlotList(CK_TRUE, slots, &count), "C_GetSlotList");
    for (CK_ULONG i = 0; i < count; i++)
        if (module->C_GetTokenInfo(slots[i], &info) == CKR_OK && info.flags & CKF_TOKEN_INITIALIZED)
            return slots[i];
    fprintf(stderr, "client: no token\n");
    exit(1);
}

static CK_OBJECT_HANDLE make_key(CK_FUNCTION_LIST *module, CK_SESSION_HANDLE session)
{
    CK_BBOOL yes = CK_TRUE;
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

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: client MODULE PIN SECONDS\n");
        return 2;
    }
    CK_SESSION_HANDLE session;
    CK_MECHANISM mechanism = {.mechanism = CKM_SHA256_RSA_PKCS};
    CK_BYTE data[32] = {1}, signature[256];
    CK_FUNCTION_LIST *module = bench_load(argv[1]);
    check(module->C_Initialize(NULL), "C_Initialize");
    check(module->C_OpenSession(first_slot(module), CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL,
                                &session),
          "C_OpenSession");
    check(module->C_Login(session, CKU_USER, (CK_UTF8CHAR *)argv[2], strlen(argv[2])), "C_Login");
    CK_OBJECT_HANDLE key = make_key(module, session);
    uint64_t end_ns = bench_now_ns() + strtoull(argv[3], NULL, 10) * UINT64_C(1000000000);
    while (bench_now_ns() < end_ns) {
        CK_ULONG bytes = sizeof signature;
        check(module->C_SignInit(session, &mechanism, key), "C_SignInit");
        check(module->C_Sign(session, data, sizeof data, signature, &bytes), "C_Sign");
    }
    check(module->C_Finalize(NULL), "C_Finalize");
    return 0;
}
