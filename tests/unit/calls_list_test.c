/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Which calls are picked, in which order, and what stands around one. */
#include "calls_fixture.h"

#include "report/call_around.h"
#include "report/call_gaps.h"
#include "report/call_print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct p11prof_selection select_words(enum p11prof_dimension_id id, const char *words)
{
    struct p11prof_selection selection = {.filter_count = 0};
    if (words)
        assert_true(p11prof_selection_add(&selection, id, words));
    return selection;
}

static void open_scope(struct p11prof_call_scope *scope, const struct p11prof_selection *selection)
{
    struct p11prof_error error = {0};
    if (p11prof_call_scope_open(scope, p11prof_store_sqlite(fixture_store), 1, selection, &error)) {
        fail_msg("%s", error.text);
    }
}

/* "1 2 3": ids in their order, each with its sign if it has one. */
static void expect_ids(const struct p11prof_call_list *list, const char *ids)
{
    static const char *const signs[] = {
        [P11PROF_CALL_LISTED] = "", [P11PROF_CALL_ENCLOSING] = "(", [P11PROF_CALL_BEFORE] = "",
        [P11PROF_CALL_AT] = ">",    [P11PROF_CALL_AFTER] = "",      [P11PROF_CALL_IN_FLIGHT] = "+",
    };
    char found[256] = "";
    for (size_t i = 0; i < list->count; i++) {
        size_t used = strlen(found);
        snprintf(found + used, sizeof found - used, "%s%s%lld", i > 0 ? " " : "",
                 signs[list->refs[i].relation], (long long)list->refs[i].id);
    }
    assert_string_equal(found, ids);
}

static void picks(enum p11prof_call_pick pick, uint64_t count, enum p11prof_dimension_id id,
                  const char *words, const char *ids)
{
    struct p11prof_selection selection = select_words(id, words);
    struct p11prof_call_scope scope;
    struct p11prof_call_list list = {.refs = NULL};
    struct p11prof_error error = {0};
    open_scope(&scope, &selection);
    assert_int_equal(p11prof_call_list_pick(&list, &scope, pick, count, &error), P11PROF_OK);
    expect_ids(&list, ids);
    p11prof_call_list_clear(&list);
    p11prof_call_scope_clear(&scope);
}

static void the_slowest_come_first(void **state)
{
    (void)state;
    picks(P11PROF_PICK_SLOWEST, 3, 0, NULL, "5 6 3");
    picks(P11PROF_PICK_SLOWEST, 4, P11PROF_BY_FUNCTION, "C_Sign", "5 6 9 10");
    picks(P11PROF_PICK_SLOWEST, 1, P11PROF_BY_KIND, "blocking", "8");
    picks(P11PROF_PICK_SLOWEST, 100, P11PROF_BY_THREAD, "11", "6 3");
}

static void the_newest_come_last(void **state)
{
    (void)state;
    picks(P11PROF_PICK_NEWEST, 4, 0, NULL, "10 8 7 11");
    picks(P11PROF_PICK_NEWEST, 2, P11PROF_BY_FUNCTION, "C_Sign", "9 10");
    picks(P11PROF_PICK_NEWEST, 100, P11PROF_BY_PROCESS, "2", "9 10");
}

/* A small buffer is no failure, and what is not told may be a success. */
static void the_newest_failed_comes_first(void **state)
{
    (void)state;
    picks(P11PROF_PICK_FAILED, 100, 0, NULL, "7 6");
    picks(P11PROF_PICK_FAILED, 1, 0, NULL, "7");
    picks(P11PROF_PICK_FAILED, 9, P11PROF_BY_FUNCTION, "C_OpenSession", "");
}

static void gaps_are_of_the_thread(void **state)
{
    (void)state;
    static const int64_t gaps[FIXTURE_CALLS + 1] = {
        0,  P11PROF_NO_GAP, 50, P11PROF_NO_GAP, P11PROF_NO_GAP, 90, 710, 200,
        50, P11PROF_NO_GAP, 10, 7000 - 1505};
    struct p11prof_selection all = {.filter_count = 0};
    struct p11prof_call_scope scope;
    struct p11prof_call_list list = {.refs = NULL};
    struct p11prof_error error = {0};
    open_scope(&scope, &all);
    p11prof_call_list_pick(&list, &scope, P11PROF_PICK_NEWEST, 100, &error);
    assert_int_equal(list.count, FIXTURE_CALLS);
    assert_int_equal(p11prof_call_gaps(&list, &scope, &error), P11PROF_OK);
    for (size_t i = 0; i < list.count; i++)
        if (list.refs[i].gap_ns != gaps[list.refs[i].id]) {
            fail_msg("call %lld has a gap of %lld", (long long)list.refs[i].id,
                     (long long)list.refs[i].gap_ns);
        }
    p11prof_call_list_clear(&list);
    p11prof_call_scope_clear(&scope);
}

/* A thread's previous call may stand many rows before: run 2, at 1, 2 … µs of threads 1 and 2. */
static void gaps_may_be_far(void **state)
{
    (void)state;
    enum { BETWEEN = 50000 };
    struct p11prof_row *rows = calloc(BETWEEN + 2, sizeof *rows);
    struct p11prof_spool_header *spool = fixture_header(3, 3);
    struct p11prof_selection all = {.filter_count = 0};
    struct p11prof_call_scope scope;
    struct p11prof_call_list list = {.refs = NULL};
    struct p11prof_error error = {0};
    for (size_t i = 0; i < BETWEEN + 2; i++)
        rows[i] = (struct p11prof_row){.known = P11PROF_ROW_RV,
                                       .function = P11PROF_C_GetInfo,
                                       .thread_id = i == 0 || i == BETWEEN + 1 ? 1 : 2,
                                       .start_ns = 1000 * i,
                                       .duration_ns = i == BETWEEN + 1 || i == 1 ? 999 : 10};
    struct p11prof_batch batch = {
        .rows = rows, .row_count = BETWEEN + 2, .call_count = BETWEEN + 2};
    spool->run_id[0] = 2;
    fixture_write(fixture_store, spool, &batch);
    assert_int_equal(
        p11prof_call_scope_open(&scope, p11prof_store_sqlite(fixture_store), 2, &all, &error), 0);
    assert_int_equal(p11prof_call_list_pick(&list, &scope, P11PROF_PICK_SLOWEST, 2, &error), 0);
    assert_int_equal(p11prof_call_gaps(&list, &scope, &error), P11PROF_OK);
    assert_int_equal(list.refs[0].start_ns, 1000);
    assert_int_equal(list.refs[0].gap_ns, P11PROF_NO_GAP);
    assert_int_equal(list.refs[1].gap_ns, 1000 * (BETWEEN + 1) - 10);
    p11prof_call_list_clear(&list);
    p11prof_call_scope_clear(&scope);
    free(spool);
    free(rows);
}

static enum p11prof_status around(const char *text, uint64_t before, uint64_t after, bool threads,
                                  const struct p11prof_selection *selection,
                                  struct p11prof_call_list *list, struct p11prof_error *error)
{
    struct p11prof_call_anchor anchor;
    struct p11prof_call_scope scope;
    open_scope(&scope, selection);
    assert_true(p11prof_call_anchor_read(text, &anchor));
    enum p11prof_status status =
        p11prof_call_list_around(list, &scope, &anchor, before, after, threads, error);
    p11prof_call_scope_clear(&scope);
    return status;
}

static void stands_around(const char *text, uint64_t before, uint64_t after, bool threads,
                          const char *ids)
{
    struct p11prof_selection all = {.filter_count = 0};
    struct p11prof_call_list list = {.refs = NULL};
    struct p11prof_error error = {0};
    if (around(text, before, after, threads, &all, &list, &error)) {
        fail_msg("%s: %s", text, error.text);
    }
    expect_ids(&list, ids);
    p11prof_call_list_clear(&list);
}

static void a_call_has_neighbours(void **state)
{
    (void)state;
    stands_around("call:5", 1, 1, false, "2 >5 4");
    stands_around("call:5", 9, 9, false, "1 2 >5 4 7 11");
    stands_around("call:5", 0, 0, false, ">5");
    stands_around("call:5", 0, 2, false, ">5 4 7");
    stands_around("call:1", 5, 1, false, ">1 2");
    stands_around("call:11", 1, 5, false, "7 >11");
    stands_around("call:9", 5, 5, false, ">9 10");
    stands_around("slowest", 1, 0, false, "2 >5");
}

static void a_nested_call_has_one_that_encloses_it(void **state)
{
    (void)state;
    stands_around("call:4", 1, 1, false, "2 (5 >4 7");
}

static void other_threads_had_calls_in_flight(void **state)
{
    (void)state;
    stands_around("call:2", 0, 0, true, "+3 >2");
    stands_around("1210ns", 0, 0, true, ">5 +6 +9");
    stands_around("call:7", 0, 0, true, "+8 >7");
    stands_around("call:1", 0, 0, true, ">1");
}

/* What is under way is meant, the longest of several; else the nearest; a wait is neither. */
static void a_moment_means_a_call(void **state)
{
    (void)state;
    stands_around("1us", 0, 0, false, ">5");
    stands_around("1350ns", 0, 0, false, ">6");
    stands_around("312ns", 0, 0, false, ">5");
    stands_around("1420ns", 0, 0, false, ">6");
    stands_around("1480ns", 0, 0, false, ">7");
    stands_around("6us", 0, 0, false, ">11");
    stands_around("0", 0, 0, false, ">1");
    stands_around("-0s", 0, 0, false, ">11");
    stands_around("2023-11-14T22:13:20.123Z", 0, 0, false, ">1");
    stands_around("22:13:20.123001", 0, 0, false, ">5");
}

static void filters_choose_the_call_only(void **state)
{
    (void)state;
    struct p11prof_selection opens = select_words(P11PROF_BY_FUNCTION, "C_OpenSession");
    struct p11prof_selection waits = select_words(P11PROF_BY_KIND, "blocking");
    struct p11prof_call_list list = {.refs = NULL};
    struct p11prof_error error = {0};
    assert_int_equal(around("slowest", 1, 1, false, &opens, &list, &error), P11PROF_OK);
    expect_ids(&list, ">3 6");
    p11prof_call_list_clear(&list);
    assert_int_equal(around("2us", 1, 1, false, &waits, &list, &error), P11PROF_OK);
    expect_ids(&list, "6 >8");
    p11prof_call_list_clear(&list);
}

static void fails_around(const char *text, const struct p11prof_selection *selection,
                         const char *problem)
{
    struct p11prof_call_list list = {.refs = NULL};
    struct p11prof_error error = {0};
    assert_int_equal(around(text, 1, 1, false, selection, &list, &error), P11PROF_BAD_INPUT);
    if (!strstr(error.text, problem)) {
        fail_msg("%s: %s", text, error.text);
    }
    p11prof_call_list_clear(&list);
}

static void what_is_not_there_is_said(void **state)
{
    (void)state;
    struct p11prof_selection all = {.filter_count = 0};
    struct p11prof_selection opens = select_words(P11PROF_BY_FUNCTION, "C_OpenSession");
    fails_around("call:12", &all, "no call 12: its calls are from 1 to 11");
    fails_around("call:5", &opens, "not among those that the filters select");
    fails_around("1s", &all, "outside run 1, which took 7.01 us (2023-11-14T22:13:20.123Z");
    fails_around("-1s", &all, "outside run 1");
    fails_around("2023-11-14", &all, "outside run 1");
    fails_around("22:13:19", &all, "outside run 1");
}

static void anchors_are_read(void **state)
{
    (void)state;
    static const char *const bad[] = {"",         "call:",    "call:x", "call:1x",
                                      "call:-1",  "fastest",  "12:34:", "1x",
                                      "10-11-12", "slowest ", "now"};
    struct p11prof_call_anchor anchor;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (p11prof_call_anchor_read(bad[i], &anchor)) {
            fail_msg("'%s' was read", bad[i]);
        }
    assert_true(p11prof_call_anchor_read("call:17", &anchor));
    assert_int_equal(anchor.id, 17);
    assert_true(p11prof_call_anchor_read("12.5", &anchor));
    assert_int_equal(anchor.moment.ns, INT64_C(12500000000));
    assert_true(p11prof_call_anchor_read("10:15", &anchor));
    assert_int_equal(anchor.kind, P11PROF_AROUND_CLOCK);
}

/* What p11prof_call_print() writes. The caller frees it. */
static char *printed(enum p11prof_format format, const struct p11prof_call_options *options,
                     struct p11prof_call_notes *notes)
{
    struct p11prof_error error = {0};
    char *text;
    size_t bytes;
    FILE *stream = open_memstream(&text, &bytes);
    if (p11prof_call_print(stream, p11prof_store_sqlite(fixture_store), 1, format, options, notes,
                           &error)) {
        fail_msg("%s", error.text);
    }
    fclose(stream);
    return text;
}

static void nested_calls_are_indented_for_people(void **state)
{
    (void)state;
    struct p11prof_call_options options = {.show = P11PROF_SHOW_NEWEST, .count = 100};
    struct p11prof_call_notes notes = {.lost_count = 0};
    const char *nearest;
    assert_null(
        p11prof_call_columns_read(&options.columns, "call_id,function,rv,gap_ns", &nearest));
    char *text = printed(P11PROF_FORMAT_TEXT, &options, &notes);
    assert_non_null(strstr(text, "     5  C_Sign   "));
    assert_non_null(strstr(text, "     4    C_GetInfo  "));
    assert_non_null(strstr(text, "C_Decrypt           undisclosed"));
    assert_int_equal(notes.lost_count, FIXTURE_LOST);
    assert_int_equal(notes.pruned_count, 0);
    free(text);
    text = printed(P11PROF_FORMAT_CSV, &options, &notes);
    assert_non_null(strstr(text, "\r\n4,C_GetInfo,CKR_OK,\r\n"));
    free(text);
}

/* The same gaps, whether or not the calls between are shown. */
static void all_calls_are_a_stream(void **state)
{
    (void)state;
    struct p11prof_call_options options = {.show = P11PROF_SHOW_ALL};
    struct p11prof_call_notes notes = {.lost_count = 0};
    const char *nearest;
    p11prof_call_columns_read(&options.columns, "call_id,gap_ns,process_id", &nearest);
    char *text = printed(P11PROF_FORMAT_CSV, &options, &notes);
    assert_string_equal(text, "call_id,gap_ns,process_id\r\n1,,1\r\n2,50,1\r\n3,,1\r\n4,,1\r\n"
                              "5,90,1\r\n6,710,1\r\n7,200,1\r\n8,50,1\r\n9,,2\r\n10,10,2\r\n"
                              "11,5495,1\r\n");
    free(text);
    options.selection = select_words(P11PROF_BY_FUNCTION, "C_Sign");
    text = printed(P11PROF_FORMAT_JSON, &options, &notes);
    assert_string_equal(text, "{\"schema\":\"p11prof/export/v1\",\"calls\":[\n"
                              "{\"call_id\":5,\"gap_ns\":90,\"process_id\":1},\n"
                              "{\"call_id\":6,\"gap_ns\":710,\"process_id\":1},\n"
                              "{\"call_id\":9,\"gap_ns\":null,\"process_id\":2},\n"
                              "{\"call_id\":10,\"gap_ns\":10,\"process_id\":2}\n]\n}\n");
    free(text);
}

static void columns_are_read(void **state)
{
    (void)state;
    struct p11prof_call_columns columns;
    const char *nearest = NULL;
    assert_null(p11prof_call_columns_read(&columns, "rv,call_id,rv", &nearest));
    assert_int_equal(columns.count, 2);
    assert_string_equal(p11prof_call_columns_read(&columns, "rv,durations_ns", &nearest),
                        "durations_ns");
    assert_string_equal(nearest, "duration_ns");
    assert_non_null(p11prof_call_columns_read(&columns, "", &nearest));
    assert_non_null(p11prof_call_columns_read(&columns, "rv,", &nearest));
}

static void calls_that_were_pruned_are_counted(void **state)
{
    (void)state;
    struct p11prof_call_options options = {.show = P11PROF_SHOW_NEWEST, .count = 1};
    struct p11prof_call_notes notes = {.lost_count = 0};
    fixture_calls_prune(FIXTURE_CALLS);
    free(printed(P11PROF_FORMAT_CSV, &options, &notes));
    assert_int_equal(notes.pruned_count, 1);
}

/* Last: there is nothing left after it. */
static void without_rows_another_command_is_named(void **state)
{
    (void)state;
    struct p11prof_call_options options = {.show = P11PROF_SHOW_SLOWEST, .count = 1};
    struct p11prof_call_notes notes = {.lost_count = 0};
    struct p11prof_error error = {0};
    fixture_calls_prune(1);
    assert_int_equal(p11prof_call_print(stdout, p11prof_store_sqlite(fixture_store), 1,
                                        P11PROF_FORMAT_TEXT, &options, &notes, &error),
                     P11PROF_BAD_INPUT);
    assert_non_null(strstr(error.text, "'p11prof errors 1'"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_slowest_come_first),
        cmocka_unit_test(the_newest_come_last),
        cmocka_unit_test(the_newest_failed_comes_first),
        cmocka_unit_test(gaps_are_of_the_thread),
        cmocka_unit_test(a_call_has_neighbours),
        cmocka_unit_test(a_nested_call_has_one_that_encloses_it),
        cmocka_unit_test(other_threads_had_calls_in_flight),
        cmocka_unit_test(a_moment_means_a_call),
        cmocka_unit_test(filters_choose_the_call_only),
        cmocka_unit_test(what_is_not_there_is_said),
        cmocka_unit_test(anchors_are_read),
        cmocka_unit_test(nested_calls_are_indented_for_people),
        cmocka_unit_test(all_calls_are_a_stream),
        cmocka_unit_test(columns_are_read),
        cmocka_unit_test(gaps_may_be_far),
        cmocka_unit_test(calls_that_were_pruned_are_counted),
        cmocka_unit_test(without_rows_another_command_is_named),
    };
    return cmocka_run_group_tests(tests, fixture_calls_setup, fixture_store_teardown);
}
