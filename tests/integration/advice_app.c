/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Applications whose habits are known, for advise_test.sh: each bad one with one that does the same
 * work as it should.
 *
 *   advice_app MODULE PIN HABIT LABEL COUNT
 *
 * It signs COUNT times with the private key of that label on the first token that is initialised.
 */
#include "p11prof/pkcs11.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 4, LISTED_MAX = 256, ATTRIBUTE_BYTES = 64, DRAWN_BYTES = 32 };

static CK_FUNCTION_LIST *module;
static CK_SLOT_ID slot;
static char *label;
static int count;
static CK_BYTE data[4096], out[1024];

static void check(CK_RV rv, const char *what)
{
    if (rv == CKR_OK)
        return;
    fprintf(stderr, "advice_app: %s: 0x%lx\n", what, rv);
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
    CK_ULONG slot_count = 16;
    check(module->C_Initialize(&arguments), "C_Initialize");
    check(module->C_GetSlotList(CK_TRUE, slots, &slot_count), "C_GetSlotList");
    for (CK_ULONG i = slot_count; i-- > 0;)
        if (module->C_GetTokenInfo(slots[i], &info) == CKR_OK && info.flags & CKF_TOKEN_INITIALIZED)
            slot = slots[i];
}

static CK_SESSION_HANDLE session_open(void)
{
    CK_SESSION_HANDLE session;
    check(module->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &session), "C_OpenSession");
    return session;
}

static CK_ULONG search(CK_SESSION_HANDLE session, CK_ATTRIBUTE *by, CK_ULONG by_count,
                       CK_OBJECT_HANDLE *found, CK_ULONG wanted)
{
    CK_ULONG got = 0, all = 0;
    check(module->C_FindObjectsInit(session, by, by_count), "C_FindObjectsInit");
    do {
        check(module->C_FindObjects(session, found + all, wanted, &got), "C_FindObjects");
        all += got;
    } while (got > 0 && wanted == 1 && all < LISTED_MAX);
    check(module->C_FindObjectsFinal(session), "C_FindObjectsFinal");
    return all;
}

static CK_OBJECT_HANDLE key_find(CK_SESSION_HANDLE session)
{
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE by[] = {{CKA_CLASS, &class, sizeof class}, {CKA_LABEL, label, strlen(label)}};
    CK_OBJECT_HANDLE key[2] = {1};
    if (strcmp(label, "-") == 0)
        return key[0];
    check(search(session, by, 2, key, 2) == 1 ? CKR_OK : CKR_GENERAL_ERROR, "search");
    return key[0];
}

static void sign(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key)
{
    CK_MECHANISM mechanism = {CKM_ECDSA, NULL, 0};
    CK_ULONG bytes = sizeof out;
    check(module->C_SignInit(session, &mechanism, key), "C_SignInit");
    check(module->C_Sign(session, data, 32, out, &bytes), "C_Sign");
}

/* --- the habits --- */

static void found(CK_SESSION_HANDLE session)
{
    CK_OBJECT_HANDLE key = key_find(session);
    for (int i = 0; i < count; i++)
        sign(session, key);
}

static void searching(CK_SESSION_HANDLE session)
{
    for (int i = 0; i < count; i++)
        sign(session, key_find(session));
}

static void listing(CK_SESSION_HANDLE session)
{
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE by = {CKA_CLASS, &class, sizeof class};
    CK_OBJECT_HANDLE keys[LISTED_MAX + 1], key = 0;
    CK_ULONG listed = search(session, &by, 1, keys, 1);
    for (CK_ULONG i = 0; i < listed; i++) {
        char name[ATTRIBUTE_BYTES];
        CK_ATTRIBUTE read = {CKA_LABEL, name, sizeof name};
        check(module->C_GetAttributeValue(session, keys[i], &read, 1), "C_GetAttributeValue");
        if (read.ulValueLen == strlen(label) && memcmp(name, label, read.ulValueLen) == 0)
            key = keys[i];
    }
    for (int i = 0; i < count; i++)
        sign(session, key);
}

static void opening(CK_SESSION_HANDLE session)
{
    CK_OBJECT_HANDLE key = key_find(session);
    for (int i = 0; i < count; i++) {
        CK_SESSION_HANDLE own = session_open();
        sign(own, key);
        check(module->C_CloseSession(own), "C_CloseSession");
    }
}

static void asking(CK_SESSION_HANDLE session)
{
    CK_OBJECT_HANDLE key = key_find(session);
    CK_MECHANISM mechanism = {CKM_ECDSA, NULL, 0};
    for (int i = 0; i < count; i++) {
        CK_ULONG bytes;
        check(module->C_SignInit(session, &mechanism, key), "C_SignInit");
        check(module->C_Sign(session, data, 32, NULL, &bytes), "C_Sign");
        check(module->C_Sign(session, data, 32, out, &bytes), "C_Sign");
    }
}

static const CK_ATTRIBUTE_TYPE read_types[] = {CKA_CLASS, CKA_KEY_TYPE, CKA_LABEL,
                                               CKA_ID,    CKA_TOKEN,    CKA_PRIVATE};
enum { READ_TYPES = sizeof read_types / sizeof read_types[0] };

static void read_attributes(CK_SESSION_HANDLE session, int at_once)
{
    CK_OBJECT_HANDLE key = key_find(session);
    char values[READ_TYPES][ATTRIBUTE_BYTES];
    CK_ATTRIBUTE reads[READ_TYPES];
    for (int i = 0; i < count; i++) {
        for (int j = 0; j < READ_TYPES; j++)
            reads[j] = (CK_ATTRIBUTE){read_types[j], values[j], sizeof values[j]};
        for (int j = 0; j < READ_TYPES; j += at_once)
            check(module->C_GetAttributeValue(session, key, reads + j, (CK_ULONG)at_once),
                  "C_GetAttributeValue");
        sign(session, key);
    }
}

static void reading(CK_SESSION_HANDLE session)
{
    read_attributes(session, 1);
}

static void reading_at_once(CK_SESSION_HANDLE session)
{
    int times = count;
    count = 1;
    read_attributes(session, READ_TYPES);
    count = times;
    found(session);
}

static void digesting(CK_SESSION_HANDLE session)
{
    CK_OBJECT_HANDLE key = key_find(session);
    CK_MECHANISM mechanism = {CKM_SHA256, NULL, 0};
    for (int i = 0; i < count; i++) {
        CK_ULONG bytes = sizeof out;
        check(module->C_DigestInit(session, &mechanism), "C_DigestInit");
        check(module->C_Digest(session, data, sizeof data, out, &bytes), "C_Digest");
        sign(session, key);
    }
}

static void draw(CK_SESSION_HANDLE session, int times)
{
    CK_OBJECT_HANDLE key = key_find(session);
    for (int i = 0; i < count; i++) {
        if (i < times)
            check(module->C_GenerateRandom(session, out, 16), "C_GenerateRandom");
        sign(session, key);
    }
}

static void drawing(CK_SESSION_HANDLE session)
{
    draw(session, count);
}

static void seeding(CK_SESSION_HANDLE session)
{
    draw(session, 8);
}

/* --- threads --- */

static void *draw_often(void *payload)
{
    const CK_SESSION_HANDLE *session = payload;
    CK_BYTE bytes[DRAWN_BYTES];
    for (int i = 0; i < count; i++)
        check(module->C_GenerateRandom(*session, bytes, sizeof bytes), "C_GenerateRandom");
    return NULL;
}

/* Random numbers need no operation: threads that share a session lose time, but not their way. */
static void draw_in_threads(CK_SESSION_HANDLE session, int own)
{
    CK_SESSION_HANDLE sessions[THREADS];
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        sessions[i] = own ? session_open() : session;
        pthread_create(&threads[i], NULL, draw_often, &sessions[i]);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

static void sharing(CK_SESSION_HANDLE session)
{
    draw_in_threads(session, 0);
}

static void owning(CK_SESSION_HANDLE session)
{
    draw_in_threads(session, 1);
}

static const struct {
    const char *name;
    void (*run)(CK_SESSION_HANDLE session);
} habits[] = {{"found", found},
              {"searching", searching},
              {"listing", listing},
              {"opening", opening},
              {"asking", asking},
              {"reading", reading},
              {"reading-at-once", reading_at_once},
              {"digesting", digesting},
              {"drawing", drawing},
              {"seeding", seeding},
              {"sharing", sharing},
              {"owning", owning}};

int main(int argc, char **argv)
{
    if (argc != 6) {
        fputs("usage: advice_app MODULE PIN HABIT LABEL COUNT\n", stderr);
        return 2;
    }
    load(argv[1]);
    label = argv[4];
    count = atoi(argv[5]);
    token_find();
    CK_SESSION_HANDLE session = session_open();
    check(module->C_Login(session, CKU_USER, (CK_BYTE *)argv[2], strlen(argv[2])), "C_Login");
    for (size_t i = 0; i < sizeof habits / sizeof habits[0]; i++)
        if (strcmp(habits[i].name, argv[3]) == 0)
            habits[i].run(session);
    check(module->C_Finalize(NULL), "C_Finalize");
    return 0;
}
