/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* A module whose calls take a known time, and that says how long each really took.
 *
 * P11PROF_TEST_DELAY  "constant:200us", "mixed:200us" (every 50th call takes ten times as long),
 *                     "sleep:1ms" (sleeps instead of keeping the processor) or "idle:50ms" (the
 * same, in a call before which there was none for a second). No delay where it is not set.
 * C_WaitForSlotEvent without CKF_DONT_BLOCK sleeps 100 ms more.
 *
 * C_Sign takes more, where these are set, sleeping:
 * P11PROF_TEST_DELAY_FIRST  "20ms": the first one of the process
 * P11PROF_TEST_DELAY_KEY    "5ms": those with the second key that C_SignInit is given
 * P11PROF_TEST_DELAY_KB     "100us": for each KB of its data
 *
 * P11PROF_TEST_SERVES "1" or "4": so many calls at a time, others wait for their turn; "session":
 *                     one of each session at a time. All at once where it is not set.
 *
 * Its log: call_log.h. */
#include "answers.h"
#include "call_log.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>

enum { SLOW_EVERY = 50, SLOW_FACTOR = 10, IDLE_NS = 1000000000 };

static enum { DELAY_NONE, DELAY_CONSTANT, DELAY_MIXED, DELAY_SLEEP, DELAY_IDLE } mode;
static uint64_t delay_ns;
static _Atomic(uint64_t) call_count, last_ns;
static uint64_t first_ns, key_ns, kb_ns;

static uint64_t time_of(const char *variable)
{
    const char *text = getenv(variable), *end;
    return text ? call_log_time_ns(text, &end) : 0;
}

__attribute__((constructor)) static void delay_read(void)
{
    first_ns = time_of("P11PROF_TEST_DELAY_FIRST");
    key_ns = time_of("P11PROF_TEST_DELAY_KEY");
    kb_ns = time_of("P11PROF_TEST_DELAY_KB");
    const char *text = getenv("P11PROF_TEST_DELAY"), *time = text ? strchr(text, ':') : NULL, *end;
    if (!time)
        return;
    delay_ns = call_log_time_ns(time + 1, &end);
    if (delay_ns == 0)
        abort();
    mode = text[0] == 'c'   ? DELAY_CONSTANT
           : text[0] == 'm' ? DELAY_MIXED
           : text[0] == 'i' ? DELAY_IDLE
                            : DELAY_SLEEP;
}

/* Who may be served: all, so many at a time, or one of each session (modulo SESSIONS). */
enum { SESSIONS = 1024 };
static enum { SERVES_ALL, SERVES_SOME, SERVES_SESSION } serves;
static sem_t servers;
static pthread_mutex_t session_locks[SESSIONS];

__attribute__((constructor)) static void serves_read(void)
{
    const char *text = getenv("P11PROF_TEST_SERVES");
    if (!text)
        return;
    serves = strcmp(text, "session") == 0 ? SERVES_SESSION : SERVES_SOME;
    if (serves == SERVES_SOME && sem_init(&servers, 0, (unsigned)atoi(text)) != 0)
        abort();
    for (size_t i = 0; i < SESSIONS; i++)
        pthread_mutex_init(&session_locks[i], NULL);
}

static void serve_begin(CK_ULONG session)
{
    if (serves == SERVES_SOME)
        while (sem_wait(&servers) != 0)
            ;
    else if (serves == SERVES_SESSION && session)
        pthread_mutex_lock(&session_locks[session % SESSIONS]);
}

static void serve_end(CK_ULONG session)
{
    if (serves == SERVES_SOME)
        sem_post(&servers);
    else if (serves == SERVES_SESSION && session)
        pthread_mutex_unlock(&session_locks[session % SESSIONS]);
}

static void delay(uint64_t start_ns)
{
    bool slow =
        mode == DELAY_MIXED && atomic_fetch_add(&call_count, 1) % SLOW_EVERY == SLOW_EVERY - 1;
    bool rested = mode == DELAY_IDLE && start_ns - atomic_exchange(&last_ns, start_ns) >= IDLE_NS;
    if (mode == DELAY_IDLE) {
        if (rested)
            call_log_wait(start_ns, delay_ns, true);
    } else if (mode != DELAY_NONE)
        call_log_wait(start_ns, slow ? delay_ns * SLOW_FACTOR : delay_ns, mode == DELAY_SLEEP);
}

/* Keys count in the order in which C_SignInit meets them; one thread signs. */
static uint64_t sign_ns(unsigned function, ...)
{
    static CK_OBJECT_HANDLE first_key, key;
    static bool signed_before;
    va_list arguments;
    va_start(arguments, function);
    (void)va_arg(arguments, CK_SESSION_HANDLE);
    (void)va_arg(arguments, void *);
    uint64_t more_ns = 0;
    if (function == P11PROF_C_SignInit) {
        key = va_arg(arguments, CK_OBJECT_HANDLE);
        first_key = first_key ? first_key : key;
    } else {
        CK_ULONG bytes = va_arg(arguments, CK_ULONG);
        more_ns =
            (signed_before ? 0 : first_ns) + (key == first_key ? 0 : key_ns) + kb_ns * bytes / 1024;
        signed_before = true;
    }
    va_end(arguments);
    return more_ns;
}

#define MORE(arguments)                                                                            \
    if ((first_ns || key_ns || kb_ns) &&                                                           \
        (function == P11PROF_C_SignInit || function == P11PROF_C_Sign))                            \
        call_log_wait(0, sign_ns(function, ANSWER_UNPACK arguments), true);

/* The time is that of the service, whatever went before. */
static void serve(uint64_t start_ns, CK_ULONG session)
{
    serve_begin(session);
    delay(serves == SERVES_ALL ? start_ns : call_log_now_ns());
    serve_end(session);
}

#undef WAITS
#define WAITS(flags) (flags & CKF_DONT_BLOCK ? 0 : (call_log_wait(0, 100000000, true), 0))

/* The log's own cost lies outside the time that it keeps. */
#define DEFINE(number, name, since, operation, role, parameters, arguments, session, fact_a, a,    \
               fact_b, b, fact_c, c, flags, notes)                                                 \
    EXPORTED CK_RV name parameters;                                                                \
    CK_RV name parameters                                                                          \
    {                                                                                              \
        uint64_t start_ns = call_log_now_ns();                                                     \
        ANSWER(number, arguments, session, flags, notes)                                           \
        serve(start_ns, (CK_ULONG[1]){session}[0]);                                                \
        MORE(arguments)                                                                            \
        uint64_t taken_ns = call_log_now_ns() - start_ns;                                          \
        call_log_add((struct call_log_entry){number, taken_ns, rv, start_ns, 0},                   \
                     function == P11PROF_C_Finalize);                                              \
        return rv;                                                                                 \
    }
#include "module_2x.h"
