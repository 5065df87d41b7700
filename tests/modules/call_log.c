/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "call_log.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LOG_ENTRIES = 4096, TOUCH_AHEAD = 8 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct call_log_entry entries[LOG_ENTRIES];
static size_t entry_count;
static const char *path;

uint64_t call_log_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

__attribute__((constructor)) static void log_begin(void)
{
    path = getenv("P11PROF_TEST_DELAY_LOG");
    memset(entries, 0xff, sizeof entries); /* no page fault later, between our clock and theirs */
}

static void log_write(void)
{
    int fd = path ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;
    size_t bytes = entry_count * sizeof *entries;
    entry_count = 0;
    if (fd < 0)
        return;
    if (write(fd, entries, bytes) != (ssize_t)bytes)
        abort();
    close(fd);
}

__attribute__((destructor)) static void log_end(void)
{
    pthread_mutex_lock(&mutex);
    log_write();
    pthread_mutex_unlock(&mutex);
}

void call_log_add(struct call_log_entry entry, bool last)
{
    static _Thread_local uint64_t thread_id;
    if (thread_id == 0)
        thread_id = (uint64_t)gettid();
    entry.thread_id = thread_id;
    pthread_mutex_lock(&mutex);
    entries[entry_count] = entry;
    if (++entry_count == LOG_ENTRIES || last)
        log_write();
    pthread_mutex_unlock(&mutex);
}

/* Hypervisors take pages that rest: giving one back costs 0.1 ms, and would come after the end that
 * call_log_add is told of. */
static void log_touch(void)
{
    pthread_mutex_lock(&mutex);
    size_t ahead = entry_count + TOUCH_AHEAD;
    entries[entry_count].function = 0;
    entries[ahead < LOG_ENTRIES ? ahead : LOG_ENTRIES - 1].function = 0;
    pthread_mutex_unlock(&mutex);
}

void call_log_wait(uint64_t start_ns, uint64_t ns, bool sleeps)
{
    struct timespec pause = {(time_t)(ns / 1000000000u), (long)(ns % 1000000000u)};
    log_touch();
    if (sleeps)
        nanosleep(&pause, NULL);
    while (!sleeps && call_log_now_ns() - start_ns < ns)
        continue;
}

uint64_t call_log_time_ns(const char *text, const char **end)
{
    char *unit;
    uint64_t value = strtoull(text, &unit, 10);
    uint64_t factor = unit[0] == 'n' ? 1 : unit[0] == 'u' ? 1000 : unit[0] == 'm' ? 1000000 : 0;
    *end = factor && unit[1] == 's' ? unit + 2 : unit;
    return *end == unit ? 0 : value * factor;
}
