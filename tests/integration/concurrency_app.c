/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* An application whose threads sign at once, for concurrency_test.sh:
 *
 *   concurrency_app MODULE THREADS CALLS THINK_US SESSIONS [locked]
 *
 * Each thread makes so many C_Sign and pauses between them: from 0 to twice THINK_US, and none for
 * 0. Thread n uses session n modulo SESSIONS; without C_SignInit, which the module that is used
 * does not miss. locked: a mutex of its own around the module. */
#include "p11prof/pkcs11.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { THREADS_MAX = 64 };

static CK_FUNCTION_LIST *module;
static CK_SESSION_HANDLE sessions[THREADS_MAX];
static unsigned call_count, think_us, session_count;
static bool locked;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void check(CK_RV rv, const char *what)
{
    if (rv == CKR_OK)
        return;
    fprintf(stderr, "concurrency_app: %s: 0x%lx\n", what, rv);
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

static void think(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    uint64_t ns = think_us ? (*seed >> 33) % (2000 * (uint64_t)think_us) : 0;
    const struct timespec pause = {(time_t)(ns / 1000000000), (long)(ns % 1000000000)};
    if (ns)
        nanosleep(&pause, NULL);
}

static void *sign(void *number)
{
    uint64_t seed = (uintptr_t)number + 1;
    CK_BYTE data[32] = {0}, signature[512];
    for (unsigned i = 0; i < call_count; i++) {
        CK_ULONG bytes = sizeof signature;
        think(&seed);
        if (locked)
            pthread_mutex_lock(&lock);
        check(module->C_Sign(sessions[(uintptr_t)number % session_count], data, sizeof data,
                             signature, &bytes),
              "C_Sign");
        if (locked)
            pthread_mutex_unlock(&lock);
    }
    return NULL;
}

int main(int count, char **arguments)
{
    pthread_t threads[THREADS_MAX];
    if (count < 6)
        return 2;
    unsigned thread_count = (unsigned)atoi(arguments[2]);
    call_count = (unsigned)atoi(arguments[3]);
    think_us = (unsigned)atoi(arguments[4]);
    session_count = (unsigned)atoi(arguments[5]);
    locked = count > 6 && strcmp(arguments[6], "locked") == 0;
    load(arguments[1]);
    CK_C_INITIALIZE_ARGS os = {.flags = CKF_OS_LOCKING_OK};
    check(module->C_Initialize(&os), "C_Initialize");
    for (unsigned i = 0; i < session_count && i < THREADS_MAX; i++)
        check(module->C_OpenSession(0, CKF_SERIAL_SESSION, NULL, NULL, &sessions[i]),
              "C_OpenSession");
    for (uintptr_t i = 0; i < thread_count && i < THREADS_MAX; i++)
        if (pthread_create(&threads[i], NULL, sign, (void *)i) != 0)
            return 1;
    for (unsigned i = 0; i < thread_count && i < THREADS_MAX; i++)
        pthread_join(threads[i], NULL);
    check(module->C_Finalize(NULL), "C_Finalize");
    return 0;
}
