/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* A module whose calls take a known time, and that says how long each really took.
 *
 * P11PROF_TEST_DELAY      "constant:200us", "mixed:200us" (every 50th call takes ten times as long)
 *                         or "sleep:1ms" (sleeps instead of keeping the processor). No delay where
 *                         it is not set. C_WaitForSlotEvent without CKF_DONT_BLOCK sleeps 100 ms
 * more. P11PROF_TEST_DELAY_LOG  a file that gets three native u64 for each call: function, ns,
 * CK_RV; appended when 4096 calls are due, in C_Finalize, and at the end. */
#include "answers.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LOG_ENTRIES = 4096, LOG_WORDS = 3, SLOW_EVERY = 50, SLOW_FACTOR = 10 };

static enum { DELAY_NONE, DELAY_CONSTANT, DELAY_MIXED, DELAY_SLEEP } mode;
static uint64_t delay_ns;
static _Atomic(uint64_t) call_count;

static pthread_mutex_t log_mutex = PTHREAD_MUTEX_INITIALIZER;
static uint64_t log_words[LOG_ENTRIES][LOG_WORDS];
static size_t log_count;

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

__attribute__((constructor)) static void delay_read(void)
{
    const char *text = getenv("P11PROF_TEST_DELAY");
    char kind[16] = "", unit[4] = "";
    unsigned long value = 0;
    memset(log_words, 0xff, sizeof log_words); /* no page fault later, between our clock and theirs */
    if (!text || sscanf(text, "%15[a-z]:%lu%3s", kind, &value, unit) != 3)
        return;
    mode = kind[0] == 'c' ? DELAY_CONSTANT : kind[0] == 'm' ? DELAY_MIXED : DELAY_SLEEP;
    delay_ns = value * (unit[0] == 'n' ? 1u : unit[0] == 'u' ? 1000u : 1000000u);
}

static void log_write(void)
{
    const char *path = getenv("P11PROF_TEST_DELAY_LOG");
    int fd = path ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;
    size_t bytes = log_count * sizeof log_words[0];
    log_count = 0;
    if (fd < 0)
        return;
    if (write(fd, log_words, bytes) != (ssize_t)bytes)
        abort();
    close(fd);
}

__attribute__((destructor)) static void log_end(void)
{
    pthread_mutex_lock(&log_mutex);
    log_write();
    pthread_mutex_unlock(&log_mutex);
}

static void log_add(unsigned function, uint64_t taken_ns, CK_RV rv)
{
    pthread_mutex_lock(&log_mutex);
    log_words[log_count][0] = function;
    log_words[log_count][1] = taken_ns;
    log_words[log_count][2] = rv;
    if (++log_count == LOG_ENTRIES || function == P11PROF_C_Finalize)
        log_write();
    pthread_mutex_unlock(&log_mutex);
}

static void wait_ns(uint64_t start_ns, uint64_t ns, bool sleeps)
{
    struct timespec pause = {(time_t)(ns / 1000000000u), (long)(ns % 1000000000u)};
    if (sleeps)
        nanosleep(&pause, NULL);
    while (!sleeps && now_ns() - start_ns < ns)
        continue;
}

static void delay(uint64_t start_ns)
{
    bool slow =
        mode == DELAY_MIXED && atomic_fetch_add(&call_count, 1) % SLOW_EVERY == SLOW_EVERY - 1;
    if (mode != DELAY_NONE)
        wait_ns(start_ns, slow ? delay_ns * SLOW_FACTOR : delay_ns, mode == DELAY_SLEEP);
}

#undef WAITS
#define WAITS(flags) (flags & CKF_DONT_BLOCK ? 0 : (wait_ns(0, 100000000, true), 0))

/* The log's own cost lies outside the time that it keeps. */
#define DEFINE(number, name, since, operation, role, parameters, arguments, session, fact_a, a,    \
               fact_b, b, fact_c, c, flags, notes)                                                 \
    EXPORTED CK_RV name parameters;                                                                \
    CK_RV name parameters                                                                          \
    {                                                                                              \
        uint64_t start_ns = now_ns();                                                              \
        ANSWER(number, arguments, session, flags, notes)                                           \
        delay(start_ns);                                                                           \
        uint64_t taken_ns = now_ns() - start_ns;                                                   \
        log_add(number, taken_ns, rv);                                                             \
        return rv;                                                                                 \
    }
#include "module_2x.h"
