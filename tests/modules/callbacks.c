/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* A module that calls its application back, waits, and hangs:
 *
 *   C_Initialize        CreateMutex, LockMutex, UnlockMutex, where it is given them
 *   C_GenerateRandom    LockMutex and UnlockMutex; every second call, told by its length
 *   C_SeedRandom        the session's Notify
 *   C_WaitForSlotEvent  waits until C_Finalize; in a loop without a cancellation point where the
 *                       thread may be cancelled anywhere
 *   C_GenerateKey       hangs */
#include "p11prof/pkcs11.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <unistd.h>

#pragma GCC diagnostic ignored "-Wunused-parameter"

static CK_LOCKMUTEX lock, unlock;
static CK_NOTIFY notify;
static void *application, *mutex;
static _Atomic(int) initialized;

static CK_RV initialize(void *given)
{
    const CK_C_INITIALIZE_ARGS *args = given;
    lock = unlock = NULL;
    if (args && args->CreateMutex) {
        if (args->CreateMutex(&mutex) != CKR_OK || args->LockMutex(mutex) != CKR_OK)
            return CKR_CANT_LOCK;
        args->UnlockMutex(mutex);
        lock = args->LockMutex;
        unlock = args->UnlockMutex;
    }
    return atomic_exchange(&initialized, 1) ? CKR_CRYPTOKI_ALREADY_INITIALIZED : CKR_OK;
}

static CK_RV finalize(void *reserved)
{
    return atomic_exchange(&initialized, 0) ? CKR_OK : CKR_CRYPTOKI_NOT_INITIALIZED;
}

static CK_RV open_session(CK_SLOT_ID slot, CK_FLAGS flags, void *with, CK_NOTIFY call,
                          CK_SESSION_HANDLE *session)
{
    application = with;
    notify = call;
    *session = 1;
    return CKR_OK;
}

static CK_RV generate_random(CK_SESSION_HANDLE session, CK_BYTE *buffer, CK_ULONG length)
{
    if (lock && length % 2) {
        lock(mutex);
        unlock(mutex);
    }
    return CKR_OK;
}

static CK_RV seed_random(CK_SESSION_HANDLE session, CK_BYTE *seed, CK_ULONG length)
{
    return notify ? notify(session, CKN_SURRENDER, application) : CKR_OK;
}

static CK_RV wait_for_slot_event(CK_FLAGS flags, CK_SLOT_ID *slot, void *reserved)
{
    int type;
    pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &type);
    pthread_setcanceltype(type, NULL);
    while (atomic_load(&initialized))
        if (type == PTHREAD_CANCEL_DEFERRED)
            usleep(1000);
    return CKR_CRYPTOKI_NOT_INITIALIZED;
}

static CK_RV generate_key(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism,
                          CK_ATTRIBUTE *template, CK_ULONG count, CK_OBJECT_HANDLE *key)
{
    do
        pause();
    while (atomic_load(&initialized));
    return CKR_CRYPTOKI_NOT_INITIALIZED;
}

static CK_FUNCTION_LIST list = {
    .version = {2, 40},
    .C_Initialize = initialize,
    .C_Finalize = finalize,
    .C_OpenSession = open_session,
    .C_GenerateRandom = generate_random,
    .C_SeedRandom = seed_random,
    .C_WaitForSlotEvent = wait_for_slot_event,
    .C_GenerateKey = generate_key,
};

__attribute__((visibility("default"))) CK_RV C_GetFunctionList(CK_FUNCTION_LIST **out)
{
    *out = &list;
    return CKR_OK;
}
