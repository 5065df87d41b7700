/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "arrivals.h"

#include "draw.h"

#include <errno.h>
#include <math.h>

enum { BEHIND_MOST = 1 << 16, GRACE_PART = 10 };
static const uint64_t grace_least_ns = 100000000;

/* --- the schedule --- */

/* From the exponential distribution with mean 1: never 0, never infinite. */
static double gap_draw(uint64_t *state)
{
    return -log(((double)(draw_next(state) >> 11) + 0.5) * 0x1p-53);
}

double bench_arrivals_first_s(const struct bench_arrivals_plan *plan, uint64_t before_ns)
{
    const double gap_s = 1 / plan->rate;
    if (plan->measured.ns == 0 || plan->warmup.count > 0)
        return 0;
    double first_s = fmod(((double)plan->warmup.ns - (double)before_ns) / 1e9 + gap_s / 2, gap_s);
    return first_s < 0 ? first_s + gap_s : first_s;
}

static void due_set(struct bench_arrivals *arrivals)
{
    const struct bench_arrivals_plan *plan = &arrivals->plan;
    long double offset_s = plan->poisson
                               ? arrivals->offset_s
                               : plan->first_s + arrivals->number / (long double)plan->rate;
    long double most_ns = (long double)(INT64_MAX - plan->start_ns);
    arrivals->next_ns = plan->start_ns + (uint64_t)llrintl(fminl(offset_s * 1e9L, most_ns));
}

static const struct bench_amount *phase_amount(const struct bench_arrivals *arrivals)
{
    const struct bench_amount *const amounts[] = {
        [P11PROF_PHASE_WARMUP] = &arrivals->plan.warmup,
        [P11PROF_PHASE_MEASURED] = &arrivals->plan.measured,
        [P11PROF_PHASE_COOLDOWN] = &arrivals->plan.cooldown};
    return amounts[arrivals->phase];
}

static void phase_begin(struct bench_arrivals *arrivals, enum p11prof_phase phase,
                        uint64_t start_ns)
{
    if (arrivals->phase == P11PROF_PHASE_MEASURED)
        arrivals->measured_end_ns = start_ns;
    arrivals->phase = phase;
    arrivals->phase_start_ns = start_ns;
    arrivals->phase_count = arrivals->overdue_ns = 0;
    if (phase == P11PROF_PHASE_MEASURED)
        arrivals->measured_start_ns = start_ns;
}

/* Passes the phases that are over when the next one is due. */
static void phase_set(struct bench_arrivals *arrivals)
{
    while (arrivals->phase != P11PROF_PHASE_NONE) {
        const struct bench_amount *amount = phase_amount(arrivals);
        bool over_by_time =
            amount->ns > 0 && arrivals->next_ns - arrivals->phase_start_ns >= amount->ns;
        bool over_by_count = amount->count > 0 && arrivals->phase_count >= amount->count;
        bool none = amount->count == 0 && amount->ns == 0;
        if (!over_by_time && !over_by_count && !none)
            return;
        phase_begin(arrivals,
                    arrivals->phase == P11PROF_PHASE_COOLDOWN ? P11PROF_PHASE_NONE
                                                              : arrivals->phase + 1,
                    over_by_count ? arrivals->next_ns : arrivals->phase_start_ns + amount->ns);
    }
}

static void advance(struct bench_arrivals *arrivals)
{
    arrivals->number++;
    arrivals->phase_count++;
    if (arrivals->plan.poisson)
        arrivals->offset_s += gap_draw(&arrivals->random_state) / arrivals->plan.rate;
    due_set(arrivals);
    phase_set(arrivals);
}

/* Until when operations of the phase in hand are begun; UINT64_MAX: however late they are. A stall
 * beyond its end does not count: who waited for it is who an open loop is to show. */
static uint64_t begun_until_ns(struct bench_arrivals *arrivals, uint64_t now_ns)
{
    const struct bench_amount *amount = phase_amount(arrivals);
    uint64_t grace_ns = amount->ns / GRACE_PART;
    if (amount->ns == 0 || now_ns < arrivals->phase_start_ns + amount->ns)
        return UINT64_MAX;
    if (arrivals->overdue_ns == 0)
        arrivals->overdue_ns = now_ns;
    return arrivals->overdue_ns + (grace_ns < grace_least_ns ? grace_least_ns : grace_ns);
}

static void miss(struct bench_arrivals *arrivals)
{
    arrivals->missed_count += arrivals->phase == P11PROF_PHASE_MEASURED;
    advance(arrivals);
}

/* --- sharing it --- */

/* Who died with it left at worst one arrival that was not counted. */
static void lock(struct bench_arrivals *arrivals)
{
    if (pthread_mutex_lock(&arrivals->lock) == EOWNERDEAD)
        pthread_mutex_consistent(&arrivals->lock);
}

bool bench_arrivals_init(struct bench_arrivals *arrivals)
{
    pthread_mutexattr_t attributes;
    if (pthread_mutexattr_init(&attributes) != 0)
        return false;
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    bool made = pthread_mutex_init(&arrivals->lock, &attributes) == 0;
    pthread_mutexattr_destroy(&attributes);
    return made;
}

void bench_arrivals_begin(struct bench_arrivals *arrivals, const struct bench_arrivals_plan *plan)
{
    lock(arrivals);
    arrivals->plan = *plan;
    arrivals->random_state = plan->seed;
    arrivals->number = arrivals->phase_count = arrivals->missed_count = 0;
    arrivals->measured_start_ns = arrivals->measured_end_ns = 0;
    arrivals->phase = P11PROF_PHASE_WARMUP;
    arrivals->phase_start_ns = plan->start_ns;
    arrivals->offset_s = plan->poisson ? gap_draw(&arrivals->random_state) / plan->rate : 0;
    due_set(arrivals);
    phase_set(arrivals);
    pthread_mutex_unlock(&arrivals->lock);
}

enum bench_arrivals_answer bench_arrivals_take(struct bench_arrivals *arrivals, uint64_t now_ns,
                                               struct bench_arrival *out)
{
    enum bench_arrivals_answer answer = BENCH_ARRIVALS_BEHIND;
    lock(arrivals);
    for (unsigned i = 0; i < BEHIND_MOST && answer == BENCH_ARRIVALS_BEHIND; i++) {
        if (arrivals->phase == P11PROF_PHASE_NONE) {
            answer = BENCH_ARRIVALS_END;
        } else if (now_ns >= begun_until_ns(arrivals, now_ns)) {
            miss(arrivals);
        } else {
            *out = (struct bench_arrival){arrivals->next_ns, arrivals->phase};
            advance(arrivals);
            answer = BENCH_ARRIVALS_ONE;
        }
    }
    pthread_mutex_unlock(&arrivals->lock);
    return answer;
}

void bench_arrivals_measured(struct bench_arrivals *arrivals, uint64_t *start_ns, uint64_t *end_ns)
{
    lock(arrivals);
    *start_ns = arrivals->measured_start_ns;
    *end_ns = arrivals->measured_end_ns;
    pthread_mutex_unlock(&arrivals->lock);
}

void bench_arrivals_end(struct bench_arrivals *arrivals, uint64_t now_ns)
{
    lock(arrivals);
    while ((arrivals->phase == P11PROF_PHASE_WARMUP || arrivals->phase == P11PROF_PHASE_MEASURED) &&
           arrivals->next_ns < now_ns)
        miss(arrivals);
    pthread_mutex_unlock(&arrivals->lock);
}

uint64_t bench_arrivals_missed(struct bench_arrivals *arrivals)
{
    lock(arrivals);
    uint64_t missed_count = arrivals->missed_count;
    pthread_mutex_unlock(&arrivals->lock);
    return missed_count;
}
