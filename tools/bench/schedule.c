/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "schedule.h"

#include "../report/allocate.h"
#include "../report/buckets.h"
#include "draw.h"
#include "suite.h"

#include <math.h>
#include <stdlib.h>

enum {
    SLICE_OPERATIONS_LEAST = 10,    /* a slice of fewer says little */
    PAIR_OPERATIONS_LEAST = 3,      /* many pairs say more than large ones */
    WARMUP_PART = 10,               /* of a slice, where nothing else is said */
    SLICE_COST_NS = 5000000,        /* starting and collecting one */
    SCHEDULED_NS_LEAST = 500000000, /* of a slice of a schedule */
};

/* --- loads --- */

static struct bench_load *load_add(struct schedule *schedule, size_t *capacity,
                                   const struct p11prof_bench_test *test,
                                   const struct bench_settings *settings)
{
    schedule->loads =
        p11prof_grow(schedule->loads, capacity, schedule->load_count + 1, sizeof *schedule->loads);
    struct bench_load *load = &schedule->loads[schedule->load_count++];
    *load = (struct bench_load){.number = (uint32_t)schedule->load_count,
                                .test = *test,
                                .data_bytes = test->data_bytes,
                                .turns = 1,
                                .weight = 1,
                                .measured = settings->measured,
                                .rate = settings->rate,
                                .poisson = settings->poisson};
    return load;
}

static void add_combinations(struct schedule *schedule, size_t *capacity,
                             const struct p11prof_bench_test *test, const uint64_t *data_bytes,
                             const struct bench_settings *settings, unsigned *step)
{
    for (unsigned p = 0; p < settings->processes.count; p++)
        for (unsigned t = 0; t < settings->threads.count; t++) {
            struct bench_load *load = load_add(schedule, capacity, test, settings);
            load->data_bytes = data_bytes ? *data_bytes : test->data_bytes;
            load->processes = (unsigned)settings->processes.values[p];
            load->threads = (unsigned)settings->threads.values[t];
            load->step = ++*step;
        }
}

/* The operations of a mix follow each other. One size of data at most: two rows of a test would
 * differ in nothing else. */
static void add_mix(struct schedule *schedule, size_t *capacity,
                    const struct p11prof_bench_selection *tests,
                    const struct bench_settings *settings, unsigned processes, unsigned threads)
{
    const struct bench_list *sizes = &settings->data_sizes;
    unsigned number = ++schedule->mix_count;
    for (unsigned i = 0; i < tests->count; i++) {
        struct bench_load *load = load_add(schedule, capacity, tests->tests[i], settings);
        if (load->test.sized && sizes->count > 0)
            load->data_bytes = sizes->values[0];
        load->processes = processes;
        load->threads = threads;
        load->step = load->mix = number;
        load->turns = i == 0 ? (unsigned)tests->count : 0;
        load->weight = settings->mix.weights[i];
    }
}

static void add_mixes(struct schedule *schedule, size_t *capacity,
                      const struct p11prof_bench_selection *tests,
                      const struct bench_settings *settings)
{
    for (unsigned p = 0; p < settings->processes.count; p++)
        for (unsigned t = 0; t < settings->threads.count; t++)
            add_mix(schedule, capacity, tests, settings, (unsigned)settings->processes.values[p],
                    (unsigned)settings->threads.values[t]);
}

void schedule_make(struct schedule *schedule, const struct p11prof_bench_selection *tests,
                   const struct bench_settings *settings)
{
    size_t capacity = 0;
    *schedule = (struct schedule){0};
    if (settings->mix.count > 0) {
        add_mixes(schedule, &capacity, tests, settings);
        return;
    }
    for (size_t i = 0; i < tests->count; i++) {
        const struct p11prof_bench_test *test = tests->tests[i];
        unsigned step = 0;
        if (!test->sized || settings->data_sizes.count == 0)
            add_combinations(schedule, &capacity, test, NULL, settings, &step);
        for (unsigned s = 0; test->sized && s < settings->data_sizes.count; s++)
            add_combinations(schedule, &capacity, test, &settings->data_sizes.values[s], settings,
                             &step);
    }
}

void schedule_step_add(struct schedule *schedule, size_t *capacity,
                       const struct p11prof_bench_test *test, const struct bench_step *step,
                       const struct bench_settings *settings, const char *key)
{
    struct bench_load *load = load_add(schedule, capacity, test, settings);
    load->suite = step->suite;
    load->step = step->number;
    load->key = key;
    load->processes = (unsigned)settings->processes.values[0];
    load->threads = step->threads ? step->threads : (unsigned)settings->threads.values[0];
    if (step->data_bytes > 0)
        load->data_bytes = step->data_bytes;
    if (step->measured.count > 0 || step->measured.ns > 0)
        load->measured = step->measured;
    load->think_time_ns = step->think_time_ns;
    if (step->rate > 0 || step->think_time_ns > 0)
        load->rate = step->rate;
    load->poisson = load->rate > 0 && settings->poisson;
}

size_t schedule_ramp_add(struct schedule *schedule, size_t *capacity,
                         const struct p11prof_bench_selection *tests,
                         const struct bench_settings *settings, double value, unsigned step)
{
    enum p11prof_ramp_of of = settings->ramp.of;
    size_t first = schedule->load_count;
    unsigned count = (unsigned)value;
    unsigned threads = of == P11PROF_RAMP_THREADS ? count : (unsigned)settings->threads.values[0];
    unsigned processes =
        of == P11PROF_RAMP_PROCESSES ? count : (unsigned)settings->processes.values[0];
    if (settings->mix.count > 0) {
        add_mix(schedule, capacity, tests, settings, processes, threads);
    } else {
        struct bench_load *load = load_add(schedule, capacity, tests->tests[0], settings);
        if (load->test.sized && settings->data_sizes.count > 0)
            load->data_bytes = settings->data_sizes.values[0];
        load->threads = threads;
        load->processes = processes;
        load->step = step;
    }
    for (size_t i = first; i < schedule->load_count; i++) {
        schedule->loads[i].ramp = step;
        if (of != P11PROF_RAMP_RATE)
            continue;
        schedule->loads[i].rate = value;
        schedule->loads[i].poisson = value > 0 && settings->poisson;
    }
    return first;
}

void schedule_clear(struct schedule *schedule)
{
    for (size_t i = 0; i < schedule->load_count; i++) {
        struct bench_load *load = &schedule->loads[i];
        for (unsigned t = 0; load->own && t < load->threads * load->processes; t++)
            p11prof_buckets_clear(&load->own[t]);
        free(load->own);
        free(load->own_sum_ns);
        free(load->threads_done);
        free(load->thread_ids);
    }
    free(schedule->loads);
    free(schedule->slices);
    *schedule = (struct schedule){0};
}

/* --- slices --- */

/* About what lies between the starts of two operations of a thread, whoever's turn it is. */
static double iteration_ns(const struct bench_load *load)
{
    double sum = 0;
    for (unsigned i = 0; i < load->turns; i++)
        sum += load[i].weight * (double)load[i].iteration_ns;
    sum += (double)load->think_time_ns;
    double apart_ns = load->rate > 0 ? load->threads * load->processes * 1e9 / load->rate : 0;
    return fmax(sum, apart_ns);
}

/* How many operations one thread is to do in all, about. A count of a schedule is of all threads.
 */
static double thread_operations(const struct bench_load *load)
{
    double by_time = load->measured.ns ? (double)load->measured.ns / iteration_ns(load) : 0;
    double by_count = (double)load->measured.count;
    if (load->rate > 0)
        by_count /= load->threads * load->processes;
    if (by_time == 0 || (by_count > 0 && by_count < by_time))
        return by_count;
    return by_time;
}

/* A queue needs time to build up, and begins anew with each slice. The time is that of the
 * schedule, however slow operations were when they were tried. */
static double scheduled_slices(const struct bench_load *load)
{
    double operations = thread_operations(load) * load->threads * load->processes;
    double ns = load->measured.ns ? (double)load->measured.ns : HUGE_VAL;
    if (load->measured.count)
        ns = fmin(ns, (double)load->measured.count * 1e9 / load->rate);
    return fmin(operations / SLICE_OPERATIONS_LEAST, ns / SCHEDULED_NS_LEAST);
}

static unsigned slices_of(const struct bench_load *load, const struct bench_settings *settings)
{
    double most =
        thread_operations(load) / (settings->side ? PAIR_OPERATIONS_LEAST : SLICE_OPERATIONS_LEAST);
    if (load->rate > 0)
        most = scheduled_slices(load);
    uint64_t slices = most < (double)settings->slices ? (uint64_t)most : settings->slices;
    return slices < 1 ? 1 : (unsigned)slices;
}

/* The part of slice number `slice` in `total`: parts differ by one at most and add up. */
static uint64_t part_of(uint64_t total, unsigned slices, unsigned slice)
{
    return total / slices + (slice < total % slices);
}

static struct bench_amount amount_part(const struct bench_amount *total, unsigned slices,
                                       unsigned slice)
{
    return (struct bench_amount){.count = part_of(total->count, slices, slice),
                                 .ns = part_of(total->ns, slices, slice)};
}

struct bench_plan schedule_plan(const struct bench_load *load,
                                const struct bench_settings *settings, unsigned slice)
{
    struct bench_plan plan = {.measured = amount_part(&load->measured, load->slices, slice),
                              .cooldown = amount_part(&settings->cooldown, load->slices, slice)};
    if (settings->has_warmup) {
        plan.warmup = amount_part(&settings->warmup, load->slices, slice);
        return plan;
    }
    plan.warmup.count = (plan.measured.count + WARMUP_PART - 1) / WARMUP_PART;
    plan.warmup.ns = plan.measured.ns / WARMUP_PART;
    return plan;
}

static uint64_t amount_ns(const struct bench_load *load, const struct bench_amount *amount)
{
    double each_ns = iteration_ns(load);
    if (load->rate > 0)
        each_ns /= load->threads * load->processes;
    uint64_t counted_ns = (uint64_t)fmin((double)amount->count * each_ns, 1e18);
    if (amount->count && (!amount->ns || counted_ns < amount->ns))
        return counted_ns;
    return amount->ns;
}

uint64_t schedule_plan_ns(const struct bench_load *load, const struct bench_plan *plan)
{
    return amount_ns(load, &plan->warmup) + amount_ns(load, &plan->measured) +
           amount_ns(load, &plan->cooldown) + SLICE_COST_NS;
}

double schedule_operations(const struct schedule *schedule)
{
    double sum = 0;
    for (size_t i = 0; i < schedule->load_count; i++) {
        const struct bench_load *load = &schedule->loads[i];
        if (load->ready && load->turns > 0)
            sum += thread_operations(load) * load->threads * load->processes;
    }
    return sum;
}

/* Fisher and Yates. */
static void shuffle(struct schedule *schedule, uint64_t seed)
{
    for (size_t i = schedule->slice_count; i > 1; i--) {
        size_t other = draw_next(&seed) % i;
        __typeof__(*schedule->slices) moved = schedule->slices[i - 1];
        schedule->slices[i - 1] = schedule->slices[other];
        schedule->slices[other] = moved;
    }
}

/* Slices of one load keep their own order: the first to run is its first. */
static void number_slices(struct schedule *schedule)
{
    unsigned *numbers = p11prof_zalloc(schedule->load_count, sizeof *numbers);
    for (size_t i = 0; i < schedule->slice_count; i++)
        schedule->slices[i].slice = numbers[schedule->slices[i].load]++;
    free(numbers);
}

void schedule_slices_set(struct bench_load *load, const struct bench_settings *settings)
{
    for (unsigned i = 0; i < load->turns; i++)
        load[i].slices = slices_of(load, settings);
}

static void slices_add(struct schedule *schedule, size_t *capacity, uint32_t index,
                       const struct bench_settings *settings)
{
    struct bench_load *load = &schedule->loads[index];
    schedule_slices_set(load, settings);
    for (unsigned i = 0; i < load->slices; i++) {
        schedule->slices = p11prof_grow(schedule->slices, capacity, schedule->slice_count + 1,
                                        sizeof *schedule->slices);
        schedule->slices[schedule->slice_count].load = index;
        schedule->slices[schedule->slice_count++].slice = i;
        const struct bench_plan plan = schedule_plan(load, settings, i);
        schedule->planned_ns += schedule_plan_ns(load, &plan);
    }
}

bool schedule_has_alone(const struct schedule *schedule)
{
    for (size_t i = 0; i < schedule->load_count; i++)
        if (schedule->loads[i].test.alone)
            return true;
    return false;
}

void schedule_cut(struct schedule *schedule, const struct bench_settings *settings, bool alone)
{
    size_t capacity = 0;
    free(schedule->slices);
    schedule->slices = NULL;
    schedule->slice_count = 0;
    schedule->planned_ns = 0;
    for (uint32_t i = 0; i < schedule->load_count; i++)
        if (schedule->loads[i].ready && schedule->loads[i].turns > 0 &&
            schedule->loads[i].test.alone == alone)
            slices_add(schedule, &capacity, i, settings);
    if (settings->suite.step_count == 0)
        shuffle(schedule, settings->seed);
    number_slices(schedule);
}
