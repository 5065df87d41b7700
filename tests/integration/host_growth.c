/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Long lives: what a process has of everything must not grow with the number of its calls. */
#include "host_driver.h"

#include <dirent.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Room for what allocators and the page cache of the database do on their own. */
enum { SAMPLES = 8, GROWTH_KIB_MOST = 16384, GROWTH_MAPS_MOST = 8 };

struct sample {
    long resident_kib;
    unsigned maps, descriptors, threads, spools;
};

static unsigned folder_count(const char *path)
{
    unsigned count = 0;
    DIR *folder = opendir(path);
    while (folder && readdir(folder))
        count++;
    if (folder)
        closedir(folder);
    return count;
}

static long status_kib(const char *field)
{
    char line[256];
    long kib = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, field, strlen(field)) == 0)
            kib = atol(line + strlen(field));
    if (file)
        fclose(file);
    return kib;
}

static unsigned lines_count(const char *path)
{
    unsigned count = 0;
    FILE *file = fopen(path, "r");
    for (int byte; file && (byte = getc(file)) != EOF;)
        count += byte == '\n';
    if (file)
        fclose(file);
    return count;
}

/* The spool is shared memory, of a size that is limited: what is private must not grow. */
static struct sample sample_take(void)
{
    const char *spools = getenv("P11PROF_SPOOL");
    struct sample sample = {.resident_kib = status_kib("RssAnon:"),
                            .maps = lines_count("/proc/self/maps"),
                            .descriptors = folder_count("/proc/self/fd"),
                            .threads = folder_count("/proc/self/task"),
                            .spools = spools ? folder_count(spools) : 0};
    return sample;
}

static void sample_print(const struct sample *sample)
{
    fprintf(stderr, "private %ld KiB, %u maps, %u descriptors, %u threads, %u spools\n",
            sample->resident_kib, sample->maps, sample->descriptors - 3, sample->threads - 2,
            sample->spools > 2 ? sample->spools - 2 : 0);
}

/* From the second of them on. A child whose end falls into another's long transaction leaves its
 * spool: one in ten may. */
static void samples_compare(const struct sample *samples, unsigned children)
{
    const struct sample *first = &samples[1], *last = &samples[SAMPLES - 1];
    for (int i = 0; i < SAMPLES; i++)
        sample_print(&samples[i]);
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return; /* their allocators keep what was freed */
#endif
    if (last->resident_kib > first->resident_kib + GROWTH_KIB_MOST ||
        last->maps > first->maps + GROWTH_MAPS_MOST || last->descriptors != first->descriptors ||
        last->threads > first->threads + 1 || last->spools > first->spools + 1 + children / 10)
        die("it grows");
}

static void life(void)
{
    module->C_Initialize(NULL);
    module->C_Finalize(NULL);
    if (dlclose(handle) != 0)
        die("dlclose");
    module_load(arguments[1]);
}

/* CALLS times C_Initialize, C_Finalize, dlclose. */
void scenario_lives(void)
{
    struct sample samples[SAMPLES];
    struct driver_slot *slot = slot_take();
    for (int i = 0; i < SAMPLES; i++) {
        for (uint64_t n = 0; n < call_count / SAMPLES; n++) {
            life();
            slot_call(slot);
        }
        samples[i] = sample_take();
    }
    samples_compare(samples, 0);
}

/* Load for CALLS milliseconds: threads come and go, sessions, signatures, a fork now and then. */
static void work(void)
{
    CK_MECHANISM mechanism = {CKM_AES_CMAC, NULL, 0};
    CK_SESSION_HANDLE session;
    CK_BYTE data[32] = {0}, mac[64];
    CK_ULONG length = sizeof mac;
    module->C_OpenSession(0, CKF_SERIAL_SESSION, NULL, NULL, &session);
    for (int i = 0; i < 10; i++) {
        module->C_SignInit(session, &mechanism, 7);
        module->C_Sign(session, data, sizeof data, mac, &length);
    }
    module->C_CloseSession(session);
}

static void *work_in_thread(void *calls_of_threads)
{
    struct driver_slot *slot = &counts->slots[0];
    (void)calls_of_threads;
    for (int i = 0; i < 50; i++) {
        work();
        slot_call(slot);
    }
    return NULL;
}

static void fork_and_call(void)
{
    pid_t child = fork();
    if (child == 0) {
        struct driver_slot *slot = &counts->slots[1];
        slot_call(slot);
        exit(0);
    }
    wait_for(child);
}

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void scenario_soak(void)
{
    struct sample samples[SAMPLES];
    uint64_t start_ms = now_ms();
    unsigned children = 0;
    slot_take();
    slot_take();
    module->C_Initialize(NULL);
    for (int i = 0; i < SAMPLES; i++) {
        uint64_t end_ms = start_ms + call_count * (uint64_t)(i + 1) / SAMPLES;
        do {
            pthread_t thread;
            if (pthread_create(&thread, NULL, work_in_thread, NULL) != 0)
                die("no thread");
            pthread_join(thread, NULL);
            fork_and_call();
            children++;
            usleep(20000); /* an hour of a busy service in a few minutes, not all that we can */
        } while (now_ms() < end_ms);
        samples[i] = sample_take();
    }
    samples_compare(samples, children);
    module->C_Finalize(NULL);
}

/* A call that never comes back, and others that do. */
static void *hang(void *unused)
{
    CK_MECHANISM mechanism = {CKM_AES_KEY_GEN, NULL, 0};
    CK_OBJECT_HANDLE key;
    module->C_GenerateKey(1, &mechanism, NULL, 0, &key);
    return unused;
}

void scenario_hang(void)
{
    pthread_t thread;
    module->C_Initialize(NULL);
    if (pthread_create(&thread, NULL, hang, NULL) != 0)
        die("no thread");
    for (;;) {
        calls_make(NULL);
        usleep(100000);
    }
}
