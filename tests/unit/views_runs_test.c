/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The public views of runs, processes and what belongs to them. */
#include "store_fixture.h"

#include <stdlib.h>

static void show_runs_and_processes(void **state)
{
    (void)state;
    struct p11prof_spool_header *child = fixture_header(2, 2);
    child->parent_id[0] = 1;
    child->start.monotonic_ns += 250;
    child->user_id = 1234;
    struct p11prof_token_row tokens[] = {
        {.slot_id = 1, .session_count = 5, .described = true, .label = "one"},
        {.slot_id = 2,
         .session_count = 7,
         .described = true,
         .label = "two",
         .firmware_major = 2,
         .firmware_minor = 6},
    };
    struct p11prof_loss_row loss = {P11PROF_C_Sign, P11PROF_LOSS_LIMIT, 11};
    struct p11prof_in_flight_row open = {5, P11PROF_C_Login, 100, 50};
    struct p11prof_session_row session = {.session = 1, .opened_ns = 10, .closed_ns = 30};
    struct p11prof_batch batch = {.tokens = tokens,
                                  .token_count = 2,
                                  .losses = &loss,
                                  .loss_count = 1,
                                  .in_flight = &open,
                                  .in_flight_count = 1,
                                  .sessions = &session,
                                  .session_count = 1,
                                  .call_count = 3,
                                  .last_end_ns = 900,
                                  .library_known = true,
                                  .library = "SoftHSM 2.6",
                                  .cryptoki_major = 2,
                                  .cryptoki_minor = 40};
    fixture_write(fixture_store, child, &batch); /* before its parent */
    fixture_write(fixture_store, fixture_spool, &batch);
    fixture_write(fixture_store, child, &batch);
    fixture_expect(
        "SELECT uuid || ' ' || kind || ' ' || state || ' ' || started_at || ' ' || duration_ns "
        "|| ' ' || library || ' ' || cryptoki_version || ' ' || token_label || ' ' || "
        "token_firmware || ' ' || clock || ' ' || process_count || ' ' || call_count || ' ' || "
        "lost_count FROM runs",
        "01000000-0000-0000-0000-000000000000 profile running 2023-11-14T22:13:20.123Z 900 "
        "SoftHSM 2.6 2.40 two 2.6 monotonic 2 31 22");
    fixture_expect(
        "SELECT p.pid || ' ' || c.start_ns || ' ' || c.duration_ns || ' ' || c.user || ' ' || "
        "c.state || ' ' || c.call_count || ' ' || c.lost_count FROM processes AS c JOIN "
        "processes AS p ON p.process_id = c.parent_process_id",
        "1001 250 650 1234 running 17 11");
    fixture_expect("SELECT function || ' ' || cause || ' ' || sum(count) FROM losses",
                   "C_Sign limit 22");
    fixture_expect("SELECT group_concat(function || ' ' || age_ns) FROM in_flight",
                   "C_Login 50,C_Login 50");
    fixture_expect("SELECT sum(duration_ns) FROM sessions", "60");
    struct p11prof_batch end = {.process_ended = true};
    fixture_write(fixture_store, fixture_spool, &end);
    fixture_expect("SELECT state FROM processes WHERE pid = 1001", "finished");
    fixture_expect("SELECT state FROM runs", "running");
    end.process_recovered = true;
    fixture_write(fixture_store, child, &end);
    fixture_expect("SELECT state FROM runs", "recovered");
    free(child);
}

static void show_runs_of_commands(void **state)
{
    (void)state;
    int64_t run_id;
    struct p11prof_error error;
    struct p11prof_run_start run = {.uuid = {1},
                                    .kind = "bench",
                                    .name = "night",
                                    .start = {1, 1, UINT64_C(1700000000999000000)},
                                    .options_json = "{}"};
    assert_int_equal(p11prof_store_run_start(fixture_store, &run, &run_id, &error), P11PROF_OK);
    fixture_expect(
        "SELECT kind || ' ' || name || ' ' || state || ' ' || ifnull(duration_ns, '-') || "
        "options || ' ' || started_at || ' ' || (cpu_count > 0) || (memory_bytes > 0) || "
        "(kernel NOT NULL) || (os NOT NULL) FROM runs",
        "bench night running -{} 2023-11-14T22:13:20.999Z 1111");
    assert_int_equal(p11prof_store_run_end(fixture_store, run_id, "interrupted", 77, &error),
                     P11PROF_OK);
    struct p11prof_batch batch = {.last_end_ns = 900};
    fixture_write(fixture_store, fixture_spool, &batch);
    fixture_expect("SELECT state || ' ' || duration_ns || ' ' || process_count FROM runs",
                   "interrupted 77 1");
}

#define TEST(function)                                                                             \
    cmocka_unit_test_setup_teardown(function, fixture_store_setup, fixture_store_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(show_runs_and_processes),
        TEST(show_runs_of_commands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
