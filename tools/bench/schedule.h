/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What is run: loads, cut into slices, in an order that spreads what the machine does meanwhile
 * over all of them. */
#ifndef P11PROF_BENCH_SCHEDULE_H
#define P11PROF_BENCH_SCHEDULE_H

#include "p11prof/spool.h"
#include "protocol.h"

/* A test with its parameters. */
struct bench_load {
    uint32_t number; /* from 1, in the order of the results */
    struct p11prof_bench_test test;
    uint64_t data_bytes;
    unsigned threads, processes, step;
    unsigned mix;   /* number of the mix that it belongs to; 0: it is alone */
    unsigned turns; /* loads from this one on that take turns in its slices: 1, of a mix all of it;
                       0: it is in those of one before */
    double weight;  /* its part of the operations of these */
    struct bench_amount measured; /* of all its slices */
    const char *suite;            /* name of the suite's test that it is a step of; NULL: none */
    const char *key;              /* label of the user's key that the step names; NULL: none */
    double rate;                  /* operations/s that are to begin, in all its threads; 0: as many
                                     as go */
    bool poisson;                 /* these come at random */
    uint64_t think_time_ns;       /* that a thread waits after each operation */
    unsigned ramp;                /* step of a ramp, from 1; 0: of none */
    /* Known once it is prepared. */
    bool ready;
    char skipped[512]; /* why, if it is not to be run */
    bool unchecked;
    uint64_t iteration_ns;
    unsigned slices;
    /* What came of it. */
    unsigned slices_done;
    uint64_t scheduled_ns;      /* that their measured parts were to last */
    int64_t slice_missed_count; /* in the last one */
    uint64_t missed_count;      /* operations that were due and never began */
    bool missed_said, waited_said;
    bool gave_up;
    CK_RV first_rv;
    struct bench_tally *threads_done; /* [processes * threads], process by process */
    uint32_t *thread_ids;             /* of the same */
    struct p11prof_buckets *own;      /* of each of these; NULL: the recorder has them */
    uint64_t *own_sum_ns;
};

struct schedule {
    struct bench_load *loads;
    size_t load_count;
    unsigned mix_count;
    struct {
        uint32_t load;  /* index */
        unsigned slice; /* from 0 */
    } * slices;
    size_t slice_count;
    uint64_t planned_ns; /* about what all slices take */
};

/* All tests with all parameters, or a mix of them with each. Sizes apply to tests that have one. */
void schedule_make(struct schedule *schedule, const struct p11prof_bench_selection *tests,
                   const struct bench_settings *settings);
/* One more load: a step of a suite. key: NULL, or of the user's own. */
void schedule_step_add(struct schedule *schedule, size_t *capacity,
                       const struct p11prof_bench_test *test, const struct bench_step *step,
                       const struct bench_settings *settings, const char *key);
/* The loads of one more step of a ramp: one, or those of a mix. Returns the index of the first. */
size_t schedule_ramp_add(struct schedule *schedule, size_t *capacity,
                         const struct p11prof_bench_selection *tests,
                         const struct bench_settings *settings, double value, unsigned step);
void schedule_clear(struct schedule *schedule);

/* Whether there are loads that need the token for themselves. */
bool schedule_has_alone(const struct schedule *schedule);

/* Cuts those that are ready, and alone or not, into slices and shuffles these by the seed; those of
 * a suite stay in its order. */
void schedule_cut(struct schedule *schedule, const struct bench_settings *settings, bool alone);

/* Sets into how many slices a load, and those that take turns with it, are cut. */
void schedule_slices_set(struct bench_load *load, const struct bench_settings *settings);

/* The plan of slice number `slice` (from 0) of a load, without its start. */
struct bench_plan schedule_plan(const struct bench_load *load,
                                const struct bench_settings *settings, unsigned slice);

/* About what a plan takes. */
uint64_t schedule_plan_ns(const struct bench_load *load, const struct bench_plan *plan);

/* How many operations are expected in all. */
double schedule_operations(const struct schedule *schedule);

#endif
