/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What each thread of a process did: from calls to the view `threads`. */
#include "drain/attribution.h"
#include "store_fixture.h"

#include <stdlib.h>

static struct attribution attribution;
static struct batch batch;

static int set_up(void **state)
{
    attribution_init(&attribution);
    batch_init(&batch);
    return fixture_store_setup(state);
}

static int tear_down(void **state)
{
    attribution_clear(&attribution);
    batch_free(&batch);
    return fixture_store_teardown(state);
}

struct call {
    uint32_t thread_id;
    uint64_t start_ns, duration_ns;
    unsigned depth; /* recorded calls of its thread that it is inside of */
    uint32_t flags; /* of its record */
};

static void make(struct call call)
{
    struct p11prof_record record = {
        .head =
            p11prof_record_head(P11PROF_C_GetSlotList, P11PROF_RECORD_CALL, call.depth, call.flags),
        .rv = CKR_OK};
    struct call_event event = {.record = &record,
                               .thread_id = call.thread_id,
                               .start_ns = call.start_ns,
                               .duration_ns = call.duration_ns};
    assert_true(attribution_call(&attribution, &batch, &event));
}

static void write_batch(const struct p11prof_spool_header *header)
{
    fixture_write(fixture_store, header, &batch.out);
    batch_clear(&batch);
}

/* The rows of the view, as one text. */
static void expect(const char *text)
{
    fixture_expect("SELECT group_concat(s, '; ') FROM (SELECT process_id || ':' || thread_id || "
                   "' ' || start_ns || '+' || duration_ns || ' ' || call_count || ' ' || "
                   "in_module_ns || ' ' || waiting_ns || ' ' || between_ns AS s FROM threads "
                   "WHERE run_id = 1 ORDER BY process_id, thread_id)",
                   text);
}

static void add_up_by_thread(void **state)
{
    (void)state;
    make((struct call){7, 100, 10, 0, 0});
    make((struct call){9, 105, 50, 0, 0});
    make((struct call){7, 200, 30, 0, 0});
    make((struct call){9, 160, 40, 0, 0});
    write_batch(fixture_spool);
    expect("1:7 100+130 2 40 0 90; 1:9 105+95 2 90 0 5");
}

/* A module that calls itself through the shim: the time is in the outer call. */
static void count_nested_time_once(void **state)
{
    (void)state;
    make((struct call){7, 120, 10, 2, 0});
    make((struct call){7, 110, 50, 1, 0});
    make((struct call){7, 170, 10, 1, P11PROF_RECORD_BLOCKING});
    make((struct call){7, 100, 100, 0, 0});
    write_batch(fixture_spool);
    expect("1:7 100+100 4 100 0 0");
}

static void keep_waiting_apart(void **state)
{
    (void)state;
    make((struct call){7, 100, 10, 0, 0});
    make((struct call){7, 200, 5000, 0, P11PROF_RECORD_BLOCKING});
    make((struct call){7, 5210, 20, 0, 0});
    make((struct call){8, 300, 70, 0, P11PROF_RECORD_BLOCKING});
    write_batch(fixture_spool);
    expect("1:7 100+5130 3 30 5000 100; 1:8 300+70 1 0 70 0");
}

static void go_on_in_later_batches(void **state)
{
    (void)state;
    make((struct call){7, 500, 10, 0, 0});
    write_batch(fixture_spool);
    make((struct call){7, 400, 20, 0, 0}); /* ended before it, came later */
    make((struct call){8, 450, 10, 0, 0});
    write_batch(fixture_spool);
    make((struct call){7, 600, 5, 0, P11PROF_RECORD_BLOCKING});
    write_batch(fixture_spool);
    expect("1:7 400+205 3 30 5 170; 1:8 450+10 1 10 0 0");
}

static void are_kept_without_rows(void **state)
{
    (void)state;
    struct p11prof_error error = {0};
    struct p11prof_process_rows rows;
    make((struct call){7, 100, 10, 0, 0});
    assert_int_equal(p11prof_store_begin(fixture_store, 0, &error), P11PROF_OK);
    assert_int_equal(p11prof_store_enter(fixture_store, fixture_spool, &rows, &error), P11PROF_OK);
    assert_int_equal(p11prof_store_write(fixture_store, &rows, &batch.out, false, &error),
                     P11PROF_OK);
    assert_int_equal(p11prof_store_commit(fixture_store, &error), P11PROF_OK);
    fixture_expect("SELECT count(*) FROM calls", "0");
    expect("1:7 100+10 1 10 0 0");
}

/* A thread id is of its process; two spools of one process go on with the same rows. */
static void belong_to_their_process(void **state)
{
    (void)state;
    struct p11prof_spool_header *child = fixture_header(2, 2), *second = fixture_header(1, 3);
    make((struct call){7, 100, 10, 0, 0});
    write_batch(fixture_spool);
    make((struct call){7, 200, 20, 0, 0});
    write_batch(child);
    make((struct call){7, 300, 40, 0, 0});
    write_batch(second);
    free(child);
    free(second);
    expect("1:7 100+240 2 50 0 190; 2:7 200+20 1 20 0 0");
}

/* As a server that starts a thread for each request. */
static void may_be_many(void **state)
{
    enum { THREADS = 5000, CALLS = 3 };
    (void)state;
    for (uint32_t call = 0; call < CALLS; call++)
        for (uint32_t thread = 1; thread <= THREADS; thread++)
            make((struct call){thread * 64, 1000 * call + thread, thread, 0, 0});
    assert_int_equal(batch.out.thread_count, THREADS);
    write_batch(fixture_spool);
    fixture_expect("SELECT count(*) FROM threads", "5000");
    fixture_expect(
        "SELECT count(*) FROM threads WHERE call_count = 3 AND start_ns * 64 = thread_id "
        "AND duration_ns = 2000 + start_ns AND in_module_ns = 3 * start_ns",
        "5000");
}

/* A damaged spool's times must not make a batch that can never be written. */
static void saturate(void **state)
{
    (void)state;
    for (int turn = 0; turn < 2; turn++) {
        make((struct call){7, 0, UINT64_MAX, 0, 0});
        make((struct call){8, 1, INT64_MAX, 0, P11PROF_RECORD_BLOCKING});
        make((struct call){8, 1, INT64_MAX, 0, 0});
        make((struct call){9, UINT64_MAX, 0, 0, 0});
        write_batch(fixture_spool);
    }
    fixture_expect("SELECT group_concat(duration_ns || ' ' || in_module_ns || ' ' || waiting_ns || "
                   "' ' || between_ns, '; ') FROM threads",
                   "9223372036854775807 9223372036854775807 0 0; "
                   "9223372036854775806 9223372036854775807 9223372036854775807 0; "
                   "0 0 0 0");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(add_up_by_thread),      TEST(count_nested_time_once),
        TEST(keep_waiting_apart),    TEST(go_on_in_later_batches),
        TEST(are_kept_without_rows), TEST(belong_to_their_process),
        TEST(may_be_many),           TEST(saturate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
