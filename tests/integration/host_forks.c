/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Processes that come and go in every order. */
#include "host_driver.h"

#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FORKING_THREADS = 4, FORKS_A_THREAD = 3, WORKERS = 3, GENERATIONS = 12 };

/* What a child does: calls, with or without initialising anew; how it ends tells the number. */
static void child_lives(unsigned number)
{
    thread_count = 1;
    if (number % 2)
        module->C_Initialize(NULL);
    threads_run();
    if (number % 3 == 0)
        module->C_Finalize(NULL);
    if (number % 3 == 1)
        exit(0);
    _exit(0);
}

static pid_t child_start(unsigned number)
{
    pid_t child = fork();
    if (child == 0)
        child_lives(number);
    return child;
}

/* --- from several threads at once --- */

static void *fork_often(void *number)
{
    unsigned first = (unsigned)(uintptr_t)number;
    for (unsigned i = 0; i < FORKS_A_THREAD; i++)
        wait_for(child_start(first + i));
    return NULL;
}

void scenario_fork_crowd(void)
{
    pthread_t threads[FORKING_THREADS], caller;
    module->C_Initialize(NULL);
    pthread_create(&caller, NULL, calls_make, NULL);
    for (uintptr_t i = 0; i < FORKING_THREADS; i++)
        if (pthread_create(&threads[i], NULL, fork_often, (void *)i) != 0)
            die("no thread");
    for (unsigned i = 0; i < FORKING_THREADS; i++)
        pthread_join(threads[i], NULL);
    pthread_join(caller, NULL);
    module->C_Finalize(NULL);
}

static void *restart_often(void *stop)
{
    while (!atomic_load((_Atomic(int) *)stop)) {
        module->C_Finalize(NULL);
        module->C_Initialize(NULL);
    }
    return NULL;
}

/* While another thread starts and ends our drain. */
void scenario_fork_restart(void)
{
    static _Atomic(int) stop;
    pthread_t thread;
    module->C_Initialize(NULL);
    pthread_create(&thread, NULL, restart_often, &stop);
    for (unsigned i = 0; i < 12; i++)
        wait_for(child_start(i));
    threads_run();
    atomic_store(&stop, 1);
    pthread_join(thread, NULL);
    module->C_Finalize(NULL);
}

static void *fork_on(void *stop)
{
    while (!atomic_load((_Atomic(int) *)stop)) {
        pid_t child = fork();
        if (child == 0)
            _exit(0);
        wait_for(child);
        usleep(10000);
    }
    return NULL;
}

static void *fork_without_pause(void *stop)
{
    while (!atomic_load((_Atomic(int) *)stop)) {
        pid_t child = fork();
        if (child == 0)
            _exit(0);
        wait_for(child);
    }
    return NULL;
}

static void run_beside(void *(*forks)(void *))
{
    static _Atomic(int) stop;
    pthread_t thread;
    module->C_Initialize(NULL);
    pthread_create(&thread, NULL, forks, &stop);
    threads_run();
    atomic_store(&stop, 1);
    pthread_join(thread, NULL);
    module->C_Finalize(NULL);
}

/* More calls than the spool holds, and a fork in the way of each of our transactions. */
void scenario_fork_on(void)
{
    run_beside(fork_on);
}

/* Forks that leave no time for any. */
void scenario_fork_storm(void)
{
    run_beside(fork_without_pause);
}

/* --- from inside the module's callbacks --- */

static bool fork_in_create;
static __thread bool fork_in_lock;
static __thread pid_t forked = 1;

static CK_RV mutex_create(void **mutex)
{
    *mutex = &fork_in_create;
    if (fork_in_create)
        forked = fork();
    return CKR_OK;
}

static CK_RV mutex_lock(void *mutex)
{
    (void)mutex;
    if (fork_in_lock)
        forked = fork();
    fork_in_lock = false;
    return CKR_OK;
}

static CK_RV mutex_do_nothing(void *mutex)
{
    (void)mutex;
    return CKR_OK;
}

static CK_C_INITIALIZE_ARGS callbacks = {.CreateMutex = mutex_create,
                                         .DestroyMutex = mutex_do_nothing,
                                         .LockMutex = mutex_lock,
                                         .UnlockMutex = mutex_do_nothing};

/* The child of a fork inside C_Initialize comes out of it, too. */
void scenario_fork_create_mutex(void)
{
    fork_in_create = true;
    module->C_Initialize(&callbacks);
    if (forked == 0)
        child_lives(4);
    wait_for(forked);
    threads_run();
    module->C_Finalize(NULL);
}

static void *fork_in_call(void *unused)
{
    static CK_BYTE buffer[1];
    struct driver_slot *slot = slot_take();
    for (unsigned i = 1; i <= 7; i++) {
        fork_in_lock = i == 3 || i == 5; /* the module locks for odd lengths */
        module->C_GenerateRandom(1, buffer, i);
        if (forked == 0) {
            forked = 1;
            child_lives(i);
        }
        if (forked > 1)
            wait_for(forked);
        forked = 1;
        atomic_store(&slot->returned_count, i);
    }
    return unused;
}

void scenario_fork_lock_mutex(void)
{
    pthread_t threads[FORKING_THREADS];
    module->C_Initialize(&callbacks);
    for (unsigned i = 0; i < FORKING_THREADS; i++)
        if (pthread_create(&threads[i], NULL, fork_in_call, NULL) != 0)
            die("no thread");
    for (unsigned i = 0; i < FORKING_THREADS; i++)
        pthread_join(threads[i], NULL);
    threads_run();
    module->C_Finalize(NULL);
}

/* --- other programs, other ways to fork --- */

static pid_t vfork_true(void)
{
    pid_t child = vfork();
    if (child == 0) {
        execl("/bin/true", "true", NULL);
        _exit(98);
    }
    return child;
}

void scenario_programs(void)
{
    char *const program[] = {"true", NULL};
    pid_t child;
    module->C_Initialize(NULL);
    for (int i = 0; i < 5; i++) {
        calls_make(NULL);
        wait_for(vfork_true());
        if (posix_spawn(&child, "/bin/true", NULL, NULL, program, environ) != 0)
            die("posix_spawn");
        wait_for(child);
        FILE *pipe = popen("true", "r");
        if (system("true") != 0 || !pipe || pclose(pipe) != 0)
            die("system or popen");
    }
    module->C_Finalize(NULL);
}

/* daemon(3) ends the parent by _exit(). */
void scenario_daemon(void)
{
    module->C_Initialize(NULL);
    threads_run();
    if (daemon(1, 1) != 0)
        die("daemon");
    threads_run();
    module->C_Finalize(NULL);
}

/* No handlers of pthread_atfork() run. */
void scenario_raw_fork(void)
{
    module->C_Initialize(NULL);
    threads_run();
    for (unsigned i = 0; i < 4; i++) {
        pid_t child = i % 2 ? _Fork() : (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
        if (child == 0) {
            calls_make(NULL);
            _exit(0);
        }
        wait_for(child);
    }
    threads_run();
    module->C_Finalize(NULL);
}

/* --- servers --- */

/* A worker serves its requests and ends; half of them are children of C_Initialize anew. */
static void workers_start(pid_t *workers, unsigned generation)
{
    for (unsigned i = 0; i < WORKERS; i++)
        workers[i] = child_start(generation * WORKERS + i);
}

/* As Apache does: the parent replaces each worker; at the end it is gone before they are. */
void scenario_prefork(void)
{
    pid_t workers[2][WORKERS], parent = getpid();
    module->C_Initialize(NULL);
    calls_make(NULL);
    workers_start(workers[0], 0);
    for (unsigned generation = 1; generation < 4; generation++) {
        workers_start(workers[generation % 2], generation); /* graceful: beside the old ones */
        for (unsigned i = 0; i < WORKERS; i++)
            wait_for(workers[(generation - 1) % 2][i]);
    }
    if (fork() == 0) {
        while (getppid() == parent)
            usleep(1000);
        child_lives(1);
    }
    _exit(0);
}

/* Each process forks the next and is gone; every third makes no call. */
void scenario_generations(void)
{
    module->C_Initialize(NULL);
    for (unsigned generation = 0; generation < GENERATIONS; generation++) {
        pid_t parent = getpid();
        if (generation % 3 != 1)
            calls_make(NULL);
        pid_t child = fork();
        if (child < 0)
            die("fork");
        if (child > 0)
            _exit(0);
        while (getppid() == parent)
            usleep(1000);
    }
}
