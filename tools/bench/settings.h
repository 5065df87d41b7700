/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What the options of `p11prof bench` say. Pure data; strings are borrowed from argv. */
#ifndef P11PROF_BENCH_SETTINGS_H
#define P11PROF_BENCH_SETTINGS_H

#include "../report/ramp_verdict.h"
#include "../report/writer.h"
#include "mix.h"
#include "target.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    BENCH_LIST_MOST = 16,
    BENCH_RAMP_MOST = 32,
    BENCH_THREADS_MOST = 256,
    BENCH_PROCESSES_MOST = 64,
    BENCH_REPEAT_MOST = 1000
};

/* How much of something: a count, a time, or whichever ends first. Both 0: nothing. */
struct bench_amount {
    uint64_t count, ns;
};

struct bench_list {
    uint64_t values[BENCH_LIST_MOST];
    unsigned count;
};

struct bench_step;

/* A suite: suite.h. */
struct bench_suite {
    const char *path; /* borrowed */
    struct bench_step *steps;
    size_t step_count, step_capacity;
};

enum bench_verify { BENCH_VERIFY_SAMPLE, BENCH_VERIFY_ALL, BENCH_VERIFY_NONE };
enum bench_record { BENCH_RECORD_AUTO, BENCH_RECORD_CALLS, BENCH_RECORD_SUMMARY, BENCH_RECORD_OFF };

/* --vs: what the run is compared with. What is not said is as on the first side. */
struct bench_vs {
    bool wanted;
    struct p11prof_bench_target_options target; /* module NULL: the same */
    const char *key_label;
    double threshold; /* of the effect: 0.05 is 5 % */
    bool has_threshold;
};

/* --stress: one load for a long time. */
struct bench_stress {
    bool wanted;
    uint64_t interval_ns; /* of a line; 0: not given */
    uint64_t max_errors;  /* that end it; 0: any number */
};

/* --ramp: one load in steps. With --slo alone: a search, whose steps are rates. */
struct bench_ramp {
    bool wanted;
    bool range; /* it may end early, and goes on between its values */
    enum p11prof_ramp_of of;
    double values[BENCH_RAMP_MOST]; /* ascending */
    unsigned count;                 /* 0: a search */
    const char *slo;                /* the objective as given; NULL: none */
    double limit_ns;                /* of it */
    double tail;                    /* part of the operations that may take longer; 0: a mean */
};

struct bench_settings {
    struct p11prof_bench_target_options target;
    const char *key_label; /* --key; NULL: none */
    char *tests;           /* all --test, with commas between; NULL: the default suite. Owned */
    struct bench_mix mix;  /* instead of tests; count 0: not given. Owned */
    struct bench_amount measured; /* of a test (and thread, if counted) */
    struct bench_amount warmup, cooldown;
    bool has_warmup;            /* else 10 % of each slice */
    double rate;                /* operations/s that are to begin; 0: as many as go */
    bool poisson, has_arrivals; /* how they come */
    struct bench_list threads, processes, data_sizes;
    uint64_t slices, seed, repeat;
    enum bench_verify verify;
    enum bench_record record;
    bool token_keys, quick, dry_run, quiet, list_tests;
    const char *suite_path;         /* --suite; NULL: none */
    const char *suite_from;         /* --suite-from: a run that becomes a suite; NULL: none */
    const char *like;               /* --like; NULL: none */
    const char *shape;              /* an option that says how a load is; NULL: none does */
    struct bench_suite suite;       /* read from there; owned */
    bool create_keys;               /* of it that are not there */
    const char *db, *name, *output; /* NULL: not given */
    enum p11prof_format format;     /* of text where metrics are wanted */
    bool metrics;                   /* --format prometheus */
    bool junit;                     /* --format junit */
    struct bench_vs vs;
    struct bench_stress stress;
    struct bench_ramp ramp;
    const char *side;      /* of a comparison: "base" or "current"; NULL: there is none */
    const char *pair_uuid; /* the same of both sides: that of the base's run; NULL: not known yet */
};

/* Reads the command line; defaults are filled in. False: the command ends with *exit_code. */
bool settings_read(struct bench_settings *settings, int argc, char **argv, int *exit_code);
void settings_clear(struct bench_settings *settings);

/* What --stress means for the other options, before they get their defaults. */
bool stress_settings_complete(struct bench_settings *settings);

/* The same of --ramp and --slo. */
bool ramp_settings_complete(struct bench_settings *settings);

/* Fills in what was not given. False, after it said so, if options contradict each other. */
bool settings_complete(struct bench_settings *settings);

/* All of them that matter to a result, as JSON; the caller frees it with cJSON_free(). No PIN. */
char *settings_json(const struct bench_settings *settings);

#endif
