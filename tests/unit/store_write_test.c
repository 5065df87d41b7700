/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The store: batches are written once, whole, or not at all. */
#include "store_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct p11prof_error error;

static void enter(struct p11prof_process_rows *rows)
{
    assert_int_equal(p11prof_store_begin(fixture_store, 0, &error), P11PROF_OK);
    assert_int_equal(p11prof_store_enter(fixture_store, fixture_spool, rows, &error), P11PROF_OK);
}

static void writes_a_batch_once(void **state)
{
    (void)state;
    struct p11prof_process_rows first, second;
    struct p11prof_row row = {.function = P11PROF_C_Sign};
    struct p11prof_batch batch = {.rows = &row, .row_count = 1, .call_count = 1};
    enter(&first);
    assert_int_equal(first.batch, 0);
    assert_int_equal(first.run_start_monotonic_ns, 5000);
    assert_int_equal(p11prof_store_write(fixture_store, &first, &batch, true, &error), P11PROF_OK);
    assert_int_equal(p11prof_store_commit(fixture_store, &error), P11PROF_OK);
    enter(&second);
    assert_int_equal(second.batch, 1);
    assert_int_equal(second.spool_id, first.spool_id);
    assert_int_equal(second.process_id, first.process_id);
    assert_int_equal(p11prof_store_write(fixture_store, &first, &batch, true, &error),
                     P11PROF_CHANGED);
    p11prof_store_rollback(fixture_store);
    assert_int_equal(fixture_integer(fixture_store, "SELECT count(*) FROM calls"), 1);
    assert_int_equal(fixture_integer(fixture_store, "SELECT call_count FROM runs"), 1);
}

static void rolls_back_everything(void **state)
{
    (void)state;
    struct p11prof_process_rows rows;
    struct p11prof_row row = {.function = P11PROF_C_Sign};
    struct p11prof_batch batch = {.rows = &row, .row_count = 1, .call_count = 1};
    enter(&rows);
    assert_int_equal(p11prof_store_write(fixture_store, &rows, &batch, true, &error), P11PROF_OK);
    p11prof_store_rollback(fixture_store);
    assert_int_equal(fixture_integer(fixture_store, "SELECT count(*) FROM runs"), 0);
    fixture_write(fixture_store, fixture_spool, &batch);
    assert_int_equal(fixture_integer(fixture_store, "SELECT count(*) FROM calls"), 1);
}

static void summary_keeps_no_rows(void **state)
{
    (void)state;
    struct p11prof_process_rows rows;
    struct p11prof_row row = {.function = P11PROF_C_Sign};
    struct p11prof_batch batch = {.rows = &row, .row_count = 1, .call_count = 1};
    enter(&rows);
    assert_int_equal(p11prof_store_write(fixture_store, &rows, &batch, false, &error), P11PROF_OK);
    assert_int_equal(p11prof_store_commit(fixture_store, &error), P11PROF_OK);
    assert_int_equal(fixture_integer(fixture_store, "SELECT count(*) FROM calls"), 0);
    assert_int_equal(fixture_integer(fixture_store, "SELECT call_count FROM runs"), 1);
}

static void stops_at_a_word(void **state)
{
    (void)state;
    enum { ROWS = 1000 };
    _Atomic(uint32_t) stop = 0;
    struct p11prof_process_rows rows;
    struct p11prof_row *calls = calloc(ROWS, sizeof *calls);
    struct p11prof_batch batch = {.rows = calls, .row_count = ROWS, .call_count = ROWS};
    p11prof_store_stop_word(fixture_store, &stop);
    enter(&rows);
    stop = 1;
    assert_int_equal(p11prof_store_write(fixture_store, &rows, &batch, true, &error), P11PROF_BUSY);
    p11prof_store_rollback(fixture_store);
    stop = 0;
    fixture_write(fixture_store, fixture_spool, &batch);
    assert_int_equal(fixture_integer(fixture_store, "SELECT count(*) FROM calls"), ROWS);
    free(calls);
}

/* What the views of groups say, as one text. */
static const char *groups_text(struct p11prof_store *of)
{
    return fixture_text(
        of, "SELECT (SELECT group_concat(concat) FROM (SELECT start_ns || ' ' || count || ' ' || "
            "success_count || ' ' || error_count || ' ' || sum_ns || ' ' || sum_squares || ' ' || "
            "ifnull(min_ns, '-') || ' ' || ifnull(max_ns, '-') AS concat FROM windows "
            "ORDER BY start_ns)) || ';' || (SELECT sum(low_ns * count) || ' ' || count(*) FROM "
            "histogram) || ';' || (SELECT sum(low_ns * count) || ' ' || count(*) FROM "
            "run_histogram) || ';' || (SELECT count || ' ' || total_ns || ' ' || min_ns || ' ' || "
            "p50_ns || ' ' || max_ns FROM function_stats)");
}

/* Two batches of one spool, or one; then all windows and sums must be equal. */
static void write_split(struct p11prof_store *to, int batches)
{
    struct fixture_group *groups = calloc(2, sizeof *groups);
    for (int batch = 0; batch < batches; batch++) {
        fixture_group_init(&groups[0], P11PROF_C_Sign, 0);
        fixture_group_init(&groups[1], P11PROF_C_Sign, 1000000000);
        for (int call = batch; call < 997; call += batches) {
            fixture_group_add(&groups[call % 3 == 0], 400 + (uint64_t)call * call);
        }
        struct p11prof_group list[2] = {groups[0].group, groups[1].group};
        struct p11prof_batch data = {.groups = list, .group_count = 2};
        fixture_write(to, fixture_spool, &data);
    }
    free(groups);
}

static void merges_windows(void **state)
{
    (void)state;
    struct p11prof_store *other = fixture_open(fixture_path("q.db"), P11PROF_STORE_CREATE);
    write_split(fixture_store, 1);
    write_split(other, 2);
    char one[1024];
    strcpy(one, groups_text(fixture_store));
    assert_string_equal(one, groups_text(other));
    p11prof_store_close(other);
}

/* A population of nobody has no minimum and does not touch that of others. */
static void merges_empty_populations(void **state)
{
    (void)state;
    struct fixture_group *group = calloc(1, sizeof *group);
    for (int batch = 0; batch < 3; batch++) {
        fixture_group_init(group, P11PROF_C_Sign, 0);
        if (batch == 1) {
            fixture_group_add(group, 700);
        } else {
            group->group.count = group->group.error_count = 1;
            group->group.error_sum_ns = 50;
            group->group.min_ns = group->group.max_ns = 0;
        }
        struct p11prof_batch data = {.groups = &group->group, .group_count = 1};
        fixture_write(fixture_store, fixture_spool, &data);
        assert_string_equal(
            fixture_text(fixture_store, "SELECT ifnull(min_ns, 'none') FROM windows"),
            batch == 0 ? "none" : "700");
    }
    assert_string_equal(fixture_text(fixture_store,
                                     "SELECT count || ' ' || error_count || ' ' || total_ns "
                                     "|| ' ' || mean_ns || ' ' || min_ns || ' ' || p999_ns "
                                     "FROM function_stats"),
                        "3 2 800 700 700 700");
    free(group);
}

/* A batch of extreme values is written like any other: it could never be got rid of. */
static void saturates(void **state)
{
    (void)state;
    struct fixture_group *group = calloc(1, sizeof *group);
    struct p11prof_error_count failed = {P11PROF_C_Sign, 5, UINT64_MAX, UINT64_MAX, 0, UINT64_MAX};
    fixture_group_init(group, P11PROF_C_Sign, UINT64_MAX);
    fixture_group_add(group, UINT64_MAX);
    group->group.sum_squares *= 1e308;
    group->group.in_bytes = UINT64_MAX;
    struct p11prof_batch batch = {
        .groups = &group->group, .group_count = 1, .errors = &failed, .error_count = 1};
    batch.last_end_ns = batch.call_count = UINT64_MAX;
    fixture_write(fixture_store, fixture_spool, &batch);
    fixture_write(fixture_store, fixture_spool, &batch);
    assert_int_equal(fixture_integer(fixture_store, "SELECT in_bytes FROM function_stats"),
                     INT64_MAX);
    assert_int_equal(fixture_integer(fixture_store, "SELECT total_ns FROM errors"), INT64_MAX);
    free(group);
}

struct loaded {
    uint64_t position, state;
    char data[8], path[32];
};
static void take_position(void *payload, uint32_t ring, uint64_t position)
{
    ((struct loaded *)payload)->position += ring * position;
}
static void take_state(void *payload, enum p11prof_state_kind kind, uint64_t key, const void *data,
                       size_t data_bytes)
{
    struct loaded *loaded = payload;
    loaded->state += kind + key;
    memcpy(loaded->data, data, data_bytes);
}
static void take_caller(void *payload, uint32_t caller_id, const char *path, uint64_t offset_bytes)
{
    snprintf(((struct loaded *)payload)->path, 32, "%u %s %u", caller_id, path,
             (unsigned)offset_bytes);
}

static struct loaded load(void)
{
    struct loaded loaded = {0};
    struct p11prof_process_rows rows;
    struct p11prof_state_reader reader = {take_position, take_state, take_caller, &loaded};
    enter(&rows);
    assert_int_equal(p11prof_store_load(fixture_store, &rows, &reader, &error), P11PROF_OK);
    p11prof_store_rollback(fixture_store);
    return loaded;
}

static void remembers_for_later_drains(void **state)
{
    (void)state;
    struct p11prof_position_row position = {3, 1000};
    struct p11prof_state_row states[] = {{P11PROF_STATE_OBJECT, 40, "abc", 4},
                                         {P11PROF_STATE_OBJECT, 7, "x", 2},
                                         {P11PROF_STATE_LEFT_OBJECT, 9, "y", 2}};
    struct p11prof_caller_row caller = {1, "/usr/lib/libp11.so.3", 4660};
    struct p11prof_batch batch = {.positions = &position,
                                  .position_count = 1,
                                  .states = states,
                                  .state_count = 3,
                                  .callers = &caller,
                                  .caller_count = 1};
    fixture_write(fixture_store, fixture_spool, &batch);
    states[1].data = NULL;
    position.position = 1024;
    fixture_write(fixture_store, fixture_spool, &batch);
    struct loaded loaded = load();
    assert_int_equal(loaded.position, 3 * 1024);
    assert_int_equal(loaded.state, P11PROF_STATE_OBJECT + 40);
    assert_string_equal(loaded.data, "abc");
    assert_string_equal(loaded.path, "1 /usr/lib/libp11.so.3 4660");
    batch.process_ended = true;
    fixture_write(fixture_store, fixture_spool, &batch);
    loaded = load();
    assert_int_equal(loaded.state, 0);
    assert_int_equal(loaded.position, 3 * 1024);
    fixture_expect("SELECT key FROM state", "9"); /* for its children */
}

#define TEST(function)                                                                             \
    cmocka_unit_test_setup_teardown(function, fixture_store_setup, fixture_store_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(writes_a_batch_once),
        TEST(rolls_back_everything),
        TEST(summary_keeps_no_rows),
        TEST(stops_at_a_word),
        TEST(merges_windows),
        TEST(merges_empty_populations),
        TEST(saturates),
        TEST(remembers_for_later_drains),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
