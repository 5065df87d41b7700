/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The loads of a suite: a step each, in its order. */
#include "run_suite.h"

#include "../commands.h"
#include "../message.h"
#include "../report/allocate.h"
#include "run_facts.h"

#include <stdlib.h>
#include <string.h>

/* Whether the key of a step is on the token, and what it is. */
static enum p11prof_status key_find(struct bench_run *run, const struct bench_step *step,
                                    struct p11prof_bench_own_key *own_key,
                                    struct p11prof_error *error)
{
    struct bench_request request = {.kind = BENCH_REQUEST_KEY};
    struct p11prof_error found;
    strcpy(request.key, step->key);
    enum p11prof_status status = crew_ask_one(&run->crew, 0, &request, run_tick, run, &found);
    if (status == P11PROF_OK) {
        *own_key = run->crew.members[0].reply.own_key;
        return P11PROF_OK;
    }
    if (status == P11PROF_MISSING && run->settings->create_keys) {
        p11prof_note("the key '%s' is not there: session keys are made for %s, step %u", step->key,
                     step->suite, step->number);
        return P11PROF_OK;
    }
    if (status != P11PROF_MISSING && status != P11PROF_BAD_INPUT)
        return p11prof_error_set(error, status, "%s", found.text);
    return bench_step_refuse(&run->settings->suite, step, error, "%s%s", found.text,
                             status == P11PROF_MISSING ? "; --create-keys makes session keys" : "");
}

static int step_make(struct bench_run *run, size_t index, size_t *capacity)
{
    const struct bench_step *step = &run->settings->suite.steps[index];
    struct p11prof_bench_own_key own_key = {.wanted = false};
    struct p11prof_error error;
    if (*step->key && key_find(run, step, &own_key, &error) != P11PROF_OK)
        return p11prof_complain_of(&error);
    struct p11prof_bench_selection *tests = &run->step_tests[index];
    if (bench_step_select(tests, &run->settings->suite, step, &own_key, &error) != P11PROF_OK)
        return p11prof_complain_of(&error);
    schedule_step_add(&run->schedule, capacity, tests->tests[0], step, run->settings,
                      own_key.wanted ? step->key : NULL);
    return 0;
}

int run_suite_make(struct bench_run *run)
{
    size_t capacity = 0;
    int code = 0;
    run->step_tests = p11prof_zalloc(run->settings->suite.step_count, sizeof *run->step_tests);
    for (size_t i = 0; i < run->settings->suite.step_count && code == 0 && !run->signal_number; i++)
        code = step_make(run, i, &capacity);
    return run->signal_number ? P11PROF_EXIT_SIGNAL + run->signal_number : code;
}

void run_suite_clear(struct bench_run *run)
{
    for (size_t i = 0; run->step_tests && i < run->settings->suite.step_count; i++)
        free(run->step_tests[i].tests);
    free(run->step_tests);
}
