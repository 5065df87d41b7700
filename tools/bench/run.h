/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* One run of a bench: workers started, loads prepared, slices run, all of it recorded. */
#ifndef P11PROF_BENCH_RUN_H
#define P11PROF_BENCH_RUN_H

#include "../record/recording.h"
#include "crew.h"
#include "progress.h"
#include "schedule.h"

struct cJSON;

/* What the machine did in a slice. */
struct slice_facts {
    int64_t steal_ns;    /* -1: unknown; until the slice ends: since the machine started */
    double load_average; /* negative: unknown */
};

/* What all threads did in the measured part of a slice. */
struct slice_sum {
    uint64_t success_count, duration_ns;
};

struct bench_run {
    const struct bench_settings *settings;
    const struct p11prof_bench_target *target;
    const char *db;           /* absolute; with --record off: one that nobody keeps */
    const char *spool_folder; /* NULL: the default ones */
    char shim[P11PROF_PATH_BYTES];
    char own_folder[64]; /* of a database that nobody keeps; "" */
    char own_db[80];
    char key_label[32];
    /* From here on: of the run. */
    enum bench_record record; /* never BENCH_RECORD_AUTO once it is prepared */
    struct p11prof_recording recording;
    struct bench_worker worker;
    struct crew crew;
    struct p11prof_bench_selection tests;       /* the schedule's names are theirs */
    struct p11prof_bench_selection *step_tests; /* of a suite: one for each step */
    struct schedule schedule;
    struct progress *progress;
    struct bench_token_facts token;
    struct p11prof_bench_own_key own_key;
    uint64_t own_cost_ns, clock_cost_ns;
    int signal_number; /* that asked us to end; 0: none */
    int signals_seen;
    const struct crew *other; /* workers that ours have nothing to do with; NULL: none */
    bool failed;              /* an operation failed, was wrong, or the module ended a worker */
    bool crashed;
    bool slices_unstored;   /* the last slice is not in the database, and that was said */
    uint64_t error_limit;   /* errors that end the slice in hand, and with it the run; 0: none */
    bool hang_said;         /* since something came back last */
    uint64_t moved_ns;      /* when an operation of a slice ended last, or its first one began */
    uint64_t hang_asked_ns; /* of what is asked outside of slices: what hang_said is of */
    uint64_t stuck_ns;      /* since then threads wait for a drain that fails; 0: they do not */
    size_t ready_count;
    struct cJSON *mechanisms; /* that the tests use, as the token describes them */
};

/* Signals that end a run early: SIGINT, SIGTERM, SIGHUP, blocked before or not. The second
 * one kills the workers. */
void run_signals_take(void);

/* Takes what the workers have recorded so far. */
void run_drain(struct bench_run *run);

/* While workers are asked: looks at signals; and, in a slice, shows progress and drains where a
 * thread waits for room. The payload is a struct bench_run. */
void run_tick(void *payload);
void run_slice_tick(void *payload);

/* Starts workers, finds token and key, prepares loads. Returns 0 or an exit code; what is wrong was
 * said. p11prof_bench_run_close() is due in any case. */
int run_open(struct bench_run *run);

/* Its first part: enters the run in the database, and sets the shim's settings for workers that are
 * started next. */
int run_record_begin(struct bench_run *run);

/* For --list-tests and --dry-run: nothing is recorded. */
int run_open_quietly(struct bench_run *run);

/* Whether the token can be given a test; false with a reason. */
bool run_offers(struct bench_run *run, const struct p11prof_bench_test *test, char *reason,
                size_t reason_bytes);

/* Prepares the loads of the tests, those that need the token for themselves or the others, and cuts
 * them into slices. Those that were prepared before are closed. Returns 0 or an exit code. */
int run_prepare(struct bench_run *run, bool alone);

/* Its parts, for a run that goes on beside another one. Which tests are asked for: run->tests; with
 * --stress it is one. */
int run_tests_select(struct bench_run *run);
/* The loads of run->tests. */
int run_loads_make(struct bench_run *run);
/* A load that cannot be prepared is skipped, and the reason kept. */
void run_load_prepare(struct bench_run *run, struct bench_load *load);
/* One that is not to be run, whether it is prepared or not. */
void run_load_skip(struct bench_run *run, struct bench_load *load, const char *reason);
void run_loads_close(struct bench_run *run);

/* Runs the slices that were cut last. Returns 0 or an exit code (130 after SIGINT); results so far
 * are in the database in any case. */
int run_slices(struct bench_run *run);

/* One slice on its way: what it was to do, and what is known of it before anything is stored. */
struct run_turn {
    struct bench_load *load;
    struct bench_plan plan;
    struct slice_facts facts;
    enum p11prof_status status;
    struct p11prof_error error; /* of the worker that failed */
};

/* Runs a plan of a load. Nothing is drained or stored: the next turn, of whatever run, may follow
 * at once. */
void run_turn_take(struct bench_run *run, struct bench_load *load, const struct bench_plan *plan,
                   struct run_turn *turn);

/* Stores what came of it, and says what went wrong. */
struct slice_sum run_turn_keep(struct bench_run *run, const struct run_turn *turn);

/* Ends the workers, takes what they left, ends the run in the database. */
void run_finish(struct bench_run *run);

/* Frees all. */
void run_close(struct bench_run *run);

#endif
