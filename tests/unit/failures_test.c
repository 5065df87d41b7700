/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What did not return CKR_OK: from rows, and from the sums once the rows are gone. */
#include "calls_fixture.h"

#include "report/failures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void load(struct p11prof_failures *failures, const struct p11prof_failure_options *options)
{
    struct p11prof_error error = {0};
    *failures = (struct p11prof_failures){.call_count = 0};
    if (p11prof_failures_load(failures, p11prof_store_sqlite(fixture_store), 1, options, &error)) {
        fail_msg("%s", error.text);
    }
}

static struct p11prof_failure_options filtered(enum p11prof_dimension_id id, const char *words)
{
    struct p11prof_failure_options options = {.by.count = 0};
    assert_true(p11prof_selection_add(&options.selection, id, words));
    return options;
}

/* The results in their order: "function rv class count, …" */
static void expect_rows(const struct p11prof_table *rows, const char *text)
{
    char found[512] = "";
    for (size_t i = 0; i < rows->row_count; i++) {
        size_t used = strlen(found);
        snprintf(found + used, sizeof found - used, "%s%s %s %s %lld", i > 0 ? ", " : "",
                 p11prof_table_text(rows, i, "function", ""), p11prof_table_text(rows, i, "rv", ""),
                 p11prof_table_text(rows, i, "class", ""),
                 (long long)p11prof_table_integer(rows, i, "count", -1));
    }
    assert_string_equal(found, text);
}

static const char everything[] =
    "C_Sign CKR_DEVICE_ERROR token 1, C_Logout CKR_USER_NOT_LOGGED_IN benign 1, "
    "C_Sign CKR_BUFFER_TOO_SMALL benign 1, C_Decrypt undisclosed undisclosed 1";

static void expect_counts(const struct p11prof_failures *failures)
{
    assert_int_equal(failures->call_count, FIXTURE_CALLS);
    assert_int_equal(failures->failed_count, 1);
    assert_int_equal(failures->benign_count, 2);
    assert_int_equal(failures->undisclosed_count, 1);
    assert_int_equal(failures->lost_count, FIXTURE_LOST);
}

static void rows_tell_everything(void **state)
{
    (void)state;
    struct p11prof_failure_options options = {.by.count = 0};
    struct p11prof_failures failures;
    load(&failures, &options);
    assert_true(failures.from_rows);
    expect_rows(&failures.rows, everything);
    expect_counts(&failures);
    assert_int_equal(p11prof_table_integer(&failures.rows, 0, "p50_ns", -1), 400);
    assert_int_equal(p11prof_table_integer(&failures.rows, 0, "first_ns", -1), 1000);
    assert_int_equal(p11prof_table_integer(&failures.rows, 0, "last_ns", -1), 1000);
    assert_int_equal(p11prof_table_integer(&failures.rows, 0, "rv_code", -1), CKR_DEVICE_ERROR);
    assert_true(p11prof_table_get(&failures.rows, 0, "share")->real == 0.25);
    assert_int_equal(p11prof_table_get(&failures.rows, 3, "rv_code")->kind, P11PROF_CELL_NULL);
    assert_non_null(
        strstr(p11prof_table_text(&failures.rows, 3, "meaning", ""), "not kept on purpose"));
    p11prof_failures_clear(&failures);
}

static void they_can_be_taken_apart(void **state)
{
    (void)state;
    struct p11prof_failure_options options = {.by = {{P11PROF_BY_THREAD, P11PROF_BY_FUNCTION}, 2}};
    struct p11prof_failures failures;
    load(&failures, &options);
    expect_rows(&failures.rows, everything);
    assert_int_equal(p11prof_table_integer(&failures.rows, 0, "thread_id", -1), 11);
    assert_true(p11prof_table_get(&failures.rows, 0, "share")->real == 1);
    p11prof_failures_clear(&failures);
}

static void filters_leave_out(void **state)
{
    (void)state;
    struct p11prof_failures failures;
    struct p11prof_failure_options options = filtered(P11PROF_BY_THREAD, "11");
    load(&failures, &options);
    expect_rows(&failures.rows, "C_Sign CKR_DEVICE_ERROR token 1");
    assert_int_equal(failures.call_count, 3);
    p11prof_failures_clear(&failures);
    options = filtered(P11PROF_BY_RV, "undisclosed");
    load(&failures, &options);
    expect_rows(&failures.rows, "C_Decrypt undisclosed undisclosed 1");
    p11prof_failures_clear(&failures);
    options = (struct p11prof_failure_options){.selection.slower_than_ns = 100};
    load(&failures, &options);
    expect_rows(&failures.rows, "C_Sign CKR_DEVICE_ERROR token 1");
    assert_int_equal(failures.call_count, 4);
    p11prof_failures_clear(&failures);
}

static void refused(const struct p11prof_failure_options *options, const char *problem)
{
    struct p11prof_failures failures = {.call_count = 0};
    struct p11prof_error error = {0};
    assert_int_equal(
        p11prof_failures_load(&failures, p11prof_store_sqlite(fixture_store), 1, options, &error),
        P11PROF_BAD_INPUT);
    if (!strstr(error.text, problem)) {
        fail_msg("%s", error.text);
    }
    p11prof_failures_clear(&failures);
}

/* That nothing failed is an answer; that nothing is there is none. */
static void nothing_is_told_from_nothing_failed(void **state)
{
    (void)state;
    struct p11prof_failures failures;
    struct p11prof_failure_options options = filtered(P11PROF_BY_FUNCTION, "C_OpenSession");
    load(&failures, &options);
    assert_int_equal(failures.rows.row_count, 0);
    assert_int_equal(failures.call_count, 2);
    p11prof_failures_clear(&failures);
    options = filtered(P11PROF_BY_FUNCTION, "C_Login");
    refused(&options, "nothing in run 1 has the function 'C_Login'");
    options = filtered(P11PROF_BY_RV, "CKR_PIN_INCORRECT");
    refused(&options, "nothing in run 1 has the rv 'CKR_PIN_INCORRECT'");
}

/* All that the page says. The caller frees it. */
static char *page_of(const struct p11prof_failure_options *options, enum p11prof_format format)
{
    struct p11prof_failures failures;
    struct p11prof_error error = {0};
    struct p11prof_page page = {.format = format};
    char *text;
    size_t bytes;
    load(&failures, options);
    page.stream = open_memstream(&text, &bytes);
    assert_int_equal(p11prof_failures_page(&page, &failures, p11prof_store_sqlite(fixture_store), 1,
                                           options, &error),
                     P11PROF_OK);
    fclose(page.stream);
    p11prof_failures_clear(&failures);
    return text;
}

static void what_is_benign_stands_apart(void **state)
{
    (void)state;
    struct p11prof_failure_options options = {.by.count = 0};
    char *text = page_of(&options, P11PROF_FORMAT_TEXT);
    char *failed = strstr(text, "\nFailures\n"), *benign = strstr(text, "\nPart of normal use\n"),
         *hidden = strstr(text, "\nNot disclosed\n");
    assert_true(failed && benign > failed && hidden > benign);
    assert_non_null(strstr(text, "1 call failed, of 11"));
    assert_true(strstr(text, "CKR_DEVICE_ERROR") < benign);
    assert_true(strstr(text, "CKR_BUFFER_TOO_SMALL") > benign);
    assert_non_null(strstr(text, "  CKR_USER_NOT_LOGGED_IN: There was nobody to log out.\n"));
    free(text);
    text = page_of(&options, P11PROF_FORMAT_MARKDOWN);
    assert_non_null(strstr(text, "## Failures\n"));
    assert_non_null(strstr(text, "| C_Sign | CKR_DEVICE_ERROR | token | 1 |"));
    free(text);
}

/* Where some rows are gone, the sums say more; what needs rows says what is missing. */
static void sums_tell_what_rows_cannot(void **state)
{
    (void)state;
    struct p11prof_failures failures;
    struct p11prof_failure_options options = {.by.count = 0};
    fixture_calls_prune(FIXTURE_CALLS);
    load(&failures, &options);
    assert_false(failures.from_rows);
    assert_int_equal(failures.missing_count, 0);
    expect_rows(&failures.rows, everything);
    p11prof_failures_clear(&failures);
    options = filtered(P11PROF_BY_THREAD, "11");
    load(&failures, &options);
    assert_true(failures.from_rows);
    assert_int_equal(failures.missing_count, 1);
    p11prof_failures_clear(&failures);
}

/* Last: the rows are gone after it. */
static void sums_tell_without_rows(void **state)
{
    (void)state;
    struct p11prof_failures failures;
    struct p11prof_failure_options options = {.by.count = 0};
    fixture_calls_prune(1);
    load(&failures, &options);
    assert_false(failures.from_rows);
    expect_rows(&failures.rows, everything);
    expect_counts(&failures);
    assert_int_equal(p11prof_table_integer(&failures.rows, 0, "mean_ns", -1), 400);
    assert_int_equal(p11prof_table_integer(&failures.rows, 2, "max_ns", -1), 20);
    assert_int_equal(p11prof_table_get(&failures.rows, 0, "p50_ns")->kind, P11PROF_CELL_NULL);
    assert_int_equal(p11prof_table_get(&failures.rows, 3, "mean_ns")->kind, P11PROF_CELL_NULL);
    assert_true(p11prof_table_get(&failures.rows, 0, "share")->real == 0.25);
    p11prof_failures_clear(&failures);
    options = filtered(P11PROF_BY_FUNCTION, "C_Sign");
    assert_true(p11prof_selection_add(&options.selection, P11PROF_BY_RV, "failed"));
    load(&failures, &options);
    expect_rows(&failures.rows, "C_Sign CKR_DEVICE_ERROR token 1, "
                                "C_Sign CKR_BUFFER_TOO_SMALL benign 1");
    p11prof_failures_clear(&failures);
    options = filtered(P11PROF_BY_THREAD, "11");
    refused(&options, "--thread needs the calls");
    options = (struct p11prof_failure_options){.by = {{P11PROF_BY_CALLER}, 1}};
    refused(&options, "--by needs the calls");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_tell_everything),
        cmocka_unit_test(they_can_be_taken_apart),
        cmocka_unit_test(filters_leave_out),
        cmocka_unit_test(nothing_is_told_from_nothing_failed),
        cmocka_unit_test(what_is_benign_stands_apart),
        cmocka_unit_test(sums_tell_what_rows_cannot),
        cmocka_unit_test(sums_tell_without_rows),
    };
    return cmocka_run_group_tests(tests, fixture_calls_setup, fixture_store_teardown);
}
