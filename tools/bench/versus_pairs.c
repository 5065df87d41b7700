/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "versus.h"

#include "../commands.h"
#include "../report/allocate.h"

bool versus_ended(struct versus *versus)
{
    struct bench_run *base = &versus->sides[VERSUS_BASE], *current = &versus->sides[VERSUS_CURRENT];
    if (base->signal_number || current->signal_number)
        base->signal_number = current->signal_number =
            base->signal_number ? base->signal_number : current->signal_number;
    base->crashed = current->crashed = base->crashed || current->crashed;
    return base->signal_number || base->crashed;
}

/* Where the only thread of a load ended its slice. Processors are not alike, nor is what else runs
 * on them: the other side begins there. */
static int processor_of(const struct bench_run *run, const struct bench_load *load)
{
    return load->threads * load->processes == 1 ? crew_thread(&run->crew, 0, 0)->processor : 0;
}

/* One slice of each side, one right after the other; what is to be stored comes behind both. False
 * if one of them did not get to its end. */
static bool turns_take(struct versus *versus, size_t load, struct bench_plan plan, unsigned first,
                       struct slice_sum sums[VERSUS_SIDES])
{
    struct run_turn turns[VERSUS_SIDES];
    unsigned taken = 0;
    for (; taken < VERSUS_SIDES && !versus_ended(versus); taken++) {
        unsigned side = taken ^ first;
        struct bench_run *run = &versus->sides[side];
        run_turn_take(run, &run->schedule.loads[load], &plan, &turns[side]);
        plan.processor = processor_of(run, &run->schedule.loads[load]);
        if (turns[side].status != P11PROF_OK)
            run->crashed = true;
    }
    for (unsigned i = 0; i < taken; i++) {
        unsigned side = i ^ first;
        sums[side] = run_turn_keep(&versus->sides[side], &turns[side]);
    }
    return !versus_ended(versus);
}

/* Ahead of the first pair, both sides do what a slice takes and nobody counts it. */
static struct bench_plan warmup_plan(const struct bench_plan *plan)
{
    struct bench_plan warmup = {.warmup = plan->warmup};
    warmup.warmup.count += plan->measured.count;
    warmup.warmup.ns += plan->measured.ns;
    return warmup;
}

static bool gave_up(const struct versus *versus, size_t load)
{
    return versus->sides[VERSUS_BASE].schedule.loads[load].gave_up ||
           versus->sides[VERSUS_CURRENT].schedule.loads[load].gave_up;
}

static void pair_add(struct versus_load *load, const struct slice_sum sums[VERSUS_SIDES])
{
    load->pairs =
        p11prof_grow(load->pairs, &load->pair_capacity, load->pair_count + 1, sizeof *load->pairs);
    load->pairs[load->pair_count++] =
        (struct p11prof_pair){.base_count = sums[VERSUS_BASE].success_count,
                              .base_ns = sums[VERSUS_BASE].duration_ns,
                              .current_count = sums[VERSUS_CURRENT].success_count,
                              .current_ns = sums[VERSUS_CURRENT].duration_ns};
}

/* A, B; then B, A. */
static void pair_run(struct versus *versus, size_t index)
{
    const struct bench_run *base = &versus->sides[VERSUS_BASE];
    size_t load = base->schedule.slices[index].load;
    unsigned slice = base->schedule.slices[index].slice;
    struct slice_sum sums[VERSUS_SIDES];
    const struct bench_plan plan =
        schedule_plan(&base->schedule.loads[load], base->settings, slice);
    const struct bench_plan warmup = warmup_plan(&plan);
    if (gave_up(versus, load) || (slice == 0 && !turns_take(versus, load, warmup, slice % 2, sums)))
        return;
    if (turns_take(versus, load, plan, slice % 2, sums))
        pair_add(&versus->loads[load], sums);
}

int versus_pairs_run(struct versus *versus)
{
    const struct bench_run *base = &versus->sides[VERSUS_BASE];
    progress_start(&versus->progress, base->settings->quiet, 2 * base->schedule.planned_ns,
                   2 * base->schedule.slice_count);
    for (size_t i = 0; i < base->schedule.slice_count && !versus_ended(versus); i++) {
        pair_run(versus, i);
        for (unsigned side = 0; side < VERSUS_SIDES; side++)
            run_drain(&versus->sides[side]);
    }
    progress_clear(&versus->progress);
    if (base->signal_number)
        return P11PROF_EXIT_SIGNAL + base->signal_number;
    return base->crashed ? P11PROF_EXIT_FAILED : 0;
}
