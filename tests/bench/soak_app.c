/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* A busy server: four lanes in which one thread follows the other, sessions with an object, ten
 * signatures and a search each, and a child twice a second. */
#include "soak.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    LANES = 4,
    SESSIONS_A_THREAD = 200,
    SIGNATURES = 10,
    CALLS_A_SESSION = 2 * SIGNATURES + 7,
    CATCH_UP_NS = 100000000, /* who is later than this does not hurry */
};

static struct {
    CK_FUNCTION_LIST *module;
    struct soak_told *told;
    uint64_t end_count, session_period_ns;
} work;

static void session_run(void)
{
    CK_MECHANISM mechanism = {CKM_AES_CMAC, NULL, 0};
    CK_OBJECT_CLASS class = CKO_DATA;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof class}};
    CK_SESSION_HANDLE session;
    CK_OBJECT_HANDLE object, found[4];
    CK_ULONG count;
    CK_BYTE data[32] = {0}, mac[64];
    CK_FUNCTION_LIST *module = work.module;
    module->C_OpenSession(0, CKF_SERIAL_SESSION, NULL, NULL, &session);
    module->C_CreateObject(session, template, 1, &object);
    for (int i = 0; i < SIGNATURES; i++) {
        CK_ULONG length = sizeof mac;
        module->C_SignInit(session, &mechanism, object);
        module->C_Sign(session, data, sizeof data, mac, &length);
    }
    module->C_FindObjectsInit(session, template, 1);
    module->C_FindObjects(session, found, 4, &count);
    module->C_FindObjectsFinal(session);
    module->C_DestroyObject(session, object);
    module->C_CloseSession(session);
    atomic_fetch_add(&work.told->call_count, CALLS_A_SESSION);
    atomic_fetch_add(&work.told->session_count, 1);
}

static void *worker_run(void *due)
{
    uint64_t *due_ns = due;
    for (int i = 0; i < SESSIONS_A_THREAD; i++) {
        uint64_t now_ns = bench_now_ns();
        if (now_ns > *due_ns + CATCH_UP_NS)
            *due_ns = now_ns;
        while (bench_now_ns() < *due_ns)
            usleep(100);
        session_run();
        *due_ns += work.session_period_ns;
    }
    atomic_fetch_add(&work.told->thread_count, 1);
    return NULL;
}

/* Makes no calls itself. */
static void *lane_run(void *unused)
{
    uint64_t due_ns = bench_now_ns();
    while (atomic_load(&work.told->call_count) < work.end_count) {
        pthread_t worker;
        if (pthread_create(&worker, NULL, worker_run, &due_ns) != 0)
            exit(1);
        pthread_join(worker, NULL);
    }
    return unused;
}

/* Every other one initialises anew and finalises, the others just end. */
static void child_run(unsigned number)
{
    if (number % 2) {
        work.module->C_Initialize(NULL);
        atomic_fetch_add(&work.told->call_count, 1);
    }
    session_run();
    if (number % 2) {
        work.module->C_Finalize(NULL);
        atomic_fetch_add(&work.told->call_count, 1);
    }
    exit(0);
}

static void children_run(void)
{
    const char *text = getenv("FORK_EVERY_MS");
    unsigned fork_every_ms = text ? (unsigned)atoi(text) : 500;
    for (unsigned number = 0; atomic_load(&work.told->call_count) < work.end_count; number++) {
        int status;
        pid_t child = fork();
        if (child == 0)
            child_run(number);
        if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
            exit(1);
        atomic_fetch_add(&work.told->child_count, 1);
        bench_sleep_ms(fork_every_ms);
    }
}

void soak_application(CK_FUNCTION_LIST *module, struct soak_told *told, uint64_t calls,
                      uint64_t calls_per_s)
{
    pthread_t lanes[LANES];
    work.module = module;
    work.told = told;
    work.end_count = calls;
    work.session_period_ns = UINT64_C(1000000000) * CALLS_A_SESSION * LANES / calls_per_s;
    module->C_Initialize(NULL);
    atomic_fetch_add(&told->call_count, 1);
    for (int i = 0; i < LANES; i++)
        if (pthread_create(&lanes[i], NULL, lane_run, NULL) != 0)
            exit(1);
    children_run();
    for (int i = 0; i < LANES; i++)
        pthread_join(lanes[i], NULL);
    uint64_t start_ns = bench_now_ns();
    module->C_Finalize(NULL);
    atomic_store(&told->finalize_ns, bench_now_ns() - start_ns);
    atomic_fetch_add(&told->call_count, 1);
    exit(0);
}
