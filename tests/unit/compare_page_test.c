/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What a comparison looks like, in each of its forms. */
#include "report/allocate.h"
#include "report/compare_report.h"

#include <cjson/cJSON.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Twelve windows of a run; each has the same operations, but one more than the other. */
static void add_row(struct p11prof_compare_side *side, const char *what, uint64_t duration_ns,
                    uint64_t count, uint64_t error_count)
{
    struct p11prof_sample_key key = {.kind = P11PROF_SAMPLE_TEST,
                                     .what = p11prof_copy(what),
                                     .mechanism = p11prof_copy("CKM_ECDSA"),
                                     .key_type = p11prof_copy("CKK_EC"),
                                     .key_bits = 256,
                                     .data_bytes = -1,
                                     .threads = 1,
                                     .processes = 1};
    struct p11prof_sample_row *row = p11prof_samples_row(&side->samples, &key);
    struct p11prof_sample *sample = p11prof_sample_of_run(row, 0);
    row->name = p11prof_copy("");
    for (uint64_t i = 0; i < 12; i++) {
        struct p11prof_window *window = p11prof_sample_add_window(sample);
        *window = (struct p11prof_window){.start_ns = i * 1000000000,
                                          .duration_ns = 500000000,
                                          .count = count + i % 2,
                                          .error_count = error_count,
                                          .buckets = p11prof_zalloc(2, sizeof *window->buckets),
                                          .bucket_count = 2};
        window->buckets[0].low_ns = duration_ns;
        window->buckets[0].count = count + i % 2 - error_count;
        window->buckets[1].low_ns = 1048576;
        window->buckets[1].count = 0;
        sample->count += window->count;
        sample->error_count += window->error_count;
    }
}

static void add_run(struct p11prof_compare_side *side, int64_t run_id, const char *firmware,
                    const char *options)
{
    p11prof_table_add_columns(&side->samples.runs, P11PROF_SAMPLE_RUN_COLUMNS);
    struct p11prof_cell *run = p11prof_table_add_row(&side->samples.runs);
    p11prof_table_set_integer(&side->samples.runs, run, "run_id", run_id);
    p11prof_table_set_text(&side->samples.runs, run, "name", "nightly\033[31m");
    p11prof_table_set_text(&side->samples.runs, run, "started_at", "2026-11-24T10:15:30.250Z");
    p11prof_table_set_text(&side->samples.runs, run, "token_firmware", firmware);
    p11prof_table_set_text(&side->samples.runs, run, "options", options);
}

static struct {
    struct p11prof_compare_side sides[3];
    struct p11prof_comparison comparisons[2];
    struct p11prof_compare_report report;
} all;

static int setup(void **state)
{
    struct p11prof_thresholds thresholds;
    (void)state;
    memset(&all, 0, sizeof all);
    all.sides[0].text = "12";
    all.sides[1].text = "last<&\"\x01>";
    all.sides[2].text = "third";
    add_run(&all.sides[0], 12, "1.0", "{\"seed\":1,\"threads\":[1]}");
    add_run(&all.sides[1], 13, "1.1", "{\"seed\":2,\"threads\":[1],\"verify\":\"all\"}");
    add_run(&all.sides[2], 14, "1.0", "{\"seed\":1,\"threads\":[1]}");
    add_row(&all.sides[0], "slower", 90112, 1000, 0);
    add_row(&all.sides[0], "alike", 90112, 1000, 0);
    add_row(&all.sides[0], "failing", 90112, 1000, 0);
    add_row(&all.sides[0], "rare", 90112, 1, 0);
    add_row(&all.sides[0], "gone", 90112, 1000, 0);
    add_row(&all.sides[1], "alike", 90112, 1001, 0);
    add_row(&all.sides[1], "slower", 108544, 850, 0);
    add_row(&all.sides[1], "failing", 90112, 1000, 20);
    add_row(&all.sides[1], "rare", 90112, 2, 0);
    add_row(&all.sides[1], "new", 90112, 1000, 0);
    add_row(&all.sides[2], "alike", 65536, 1400, 0);
    p11prof_thresholds_init(&thresholds);
    for (size_t i = 0; i < 2; i++)
        p11prof_comparison_make(&all.comparisons[i], &all.sides[0].samples,
                                &all.sides[i + 1].samples, false, &thresholds);
    all.report = (struct p11prof_compare_report){.base = &all.sides[0],
                                                 .currents = &all.sides[1],
                                                 .comparisons = all.comparisons,
                                                 .count = 1};
    all.report.fails[P11PROF_VERDICT_REGRESSED] = true;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++)
        p11prof_samples_clear(&all.sides[i].samples);
    for (size_t i = 0; i < 2; i++)
        p11prof_comparison_clear(&all.comparisons[i]);
    return 0;
}

static char *page_text(enum p11prof_format format, bool colour)
{
    char *text;
    size_t bytes;
    FILE *stream = open_memstream(&text, &bytes);
    p11prof_compare_page(stream, &all.report, format, colour);
    fclose(stream);
    return text;
}

/* clang-format off */
static const char golden[] =
    "Comparison\n"
    "  Baseline    12: run 12 nightly\\x1B[31m (2026-11-24T10:15:30.250Z)\n"
    "  Current     last<&\"\\x01>: run 13 nightly\\x1B[31m (2026-11-24T10:15:30.250Z)\n"
    "\n"
    "What else is different\n"
    "  WHAT           BASELINE   CURRENT\n"
    "  firmware       1.0        1.1\n"
    "  option seed    1          2\n"
    "  option verify  not given  \"all\"\n"
    "\n"
    "Rows\n"
    "  ROW      METRIC  BASELINE  CURRENT        DELTA       CHANGE              95 % INTERVAL  VERDICT\n"
    "  slower   ops/s       2001     1701         -300      -15.0 %          -15.0 % … -14.9 %  ▼ regressed\n"
    "           p50      90.4 us   109 us     +18.4 us      +20.4 %          +19.9 % … +20.9 %  \n"
    "           p95      90.6 us   109 us     +18.4 us      +20.3 %          +19.8 % … +20.9 %  \n"
    "           p99      90.6 us   109 us     +18.4 us      +20.3 %          +19.8 % … +20.9 %  \n"
    "  alike    ops/s       2001     2003        +2.00       +0.1 %            +0.1 % … +0.1 %  = same\n"
    "           p50      90.4 us  90.4 us        +0 ns       +0.0 %            -0.5 % … +0.5 %  \n"
    "           p95      90.6 us  90.6 us        +0 ns       +0.0 %            -0.5 % … +0.5 %  \n"
    "           p99      90.6 us  90.6 us        +0 ns       +0.0 %            -0.5 % … +0.5 %  \n"
    "  failing  ops/s       2001     1961        -40.0       -2.0 %            -2.1 % … -1.9 %  = same\n"
    "           p50      90.4 us  90.4 us        +0 ns       +0.0 %            -0.5 % … +0.5 %  \n"
    "           p95      90.6 us  90.6 us        +0 ns       +0.0 %            -0.5 % … +0.5 %  \n"
    "           p99      90.6 us  90.6 us        +0 ns       +0.0 %            -0.5 % … +0.5 %  \n"
    "           errors     0.0 %    2.0 %  +2.0 points  +2.0 points  +1.7 points … +2.3 points  ▼ regressed\n"
    "  rare     ops/s       3.00     5.00        +2.00      +66.7 %                          -  ? insufficient\n"
    "           p50      90.4 us  90.4 us        +0 ns       +0.0 %                          -  \n"
    "           p95      90.6 us  90.6 us        +0 ns       +0.0 %                          -  \n"
    "           p99      90.6 us  90.6 us        +0 ns       +0.0 %                          -  \n"
    "  only in Baseline: gone\n"
    "  only in Current: new\n"
    "  Intervals of what has a verdict are corrected for 4 comparisons (Holm); a threshold is of time.\n"
    "  They are from windows of time in one run a side: how much runs differ from each other was not measured. Three runs a side would tell.\n"
    "\n"
    "2 regressed, 1 same, 1 insufficient, 2 unmatched; geometric mean of ops/s -5.9 %\n"
    "\n"
    "Too little was measured:\n"
    "  ops_per_s, fewer than 30 operations: rare\n";
/* clang-format on */

static void expect_text(const char *found, const char *wanted)
{
    if (strcmp(found, wanted) != 0) {
        fail_msg("found:\n%s", found);
    }
}

static void a_page_is_as_it_was(void **state)
{
    (void)state;
    char *text = page_text(P11PROF_FORMAT_TEXT, false);
    expect_text(text, golden);
    free(text);
}

static void has(const char *text, const char *part, bool wanted)
{
    if (!strstr(text, part) == wanted) {
        fail_msg("'%s' is %s in:\n%s", part, wanted ? "not" : "there", text);
    }
}

static void colours_are_of_verdicts(void **state)
{
    (void)state;
    char *text = page_text(P11PROF_FORMAT_TEXT, true);
    has(text, "\033[1;31m▼ regressed\033[0m\n", true);
    has(text, "nightly\033", false);
    free(text);
}

static void markdown_has_tables(void **state)
{
    (void)state;
    char *text = page_text(P11PROF_FORMAT_MARKDOWN, false);
    has(text, "# Comparison\n\n", true);
    has(text, "\n| slower | ops/s | 2001 | 1701 |", true);
    has(text, "## What else is different\n\n| WHAT | BASELINE | CURRENT |\n", true);
    free(text);
}

static void more_sides_are_more_columns(void **state)
{
    (void)state;
    all.report.count = 2;
    char *text = page_text(P11PROF_FORMAT_TEXT, false);
    has(text, "  CURRENT 1", true);
    has(text, "  CURRENT 2", true);
    has(text, "DELTA", false);
    has(text, "Current 2: 1 improved, 4 unmatched; geometric mean of ops/s +40.0 %\n", true);
    has(text, "only in Baseline: slower\n", true);
    has(text, "What else is different: Current 1\n", true);
    has(text, "What else is different: Current 2\n", false);
    free(text);
}

static const cJSON *member(const cJSON *object, const char *name)
{
    const cJSON *found = cJSON_GetObjectItemCaseSensitive(object, name);
    if (!found) {
        fail_msg("no %s", name);
    }
    return found;
}

static double number(const cJSON *object, const char *name)
{
    return member(object, name)->valuedouble;
}

static void json_has_the_numbers(void **state)
{
    char *text;
    size_t bytes;
    (void)state;
    FILE *stream = open_memstream(&text, &bytes);
    p11prof_compare_json(stream, &all.report);
    fclose(stream);
    cJSON *document = cJSON_Parse(text);
    assert_non_null(document);
    assert_string_equal(member(document, "schema")->valuestring, "p11prof/compare/v1");
    const cJSON *current = cJSON_GetArrayItem(member(document, "currents"), 0);
    const cJSON *rows = member(current, "rows"), *row = cJSON_GetArrayItem(rows, 0);
    assert_int_equal(cJSON_GetArraySize(rows), 4);
    assert_string_equal(member(row, "test")->valuestring, "slower");
    assert_string_equal(member(row, "verdict")->valuestring, "regressed");
    const cJSON *metric = cJSON_GetArrayItem(member(row, "metrics"), 0);
    assert_string_equal(member(metric, "metric")->valuestring, "ops_per_s");
    assert_true(number(metric, "baseline") == 2001 && number(metric, "current") == 1701);
    assert_true(number(metric, "effect") > 0.176 && number(metric, "effect") < 0.177);
    assert_true(number(metric, "effect_low") > 0.17 && number(metric, "effect_high") < 0.18);
    const cJSON *summary = member(current, "summary");
    assert_true(number(summary, "regressed") == 2 && number(summary, "same") == 1 &&
                number(summary, "insufficient") == 1 && number(summary, "unmatched") == 2);
    assert_int_equal(cJSON_GetArraySize(member(current, "unmatched")), 2);
    assert_int_equal(cJSON_GetArraySize(member(current, "differences")), 3);
    cJSON_Delete(document);
    free(text);
}

static void junit_is_escaped(void **state)
{
    char *text;
    size_t bytes;
    (void)state;
    FILE *stream = open_memstream(&text, &bytes);
    p11prof_compare_junit(stream, &all.report);
    fclose(stream);
    has(text,
        "<testsuite name=\"last&#60;&#38;&#34;\uFFFD&#62;\" tests=\"6\" failures=\"2\" "
        "errors=\"0\" skipped=\"3\">\n",
        true);
    has(text,
        "name=\"slower\">\n      <failure message=\"regressed\">ops_per_s 2001 to 1701, time "
        "+17.6 %",
        true);
    free(text);
}

static void what_fails_is_chosen(void **state)
{
    (void)state;
    assert_true(p11prof_compare_fails(&all.report));
    all.report.fails[P11PROF_VERDICT_REGRESSED] = false;
    assert_false(p11prof_compare_fails(&all.report));
    all.report.fails[P11PROF_VERDICT_UNCLEAR] = true;
    assert_false(p11prof_compare_fails(&all.report));
    all.report.fails[P11PROF_VERDICT_INSUFFICIENT] = true;
    assert_true(p11prof_compare_fails(&all.report));
    all.report.fails[P11PROF_VERDICT_INSUFFICIENT] = false;
    all.report.fails_unmatched = true;
    assert_true(p11prof_compare_fails(&all.report));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_page_is_as_it_was, setup, teardown),
        cmocka_unit_test_setup_teardown(colours_are_of_verdicts, setup, teardown),
        cmocka_unit_test_setup_teardown(markdown_has_tables, setup, teardown),
        cmocka_unit_test_setup_teardown(more_sides_are_more_columns, setup, teardown),
        cmocka_unit_test_setup_teardown(json_has_the_numbers, setup, teardown),
        cmocka_unit_test_setup_teardown(junit_is_escaped, setup, teardown),
        cmocka_unit_test_setup_teardown(what_fails_is_chosen, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
