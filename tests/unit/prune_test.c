/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Pruning: what goes, and that nothing else changes. */
#include "report/scan.h"
#include "retention/delete.h"
#include "retention/prune.h"
#include "retention_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t second_ns = 1000000000, hour_ns = UINT64_C(3600000000000);

static struct p11prof_error error;

/* Something that happened so long after the start of the runs. */
static struct p11prof_prune at(uint64_t since_start_ns, uint64_t age_ns)
{
    return (struct p11prof_prune){.store = fixture_store,
                                  .now_ns = RETENTION_START_NS + (int64_t)since_start_ns,
                                  .age_ns = age_ns};
}

static uint64_t prune_calls(struct p11prof_prune prune)
{
    struct p11prof_prune_result result = {.call_count = 0};
    assert_int_equal(p11prof_prune_calls(&prune, &result, &error), P11PROF_OK);
    retention_expect_sound(fixture_store);
    return result.call_count;
}

static struct p11prof_prune_result prune_windows(struct p11prof_prune prune)
{
    struct p11prof_prune_result result = {.call_count = 0};
    assert_int_equal(p11prof_prune_windows(&prune, &result, &error), P11PROF_OK);
    retention_expect_sound(fixture_store);
    return result;
}

/* 3000 calls of two processes, one a 10 ms: 30 s. */
static void write_calls(void)
{
    for (uint8_t part = 0; part < 6; part++)
        retention_write(fixture_store, &(struct retention_calls){.run = 1,
                                                                 .process = 1 + part % 2,
                                                                 .spool = 1 + part % 2,
                                                                 .first_ns = part * 5 * second_ns,
                                                                 .step_ns = 10000000,
                                                                 .count = 500,
                                                                 .last = part >= 4});
}

/* What is not a row of a call. */
static char *dump_but_calls(void)
{
    char *dump = retention_dump(fixture_store), *rest = dump, *kept = calloc(1, strlen(dump) + 1);
    for (char *line; (line = strsep(&rest, "\n")) != NULL;)
        if (strncmp(line, "call|", 5) != 0 && strncmp(line, "segment|", 8) != 0)
            strcat(strcat(kept, line), "\n");
    free(dump);
    return kept;
}

static void old_rows_go_and_all_else_stays(void **state)
{
    (void)state;
    write_calls();
    char *before = dump_but_calls();
    char *young = retention_rows(fixture_store, "SELECT * FROM call WHERE start_ns >= 12345000000");
    assert_int_equal(prune_calls(at(112345000000, 100 * second_ns)), 1235);
    retention_expect_same(young, retention_rows(fixture_store, "SELECT * FROM call"));
    retention_expect_same(before, dump_but_calls());
    assert_int_equal(fixture_integer(fixture_store, "SELECT call_count - lost_count FROM runs"),
                     3000);
    assert_int_equal(fixture_integer(fixture_store, "SELECT count(*) FROM calls"), 1765);
}

static void each_moment_leaves_what_is_younger(void **state)
{
    (void)state;
    uint64_t removed = 0;
    write_calls();
    for (uint64_t moment = 0; moment <= 31 * second_ns; moment += 333333333) {
        removed += prune_calls(at(moment + hour_ns, hour_ns));
        int64_t old = fixture_integer(fixture_store, "SELECT count(*) FROM call");
        assert_int_equal((uint64_t)old + removed, 3000);
        char *sql =
            sqlite3_mprintf("SELECT count(*) FROM call WHERE start_ns < %lld", (long long)moment);
        assert_int_equal(fixture_integer(fixture_store, sql), 0);
        sqlite3_free(sql);
    }
    assert_int_equal(fixture_integer(fixture_store, "SELECT count(*) FROM segment"), 0);
}

/* Rows stand in the order of drains: old ones between young ones are cut out. */
static void segments_are_split(void **state)
{
    (void)state;
    uint64_t starts[] = {1, 9, 2, 3, 9, 9, 4, 9};
    struct p11prof_row rows[8] = {{.function = 0}};
    for (size_t i = 0; i < 8; i++)
        rows[i] = (struct p11prof_row){.function = P11PROF_C_Sign, .start_ns = starts[i]};
    struct p11prof_batch batch = {.rows = rows, .row_count = 8, .call_count = 8};
    fixture_write(fixture_store, fixture_spool, &batch);
    assert_int_equal(prune_calls(at(100, 95)), 4);
    retention_expect_same(
        strdup("2|2|\n5|6|\n8|8|\n"),
        retention_rows(fixture_store, "SELECT first_call, last_call FROM segment ORDER BY 1"));
    fixture_write(fixture_store, fixture_spool, &batch);
    retention_expect_sound(fixture_store);
    assert_int_equal(prune_calls(at(100, 0)), 12);
}

/* The histograms say what they said, exactly, and the rows no more. */
static void statistics_come_from_histograms(void **state)
{
    (void)state;
    int64_t run = 1;
    struct p11prof_scan before = {.calls.grouping = p11prof_default_grouping};
    struct p11prof_scan after = {.calls.grouping = p11prof_default_grouping};
    write_calls();
    assert_int_equal(
        p11prof_scan_runs(&before, p11prof_store_sqlite(fixture_store), &run, 1, &error),
        P11PROF_OK);
    assert_true(before.exact);
    prune_calls(at(40 * second_ns, 30 * second_ns));
    assert_int_equal(
        p11prof_scan_runs(&after, p11prof_store_sqlite(fixture_store), &run, 1, &error),
        P11PROF_OK);
    assert_false(after.exact);
    assert_int_equal(after.calls.group_count, before.calls.group_count);
    for (size_t i = 0; i < before.calls.group_count; i++) {
        struct p11prof_tally_group *one = &before.calls.groups[i];
        struct p11prof_tally_group *other =
            &after.calls.groups[p11prof_tally_index(&after.calls, &one->key)];
        struct p11prof_stats exact, rough;
        p11prof_tally_stats(one, &exact);
        p11prof_tally_stats(other, &rough);
        assert_int_equal(other->count, one->count);
        assert_int_equal(other->error_count, one->error_count);
        assert_int_equal(other->total_ns, one->total_ns);
        assert_int_equal(rough.min_ns, exact.min_ns);
        assert_int_equal(rough.max_ns, exact.max_ns);
        assert_int_equal(rough.mean_ns, exact.mean_ns);
        for (size_t q = 0; q < P11PROF_QUANTILES; q++)
            assert_in_range(rough.quantile_ns[q], exact.quantile_ns[q] * 995 / 1000,
                            exact.quantile_ns[q] * 1005 / 1000 + 1);
    }
    p11prof_scan_clear(&before);
    p11prof_scan_clear(&after);
}

static void one_run_only(void **state)
{
    (void)state;
    write_calls();
    retention_write(
        fixture_store,
        &(struct retention_calls){
            .run = 2, .process = 3, .spool = 3, .step_ns = 10000000, .count = 100, .last = true});
    struct p11prof_prune prune = at(hour_ns, second_ns);
    prune.run_id = 2;
    assert_int_equal(prune_calls(prune), 100);
    assert_int_equal(fixture_integer(fixture_store, "SELECT count(*) FROM calls"), 3000);
}

static void baseline_add(void)
{
    sqlite3_exec(
        p11prof_store_sqlite(fixture_store),
        "INSERT INTO baseline VALUES ('good', 1); INSERT INTO baseline_run VALUES ('good', 1)",
        NULL, NULL, NULL);
}

static void baselines_stay(void **state)
{
    (void)state;
    write_calls();
    baseline_add();
    char *before = retention_dump(fixture_store);
    assert_int_equal(prune_calls(at(hour_ns, second_ns)), 0);
    assert_int_equal(prune_windows(at(100 * hour_ns, second_ns)).window_count, 0);
    retention_expect_same(before, retention_dump(fixture_store));
}

static void a_dry_run_counts_and_changes_nothing(void **state)
{
    (void)state;
    write_calls();
    struct p11prof_prune calls = at(112345000000, 100 * second_ns);
    struct p11prof_prune windows = at(100 * hour_ns, hour_ns);
    char *before = retention_dump(fixture_store);
    calls.dry_run = windows.dry_run = true;
    assert_int_equal(prune_calls(calls), 1235);
    struct p11prof_prune_result would = prune_windows(windows);
    retention_expect_same(before, retention_dump(fixture_store));
    windows.dry_run = false;
    struct p11prof_prune_result did = prune_windows(windows);
    assert_int_equal(would.window_count, did.window_count);
    assert_int_equal(would.into_window_count, did.into_window_count);
}

/* 3000 calls over 50 hours, a minute apart, in four batches of two spools. */
static void write_hours(void)
{
    for (uint8_t part = 0; part < 30; part++)
        retention_write(fixture_store,
                        &(struct retention_calls){.run = 1,
                                                  .process = 1 + part % 2,
                                                  .spool = 1 + part % 2,
                                                  .first_ns = part * UINT64_C(6000000000000),
                                                  .step_ns = UINT64_C(60000000000),
                                                  .count = 100,
                                                  .last = part >= 28});
}

/* Windows and buckets added up in pieces of a length. */
static char *windows_by(const char *length_ns)
{
    char *sql = sqlite3_mprintf(
        "SELECT call_group, start_ns / %s, sum(count), sum(success_count), sum(error_count), "
        "sum(undisclosed_count), sum(sum_ns), sum(error_sum_ns), printf('%%.6e', "
        "sum(sum_squares)), "
        "min(min_ns), max(max_ns), sum(in_bytes), sum(out_bytes) FROM group_window GROUP BY 1, 2",
        length_ns);
    char *sums = retention_rows(fixture_store, sql);
    sqlite3_free(sql);
    sql = sqlite3_mprintf("SELECT w.call_group, w.start_ns / %s, b.low_ns, b.high_ns, sum(b.count) "
                          "FROM group_window AS w JOIN window_bucket AS b ON b.group_window = w.id "
                          "GROUP BY 1, 2, 3",
                          length_ns);
    char *buckets = retention_rows(fixture_store, sql), *both;
    sqlite3_free(sql);
    if (asprintf(&both, "%s%s", sums, buckets) < 0)
        abort();
    free(sums);
    free(buckets);
    return both;
}

static void hours_are_merged_exactly(void **state)
{
    (void)state;
    write_hours();
    char *before = windows_by("3600000000000");
    int64_t windows = fixture_integer(fixture_store, "SELECT count(*) FROM group_window");
    /* 6.5 hours old: that hour is not all old yet. */
    struct p11prof_prune_result result =
        prune_windows(at(50 * hour_ns, 43 * hour_ns + hour_ns / 2));
    int64_t left = fixture_integer(fixture_store, "SELECT count(*) FROM group_window");
    assert_int_equal(result.into_window_count, 4 * 6);
    assert_int_equal((uint64_t)(windows - left), result.window_count - result.into_window_count);
    retention_expect_same(before, windows_by("3600000000000"));
    fixture_expect("SELECT count(*) FROM group_window WHERE duration_ns = 3600000000000 "
                   "AND start_ns % 3600000000000 = 0 AND start_ns < 6 * 3600000000000",
                   "24");
    fixture_expect("SELECT count(*) FROM group_window WHERE duration_ns < 3600000000000 "
                   "AND start_ns < 6 * 3600000000000",
                   "0");
    fixture_expect("SELECT count(*) FROM group_window WHERE duration_ns >= 3600000000000 "
                   "AND start_ns >= 6 * 3600000000000",
                   "0");
    assert_int_equal(prune_windows(at(50 * hour_ns, 43 * hour_ns + hour_ns / 2)).window_count, 0);
}

static void days_are_merged_exactly(void **state)
{
    (void)state;
    write_hours();
    char *before = windows_by("86400000000000");
    prune_windows(at(60 * hour_ns, 2 * hour_ns)); /* all hours; one day is older than 20 hours */
    fixture_expect(
        "SELECT group_concat((duration_ns / 3600000000000) || ' ' || n, ';') FROM (SELECT "
        "duration_ns, count(*) AS n FROM group_window GROUP BY 1 ORDER BY 1)",
        "1 104;24 4");
    prune_windows(at(96 * hour_ns, 2 * hour_ns)); /* now three days are over */
    fixture_expect("SELECT group_concat(DISTINCT duration_ns) FROM group_window", "86400000000000");
    retention_expect_same(before, windows_by("86400000000000"));
    assert_int_equal(prune_windows(at(96 * hour_ns, 2 * hour_ns)).window_count, 0);
}

/* What comes late goes to where the others of its hour went. */
static void late_windows_join_their_hour(void **state)
{
    (void)state;
    struct retention_calls late = {.run = 1,
                                   .process = 3,
                                   .spool = 3,
                                   .step_ns = UINT64_C(60000000000),
                                   .count = 100,
                                   .last = true};
    write_hours();
    prune_windows(at(50 * hour_ns, 10 * hour_ns));
    int64_t windows = fixture_integer(fixture_store, "SELECT count(*) FROM group_window");
    retention_write(fixture_store, &late);
    assert_true(fixture_integer(fixture_store, "SELECT count(*) FROM group_window") > windows);
    char *before = windows_by("3600000000000");
    prune_windows(at(50 * hour_ns, 10 * hour_ns));
    assert_int_equal(fixture_integer(fixture_store, "SELECT count(*) FROM group_window"), windows);
    retention_expect_same(before, windows_by("3600000000000"));
}

static void sums_stop_at_the_end(void **state)
{
    (void)state;
    write_hours();
    sqlite3_exec(p11prof_store_sqlite(fixture_store),
                 "UPDATE group_window SET count = 9223372036854775807", NULL, NULL, NULL);
    prune_windows(at(50 * hour_ns, hour_ns));
    fixture_expect("SELECT min(count) FROM group_window", "9223372036854775807");
}

static void slices_of_a_bench_stay(void **state)
{
    (void)state;
    int64_t id;
    retention_write_bench(fixture_store, 9, &id);
    char *before = retention_dump(fixture_store);
    assert_int_equal(prune_windows(at(10000 * hour_ns, hour_ns)).window_count, 0);
    retention_expect_same(before, retention_dump(fixture_store));
}

static void an_age_of_ages_is_no_age(void **state)
{
    (void)state;
    write_calls();
    assert_int_equal(prune_calls(at(hour_ns, UINT64_MAX)), 0);
    assert_int_equal(prune_windows(at(hour_ns, UINT64_MAX)).window_count, 0);
}

/* As somebody else may write it. */
static void ranges_without_end_have_an_end(void **state)
{
    (void)state;
    struct p11prof_prune prune = at(hour_ns, second_ns);
    struct p11prof_prune_result result = {.call_count = 0};
    uint64_t calls = 0;
    write_calls();
    assert_int_equal(
        sqlite3_exec(
            p11prof_store_sqlite(fixture_store),
            "UPDATE segment SET last_call = 9223372036854775807 "
            "WHERE first_call = (SELECT max(first_call) FROM segment); "
            "UPDATE segment SET first_call = -9223372036854775807 - 1 "
            "WHERE first_call = (SELECT min(first_call) FROM segment); "
            "UPDATE call SET id = 4611686018427387904 WHERE id = (SELECT max(id) FROM call)",
            NULL, NULL, NULL),
        SQLITE_OK);
    prune.age_ns = hour_ns - 20 * second_ns;
    assert_int_equal(p11prof_prune_calls(&prune, &result, &error), P11PROF_OK);
    assert_int_equal(result.call_count, 2000);
    assert_int_equal(p11prof_run_delete(fixture_store, 1, &calls, &error), P11PROF_OK);
    assert_int_equal(calls, 1000);
    fixture_expect("SELECT count(*) FROM call", "0");
    fixture_expect("SELECT count(*) FROM segment", "0");
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, fixture_store_setup, fixture_store_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(old_rows_go_and_all_else_stays),
        TEST(each_moment_leaves_what_is_younger),
        TEST(segments_are_split),
        TEST(statistics_come_from_histograms),
        TEST(one_run_only),
        TEST(baselines_stay),
        TEST(a_dry_run_counts_and_changes_nothing),
        TEST(hours_are_merged_exactly),
        TEST(days_are_merged_exactly),
        TEST(late_windows_join_their_hour),
        TEST(sums_stop_at_the_end),
        TEST(slices_of_a_bench_stay),
        TEST(an_age_of_ages_is_no_age),
        TEST(ranges_without_end_have_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
