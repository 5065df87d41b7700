/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Sides of comparisons: the same from the database as from a document, and nothing from a document
 * that is wrong. */
#include "results_fixture.h"

#include "report/compare_report.h"
#include "report/samples.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SLICES = 12, SLICE_NS = 100000000 };

/* Two tests; the second fails now and then, and ran in two threads. */
static void write_bench(void)
{
    bench_load(1, "ecdsa-p256-sign", 32, 1, 1);
    bench_load(2, "ecdsa-p384-sign", -1, 2, 1);
    for (uint32_t load = 1; load <= 2; load++) {
        for (unsigned slice = 1; slice <= SLICES; slice++) {
            struct bench_place place = {load, P11PROF_PHASE_MEASURED, 100 + load,
                                        (load * 100 + slice) * SLICE_NS};
            bench_slice(load, slice, place.start_ns, SLICE_NS - slice * 1000);
            for (unsigned i = 0; i < 10 + slice % 3; i++)
                bench_operation(&place, 300000 + 1000 * slice + 700 * i,
                                load == 2 && i == 3 && slice == 5 ? CKR_DEVICE_ERROR : CKR_OK);
        }
        bench_thread(&(struct p11prof_thread_row){.load = load,
                                                  .process = 1,
                                                  .thread = 1,
                                                  .thread_id = 100 + load,
                                                  .count = 131 + load,
                                                  .error_count = load - 1,
                                                  .duration_ns = SLICES * (uint64_t)SLICE_NS});
    }
    bench_write(true);
}

static char *document_of(struct sqlite3 *db)
{
    char *text;
    size_t bytes;
    struct p11prof_error error = {0};
    struct p11prof_report_options options = {.sort = NULL};
    const int64_t run_id = 1;
    const struct p11prof_run_set set = {&run_id, 1};
    FILE *stream = open_memstream(&text, &bytes);
    assert_int_equal(p11prof_report_run(stream, db, &set, 1, P11PROF_FORMAT_JSON, &options, &error),
                     0);
    fclose(stream);
    return text;
}

static void add_document(struct p11prof_samples *out, const char *text, const char *only)
{
    struct p11prof_error error = {0};
    if (p11prof_samples_add_document(out, text, strlen(text), "a.json", only, &error)) {
        fail_msg("%s", error.text);
    }
    p11prof_samples_complete(out);
}

static void add_run(struct p11prof_samples *out, const char *only)
{
    struct p11prof_error error = {0};
    if (p11prof_samples_add_run(out, p11prof_store_sqlite(fixture_store), 1, only, &error)) {
        fail_msg("%s", error.text);
    }
    p11prof_samples_complete(out);
}

static void windows_are_alike(const struct p11prof_sample *a, const struct p11prof_sample *b)
{
    assert_int_equal(a->count, b->count);
    assert_int_equal(a->error_count, b->error_count);
    assert_int_equal(a->window_count, b->window_count);
    for (size_t i = 0; i < a->window_count; i++) {
        const struct p11prof_window *one = &a->windows[i], *other = &b->windows[i];
        assert_int_equal(one->start_ns, other->start_ns);
        assert_int_equal(one->duration_ns, other->duration_ns);
        assert_int_equal(one->count, other->count);
        assert_int_equal(one->error_count, other->error_count);
        assert_int_equal(one->bucket_count, other->bucket_count);
        if (one->bucket_count > 0)
            assert_memory_equal(one->buckets, other->buckets,
                                one->bucket_count * sizeof *one->buckets);
    }
}

static void a_document_says_what_the_database_says(void **state)
{
    struct p11prof_samples sides[2] = {{.rows = NULL}, {.rows = NULL}};
    (void)state;
    write_bench();
    char *text = document_of(p11prof_store_sqlite(fixture_store));
    add_run(&sides[0], NULL);
    add_document(&sides[1], text, NULL);
    assert_int_equal(sides[0].row_count, 2);
    assert_int_equal(sides[1].row_count, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(p11prof_sample_key_compare(&sides[0].rows[i].key, &sides[1].rows[i].key),
                         0);
        windows_are_alike(&sides[0].rows[i].samples[0], &sides[1].rows[i].samples[0]);
        assert_int_equal(sides[0].rows[i].samples[0].window_count, SLICES);
    }
    assert_int_equal(sides[0].rows[0].samples[0].count, 132);
    assert_int_equal(sides[0].rows[1].samples[0].count, 133);
    assert_int_equal(sides[0].rows[1].samples[0].error_count, 1);
    for (size_t i = 0; i < sides[0].runs.column_count; i++) {
        const char *name = sides[0].runs.columns[i].name;
        assert_string_equal(p11prof_table_text(&sides[0].runs, 0, name, "-"),
                            p11prof_table_text(&sides[1].runs, 0, name, "-"));
        assert_int_equal(p11prof_table_integer(&sides[0].runs, 0, name, -1),
                         p11prof_table_integer(&sides[1].runs, 0, name, -1));
    }
    p11prof_samples_clear(&sides[0]);
    p11prof_samples_clear(&sides[1]);
    free(text);
}

/* A part of a mix is no row of the same test alone, nor of another weight. */
static void parts_of_a_mix_are_rows_of_their_own(void **state)
{
    struct p11prof_samples database = {.rows = NULL}, document = {.rows = NULL};
    struct p11prof_error error = {0};
    struct sqlite3 *db = p11prof_store_sqlite(fixture_store);
    (void)state;
    bench_load(1, "ecdsa-p256-sign", -1, 1, 1);
    bench_mix_load(2, "ecdsa-p256-sign", 1, 0.5, 1);
    bench_mix_load(3, "ecdsa-p256-sign", 2, 1.0 / 3, 1);
    for (uint32_t load = 1; load <= 3; load++) {
        struct bench_place place = {load, P11PROF_PHASE_MEASURED, 7, load};
        bench_slice(load, 1, load, SLICE_NS);
        bench_operation(&place, 300000, CKR_OK);
    }
    bench_write(true);
    assert_int_equal(p11prof_samples_add_run(&database, db, 1, NULL, &error), P11PROF_OK);
    char *text = document_of(db);
    add_document(&document, text, NULL);
    assert_int_equal(database.row_count, 3);
    assert_int_equal(document.row_count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(p11prof_sample_key_compare(&database.rows[i].key, &document.rows[i].key),
                         0);
    char *name = p11prof_sample_key_text(&document.rows[2].key);
    assert_string_equal(name, "ecdsa-p256-sign 33.33 % of a mix");
    free(name);
    free(text);
    p11prof_samples_clear(&database);
    p11prof_samples_clear(&document);
}

static void one_row_can_be_chosen(void **state)
{
    struct p11prof_samples side = {.rows = NULL};
    struct p11prof_error error = {0};
    (void)state;
    write_bench();
    char *text = document_of(p11prof_store_sqlite(fixture_store));
    add_run(&side, "ecdsa-p384-sign");
    assert_int_equal(side.row_count, 1);
    assert_string_equal(side.rows[0].key.what, "ecdsa-p384-sign");
    assert_int_equal(
        p11prof_samples_add_document(&side, text, strlen(text), "a.json", NULL, &error),
        P11PROF_BAD_INPUT);
    assert_non_null(strstr(error.text, "twice on one side"));
    p11prof_samples_clear(&side);
    add_document(&side, text, "ecdsa-p384-sign 2 threads");
    assert_int_equal(side.row_count, 1);
    p11prof_samples_clear(&side);
    assert_int_equal(
        p11prof_samples_add_document(&side, text, strlen(text), "a.json", "zork", &error),
        P11PROF_BAD_INPUT);
    assert_string_equal(error.text, "a.json has no test, operation or function 'zork': 'p11prof "
                                    "report' shows what it has");
    p11prof_samples_clear(&side);
    free(text);
}

/* --- documents that are wrong --- */

#define RUN "{\"run_id\": 1, \"uuid\": \"u\", \"kind\": \"bench\", \"duration_ns\": 9}"
#define WINDOW                                                                                     \
    "{\"start_ns\": 0, \"duration_ns\": 5, \"count\": 2, \"error_count\": 0, "                     \
    "\"histogram\": [[100, 101, 2]]}"
#define ROW(windows)                                                                               \
    "{\"test\": \"a\", \"run_id\": 1, \"count\": 2, \"error_count\": 0, \"windows\": [" windows "]}"
#define DOCUMENT(runs, results)                                                                    \
    "{\"schema\": \"p11prof/export/v1\", \"runs\": [" runs "], \"results\": [" results             \
    "], \"functions\": []}"

static void refused(const char *text, const char *problem)
{
    struct p11prof_samples side = {.rows = NULL};
    struct p11prof_error error = {0};
    enum p11prof_status status =
        p11prof_samples_add_document(&side, text, strlen(text), "a.json", NULL, &error);
    if (status != P11PROF_BAD_INPUT || strcmp(error.text, problem) != 0) {
        fail_msg("%s: %d %s", text, status, error.text);
    }
    p11prof_samples_clear(&side);
}

static void a_document_needs_all_parts(void **state)
{
    struct p11prof_samples side = {.rows = NULL};
    (void)state;
    add_document(&side, DOCUMENT(RUN, ROW(WINDOW)) " \n", NULL);
    assert_int_equal(side.rows[0].samples[0].windows[0].buckets[0].count, 2);
    p11prof_samples_clear(&side);
    refused("", "a.json is empty");
    refused("{\n\n\"schema\":", "a.json is no JSON, or not all of it: line 3");
    refused(DOCUMENT(RUN, "") "x", "a.json is no JSON, or not all of it: line 1");
    refused("[1, 2]", "a.json is no export: it does not say \"schema\": \"p11prof/export/v1\", as "
                      "'p11prof report --format json' does");
    refused("{\"schema\": \"p11prof/export/v2\"}",
            "a.json is of schema 'p11prof/export/v2', not p11prof/export/v1: 'p11prof report "
            "--format json' and 'p11prof bench --format json' make that");
    refused("{\"schema\": \"p11prof/export/v1\"}", "a.json: runs is missing");
    refused(DOCUMENT("", ""), "a.json: runs is empty");
    refused("{\"schema\": \"p11prof/export/v1\", \"runs\": [" RUN "]}",
            "a.json: results is missing");
    refused(DOCUMENT("7", ""), "a.json: runs[0] is no object");
    refused(DOCUMENT(RUN, ROW(WINDOW) ", null"), "a.json: results[1] is no object");
}

static void values_have_their_types(void **state)
{
    (void)state;
    refused(DOCUMENT("{\"kind\": []}", ""), "a.json: runs[0].kind is no text or number");
    refused(DOCUMENT(RUN, "{\"test\": 1}"), "a.json: results[0].test is no text");
    refused(DOCUMENT(RUN, "{\"count\": 1}"), "a.json: results[0].operation is missing");
    refused(DOCUMENT(RUN, "{\"test\": \"a\"}"), "a.json: results[0].count is missing");
    refused(DOCUMENT(RUN, "{\"test\": \"a\", \"run_id\": 5}"),
            "a.json: results[0].run_id is no run of this document");
    refused(DOCUMENT(RUN, "{\"test\": \"a\", \"count\": -1}"),
            "a.json: results[0].count is negative");
    refused(DOCUMENT(RUN, "{\"test\": \"a\", \"weight\": 1.5}"),
            "a.json: results[0].weight is no number from 0 to 1");
    refused(DOCUMENT(RUN, "{\"test\": \"a\", \"weight\": \"1\"}"),
            "a.json: results[0].weight is no number from 0 to 1");
    refused(DOCUMENT(RUN, "{\"test\": \"a\", \"count\": 1.5}"),
            "a.json: results[0].count is no whole number, or too large");
    refused(DOCUMENT(RUN, "{\"test\": \"a\", \"count\": 1e300}"),
            "a.json: results[0].count is no whole number, or too large");
    refused(DOCUMENT(RUN, "{\"test\": \"a\", \"count\": \"1\"}"),
            "a.json: results[0].count is no number");
    refused(DOCUMENT(RUN, "{\"test\": \"a\", \"count\": 1, \"error_count\": 2, \"windows\": []}"),
            "a.json: results[0].error_count is larger than count");
    refused(DOCUMENT(RUN, "{\"test\": \"a\", \"count\": 1, \"error_count\": 0}"),
            "a.json: results[0].windows is missing");
    refused(DOCUMENT(RUN, "{\"test\": \"a\", \"count\": 1, \"error_count\": 0, \"windows\": {}}"),
            "a.json: results[0].windows is no array");
    refused(DOCUMENT(RUN, ROW("5")), "a.json: results[0].windows[0] is no object");
    refused(DOCUMENT(RUN, ROW("{}")), "a.json: results[0].windows[0].start_ns is missing");
}

#define IN_WINDOW(count, histogram)                                                                \
    DOCUMENT(RUN, ROW(WINDOW ", {\"start_ns\": 9, \"duration_ns\": 5, \"count\": " count           \
                             ", \"error_count\": 0, \"histogram\": [" histogram "]}"))

static void histograms_have_our_buckets(void **state)
{
    static const char where[] = "a.json: results[0].windows[1].histogram";
    static const struct {
        const char *document, *problem;
    } wrong[] = {
        {IN_WINDOW("9", "[100, 102, 1]"), "[0] is no bucket of p11prof's histograms"},
        {IN_WINDOW("9", "[1000001, 1007616, 1]"), "[0] is no bucket of p11prof's histograms"},
        {IN_WINDOW("9", "[5, 6]"), "[0] is not [low_ns, high_ns, count]"},
        {IN_WINDOW("9", "[5, 6, 1, 1]"), "[0] is not [low_ns, high_ns, count]"},
        {IN_WINDOW("9", "[5, 6, -1]"), "[0] is not [low_ns, high_ns, count]"},
        {IN_WINDOW("9", "[5, 6, null]"), "[0] is not [low_ns, high_ns, count]"},
        {IN_WINDOW("9", "{\"a\": 5, \"b\": 6, \"c\": 1}"), "[0] is not [low_ns, high_ns, count]"},
        {IN_WINDOW("9", "5"), "[0] is not [low_ns, high_ns, count]"},
        {IN_WINDOW("9", "[8, 9, 1], [5, 6, 1]"), "[1] does not come in the order of durations"},
        {IN_WINDOW("1", "[5, 6, 1], [8, 9, 1]"), " has more than did not fail"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char problem[200];
        snprintf(problem, sizeof problem, "%s%s", where, wrong[i].problem);
        refused(wrong[i].document, problem);
    }
}

/* A document cut anywhere is refused, or is one without what was cut off. */
static void a_cut_document_is_refused(void **state)
{
    struct p11prof_error error;
    (void)state;
    write_bench();
    char *text = document_of(p11prof_store_sqlite(fixture_store));
    size_t bytes = strlen(text);
    while (bytes > 0 && text[bytes - 1] == '\n')
        bytes--;
    for (size_t cut = 0; cut < bytes; cut += 1 + cut / 16) {
        struct p11prof_samples side = {.rows = NULL};
        assert_int_equal(p11prof_samples_add_document(&side, text, cut, "a.json", NULL, &error),
                         P11PROF_BAD_INPUT);
        p11prof_samples_clear(&side);
    }
    free(text);
}

/* What a profile has not done for a while is a window too, and it ends when the run does. */
static void gaps_of_a_profile_are_windows(void **state)
{
    struct p11prof_samples side = {.rows = NULL};
    uint64_t total_ns = 0;
    (void)state;
    add_document(&side,
                 DOCUMENT("{\"run_id\": 1, \"kind\": \"profile\", \"duration_ns\": 200500000000}",
                          "{\"operation\": \"sign\", \"run_id\": 1, \"count\": 9, \"error_count\": "
                          "0, \"windows\": ["
                          "{\"start_ns\": 180000000000, \"duration_ns\": 60000000000, \"count\": "
                          "2, \"error_count\": 0, \"histogram\": []},"
                          "{\"start_ns\": 2000000000, \"duration_ns\": 1000000000, \"count\": 1, "
                          "\"error_count\": 1, \"histogram\": []}]}"),
                 NULL);
    const struct p11prof_sample *sample = &side.rows[0].samples[0];
    assert_int_equal(sample->window_count, 60 + 3);
    assert_int_equal(sample->count, 3);
    assert_int_equal(sample->windows[2].error_count, 1);
    assert_int_equal(sample->windows[62].count, 2);
    for (size_t i = 0; i < sample->window_count; i++) {
        assert_int_equal(sample->windows[i].start_ns, total_ns);
        total_ns += sample->windows[i].duration_ns;
    }
    assert_int_equal(total_ns, UINT64_C(200500000000));
    p11prof_samples_clear(&side);
}

/* Runs that are taken together say in each window whose it is. */
static void windows_may_name_their_run(void **state)
{
    struct p11prof_samples side = {.rows = NULL};
    (void)state;
    add_document(
        &side,
        DOCUMENT("{\"run_id\": 4, \"kind\": \"profile\"}, {\"run_id\": 7, \"kind\": \"profile\"}",
                 "{\"operation\": \"sign\", \"run_id\": null, \"count\": 3, \"error_count\": 0, "
                 "\"windows\": ["
                 "{\"start_ns\": 0, \"duration_ns\": 1, \"count\": 1, \"error_count\": 0, "
                 "\"histogram\": [], \"run_id\": 7},"
                 "{\"start_ns\": 0, \"duration_ns\": 1, \"count\": 2, \"error_count\": 0, "
                 "\"histogram\": [], \"run_id\": 4}]}"),
        NULL);
    assert_int_equal(side.rows[0].sample_count, 2);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(side.rows[0].samples[i].count, side.rows[0].samples[i].run == 0 ? 2 : 1);
    p11prof_samples_clear(&side);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_document_says_what_the_database_says, bench_setup,
                                        bench_teardown),
        cmocka_unit_test_setup_teardown(parts_of_a_mix_are_rows_of_their_own, bench_setup,
                                        bench_teardown),
        cmocka_unit_test_setup_teardown(one_row_can_be_chosen, bench_setup, bench_teardown),
        cmocka_unit_test(a_document_needs_all_parts),
        cmocka_unit_test(values_have_their_types),
        cmocka_unit_test(histograms_have_our_buckets),
        cmocka_unit_test_setup_teardown(a_cut_document_is_refused, bench_setup, bench_teardown),
        cmocka_unit_test(gaps_of_a_profile_are_windows),
        cmocka_unit_test(windows_may_name_their_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
