/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "pattern_fixture.h"

#include <stdlib.h>

static const struct p11prof_detector *detector;
static void *state;
static struct p11prof_advice_run run;
static struct p11prof_findings found;
static int64_t now_ns, call_id;

int pattern_setup(void **unused)
{
    (void)unused;
    return 0;
}

int pattern_teardown(void **unused)
{
    (void)unused;
    if (detector && detector->clear)
        detector->clear(state);
    free(state);
    state = NULL;
    detector = NULL;
    p11prof_findings_clear(&found);
    return 0;
}

void pattern_begin(const struct p11prof_detector *of)
{
    pattern_teardown(NULL);
    detector = of;
    state = calloc(1, of->state_bytes);
    run = (struct p11prof_advice_run){.run_id = 1};
    now_ns = 1;
    call_id = 0;
}

static int64_t otherwise(int64_t value, int64_t otherwise)
{
    return value ? value : otherwise;
}

void pattern_call(struct p11prof_event event)
{
    event.call_id = ++call_id;
    event.process_id = otherwise(event.process_id, 1);
    event.thread_id = otherwise(event.thread_id, 10);
    event.session = otherwise(event.session, 1);
    event.caller = otherwise(event.caller, 1);
    event.key_id = otherwise(event.key_id, P11PROF_EVENT_UNKNOWN);
    event.duration_ns = otherwise(event.duration_ns, PATTERN_NS);
    event.start_ns = now_ns;
    now_ns = p11prof_event_end_ns(&event) + 1;
    if (event.duration_ns > 0 && !(event.flags & P11PROF_ROW_NESTED))
        run.module_ns += event.duration_ns;
    run.call_count++;
    detector->take(state, &event);
}

void pattern_sign(int64_t process_id)
{
    CALL(C_SignInit, .process_id = process_id);
    CALL(C_Sign, .process_id = process_id, .operation = P11PROF_OPERATION_SIGN);
}

void pattern_rest(int64_t ns)
{
    now_ns += ns;
}

const struct p11prof_findings *pattern_end(void)
{
    run.duration_ns = now_ns;
    detector->finish(state, &run, &found);
    return &found;
}

void pattern_finds(size_t count)
{
    assert_int_equal(pattern_end()->count, count);
}
