/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* An application of known behaviour: driver SHIM COUNTS SCENARIO THREADS CALLS
 *
 * Every thread makes CALLS calls of C_GenerateRandom; THREADS of them at once in each process of
 * the scenario. */
#include "driving.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

/* Stays until all have made their calls. */
static void *crowd_member(void *all_done)
{
    calls_make(NULL);
    pthread_barrier_wait(all_done);
    return NULL;
}

/* All of them alive at once, more than a spool has rings for. */
static void crowd_run(void)
{
    pthread_t *threads = calloc(thread_count, sizeof *threads);
    pthread_attr_t attributes;
    pthread_barrier_t all_done;
    pthread_barrier_init(&all_done, NULL, thread_count);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 128 * 1024);
    for (unsigned i = 0; threads && i < thread_count; i++)
        if (pthread_create(&threads[i], &attributes, crowd_member, &all_done) != 0)
            die("no thread");
    for (unsigned i = 0; threads && i < thread_count; i++)
        pthread_join(threads[i], NULL);
    pthread_attr_destroy(&attributes);
    free(threads);
}

/* The calls of one thread go on counting where the last thread's ended. */
static void *relay_leg(void *unused)
{
    static CK_BYTE buffer[1];
    struct driver_slot *slot = &counts->slots[0];
    uint64_t n = atomic_load(&slot->returned_count), last = n + call_count;
    while (n++ < last) {
        module->C_GenerateRandom(1, buffer, n);
        atomic_store(&slot->returned_count, n);
    }
    return unused;
}

/* --- scenarios --- */

static void scenario_finalize(void)
{
    module->C_Initialize(NULL);
    threads_run();
    module->C_Finalize(NULL);
}

static void scenario_exit(void)
{
    module->C_Initialize(NULL);
    threads_run();
}

static void scenario__exit(void)
{
    scenario_exit();
    _exit(0);
}

static void scenario_abort(void)
{
    scenario_exit();
    abort();
}

static void scenario_kill(void)
{
    scenario_exit();
    kill(getpid(), SIGKILL);
}

static void scenario_execve(void)
{
    char *const program[] = {"/bin/true", NULL};
    scenario_exit();
    execv(program[0], program);
    die("cannot execute /bin/true");
}

static void scenario_dlclose(void)
{
    scenario_finalize();
    dlclose(handle);
    module_load(arguments[1]);
    scenario_finalize();
    dlclose(handle);
}

static void scenario_again(void)
{
    for (int i = 0; i < 3; i++)
        scenario_finalize();
}

/* No C_Initialize at all, as in a child that inherits an initialised module. */
static void scenario_uninitialized(void)
{
    threads_run();
}

static void scenario_fork_before(void)
{
    for (int i = 0; i < 3; i++) {
        pid_t child = fork();
        if (child == 0) {
            scenario_finalize();
            exit(0);
        }
        wait_for(child);
    }
}

static void scenario_fork_after(void)
{
    pid_t children[3];
    module->C_Initialize(NULL);
    threads_run();
    for (int i = 0; i < 3; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            threads_run(); /* without C_Initialize */
            pid_t grandchild = fork();
            if (grandchild == 0) {
                scenario_exit();
                _exit(0);
            }
            wait_for(grandchild);
            exit(0);
        }
    }
    for (int i = 0; i < 3; i++)
        wait_for(children[i]);
    threads_run();
    module->C_Finalize(NULL);
}

/* The parent is gone before its child begins. */
static void scenario_daemon(void)
{
    pid_t parent = getpid();
    module->C_Initialize(NULL);
    threads_run();
    if (fork() != 0)
        exit(0);
    while (getppid() == parent)
        usleep(1000);
    threads_run();
}

/* Forks while other threads record and the drain is at work. */
static void scenario_fork_threads(void)
{
    pthread_t thread;
    module->C_Initialize(NULL);
    pthread_create(&thread, NULL, calls_make, NULL);
    for (int i = 0; i < 7; i++) {
        pid_t child = fork();
        if (child == 0) {
            thread_count = 1;
            threads_run();
            _exit(0);
        }
        wait_for(child);
    }
    pthread_join(thread, NULL);
    module->C_Finalize(NULL);
}

static void sign_once(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key)
{
    CK_MECHANISM mechanism = {CKM_AES_CMAC, NULL, 0};
    CK_BYTE data[32] = {0}, mac[16];
    CK_ULONG length = sizeof mac;
    module->C_SignInit(session, &mechanism, key);
    module->C_Sign(session, data, sizeof data, mac, &length);
}

/* Children use the key of their parent: one while it lives, one when it is gone. */
static void scenario_fork_keys(void)
{
    CK_OBJECT_CLASS class = CKO_SECRET_KEY;
    CK_KEY_TYPE type = CKK_AES;
    CK_ULONG bytes = 32;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof class},
                               {CKA_KEY_TYPE, &type, sizeof type},
                               {CKA_VALUE_LEN, &bytes, sizeof bytes}};
    CK_MECHANISM mechanism = {CKM_AES_KEY_GEN, NULL, 0};
    CK_SESSION_HANDLE session = 5;
    CK_OBJECT_HANDLE key = 77;
    pid_t parent = getpid();
    module->C_Initialize(NULL);
    module->C_OpenSession(3, CKF_SERIAL_SESSION, NULL, NULL, &session);
    module->C_GenerateKey(session, &mechanism, template, 3, &key);
    pid_t child = fork();
    if (child == 0) {
        sign_once(session, key);
        _exit(0);
    }
    wait_for(child);
    if (fork() == 0) {
        while (getppid() == parent)
            usleep(1000);
        sign_once(session, key);
        exit(0);
    }
    module->C_CloseAllSessions(3);
    module->C_Finalize(NULL);
}

static void scenario_close_fds(void)
{
    module->C_Initialize(NULL);
    threads_run();
    syscall(SYS_close_range, 3u, ~0u, 0u);
    for (int i = 0; i < 40; i++) /* whoever writes to our old numbers writes here */
        if (open("/dev/null", O_RDONLY) < 0)
            die("cannot open /dev/null");
    threads_run();
    module->C_Finalize(NULL);
}

static void from_handler(int signal)
{
    static CK_BYTE buffer[1];
    struct driver_slot *slot = &counts->slots[0];
    (void)signal;
    uint64_t n = atomic_load(&slot->returned_count) + 1;
    module->C_GenerateRandom(1, buffer, n);
    atomic_store(&slot->returned_count, n);
}

/* A handler that makes calls itself, on top of whatever it interrupts. */
static void scenario_signals(void)
{
    struct sigaction action = {.sa_handler = from_handler, .sa_flags = SA_RESTART};
    const struct itimerval often = {.it_interval = {.tv_usec = 200}, .it_value = {.tv_usec = 200}};
    const struct itimerval never = {{0, 0}, {0, 0}};
    atomic_fetch_add(&counts->slot_count, 1);
    module->C_Initialize(NULL);
    sigaction(SIGPROF, &action, NULL);
    setitimer(ITIMER_PROF, &often, NULL);
    threads_run();
    setitimer(ITIMER_PROF, &never, NULL);
    module->C_Finalize(NULL);
}

static void scenario_wait(void)
{
    CK_SLOT_ID slot;
    module->C_Initialize(NULL);
    for (uint64_t i = 0; i < call_count; i++)
        module->C_WaitForSlotEvent(0, &slot, NULL);
    module->C_Finalize(NULL);
}

static void scenario_crowd(void)
{
    module->C_Initialize(NULL);
    crowd_run();
    module->C_Finalize(NULL);
}

static void scenario_relay(void)
{
    pthread_t thread;
    atomic_store(&counts->slot_count, 1);
    module->C_Initialize(NULL);
    for (unsigned i = 0; i < thread_count; i++)
        if (pthread_create(&thread, NULL, relay_leg, NULL) != 0 || pthread_join(thread, NULL) != 0)
            die("no thread");
    module->C_Finalize(NULL);
}

static void scenario_phases(void)
{
    module->C_Initialize(NULL);
    threads_run();
    while (!atomic_load(&counts->phase))
        usleep(1000);
    threads_run();
    module->C_Finalize(NULL);
}

static void scenario_no_threads(void)
{
    CK_C_INITIALIZE_ARGS arguments_of_nss = {.flags = CKF_LIBRARY_CANT_CREATE_OS_THREADS |
                                                      CKF_OS_LOCKING_OK};
    module->C_Initialize(&arguments_of_nss);
    threads_run();
    DIR *tasks = opendir("/proc/self/task");
    unsigned count = 0;
    while (tasks && readdir(tasks))
        count++;
    if (count != 3) /* ., .. and this thread */
        die("there is a thread");
    closedir(tasks);
    module->C_Finalize(NULL);
}

static void *restarts_make(void *allowed)
{
    while (!atomic_load((_Atomic(int) *)allowed))
        usleep(100);
    for (int i = 0; i < 1000; i++) {
        module->C_Initialize(NULL);
        module->C_Finalize(NULL);
    }
    return calls_make(NULL);
}

/* Threads begin and end the module's life at once, and no further thread is allowed. */
static void scenario_refused_beside(void)
{
    static _Atomic(int) allowed;
    const struct rlimit none = {0, 0};
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, restarts_make, &allowed);
    setrlimit(RLIMIT_NPROC, &none);
    atomic_store(&allowed, 1);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
}

static void scenario_fiber(void)
{
    module->C_Initialize(NULL);
    fiber_run(16 * 1024, false);
    module->C_Finalize(NULL);
}

static void scenario_fiber_finalize(void)
{
    module->C_Initialize(NULL);
    fiber_run(16 * 1024, true);
    if (thread_count > 1)
        _exit(0);
}

static const struct scenario scenarios[] = {
    {"finalize", scenario_finalize},
    {"exit", scenario_exit},
    {"_exit", scenario__exit},
    {"abort", scenario_abort},
    {"kill", scenario_kill},
    {"execve", scenario_execve},
    {"dlclose", scenario_dlclose},
    {"again", scenario_again},
    {"uninitialized", scenario_uninitialized},
    {"fork-before", scenario_fork_before},
    {"fork-after", scenario_fork_after},
    {"fork-threads", scenario_fork_threads},
    {"fork-keys", scenario_fork_keys},
    {"daemon", scenario_daemon},
    {"close-fds", scenario_close_fds},
    {"signals", scenario_signals},
    {"wait", scenario_wait},
    {"crowd", scenario_crowd},
    {"relay", scenario_relay},
    {"phases", scenario_phases},
    {"no-threads", scenario_no_threads},
    {"refused-beside", scenario_refused_beside},
    {"fiber", scenario_fiber},
    {"fiber-finalize", scenario_fiber_finalize},
};

int main(int argc, char **argv)
{
    return drive(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
