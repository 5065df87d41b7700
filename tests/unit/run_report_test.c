/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* A report of a run: from its rows, and from its histograms once the rows are gone. */
#include "store_fixture.h"

#include "report/run_report.h"

#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

enum { SIGNS = 1009, QUERIES = 13, FAILED = 7 };

/* SIGNS of C_Sign that take i µs, the first FAILED of them fail; QUERIES of its size; a wait of
 * 1 s. */
static struct p11prof_row rows[SIGNS + QUERIES + 1];

static void make_rows(void)
{
    for (size_t i = 0; i < SIGNS + QUERIES + 1; i++) {
        bool sign = i < SIGNS, query = !sign && i < SIGNS + QUERIES;
        rows[i] = (struct p11prof_row){
            .known =
                P11PROF_ROW_RV | P11PROF_ROW_CALLER | (sign || query ? P11PROF_ROW_MECHANISM : 0U) |
                (sign ? P11PROF_ROW_OPERATION | P11PROF_ROW_KEY_TYPE | P11PROF_ROW_KEY_BITS : 0U),
            .function = sign || query ? P11PROF_C_Sign : P11PROF_C_WaitForSlotEvent,
            .kind = sign    ? P11PROF_KIND_CALL
                    : query ? P11PROF_KIND_SIZE_QUERY
                            : P11PROF_KIND_BLOCKING,
            .mechanism = CKM_ECDSA,
            .key_type = CKK_EC,
            .key_bits = 256,
            .operation = P11PROF_OPERATION_SIGN,
            .operation_call_count = 2,
            .operation_start_ns = i * 1000,
            .operation_duration_ns = 2 * (i + 1) * 1000,
            .thread_id = 7,
            .caller_id = 1 + i % 2,
            .start_ns = i * 1000,
            .duration_ns = sign    ? (i + 1) * 1000
                           : query ? 500
                                   : 1000000000,
            .rv = i < FAILED ? CKR_DEVICE_ERROR : CKR_OK,
        };
    }
}

static void add_row(struct fixture_group *group, const struct p11prof_row *row, uint64_t ns)
{
    if (row->rv == CKR_OK) {
        fixture_group_add(group, ns);
        return;
    }
    group->group.count++;
    group->group.error_count++;
    group->group.error_sum_ns += ns;
}

static int report_setup(void **state)
{
    static struct fixture_group groups[4];
    static struct p11prof_caller_row callers[] = {{1, "/usr/lib/first.so", 0},
                                                  {2, "/usr/lib/second.so", 0}};
    struct p11prof_group all[4];
    if (fixture_store_setup(state) != 0)
        return -1;
    make_rows();
    for (size_t i = 0; i < 4; i++) {
        fixture_group_init(&groups[i], i == 2 ? P11PROF_C_WaitForSlotEvent : P11PROF_C_Sign, 0);
        groups[i].group.kind = i == 1   ? P11PROF_KIND_SIZE_QUERY
                               : i == 2 ? P11PROF_KIND_BLOCKING
                                        : P11PROF_KIND_CALL;
        groups[i].group.mechanism = i == 2 ? P11PROF_UNKNOWN : (int64_t)CKM_ECDSA;
    }
    groups[3].group.operation = true;
    groups[3].group.code = P11PROF_OPERATION_SIGN;
    groups[3].group.key_type = CKK_EC;
    groups[3].group.key_bits = 256;
    for (size_t i = 0; i < SIGNS + QUERIES + 1; i++) {
        add_row(&groups[rows[i].kind == P11PROF_KIND_CALL         ? 0
                        : rows[i].kind == P11PROF_KIND_SIZE_QUERY ? 1
                                                                  : 2],
                &rows[i], rows[i].duration_ns);
        if (i < SIGNS)
            add_row(&groups[3], &rows[i], rows[i].operation_duration_ns);
    }
    for (size_t i = 0; i < 4; i++)
        all[i] = groups[i].group;
    struct p11prof_error_count error = {
        P11PROF_C_Sign, CKR_DEVICE_ERROR, FAILED, 28000, 1000, 7000};
    struct p11prof_loss_row loss = {P11PROF_C_Sign, P11PROF_LOSS_LIMIT, 5};
    struct p11prof_batch batch = {.rows = rows,
                                  .row_count = SIGNS + QUERIES + 1,
                                  .groups = all,
                                  .group_count = 4,
                                  .errors = &error,
                                  .error_count = 1,
                                  .losses = &loss,
                                  .loss_count = 1,
                                  .callers = callers,
                                  .caller_count = 2,
                                  .call_count = SIGNS + QUERIES + 1,
                                  .last_end_ns = 2000000000};
    fixture_write(fixture_store, fixture_spool, &batch);
    return 0;
}

static void load(struct p11prof_run_report *report, const char *by)
{
    struct p11prof_report_options options = {.sort = NULL};
    struct p11prof_error error = {0};
    const char *nearest;
    if (by)
        assert_null(p11prof_grouping_read(&options.by, by, &nearest));
    if (p11prof_run_report_load_one(report, p11prof_store_sqlite(fixture_store), 1, &options,
                                    &error)) {
        fail_msg("%s", error.text);
    }
}

static void check(const struct p11prof_table *table, size_t row, const char *column, int64_t value)
{
    int64_t found = p11prof_table_integer(table, row, column, -1);
    if (found != value) {
        fail_msg("%s is %lld, not %lld", column, (long long)found, (long long)value);
    }
}

/* The durations of those that did not fail are 8 to 1009 µs: 1002 of them. */
static void rows_give_exact_percentiles(void **state)
{
    (void)state;
    struct p11prof_run_report report = {.exact = false};
    load(&report, NULL);
    assert_true(report.exact);
    assert_int_equal(report.functions.row_count, 1);
    check(&report.functions, 0, "count", SIGNS);
    check(&report.functions, 0, "error_count", FAILED);
    check(&report.functions, 0, "total_ns", SIGNS * (SIGNS + 1) / 2 * 1000);
    check(&report.functions, 0, "min_ns", 8000);
    check(&report.functions, 0, "p50_ns", 508000);   /* the 501st of 1002 */
    check(&report.functions, 0, "p99_ns", 999000);   /* the 992nd */
    check(&report.functions, 0, "p999_ns", 1008000); /* the 1001st */
    check(&report.functions, 0, "max_ns", 1009000);
    assert_string_equal(p11prof_table_text(&report.functions, 0, "function", ""), "C_Sign");
    assert_string_equal(p11prof_table_text(&report.functions, 0, "mechanism", ""), "CKM_ECDSA");
    assert_string_equal(p11prof_table_text(&report.functions, 0, "unsupported", ""), "p999_ns");
    p11prof_run_report_clear(&report);
}

/* A wait has no share, and no part in that of others. */
static void kinds_stay_apart(void **state)
{
    (void)state;
    struct p11prof_run_report report = {.exact = false};
    load(&report, "mechanism");
    assert_int_equal(report.others.row_count, 2);
    assert_string_equal(p11prof_table_text(&report.others, 0, "kind", ""), "blocking");
    assert_int_equal(p11prof_table_get(&report.others, 0, "share")->kind, P11PROF_CELL_NULL);
    assert_string_equal(p11prof_table_text(&report.others, 1, "kind", ""), "size-query");
    check(&report.others, 1, "count", QUERIES);
    double shares = p11prof_table_get(&report.functions, 0, "share")->real +
                    p11prof_table_get(&report.others, 1, "share")->real;
    assert_true(shares > 0.999999 && shares < 1.000001);
    check(&report.times, 0, "total_ns", SIGNS * (SIGNS + 1) / 2 * 1000 + QUERIES * 500);
    p11prof_run_report_clear(&report);
}

static void callers_and_results_are_told_apart(void **state)
{
    (void)state;
    struct p11prof_run_report report = {.exact = false};
    load(&report, "caller,rv");
    assert_int_equal(report.functions.row_count, 4);
    for (size_t i = 0; i < 4; i++) {
        bool failed = i >= 2;
        const char *rv = p11prof_table_text(&report.functions, i, "rv", "");
        assert_string_equal(rv, failed ? "CKR_DEVICE_ERROR" : "CKR_OK");
        assert_true(p11prof_table_integer(&report.functions, i, "p50_ns", -1) > 0);
    }
    p11prof_run_report_clear(&report);
}

static void the_rest_is_there(void **state)
{
    (void)state;
    struct p11prof_run_report report = {.exact = false};
    load(&report, NULL);
    assert_int_equal(report.operations.row_count, 1);
    check(&report.operations, 0, "count", SIGNS);
    check(&report.operations, 0, "key_bits", 256);
    check(&report.operations, 0, "p50_ns", 1016000);
    check(&report.errors, 0, "count", FAILED);
    check(&report.losses, 0, "count", 5);
    p11prof_run_report_clear(&report);
}

static void the_document_is_complete(void **state)
{
    (void)state;
    static const char *const result_keys[] = {
        "test",  "name",        "operation", "mechanism", "key_type",  "key_bits", "threads",
        "count", "error_count", "ops_per_s", "mean_ns",   "stddev_ns", "p999_ns",  "histogram"};
    struct p11prof_run_report report = {.exact = false};
    cJSON *document = p11prof_document_new();
    load(&report, NULL);
    p11prof_document_add(document, &report);
    char *text = cJSON_PrintUnformatted(document);
    cJSON *parsed = cJSON_Parse(text);
    assert_string_equal(cJSON_GetObjectItem(parsed, "schema")->valuestring, "p11prof/export/v1");
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(parsed, "functions")), 3);
    cJSON *result = cJSON_GetArrayItem(cJSON_GetObjectItem(parsed, "results"), 0);
    for (size_t i = 0; i < sizeof result_keys / sizeof result_keys[0]; i++)
        assert_non_null(cJSON_GetObjectItem(result, result_keys[i]));
    double count = 0;
    for (cJSON *bucket = cJSON_GetObjectItem(result, "histogram")->child; bucket;
         bucket = bucket->next)
        count += cJSON_GetArrayItem(bucket, 2)->valuedouble;
    assert_true(count == SIGNS - FAILED);
    cJSON_Delete(parsed);
    cJSON_Delete(document);
    cJSON_free(text);
    p11prof_run_report_clear(&report);
}

/* Without rows: the same counts, percentiles within 0.5 %, and no callers. */
static void histograms_take_over(void **state)
{
    (void)state;
    struct p11prof_run_report report = {.exact = true};
    struct p11prof_report_options options = {.by = {{P11PROF_BY_CALLER}, 1}};
    struct p11prof_error error = {0};
    sqlite3 *db = p11prof_store_sqlite(fixture_store);
    assert_int_equal(sqlite3_exec(db, "DELETE FROM call", NULL, NULL, NULL), SQLITE_OK);
    load(&report, NULL);
    assert_false(report.exact);
    check(&report.functions, 0, "count", SIGNS);
    check(&report.functions, 0, "total_ns", SIGNS * (SIGNS + 1) / 2 * 1000);
    check(&report.functions, 0, "min_ns", 8000);
    assert_in_range(p11prof_table_integer(&report.functions, 0, "p50_ns", 0), 505460, 510540);
    check(&report.operations, 0, "count", SIGNS);
    assert_int_equal(report.others.row_count, 2);
    p11prof_run_report_clear(&report);
    assert_int_equal(p11prof_run_report_load_one(&report, db, 1, &options, &error),
                     P11PROF_BAD_INPUT);
    assert_non_null(strstr(error.text, "--by caller"));
    p11prof_run_report_clear(&report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_give_exact_percentiles),
        cmocka_unit_test(kinds_stay_apart),
        cmocka_unit_test(callers_and_results_are_told_apart),
        cmocka_unit_test(the_rest_is_there),
        cmocka_unit_test(the_document_is_complete),
        cmocka_unit_test(histograms_take_over),
    };
    return cmocka_run_group_tests(tests, report_setup, fixture_store_teardown);
}
