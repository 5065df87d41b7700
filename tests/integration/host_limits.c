/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Descriptors that are closed or reused, users and roots that change, few of everything. */
#include "host_driver.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { THEIR_FILES = 12, THEIR_BYTES = 32 * 1024, LAST_DESCRIPTOR = 99, NOBODY = 65534 };
enum { THREADS_MOST = 32 };
enum { SOON_TIMES = 150, SOON_STEP_US = 20, FEW_DESCRIPTORS = 40 };

/* --- descriptors --- */

static struct {
    struct stat facts;
    int fd;
} theirs[THEIR_FILES];
static char their_path[4096], their_bytes[THEIR_BYTES];
static _Atomic(int) stop;

static void files_make(void)
{
    memset(their_bytes, 0x5a, sizeof their_bytes);
    for (int i = 0; i < THEIR_FILES; i++) {
        snprintf(their_path, sizeof their_path, "%s.%d", arguments[2], i);
        int fd = open(their_path, O_RDWR | O_CREAT | O_TRUNC, 0600);
        if (fd < 0 || write(fd, their_bytes, THEIR_BYTES) != THEIR_BYTES ||
            fstat(fd, &theirs[i].facts) != 0)
            die("cannot make a file");
        close(fd);
    }
}

static void files_open(void)
{
    for (int i = 0; i < THEIR_FILES; i++) {
        snprintf(their_path, sizeof their_path, "%s.%d", arguments[2], i);
        theirs[i].fd = open(their_path, O_RDWR);
    }
}

/* Nobody wrote to them, cut them off, or closed their descriptors. */
static void files_check(void)
{
    static char now[THEIR_BYTES];
    for (int i = 0; i < THEIR_FILES; i++) {
        struct stat facts;
        if (fstat(theirs[i].fd, &facts) != 0 || facts.st_ino != theirs[i].facts.st_ino)
            die("a descriptor of ours was closed");
        if (facts.st_size != THEIR_BYTES || pread(theirs[i].fd, now, THEIR_BYTES, 0) < 0 ||
            memcmp(now, their_bytes, THEIR_BYTES) != 0)
            die("somebody wrote to a file of ours");
    }
}

static void sockets_check(const int *pair)
{
    char byte;
    if (recv(pair[0], &byte, 1, MSG_DONTWAIT) >= 0 || recv(pair[1], &byte, 1, MSG_DONTWAIT) >= 0)
        die("somebody wrote to a socket of ours");
}

/* Closes all that it did not open, again and again, and uses the numbers itself. */
static void *steal_descriptors(void *unused)
{
    int pair[2];
    while (!atomic_load(&stop)) {
        for (int fd = 3; fd <= LAST_DESCRIPTOR; fd++)
            close(fd);
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
            die("no socket");
        files_open();
        usleep(100);
        files_check();
        sockets_check(pair);
    }
    return unused;
}

static void with_thief(void (*run)(void))
{
    pthread_t thief;
    files_make();
    if (pthread_create(&thief, NULL, steal_descriptors, NULL) != 0)
        die("no thread");
    run();
    atomic_store(&stop, 1);
    pthread_join(thief, NULL);
}

static void restart_often(void)
{
    struct driver_slot *slot = slot_take();
    for (unsigned i = 0; i < thread_count; i++) {
        module->C_Initialize(NULL);
        for (uint64_t n = 0; n < call_count; n++)
            slot_call(slot);
        module->C_Finalize(NULL);
    }
}

void scenario_thief(void)
{
    with_thief(restart_often);
}

static void first_calls(void)
{
    calls_make(NULL);
}

/* Daemons that close all that they inherited, beside the first calls of another thread. */
void scenario_thief_at_start(void)
{
    for (unsigned i = 0; i < thread_count; i++) {
        pid_t child = fork();
        if (child == 0) {
            with_thief(first_calls);
            exit(0);
        }
        wait_for(child);
    }
}

/* The numbers that we may have had all lead to one file. */
void scenario_dup2_over_all(void)
{
    module->C_Initialize(NULL);
    threads_run();
    files_make();
    files_open();
    for (int fd = 0; fd <= LAST_DESCRIPTOR; fd++)
        if ((fd < 1 || fd > 2) && (fd < theirs[0].fd || fd > theirs[THEIR_FILES - 1].fd))
            dup2(theirs[0].fd, fd);
    threads_run();
    usleep(30000);
    module->C_Finalize(NULL);
    threads_run();
    files_check();
}

/* As many descriptors as it has, none more, from its first call on. */
void scenario_no_descriptors(void)
{
    const struct rlimit none = {0, 0};
    module->C_Initialize(NULL);
    threads_run();
    if (setrlimit(RLIMIT_NOFILE, &none) != 0)
        die("setrlimit");
    threads_run();
    module->C_Finalize(NULL);
    threads_run();
}

/* The number that the next file would have; -1: none. */
static int next_descriptor(void)
{
    int fd = dup(STDERR_FILENO);
    if (fd >= 0)
        close(fd);
    return fd;
}

/* None is free at its first calls, all are later. */
static void descriptors_later(void)
{
    static int held[FEW_DESCRIPTORS];
    const struct rlimit few = {FEW_DESCRIPTORS, FEW_DESCRIPTORS};
    int count = 0;
    if (setrlimit(RLIMIT_NOFILE, &few) != 0)
        die("setrlimit");
    while ((held[count] = dup(STDERR_FILENO)) >= 0)
        count++;
    module->C_Initialize(NULL);
    threads_run();
    for (int i = 0; i < count; i++)
        if (close(held[i]) != 0)
            die("a descriptor of ours was closed");
    usleep(1100000);
    threads_run();
    if (next_descriptor() != held[0])
        die("a descriptor was taken");
    module->C_Finalize(NULL);
    if (next_descriptor() != held[0])
        die("a descriptor was taken");
}

void scenario_descriptors_later(void)
{
    pid_t child = fork(); /* its parent made a spool when it took the functions */
    if (child == 0) {
        descriptors_later();
        exit(0);
    }
    wait_for(child);
}

/* The lowest free number is the same after each call. */
void scenario_descriptors_fixed(void)
{
    struct driver_slot *slot = slot_take();
    int free_fd = next_descriptor();
    for (unsigned life = 0; life < thread_count; life++) {
        module->C_Initialize(NULL);
        for (uint64_t i = 0; i < call_count; i++) {
            slot_call(slot);
            if (next_descriptor() != free_fd)
                die("a descriptor was taken");
        }
        module->C_Finalize(NULL);
        if (next_descriptor() != free_fd)
            die("a descriptor was taken");
    }
}

/* Three lives; before the second and the third it waits for the test: phases 1 and 3 are its own.
 */
void scenario_restart(void)
{
    for (uint32_t phase = 1; phase <= 5; phase += 2) {
        module->C_Initialize(NULL);
        threads_run();
        usleep(200000); /* so that our drain has the database open, and waits for more */
        module->C_Finalize(NULL);
        atomic_store(&counts->phase, phase);
        while (phase < 5 && atomic_load(&counts->phase) == phase)
            usleep(1000);
    }
}

static pthread_barrier_t all_called, all_done;

static void *call_and_idle(void *unused)
{
    slot_call(slot_take());
    pthread_barrier_wait(&all_called);
    pthread_barrier_wait(&all_done);
    return unused;
}

/* Threads that called once and stay, each with a part of the spool; another one makes the calls. */
void scenario_starved(void)
{
    pthread_t threads[THREADS_MOST];
    unsigned idle = thread_count - 1;
    pthread_barrier_init(&all_called, NULL, thread_count);
    pthread_barrier_init(&all_done, NULL, thread_count);
    module->C_Initialize(NULL);
    for (unsigned i = 0; i < idle; i++)
        if (pthread_create(&threads[i], NULL, call_and_idle, NULL) != 0)
            die("no thread");
    pthread_barrier_wait(&all_called);
    if (pthread_create(&threads[idle], NULL, calls_make, NULL) != 0)
        die("no thread");
    pthread_join(threads[idle], NULL);
    pthread_barrier_wait(&all_done);
    for (unsigned i = 0; i < idle; i++)
        pthread_join(threads[i], NULL);
    module->C_Finalize(NULL);
}

/* --- another user, another root --- */

static void user_change(void)
{
    if (setgroups(0, NULL) != 0 || setgid(NOBODY) != 0 || setuid(NOBODY) != 0)
        die("setuid");
}

/* Once our drain has opened what it opens after C_Initialize. */
static void root_change(void)
{
    usleep(300000);
    snprintf(their_path, sizeof their_path, "%s.root", arguments[2]);
    if ((mkdir(their_path, 0755) != 0 && errno != EEXIST) || chroot(their_path) != 0 ||
        chdir("/") != 0)
        die("chroot");
}

static void children_run(void)
{
    for (int i = 0; i < 3; i++) {
        pid_t child = fork();
        if (child == 0) {
            threads_run();
            exit(0);
        }
        wait_for(child);
    }
}

/* A daemon that gives its rights away once it has its module; its children do so, too. */
void scenario_setuid(void)
{
    module->C_Initialize(NULL);
    calls_make(NULL);
    user_change();
    threads_run();
    children_run();
    module->C_Finalize(NULL);
    threads_run();
}

void scenario_chroot(void)
{
    module->C_Initialize(NULL);
    root_change();
    threads_run();
    module->C_Finalize(NULL);
    threads_run();
    if (access("/tmp", F_OK) == 0 || access("/var", F_OK) == 0 || access("/dev", F_OK) == 0)
        die("something was made in the new root");
}

/* Beside a drain that is about to open the database, at all moments of it. */
static void chroot_soon(const char *root, unsigned delay_us)
{
    struct timespec start, now;
    clock_gettime(CLOCK_MONOTONIC, &start);
    module->C_Initialize(NULL);
    umask(0);
    do
        clock_gettime(CLOCK_MONOTONIC, &now);
    while ((now.tv_sec - start.tv_sec) * 1000000 + (now.tv_nsec - start.tv_nsec) / 1000 < delay_us);
    if (chroot(root) != 0 || chdir("/") != 0)
        die("chroot");
    threads_run();
    module->C_Finalize(NULL);
    exit(0);
}

void scenario_chroot_soon(void)
{
    snprintf(their_path, sizeof their_path, "%s.root", arguments[2]);
    if (mkdir(their_path, 0755) != 0 && errno != EEXIST)
        die("mkdir");
    module->C_Initialize(NULL);
    calls_make(NULL);
    module->C_Finalize(NULL);
    for (unsigned i = 0; i < SOON_TIMES; i++) {
        pid_t child = fork();
        if (child == 0)
            chroot_soon(their_path, i * SOON_STEP_US);
        wait_for(child);
    }
    if (rmdir(their_path) != 0)
        die("something was made in the new root");
}

/* Both, as OpenDNSSEC and named do. */
void scenario_chroot_setuid(void)
{
    module->C_Initialize(NULL);
    calls_make(NULL);
    root_change();
    user_change();
    threads_run();
    module->C_Finalize(NULL);
}

/* Files get no more rights than they need, whatever the umask; its owner's, too. */
void scenario_umask_0(void)
{
    umask(0);
    module->C_Initialize(NULL);
    threads_run();
    children_run();
    module->C_Finalize(NULL);
}

void scenario_umask_0777(void)
{
    umask(0777);
    module->C_Initialize(NULL);
    threads_run();
    children_run();
    module->C_Finalize(NULL);
}
