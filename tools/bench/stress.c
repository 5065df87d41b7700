/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "stress.h"

#include "../commands.h"
#include "../message.h"
#include "output.h"
#include "record_own.h"

#include <inttypes.h>

int stress_test_choose(const struct bench_settings *settings, struct p11prof_bench_selection *tests)
{
    if (tests->count > 1 && settings->tests)
        return p11prof_complain(
            P11PROF_EXIT_USAGE, "--stress is one load: --test selects %zu tests (%s, %s%s)",
            tests->count, tests->tests[0]->id, tests->tests[1]->id, tests->count > 2 ? ", …" : "");
    tests->count = 1;
    return 0;
}

static int prepare(struct bench_run *run)
{
    int code = run_tests_select(run);
    code = code ? code : run_loads_make(run);
    code = code ? code : run_prepare(run, run->tests.tests[0]->alone);
    if (code == 0 && run->ready_count == 0)
        code = p11prof_complain(P11PROF_EXIT_FAILED, "this token cannot do this test");
    return code;
}

static int measure(struct stress *stress)
{
    struct bench_run *run = stress->run;
    int code = run_open(run);
    code = code ? code : prepare(run);
    if (code)
        return code;
    stress->load = &run->schedule.loads[0];
    code = stress_slices_run(stress);
    return code == 0 && run->failed ? P11PROF_EXIT_FAILED : code;
}

/* Whether the database has what was done; else says what it was. */
static bool is_stored(const struct stress *stress)
{
    const struct bench_run *run = stress->run;
    if (stress->count == 0 || run->recording.problem.status == P11PROF_OK)
        return true;
    p11prof_note("%" PRIu64 " operations in all, %" PRIu64 " of them failed: what is printed below "
                 "is what the database took of them",
                 stress->count, stress->error_count);
    return false;
}

int stress_run(struct bench_run *run)
{
    struct stress stress = {.run = run};
    if (run->settings->record == BENCH_RECORD_OFF && !record_own_db(run))
        return p11prof_complain(P11PROF_EXIT_FAILED, "cannot make a folder in TMPDIR: %m");
    int code = measure(&stress);
    run_finish(run);
    if (!is_stored(&stress) && code == 0)
        code = P11PROF_EXIT_FAILED;
    int64_t run_id = run->ready_count > 0 ? run->recording.run_id : 0;
    run_close(run);
    int written = run_id > 0 ? output_results(run->settings, run->db, &run_id, 1) : 0;
    record_own_remove(run);
    return code ? code : written;
}
