/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* `bench --like RUN`, and `bench --suite FILE` where FILE is such a script: played on a token. */
#ifndef P11PROF_BENCH_LIKE_LIKE_H
#define P11PROF_BENCH_LIKE_LIKE_H

#include "../run.h"
#include "stage.h"

/* What --like or --suite names: *found: a script, which is owned by the caller; else a suite of
 * tests goes to settings->suite, if there is one. Returns 0 or an exit code. */
int like_script_take(struct bench_settings *settings, struct like_script *script, bool *found);

/* Plays it, and shows what came of it. Returns an exit code. */
int like_run(struct bench_run *run, const struct like_script *script);

/* One that was played, for its page. */
struct like_played {
    const struct bench_settings *settings;
    const struct like_script *script;
    const struct like_stage *stage;
    const char *recorded_db; /* that may have the run of the script */
    const char *db;          /* that has the new run; not to be read where it is not kept */
    int64_t run_id;          /* 0: it is not kept */
    uint64_t duration_ns;    /* from its first call to its last one's end */
    uint64_t expected_ns;    /* that the module's own durations and the recorded thinking make */
    uint64_t token_ns;       /* in the module, all threads */
    uint64_t failed_count;   /* of calls that succeeded when they were recorded */
};

/* Writes the page, or the report of the run where the format is JSON or that of Prometheus. Returns
 * 0 or an exit code. */
int like_page_write(const struct like_played *played);

/* What would be made and played. Returns 0 or an exit code. */
int like_plan_write(const struct bench_settings *settings, const struct like_stage *stage);

#endif
