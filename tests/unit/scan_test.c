/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What a scan finds in rows and histograms, against sums and sorted durations of our own; what
 * selections select, against SQL. */
#include "store_fixture.h"

#include "report/scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 260000, BATCH_ROWS = 65000 }; /* enough for several threads */

/* Sign and Encrypt with two keys, in three threads and four sessions; each 50th fails. */
static struct p11prof_row *rows;
static size_t row_count;
static uint64_t seed;

static uint64_t next_random(void)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return seed >> 33;
}

/* Many equal ones, a body, and a long tail. */
static uint64_t random_duration(void)
{
    uint64_t kind = next_random() % 10;
    if (kind < 4)
        return 100000;
    if (kind < 9)
        return 150000 + next_random() % 100000;
    return UINT64_C(1) << (18 + next_random() % 16);
}

static bool is_sign(size_t i)
{
    return i % 3 != 0;
}

static void make_row(size_t i)
{
    bool sign = is_sign(i);
    uint64_t duration_ns = random_duration();
    rows[i] = (struct p11prof_row){
        .known = P11PROF_ROW_RV | P11PROF_ROW_MECHANISM | P11PROF_ROW_SESSION | P11PROF_ROW_SLOT |
                 P11PROF_ROW_KEY | P11PROF_ROW_CALLER | P11PROF_ROW_OPERATION |
                 (sign ? P11PROF_ROW_KEY_TYPE | P11PROF_ROW_KEY_BITS : 0U),
        .function = sign ? P11PROF_C_Sign : P11PROF_C_Encrypt,
        .kind = P11PROF_KIND_CALL,
        .mechanism = sign ? CKM_RSA_PKCS : CKM_AES_CBC,
        .key_type = CKK_RSA,
        .key_bits = i % 2 ? 2048 : 4096,
        .key_id = 1 + (uint32_t)(i % 2),
        .session = 1 + i % 4,
        .slot_id = i % 4 < 2,
        .thread_id = 100 + (uint32_t)(i % 3),
        .caller_id = 1 + (uint32_t)(i % 2),
        .operation = sign ? P11PROF_OPERATION_SIGN : P11PROF_OPERATION_ENCRYPT,
        .operation_call_count = 2,
        .operation_start_ns = i * 1000000,
        .operation_duration_ns = duration_ns + 777,
        .start_ns = i * 1000000,
        .duration_ns = duration_ns,
        .rv = i % 50 == 0 ? CKR_DEVICE_ERROR : CKR_OK};
}

static struct fixture_group *group_of(struct fixture_group *groups, size_t i, bool operation)
{
    const struct p11prof_row *row = &rows[i];
    size_t index = (operation ? 4 : 0) + (is_sign(i) ? 1 + i % 2 : 0);
    struct fixture_group *group = &groups[index];
    if (group->group.count == 0) {
        fixture_group_init(group, row->function, row->start_ns / 1000000000 * 1000000000);
        group->group.operation = operation;
        group->group.code = operation ? row->operation : row->function;
        group->group.mechanism = (int64_t)row->mechanism;
        group->group.key_type = is_sign(i) ? (int64_t)row->key_type : P11PROF_UNKNOWN;
        group->group.key_bits = is_sign(i) ? (int64_t)row->key_bits : P11PROF_UNKNOWN;
    }
    return group;
}

static void add_to_group(struct fixture_group *group, const struct p11prof_row *row,
                         uint64_t duration_ns)
{
    if (row->rv == CKR_OK) {
        fixture_group_add(group, duration_ns);
        return;
    }
    group->group.count++;
    group->group.error_count++;
    group->group.error_sum_ns += duration_ns;
}

/* Rows of one window of a second each. */
static void write_rows(size_t first, size_t count, struct fixture_group *groups)
{
    static struct p11prof_caller_row callers[] = {{1, "/usr/lib/engine.so", 0},
                                                  {2, "/usr/lib/provider.so", 0}};
    struct p11prof_group used[8];
    struct p11prof_batch batch = {.rows = rows + first,
                                  .row_count = count,
                                  .groups = used,
                                  .callers = callers,
                                  .caller_count = first == 0 ? 2 : 0,
                                  .call_count = count,
                                  .last_end_ns = (first + count) * 1000000};
    memset(groups, 0, 8 * sizeof *groups);
    for (size_t i = first; i < first + count; i++) {
        add_to_group(group_of(groups, i, false), &rows[i], rows[i].duration_ns);
        add_to_group(group_of(groups, i, true), &rows[i], rows[i].operation_duration_ns);
    }
    for (size_t i = 0; i < 8; i++)
        if (groups[i].group.count > 0)
            used[batch.group_count++] = groups[i].group;
    fixture_write(fixture_store, fixture_spool, &batch);
}

static void fill(size_t count, size_t batch_rows)
{
    struct fixture_group *groups = calloc(8, sizeof *groups);
    rows = calloc(count, sizeof *rows);
    row_count = count;
    seed = count;
    for (size_t i = 0; i < count; i++)
        make_row(i);
    for (size_t first = 0; first < count; first += batch_rows)
        write_rows(first, count - first < batch_rows ? count - first : batch_rows, groups);
    free(groups);
}

static int teardown(void **state)
{
    free(rows);
    rows = NULL;
    return fixture_store_teardown(state);
}

static sqlite3 *database(void)
{
    return p11prof_store_sqlite(fixture_store);
}

static int compare(const void *a, const void *b)
{
    const uint64_t *first = a, *second = b;
    return (*first > *second) - (*first < *second);
}

/* Of the rows of the group that did not fail: R's type 1, by the book. */
static void check_quantiles(struct p11prof_tally_group *group, unsigned function, bool operation)
{
    static const double probabilities[] = {0.5, 0.9, 0.95, 0.99, 0.999};
    uint64_t *sorted = calloc(row_count, sizeof *sorted);
    size_t count = 0;
    struct p11prof_stats stats;
    for (size_t i = 0; i < row_count; i++)
        if (rows[i].function == function && rows[i].rv == CKR_OK)
            sorted[count++] = operation ? rows[i].operation_duration_ns : rows[i].duration_ns;
    qsort(sorted, count, sizeof *sorted, compare);
    p11prof_tally_stats(group, &stats);
    assert_int_equal(stats.count, count);
    assert_int_equal(stats.min_ns, sorted[0]);
    assert_int_equal(stats.max_ns, sorted[count - 1]);
    for (size_t i = 0; i < P11PROF_QUANTILES; i++) {
        double rank = probabilities[i] * (double)count;
        size_t place = (size_t)rank + ((double)(size_t)rank < rank - 1e-6);
        assert_int_equal(stats.quantile_ns[i], sorted[place - 1]);
    }
    free(sorted);
}

static void scan_ok(struct p11prof_scan *scan)
{
    static const int64_t run_id = 1;
    struct p11prof_error error = {0};
    if (p11prof_scan_runs(scan, database(), &run_id, 1, &error) != P11PROF_OK) {
        fail_msg("%s", error.text);
    }
}

static unsigned function_of(const struct p11prof_tally *tally,
                            const struct p11prof_tally_group *group)
{
    int64_t function = 0;
    p11prof_tally_value(tally, &group->key, P11PROF_BY_FUNCTION, &function);
    return (unsigned)function;
}

static void check_scan(enum p11prof_dimension_id second, bool quick)
{
    struct p11prof_scan scan = {
        .calls.grouping = {{P11PROF_BY_FUNCTION, second}, 2},
        .operations.grouping = {{P11PROF_BY_OPERATION, P11PROF_BY_MECHANISM}, 2}};
    scan_ok(&scan);
    assert_true(scan.exact);
    assert_int_equal(scan.operations.group_count, 2);
    for (size_t i = 0; i < scan.operations.group_count; i++) {
        int64_t operation = 0;
        struct p11prof_tally_group *group = &scan.operations.groups[i];
        p11prof_tally_value(&scan.operations, &group->key, P11PROF_BY_OPERATION, &operation);
        assert_int_equal(group->quantiles_known, quick);
        check_quantiles(
            group, operation == P11PROF_OPERATION_SIGN ? P11PROF_C_Sign : P11PROF_C_Encrypt, true);
    }
    for (size_t i = 0; i < scan.calls.group_count && second == P11PROF_BY_KIND; i++)
        check_quantiles(&scan.calls.groups[i], function_of(&scan.calls, &scan.calls.groups[i]),
                        false);
    p11prof_scan_clear(&scan);
}

static void percentiles_are_exact_without_reading_all(void **state)
{
    (void)state;
    fill(ROWS, BATCH_ROWS);
    check_scan(P11PROF_BY_KIND, true);
    check_scan(P11PROF_BY_THREAD, false);
}

static void few_rows_do(void **state)
{
    (void)state;
    for (size_t count = 1; count <= 4; count++) {
        static const int64_t run_id = 1;
        struct p11prof_error error;
        struct p11prof_scan scan = {.calls.grouping = {{P11PROF_BY_KIND}, 1}};
        fill(count, 1);
        assert_int_equal(p11prof_scan_runs(&scan, database(), &run_id, 1, &error), P11PROF_OK);
        assert_true(scan.exact);
        p11prof_scan_clear(&scan);
        free(rows);
    }
    rows = NULL;
}

/* A row that the histograms did not count, or that is gone. */
static void rows_that_disagree_are_not_believed(void **state)
{
    (void)state;
    struct p11prof_scan scan = {.calls.grouping = {{P11PROF_BY_FUNCTION, P11PROF_BY_KIND}, 2}};
    fill(3000, 3000);
    assert_int_equal(sqlite3_exec(database(), "DELETE FROM call WHERE id % 2", NULL, NULL, NULL),
                     SQLITE_OK);
    scan_ok(&scan);
    assert_false(scan.exact);
    assert_int_equal(scan.calls.groups[0].count + scan.calls.groups[1].count, 3000);
    p11prof_scan_clear(&scan);
}

struct selected {
    enum p11prof_dimension_id id;
    const char *words, *sql;
};
static const struct selected cases[] = {
    {P11PROF_BY_FUNCTION, "C_Sign", "function = 'C_Sign'"},
    {P11PROF_BY_FUNCTION, "sign,ENCRYPT", "1"},
    {P11PROF_BY_FUNCTION, "c_s*", "function = 'C_Sign'"},
    {P11PROF_BY_FUNCTION, "!sign", "function <> 'C_Sign'"},
    {P11PROF_BY_OPERATION, "encrypt", "operation = 'encrypt'"},
    {P11PROF_BY_MECHANISM, "aes-cbc", "mechanism = 'CKM_AES_CBC'"},
    {P11PROF_BY_MECHANISM, "0x1", "mechanism = 'CKM_RSA_PKCS'"},
    {P11PROF_BY_MECHANISM, "CKM_RSA*,-", "mechanism LIKE 'CKM_RSA%'"},
    {P11PROF_BY_KEY_TYPE, "-", "key_type IS NULL"},
    {P11PROF_BY_KEY_TYPE, "!-", "key_type IS NOT NULL"},
    {P11PROF_BY_KEY_TYPE, "!RSA", "key_type IS NULL"},
    {P11PROF_BY_KEY_BITS, "4096", "key_bits = 4096"},
    {P11PROF_BY_KEY, "2", "key_id = 2"},
    {P11PROF_BY_CALLER, "engine*", "caller = 'engine.so'"},
    {P11PROF_BY_CALLER, "!engine.so", "caller <> 'engine.so'"},
    {P11PROF_BY_PROCESS, "1", "process_id = 1"},
    {P11PROF_BY_THREAD, "100,102", "thread_id IN (100, 102)"},
    {P11PROF_BY_SESSION, "3", "session = 3"},
    {P11PROF_BY_SLOT, "0", "slot_id = 0"},
    {P11PROF_BY_RV, "failed", "rv <> 'CKR_OK'"},
    {P11PROF_BY_RV, "!failed", "rv = 'CKR_OK'"},
    {P11PROF_BY_RV, "device_error", "rv = 'CKR_DEVICE_ERROR'"},
    {P11PROF_BY_KIND, "call", "kind = 'call'"},
};

static void check_selection(const struct p11prof_selection *selection, const char *sql)
{
    char query[256];
    struct p11prof_scan scan = {.selection = selection, .calls.grouping = {{P11PROF_BY_THREAD}, 1}};
    uint64_t count = 0, total_ns = 0;
    scan_ok(&scan);
    for (size_t i = 0; i < scan.calls.group_count; i++) {
        count += scan.calls.groups[i].count;
        total_ns += scan.calls.groups[i].total_ns;
    }
    p11prof_scan_clear(&scan);
    snprintf(query, sizeof query, "SELECT count(*) FROM calls WHERE %s", sql);
    assert_int_equal(count, fixture_integer(fixture_store, query));
    snprintf(query, sizeof query, "SELECT coalesce(sum(duration_ns), 0) FROM calls WHERE %s", sql);
    assert_int_equal(total_ns, fixture_integer(fixture_store, query));
}

static void filters_select_what_sql_selects(void **state)
{
    (void)state;
    fill(4000, 1000);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct p11prof_selection selection = {.filter_count = 0};
        print_message("%s\n", cases[i].words);
        assert_true(p11prof_selection_add(&selection, cases[i].id, cases[i].words));
        check_selection(&selection, cases[i].sql);
    }
    struct p11prof_selection slow = {.slower_than_ns = 200000};
    check_selection(&slow, "duration_ns >= 200000");
    struct p11prof_selection part = {.slower_than_ns = 0};
    assert_true(p11prof_read_moment("1s", &part.since));
    assert_true(p11prof_read_moment("-500ms", &part.until));
    assert_true(p11prof_selection_add(&part, P11PROF_BY_THREAD, "101"));
    check_selection(&part, "start_ns >= 1000000000 AND thread_id = 101 AND start_ns < "
                           "(SELECT duration_ns FROM runs) - 500000000");
}

/* Where rows are gone, histograms select the same where they can tell. */
static void histograms_select_too(void **state)
{
    (void)state;
    struct p11prof_selection selection = {.filter_count = 0};
    struct p11prof_scan scan = {.selection = &selection,
                                .calls.grouping = {{P11PROF_BY_FUNCTION, P11PROF_BY_HOUR}, 2}};
    fill(4000, 1000);
    sqlite3_exec(database(), "DELETE FROM call; DELETE FROM segment", NULL, NULL, NULL);
    assert_true(p11prof_selection_add(&selection, P11PROF_BY_KEY_BITS, "2048"));
    assert_true(p11prof_read_moment("1s", &selection.since));
    scan_ok(&scan);
    assert_false(scan.exact);
    assert_int_equal(scan.calls.group_count, 1);
    size_t expected = 0;
    for (size_t i = 1000; i < 4000; i++)
        expected += is_sign(i) && i % 2;
    assert_int_equal(scan.calls.groups[0].count, expected);
    p11prof_scan_clear(&scan);
}

static void check_bad(enum p11prof_dimension_id id, const char *words, const char *text)
{
    static const int64_t run_id = 1;
    struct p11prof_error error = {0};
    struct p11prof_selection selection = {.filter_count = 0};
    struct p11prof_scan scan = {.selection = &selection, .calls.grouping = {{P11PROF_BY_KIND}, 1}};
    p11prof_selection_add(&selection, id, words);
    enum p11prof_status status = p11prof_scan_runs(&scan, database(), &run_id, 1, &error);
    if (status == P11PROF_OK)
        status = p11prof_selection_empty(&selection, database(), &run_id, 1, &error);
    p11prof_scan_clear(&scan);
    assert_int_equal(status, P11PROF_BAD_INPUT);
    if (!strstr(error.text, text)) {
        fail_msg("'%s' lacks '%s'", error.text, text);
    }
}

static void what_is_not_there_is_named(void **state)
{
    (void)state;
    fill(100, 100);
    check_bad(P11PROF_BY_FUNCTION, "C_Sing", "did you mean 'C_Sign'?");
    check_bad(P11PROF_BY_FUNCTION, "C_Verify", "it has C_Encrypt, C_Sign");
    check_bad(P11PROF_BY_MECHANISM, "CKM_RSA_PKSC", "did you mean 'CKM_RSA_PKCS'?");
    check_bad(P11PROF_BY_KEY_BITS, "big", "is a number");
    check_bad(P11PROF_BY_KEY_BITS, "1024", "it has 2048, 4096");
    check_bad(P11PROF_BY_CALLER, "nobody", "it has engine.so, provider.so");
    check_bad(P11PROF_BY_PROGRAM, "'; DROP TABLE run; --", "nothing in run 1 has the program");
    assert_int_equal(fixture_integer(fixture_store, "SELECT count(*) FROM runs"), 1);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_store_setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(percentiles_are_exact_without_reading_all),
        TEST(few_rows_do),
        TEST(rows_that_disagree_are_not_believed),
        TEST(filters_select_what_sql_selects),
        TEST(histograms_select_too),
        TEST(what_is_not_there_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
