/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* A module whose calls take a known time, and that says how long each really took.
 *
 * P11PROF_TEST_DELAY  "constant:200us", "mixed:200us" (every 50th call takes ten times as long) or
 *                     "sleep:1ms" (sleeps instead of keeping the processor). No delay where it is
 *                     not set. C_WaitForSlotEvent without CKF_DONT_BLOCK sleeps 100 ms more.
 *
 * Its log: call_log.h. */
#include "answers.h"
#include "call_log.h"

#include <stdlib.h>

enum { SLOW_EVERY = 50, SLOW_FACTOR = 10 };

static enum { DELAY_NONE, DELAY_CONSTANT, DELAY_MIXED, DELAY_SLEEP } mode;
static uint64_t delay_ns;
static _Atomic(uint64_t) call_count;

__attribute__((constructor)) static void delay_read(void)
{
    const char *text = getenv("P11PROF_TEST_DELAY"), *time = text ? strchr(text, ':') : NULL, *end;
    if (!time)
        return;
    delay_ns = call_log_time_ns(time + 1, &end);
    if (delay_ns == 0)
        abort();
    mode = text[0] == 'c' ? DELAY_CONSTANT : text[0] == 'm' ? DELAY_MIXED : DELAY_SLEEP;
}

static void delay(uint64_t start_ns)
{
    bool slow =
        mode == DELAY_MIXED && atomic_fetch_add(&call_count, 1) % SLOW_EVERY == SLOW_EVERY - 1;
    if (mode != DELAY_NONE)
        call_log_wait(start_ns, slow ? delay_ns * SLOW_FACTOR : delay_ns, mode == DELAY_SLEEP);
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
        delay(start_ns);                                                                           \
        uint64_t taken_ns = call_log_now_ns() - start_ns;                                          \
        call_log_add((struct call_log_entry){number, taken_ns, rv, start_ns, 0},                   \
                     function == P11PROF_C_Finalize);                                              \
        return rv;                                                                                 \
    }
#include "module_2x.h"
