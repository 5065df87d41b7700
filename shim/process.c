/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "process.h"

#include "descriptor.h"
#include "drain_thread.h"
#include "fork.h"
#include "guard.h"
#include "missed.h"
#include "objects.h"
#include "p11prof/copies.h"
#include "p11prof/trusted.h"
#include "recorder.h"
#include "say.h"
#include "upstream.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FINISH_MS = 250, MEASURE_TRIES = 20000 };

struct p11prof_process_page p11prof_process_page;
__thread struct p11prof_thread p11prof_thread = {.generation = 1};

/* What forked children inherit. */
static struct {
    struct p11prof_config config;
    char shim_path[P11PROF_PATH_BYTES];
    struct p11prof_anchor run_start;
    struct stat root; /* the folder "/" */
    uint8_t run_id[16];
    uint8_t process_id[16], parent_id[16];
    bool has_process_id;
    pid_t pid;           /* that process_id is of */
    bool ended;          /* the destructor of that process ran */
    bool clock_stands;   /* no wait would end: nothing is drained here */
    uint64_t generation; /* the last one used */
    pthread_key_t key;
    bool has_key;
    _Atomic(bool) loaded;
    _Atomic(bool) recording; /* the settings want it */
} image;

const struct p11prof_config *p11prof_shim_config(void)
{
    return &image.config;
}
bool p11prof_root_is_same(void)
{
    struct stat now;
    return stat("/", &now) == 0 && now.st_dev == image.root.st_dev &&
           now.st_ino == image.root.st_ino;
}
const char *p11prof_shim_path(void)
{
    return image.shim_path;
}

static void uuid_make(uint8_t id[16])
{
    p11prof_random(id, 16);
    id[6] = (uint8_t)((id[6] & 0x0f) | 0x40);
    id[8] = (uint8_t)((id[8] & 0x3f) | 0x80);
}

/* "550e8400-e29b-41d4-a716-446655440000", with or without its dashes. */
static bool uuid_parse(const char *text, uint8_t id[16])
{
    int digits = 0;
    for (; *text; text++) {
        int value = *text >= '0' && *text <= '9'   ? *text - '0'
                    : *text >= 'a' && *text <= 'f' ? *text - 'a' + 10
                    : *text >= 'A' && *text <= 'F' ? *text - 'A' + 10
                                                   : -1;
        if (value < 0 && *text == '-')
            continue;
        if (value < 0 || digits == 32)
            return false;
        id[digits / 2] = (uint8_t)(digits % 2 ? id[digits / 2] | value : value << 4);
        digits++;
    }
    return digits == 32;
}

/* --- loading, once per process image --- */

static void thread_ends(void *value)
{
    (void)value;
    uint64_t generation = atomic_load(&p11prof_process_page.generation);
    if (p11prof_thread.ring && p11prof_thread.generation == generation)
        p11prof_ring_retire(p11prof_thread.ring);
    p11prof_thread.ring = NULL;
    p11prof_thread.generation = 1;
}

/* `p11prof record` writes the copy's path here: ld.so does not always tell a redirected copy's own
 * name. */
static const volatile struct p11prof_shim_place place
    __attribute__((used)) = {.magic = P11PROF_SHIM_PLACE_MAGIC};

/* Of dlopen("./x.so") only the kernel still knows where that was. */
static void find_mapped_path(void)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    uintptr_t own = (uintptr_t)&place, low, high;
    char *line = NULL;
    size_t bytes = 0;
    while (maps && !image.shim_path[0] && getline(&line, &bytes, maps) > 0) {
        char *path = strchr(line, '/');
        if (path && sscanf(line, "%" SCNxPTR "-%" SCNxPTR, &low, &high) == 2 && own >= low &&
            own < high)
            snprintf(image.shim_path, sizeof image.shim_path, "%.*s", (int)strcspn(path, "\n"),
                     path);
    }
    free(line);
    if (maps)
        fclose(maps);
}

static void find_own_path(void)
{
    Dl_info info;
    if (place.path[0])
        snprintf(image.shim_path, sizeof image.shim_path, "%s", (const char *)place.path);
    else if (dladdr(&image, &info) && info.dli_fname && info.dli_fname[0] == '/')
        snprintf(image.shim_path, sizeof image.shim_path, "%s", info.dli_fname);
    else
        find_mapped_path();
}

static void load(void)
{
    struct p11prof_error error = {0};
    find_own_path();
    stat("/", &image.root);
    p11prof_config_load(&image.config, image.shim_path[0] ? image.shim_path : NULL);
    p11prof_trusted_root(&image.root);
    p11prof_say_debug(image.config.debug);
    if (image.config.warning[0])
        p11prof_say(LOG_WARNING, "%s", image.config.warning);
    if (p11prof_upstream_load(image.config.module, &error) != P11PROF_OK) {
        p11prof_say(LOG_ERR, "%s", error.text);
        return;
    }
    if (image.config.record == P11PROF_RECORDING_OFF)
        return;
    if (!uuid_parse(image.config.run, image.run_id))
        uuid_make(image.run_id);
    image.run_start = p11prof_anchor_now();
    image.has_key = pthread_key_create(&image.key, thread_ends) == 0;
    p11prof_fork_prepare_for();
    atomic_store(&image.recording, true);
}

void p11prof_shim_load(void)
{
    if (atomic_load_explicit(&image.loaded, memory_order_acquire))
        return;
    struct p11prof_guard guard = p11prof_guard_begin();
    uint32_t nobody = 0, self = (uint32_t)gettid();
    if (atomic_compare_exchange_strong(&p11prof_process_page.loading, &nobody, self)) {
        if (!atomic_load(&image.loaded))
            load();
        atomic_store_explicit(&image.loaded, true, memory_order_release);
        atomic_store(&p11prof_process_page.loading, 0);
    } else if (nobody != self) {
        /* Another thread loads the real module; ours comes from inside that only if it is the same
         * one. */
        while (!atomic_load(&image.loaded) && atomic_load(&p11prof_process_page.loading))
            sched_yield();
    }
    p11prof_guard_end(&guard);
}

/* --- setting up, once per process --- */

static uint64_t overhead_ns_measure(uint32_t clock, uint64_t ticks_per_second)
{
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < 200; i++) {
        uint64_t start = p11prof_ticks(clock), taken = p11prof_ticks(clock) - start;
        least = taken < least ? taken : least;
    }
    return ticks_per_second ? least * 1000000000u / ticks_per_second : least;
}

/* A first estimate from the time since the run's start, at least 50 µs; drains know better later.
 * 0: the clock stands still, as under libfaketime. */
static uint64_t ticks_per_second_measure(void)
{
    struct p11prof_anchor now = p11prof_anchor_now();
    for (int i = 0; i < MEASURE_TRIES && now.monotonic_ns - image.run_start.monotonic_ns < 50000;
         i++)
        now = p11prof_anchor_now();
    return p11prof_scaled(now.ticks - image.run_start.ticks, 1000000000,
                          now.monotonic_ns - image.run_start.monotonic_ns);
}

static uint32_t clock_choose(void)
{
    return image.config.clock != P11PROF_CLOCK_CHOICE_MONOTONIC && p11prof_clock_has_tsc()
               ? P11PROF_CLOCK_TSC
               : P11PROF_CLOCK_MONOTONIC;
}

static void boot_id_read(char *id, size_t bytes)
{
    struct p11prof_descriptor file;
    p11prof_descriptor_open(&file, AT_FDCWD, "/proc/sys/kernel/random/boot_id", O_RDONLY, 0);
    ssize_t length = p11prof_descriptor_read(&file, id, bytes - 1);
    id[length > 0 ? length : 0] = '\0';
    id[strcspn(id, "\n")] = '\0';
    p11prof_descriptor_close(&file);
}

static void header_fill(struct p11prof_spool_header *header)
{
    const struct p11prof_config *config = &image.config;
    uint64_t ticks_per_second = ticks_per_second_measure();
    uint32_t clock = ticks_per_second ? clock_choose() : P11PROF_CLOCK_MONOTONIC;
    image.clock_stands = ticks_per_second == 0;
    atomic_store(&p11prof_recorder_clock, clock);
    header->record_mode = config->record;
    header->start = image.has_process_id ? p11prof_anchor_now() : image.run_start;
    header->run_start = image.run_start;
    header->ticks_per_second = clock == P11PROF_CLOCK_TSC ? ticks_per_second : 0;
    header->overhead_ns = overhead_ns_measure(clock, header->ticks_per_second);
    boot_id_read(header->boot_id, sizeof header->boot_id);
    snprintf(header->program, sizeof header->program, "%.63s", program_invocation_short_name);
    snprintf(header->module_path, sizeof header->module_path, "%.511s",
             p11prof_plain_path(config->module));
    snprintf(header->run_name, sizeof header->run_name, "%s", config->name);
    snprintf(header->database_path, sizeof header->database_path, "%s", config->db);
}

/* A forked child is a process of its own; calls after our destructor are the same process in a
 * second spool. */
static void process_name(struct p11prof_spool_request *request)
{
    bool same = image.has_process_id && image.pid == getpid();
    memcpy(request->run_id, image.run_id, 16);
    if (image.has_process_id)
        memcpy(request->parent_id, same ? image.parent_id : image.process_id, 16);
    if (same)
        memcpy(request->process_id, image.process_id, 16);
    else
        uuid_make(request->process_id);
    image.ended = same && image.ended;
}

/* Makes the spool of this process. Whatever fails, calls are passed through. */
static bool process_make(void)
{
    struct p11prof_spool_request request = {.folder = image.config.spool,
                                            .limit_bytes = image.config.spool_limit_bytes};
    struct p11prof_error error = {0};
    process_name(&request);
    struct p11prof_spool spool = {0}, before = p11prof_spool;
    if (p11prof_spool_create(&spool, &request, &error) != P11PROF_OK)
        goto failed;
    header_fill(spool.header);
    if (image.ended)
        atomic_store(&spool.header->state, P11PROF_PROCESS_ENDED);
    p11prof_objects_write(&spool);
    p11prof_spool = spool;
    p11prof_drain_reset(atomic_load(&p11prof_gate) != 0 || image.clock_stands);
    if (p11prof_spool_publish(&p11prof_spool, &error) != P11PROF_OK) {
        p11prof_spool = before;
        p11prof_spool_discard(&spool);
        goto failed;
    }
    if (image.clock_stands)
        p11prof_say(LOG_WARNING,
                    "the clock stands still: calls have no durations, and stay in %s until "
                    "`p11prof collect`",
                    p11prof_spool.path);
    memcpy(image.process_id, request.process_id, 16);
    memcpy(image.parent_id, request.parent_id, 16);
    image.pid = getpid();
    image.has_process_id = true;
    return true;
failed:
    if (!p11prof_process_page.said)
        p11prof_process_page.said = p11prof_say(LOG_WARNING, "not recording: %s", error.text);
    return false;
}

static void recording_begins(void)
{
    uint64_t missed = p11prof_missed_hand_over();
    if (missed)
        p11prof_say(LOG_NOTICE, "recording from now on; calls before that, counted as lost: %llu",
                    (unsigned long long)missed);
}

/* No handler comes between: its calls would find a process half made, and a longjmp() out of it
 * would leave it so. */
static void process_set_up(void)
{
    struct p11prof_process_page *page = &p11prof_process_page;
    sigset_t before;
    p11prof_signals_block(&before);
    uint32_t nobody = 0, self = (uint32_t)gettid();
    if (atomic_compare_exchange_strong(&page->setting_up, &nobody, self)) {
        if (!atomic_load(&page->generation) && !atomic_load(&page->failed)) {
            image.generation += 2;
            if (process_make()) {
                atomic_store(&page->generation, image.generation);
                recording_begins();
            } else {
                p11prof_missed_wait();
                atomic_store(&page->failed, 1);
            }
        }
        atomic_store(&page->setting_up, 0);
    } else {
        sched_yield();
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* Returns false if this process does not record; waits while another thread sets it up. */
static bool process_enter(void)
{
    struct p11prof_process_page *page = &p11prof_process_page;
    while (!atomic_load(&page->generation) && !atomic_load(&page->failed))
        process_set_up();
    return atomic_load(&page->generation) != 0;
}

struct p11prof_ring *p11prof_thread_enter(unsigned function)
{
    p11prof_shim_load();
    if (!atomic_load_explicit(&image.recording, memory_order_relaxed))
        return NULL;
    if (atomic_load(&p11prof_process_page.failed) && !p11prof_missed_retry()) {
        p11prof_missed_count(function);
        return NULL;
    }
    struct p11prof_guard guard = p11prof_guard_begin();
    struct p11prof_ring *ring = NULL;
    p11prof_thread.ring = NULL;
    p11prof_thread.generation = 1;
    if (process_enter()) {
        ring = p11prof_ring_take();
        if (!ring) {
            p11prof_loss_count(NULL, function, P11PROF_LOSS_NO_MEMORY);
        } else {
            p11prof_thread.ring = ring;
            p11prof_thread.generation = atomic_load(&p11prof_process_page.generation);
            if (image.has_key)
                pthread_setspecific(image.key, ring);
        }
    } else {
        p11prof_missed_count(function);
    }
    p11prof_guard_end(&guard);
    return ring;
}

void p11prof_process_closed(void)
{
    /* A later call finds no generation and makes a spool of its own. */
    atomic_store(&p11prof_process_page.generation, 0);
}

/* --- C_Initialize, C_Finalize, the end --- */

/* The caller's promise about threads; args is its own pointer and may be anything. */
static bool threads_forbidden(const void *args)
{
    CK_FLAGS flags = 0;
    uintptr_t address = (uintptr_t)args;
    if (address < 4096 || address > UINTPTR_MAX / 2)
        return false;
    memcpy(&flags, (const char *)args + offsetof(CK_C_INITIALIZE_ARGS, flags), sizeof flags);
    return (flags & CKF_LIBRARY_CANT_CREATE_OS_THREADS) != 0;
}

void p11prof_process_initialized(CK_C_INITIALIZE_ARGS_PTR args, CK_RV rv)
{
    bool initialized = rv == CKR_OK || rv == CKR_CRYPTOKI_ALREADY_INITIALIZED;
    if (!initialized || !atomic_load(&p11prof_process_page.generation))
        return;
    atomic_store(&p11prof_spool.header->state, P11PROF_PROCESS_RUNNING);
    if (!threads_forbidden(args))
        p11prof_drain_thread_start();
}

void p11prof_process_finalized(CK_RV rv)
{
    if (rv != CKR_OK || !atomic_load(&p11prof_process_page.generation))
        return;
    atomic_store(&p11prof_spool.header->state, P11PROF_PROCESS_ENDED);
    p11prof_drain_finish(FINISH_MS);
}

__attribute__((destructor)) static void process_ends(void)
{
    struct p11prof_guard guard = p11prof_guard_begin();
    if (atomic_load(&p11prof_process_page.generation)) {
        bool last = !p11prof_others_record();
        image.ended = true;
        atomic_store(&p11prof_spool.header->state, P11PROF_PROCESS_ENDED);
        if (last)
            p11prof_process_closed();
        /* A module that ends the process inside a call: a collector reads its mark. */
        bool returned = !p11prof_call_is_in_flight();
        if (p11prof_drain_finish(FINISH_MS) && last && returned)
            p11prof_spool_unlink(&p11prof_spool);
    }
    p11prof_guard_end(&guard);
}
