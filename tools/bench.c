/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* p11prof bench: the load tool. */
#include "bench/like/like.h"
#include "bench/like/suite_from.h"
#include "bench/output.h"
#include "bench/ramp.h"
#include "bench/record_own.h"
#include "bench/run.h"
#include "bench/stress.h"
#include "bench/versus.h"
#include "commands.h"
#include "database.h"
#include "message.h"

#include <stdlib.h>

/* --list-tests and --dry-run. */
static int only_look(struct bench_run *run)
{
    int code = run_open_quietly(run);
    if (code == 0 && run->settings->list_tests) {
        code = output_tests(run);
    } else if (code == 0) {
        code = run_prepare(run, false);
        if (code == 0)
            code = output_plan(run);
        if (code == 0)
            output_estimate(run);
    }
    run_finish(run);
    return code;
}

/* One whole run. Tests that disturb others come when those are over. */
static int run_once(struct bench_run *run)
{
    int code = run_open(run);
    for (unsigned alone = 0; alone < 2 && code == 0; alone++) {
        code = run_prepare(run, alone == 1);
        if (code == 0)
            code = run_slices(run);
    }
    if (code == 0 && run->ready_count == 0)
        code = p11prof_complain(P11PROF_EXIT_FAILED, "this token can do none of these tests");
    run_finish(run);
    return code == 0 && run->failed ? P11PROF_EXIT_FAILED : code;
}

/* Results of what was measured are shown whatever ended it. */
static int run_all(struct bench_run *run)
{
    const struct bench_settings *settings = run->settings;
    int64_t ids[BENCH_REPEAT_MOST];
    size_t count = 0;
    int code = 0;
    if (settings->record == BENCH_RECORD_OFF && !record_own_db(run))
        return p11prof_complain(P11PROF_EXIT_FAILED, "cannot make a folder in TMPDIR: %m");
    for (uint64_t i = 0; i < settings->repeat && (code == 0 || run->failed); i++) {
        struct bench_run one = *run;
        code = run_once(&one);
        run->failed = one.failed && !one.crashed && !one.signal_number;
        if (one.ready_count > 0 && one.recording.run_id > 0)
            ids[count++] = one.recording.run_id;
        run_close(&one);
    }
    int written = count ? output_results(settings, run->db, ids, count) : 0;
    record_own_remove(run);
    return code ? code : written;
}

/* What can be known to be wrong before a token is touched and minutes are spent on it. Tests of a
 * key of the user's own are named by what it is. */
static int check_first(const struct bench_settings *settings)
{
    const struct p11prof_bench_own_key none = {.wanted = false};
    struct p11prof_bench_selection tests;
    struct p11prof_error error;
    bool own_key = settings->key_label || settings->target.key_uri || settings->vs.key_label ||
                   settings->vs.target.key_uri;
    int code = 0;
    if (own_key || settings->suite.step_count > 0)
        return output_check(settings);
    if ((settings->mix.count > 0
             ? bench_mix_select(&tests, &settings->mix, &none, &error)
             : p11prof_bench_select(&tests, settings->tests, &none, &error)) != P11PROF_OK)
        return p11prof_complain_of(&error);
    if (settings->stress.wanted)
        code = stress_test_choose(settings, &tests);
    else if (settings->ramp.wanted)
        code = ramp_test_choose(settings, &tests);
    free(tests.tests);
    return code ? code : output_check(settings);
}

/* --vs: finds the second side's token. */
static int compare(const struct bench_run *run)
{
    static struct bench_settings settings;
    struct p11prof_bench_target target;
    struct p11prof_error error;
    int code;
    versus_settings(&settings, run->settings, run->target);
    if (p11prof_bench_target_find(&target, &settings.target, &error) == P11PROF_OK) {
        run_signals_take();
        code = versus_run(run, &settings, &target);
    } else {
        code = p11prof_complain(error.status == P11PROF_FAILED ? P11PROF_EXIT_FAILED
                                                               : P11PROF_EXIT_USAGE,
                                "current: %s", error.text);
    }
    p11prof_bench_target_clear(&target);
    return code;
}

/* script: NULL where tests are run. */
static int bench(const struct bench_settings *settings, const struct like_script *script)
{
    struct p11prof_database database;
    struct progress progress = {.quiet = settings->quiet};
    struct p11prof_bench_target target;
    struct p11prof_error error;
    int code = script ? output_check(settings) : check_first(settings);
    if (code)
        return code;
    if (!p11prof_database_choose(&database, settings->db))
        return P11PROF_EXIT_USAGE;
    if (p11prof_bench_target_find(&target, &settings->target, &error) != P11PROF_OK) {
        code = p11prof_complain_of(&error);
        p11prof_bench_target_clear(&target);
        return code;
    }
    struct bench_run run = {.settings = settings,
                            .progress = &progress,
                            .target = &target,
                            .db = database.path,
                            .spool_folder =
                                database.spool_folder[0] ? database.spool_folder : NULL};
    if (script) {
        run_signals_take();
        code = like_run(&run, script);
    } else if (settings->vs.wanted) {
        code = compare(&run);
    } else if (settings->list_tests || settings->dry_run) {
        run_signals_take();
        code = only_look(&run);
        run_close(&run);
    } else if (settings->stress.wanted) {
        run_signals_take();
        code = stress_run(&run);
    } else if (settings->ramp.wanted) {
        run_signals_take();
        code = ramp_run(&run);
    } else {
        run_signals_take();
        code = run_all(&run);
    }
    p11prof_bench_target_clear(&target);
    return code;
}

int p11prof_command_bench(int argc, char **argv)
{
    static struct bench_settings settings;
    struct like_script script;
    bool is_script;
    int code;
    if (settings_read(&settings, argc, argv, &code)) {
        code = like_script_take(&settings, &script, &is_script);
        if (code == 0)
            code = settings.suite_from ? suite_from(&settings)
                                       : bench(&settings, is_script ? &script : NULL);
        like_script_clear(&script);
    }
    settings_clear(&settings);
    return code;
}
