/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Applications with a pattern that `advise` knows, and their healthy twins, which do the same work
 * without it. For advise_patterns_test.sh:
 *
 *   pattern_app MODULE PIN PATTERN sick|well
 *
 * The token is the first one that is initialised; its key pair "first" is of P-256. */
#include "p11prof/pkcs11.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TIMES = 40 };

static CK_FUNCTION_LIST *module;
static CK_SLOT_ID slot;
static CK_UTF8CHAR *pin;
static CK_BYTE data[32], signature[512];
static bool sick;

static void check(CK_RV rv, const char *what)
{
    if (rv == CKR_OK)
        return;
    fprintf(stderr, "pattern_app: %s: 0x%lx\n", what, rv);
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

static void initialize(void)
{
    CK_C_INITIALIZE_ARGS arguments = {.flags = CKF_OS_LOCKING_OK};
    CK_RV rv = module->C_Initialize(&arguments);
    check(rv == CKR_CRYPTOKI_ALREADY_INITIALIZED ? CKR_OK : rv, "C_Initialize");
}

static void token_find(void)
{
    CK_SLOT_ID slots[16] = {0};
    CK_TOKEN_INFO info;
    CK_ULONG count = 16;
    initialize();
    check(module->C_GetSlotList(CK_TRUE, slots, &count), "C_GetSlotList");
    for (CK_ULONG i = count; i-- > 0;)
        if (module->C_GetTokenInfo(slots[i], &info) == CKR_OK && info.flags & CKF_TOKEN_INITIALIZED)
            slot = slots[i];
}

static CK_SESSION_HANDLE session_open(void)
{
    CK_SESSION_HANDLE session = 0;
    check(module->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session),
          "C_OpenSession");
    return session;
}

static CK_RV login(CK_SESSION_HANDLE session)
{
    return module->C_Login(session, CKU_USER, pin, strlen((char *)pin));
}

static CK_OBJECT_HANDLE key_find(CK_SESSION_HANDLE session)
{
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof class}, {CKA_LABEL, "first", 5}};
    CK_OBJECT_HANDLE key = 0;
    CK_ULONG count = 0;
    check(module->C_FindObjectsInit(session, template, 2), "C_FindObjectsInit");
    check(module->C_FindObjects(session, &key, 1, &count), "C_FindObjects");
    check(module->C_FindObjectsFinal(session), "C_FindObjectsFinal");
    return key;
}

static void sign(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key)
{
    CK_MECHANISM mechanism = {.mechanism = CKM_ECDSA};
    CK_ULONG bytes = sizeof signature;
    check(module->C_SignInit(session, &mechanism, key), "C_SignInit");
    check(module->C_Sign(session, data, sizeof data, signature, &bytes), "C_Sign");
}

static void rest(long ms)
{
    const struct timespec pause = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&pause, NULL);
}

/* --- Patterns --- */

static void log_in(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key)
{
    for (int i = 0; i < TIMES; i++) {
        if (sick) {
            check(module->C_Logout(session), "C_Logout");
            check(login(session), "C_Login");
            key = key_find(session);
        }
        sign(session, key);
    }
}

static void log_in_needlessly(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key)
{
    for (int i = 0; i < TIMES; i++) {
        if (sick)
            login(session);
        sign(session, key);
    }
}

static void poll_token(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key)
{
    CK_TOKEN_INFO token;
    CK_SESSION_INFO info;
    for (int i = 0; i < 4 * TIMES; i++) {
        if (sick || i == 0) {
            check(module->C_GetTokenInfo(slot, &token), "C_GetTokenInfo");
            check(module->C_GetSessionInfo(session, &info), "C_GetSessionInfo");
        }
        if (i % 4 == 0)
            sign(session, key);
    }
}

static void start_slowly(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key)
{
    CK_MECHANISM_INFO info;
    for (int i = 0; i < (sick ? 2 * TIMES : 1); i++)
        check(module->C_GetMechanismInfo(slot, CKM_ECDSA, &info), "C_GetMechanismInfo");
    for (int i = 0; i < TIMES / 8; i++)
        sign(session, key);
}

static void leave_sessions(CK_SESSION_HANDLE first, CK_OBJECT_HANDLE key)
{
    (void)first; /* keeps the login */
    for (int i = 0; i < TIMES; i++) {
        CK_SESSION_HANDLE session = session_open();
        sign(session, key);
        if (!sick)
            check(module->C_CloseSession(session), "C_CloseSession");
    }
}

static void leave_searches(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key)
{
    CK_ULONG count;
    for (int i = 0; i < TIMES; i++) {
        if (module->C_FindObjectsInit(session, NULL, 0) == CKR_OK)
            check(module->C_FindObjects(session, &key, 1, &count), "C_FindObjects");
        if (!sick)
            check(module->C_FindObjectsFinal(session), "C_FindObjectsFinal");
    }
}

static void try_again(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key)
{
    CK_MECHANISM mechanism = {.mechanism = CKM_ECDSA};
    for (int i = 0; i < TIMES; i++) {
        if (sick)
            module->C_SignInit(session + 1000, &mechanism, key); /* which is closed */
        sign(session, key);
    }
}

static void ask_one_by_one(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key)
{
    CK_BYTE label[64], id[64], parameters[64], modulus[512];
    CK_ATTRIBUTE all[] = {{CKA_LABEL, label, 0},
                          {CKA_ID, id, 0},
                          {CKA_EC_PARAMS, parameters, 0},
                          {CKA_MODULUS, modulus, 0}}; /* which it has not */
    for (int i = 0; i < TIMES; i++) {
        for (int j = 0; j < 4; j++)
            all[j].ulValueLen = 64;
        if (module->C_GetAttributeValue(session, key, all, 4) == CKR_OK || !sick)
            continue;
        for (int j = 0; j < 4; j++) {
            all[j].ulValueLen = 64;
            module->C_GetAttributeValue(session, key, &all[j], 1);
        }
    }
}

static void fork_and_sign(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key)
{
    int status = 1;
    sign(session, key);
    pid_t child = fork();
    if (child == 0) {
        if (!sick) {
            initialize();
            session = session_open();
            login(session);
            key = key_find(session);
        }
        sign(session, key);
        rest(300); /* what it recorded is fetched */
        _exit(0);
    }
    waitpid(child, &status, 0);
    check(status == 0 ? CKR_OK : CKR_GENERAL_ERROR, "the child");
}

static void mistype(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key)
{
    (void)key;
    module->C_Logout(session);
    for (int i = 0; i < (sick ? 4 : 1); i++)
        module->C_Login(session, CKU_USER, (CK_UTF8CHAR *)"wrong", 5);
    check(login(session), "C_Login");
}

static void sign_weakly(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key)
{
    CK_BBOOL yes = CK_TRUE;
    CK_ULONG bits = sick ? 1024 : 2048, bytes = sizeof signature;
    CK_MECHANISM make = {.mechanism = CKM_RSA_PKCS_KEY_PAIR_GEN};
    CK_MECHANISM use = {.mechanism = sick ? CKM_SHA1_RSA_PKCS : CKM_SHA256_RSA_PKCS};
    CK_ATTRIBUTE public[] = {{CKA_MODULUS_BITS, &bits, sizeof bits}};
    CK_ATTRIBUTE private[] = {{CKA_SIGN, &yes, sizeof yes}};
    CK_OBJECT_HANDLE public_key;
    check(module->C_GenerateKeyPair(session, &make, public, 1, private, 1, &public_key, &key),
          "C_GenerateKeyPair");
    check(module->C_SignInit(session, &use, key), "C_SignInit");
    check(module->C_Sign(session, data, sizeof data, signature, &bytes), "C_Sign");
}

/* Whether the first call after a rest is slow is up to the module. */
static void rest_and_sign(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key)
{
    for (int i = 0; i < 6; i++) {
        for (int j = 0; j < 5; j++)
            sign(session, key);
        rest(1100);
    }
    sign(session, key);
}

static const struct {
    const char *name;
    void (*run)(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key);
} patterns[] = {
    {"login-per-operation", log_in},
    {"needless-login", log_in_needlessly},
    {"polling", poll_token},
    {"slow-startup", start_slowly},
    {"leaked-sessions", leave_sessions},
    {"unfinished-searches", leave_searches},
    {"retries", try_again},
    {"attribute-fallback", ask_one_by_one},
    {"use-after-fork", fork_and_sign},
    {"failed-logins", mistype},
    {"weak-keys", sign_weakly},
    {"bursts-after-idle", rest_and_sign},
};

int main(int count, char **arguments)
{
    if (count != 5)
        return 2;
    load(arguments[1]);
    pin = (CK_UTF8CHAR *)arguments[2];
    sick = strcmp(arguments[4], "sick") == 0;
    token_find();
    CK_SESSION_HANDLE session = session_open();
    check(login(session), "C_Login");
    CK_OBJECT_HANDLE key = key_find(session);
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++)
        if (strcmp(patterns[i].name, arguments[3]) == 0)
            patterns[i].run(session, key);
    check(module->C_Finalize(NULL), "C_Finalize");
    return 0;
}
