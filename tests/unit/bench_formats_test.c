/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What a bench prints: text, JSON, CSV and Markdown, with names that mean harm. */
#include "results_fixture.h"

#include "report/run_report.h"

#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

enum { SLICE_NS = 1000000000 };

static const char evil_test[] = "t|1,\"x\"\n\x1B[31m\xFF\u202E<b>";
static const char evil_reason[] = "no | \r\n# mechanism \"\xC3\" `x` [a](b)";

/* The report of run 1 (of 2 too, if asked), valid until the next call. */
static const char *printed_runs(enum p11prof_format format, bool results_only, size_t run_count)
{
    static char *text;
    static const int64_t run_ids[] = {1, 2};
    const struct p11prof_run_set sets[] = {{&run_ids[0], 1}, {&run_ids[1], 1}};
    size_t bytes;
    struct p11prof_report_options options = {.results_only = results_only};
    struct p11prof_error error = {0};
    free(text);
    FILE *stream = open_memstream(&text, &bytes);
    if (p11prof_report_run(stream, p11prof_store_sqlite(fixture_store), sets, run_count, format,
                           &options, &error)) {
        fail_msg("%s", error.text);
    }
    fclose(stream);
    return text;
}

static const char *printed(enum p11prof_format format)
{
    return printed_runs(format, false, 1);
}

static void has(const char *text, const char *part)
{
    if (!strstr(text, part)) {
        fail_msg("there is no '%s' in:\n%s", part, text);
    }
}

static void lacks(const char *text, const char *part)
{
    if (strstr(text, part)) {
        fail_msg("there is '%s' in:\n%s", part, text);
    }
}

/* A load whose 1000 operations take mean_ns each, in one second. */
static void simple_load(uint32_t load, const char *test, int64_t data_bytes, unsigned threads,
                        uint64_t mean_ns)
{
    struct bench_place place = {load, P11PROF_PHASE_MEASURED, 7, load};
    bench_load(load, test, data_bytes, threads, 1);
    bench_slice(load, 1, load, SLICE_NS);
    for (unsigned i = 0; i < 1000; i++)
        bench_operation(&place, mean_ns, CKR_OK);
}

static void no_control_characters(const char *text, const char *allowed)
{
    for (const char *at = text; *at; at++)
        if ((unsigned char)*at < 0x20 && !strchr(allowed, *at)) {
            fail_msg("control character %02X in:\n%s", (unsigned char)*at, text);
        }
}

static void json_has_the_schema_in_order(void **state)
{
    (void)state;
    static const char *const keys[] = {
        "test",        "name",       "operation",   "mechanism", "key_type",
        "key_bits",    "data_bytes", "threads",     "processes", "count",
        "error_count", "ops_per_s",  "bytes_per_s", "mean_ns",   "stddev_ns",
        "min_ns",      "p50_ns",     "p90_ns",      "p95_ns",    "p99_ns",
        "p999_ns",     "max_ns",     "histogram",   "windows",   "per_thread"};
    simple_load(1, "ecdsa-p256-sign", 32, 1, 1500);
    bench_skip("ed25519-sign", "no mechanism CKM_EDDSA");
    bench_write(true);
    cJSON *document = cJSON_Parse(printed(P11PROF_FORMAT_JSON));
    assert_non_null(document);
    assert_string_equal(cJSON_GetObjectItem(document, "schema")->valuestring, "p11prof/export/v1");
    cJSON *results = cJSON_GetObjectItem(document, "results");
    assert_int_equal(cJSON_GetArraySize(results), 1);
    cJSON *item = results->child->child;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++, item = item->next) {
        bool text = i<5, array = i> 21;
        assert_string_equal(item->string, keys[i]);
        assert_true(text    ? cJSON_IsString(item)
                    : array ? cJSON_IsArray(item)
                            : cJSON_IsNumber(item));
    }
    has(printed(P11PROF_FORMAT_JSON), "\"mean_ns\":\t1500,");
    cJSON *skip = cJSON_GetObjectItem(document, "skipped")->child;
    assert_string_equal(skip->child->string, "test");
    assert_string_equal(skip->child->valuestring, "ed25519-sign");
    assert_string_equal(skip->child->next->string, "reason");
    assert_string_equal(skip->child->next->valuestring, "no mechanism CKM_EDDSA");
    cJSON_Delete(document);
}

static void csv_has_the_scalars_of_json(void **state)
{
    (void)state;
    char header[2048] = "";
    simple_load(1, "ecdsa-p256-sign", 32, 1, 1500);
    bench_write(true);
    cJSON *document = cJSON_Parse(printed(P11PROF_FORMAT_JSON)), *item;
    cJSON_ArrayForEach(item, cJSON_GetObjectItem(document, "results")->child)
    {
        bool numbers = strcmp(item->string, "histogram") == 0 ||
                       strcmp(item->string, "windows") == 0 ||
                       strcmp(item->string, "per_thread") == 0;
        if (!numbers) {
            strcat(header, *header ? "," : "");
            strcat(header, item->string);
        }
    }
    strcat(header, "\r\necdsa-p256-sign,ecdsa-p256-sign,sign,CKM_ECDSA,CKK_EC,256,32,1,1,1000,0,"
                   "1000.000,32000.000,1500,0,1500,1500,1500,1500,1500,1500,1500,1,1,1,0,0,0,exact,"
                   "p999_ns,,,,1500000,0,0,,,,,,,,,,,,,\r\n");
    assert_string_equal(printed(P11PROF_FORMAT_CSV), header);
    cJSON_Delete(document);
}

/* A bench with calls of another run in one CSV would have two headers. */
static void csv_keeps_runs_apart(void **state)
{
    (void)state;
    static const int64_t run_ids[] = {1, 2};
    const struct p11prof_run_set sets[] = {{&run_ids[0], 1}, {&run_ids[1], 1}};
    struct p11prof_spool_header *other = fixture_header(2, 2);
    struct p11prof_batch batch = {.call_count = 0};
    struct p11prof_report_options options = {.by = p11prof_default_grouping};
    struct p11prof_error error = {0};
    char *text;
    size_t bytes;
    simple_load(1, "ecdsa-p256-sign", 32, 1, 1500);
    bench_write(true);
    other->run_id[0] = 2;
    fixture_write(fixture_store, other, &batch);
    free(other);
    FILE *stream = open_memstream(&text, &bytes);
    sqlite3 *db = p11prof_store_sqlite(fixture_store);
    assert_int_equal(p11prof_report_run(stream, db, sets, 2, P11PROF_FORMAT_CSV, &options, &error),
                     P11PROF_OK);
    fflush(stream);
    has(text, "run_id,function,mechanism,kind,");
    options.by.count = 0;
    assert_int_equal(p11prof_report_run(stream, db, sets, 2, P11PROF_FORMAT_CSV, &options, &error),
                     P11PROF_BAD_INPUT);
    fclose(stream);
    free(text);
    cJSON *document = cJSON_Parse(printed_runs(P11PROF_FORMAT_JSON, false, 2));
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(document, "results")), 1);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(document, "runs")), 2);
    cJSON_Delete(document);
}

static void text_shows_what_is_needed(void **state)
{
    (void)state;
    simple_load(1, "ecdsa-p256-sign", -1, 1, 1500);
    bench_write(true);
    const char *text = printed(P11PROF_FORMAT_TEXT);
    assert_int_equal(strncmp(text, "Results\n", 8), 0);
    has(text, "TEST             OPS/S     MEAN      P50      P95      P99\n");
    has(text, "ecdsa-p256-sign   1000  1.50 us  1.50 us  1.50 us  1.50 us\n");
    has(text, "\nRun 1 (bench, ");
    has(text, "\nCalls\n");
    lacks(text, "Threads of");
    lacks(text, "Sizes of");
    lacks(text, "Skipped");
    text = printed_runs(P11PROF_FORMAT_TEXT, true, 1);
    assert_int_equal(strncmp(text, "Run 1 (bench, ", 14), 0);
    has(text, "  module      /usr/lib/module.so\n");
    has(text, "  percentiles exact\n");
    lacks(text, "\nCalls\n");
}

/* Two threads of a mix: operations of 1 and of 3 us, and three times as many of the first. */
static void a_mix_is_a_table(void **state)
{
    (void)state;
    for (uint32_t load = 1; load <= 2; load++) {
        struct bench_place place = {load, P11PROF_PHASE_MEASURED, 7, 1};
        bench_mix_load(load, load == 1 ? "short" : "long", 1, load == 1 ? 0.7 : 0.3, 2);
        bench_slice(load, 1, 1, SLICE_NS);
        for (unsigned i = 0; i < (load == 1 ? 1500u : 500u); i++)
            bench_operation(&place, load == 1 ? 1000 : 3000, CKR_OK);
        for (unsigned thread = 1; thread <= 2; thread++)
            bench_thread(&(struct p11prof_thread_row){load, 1, thread, 6 + thread,
                                                      load == 1 ? 650 + 200 * (thread - 1) : 250, 0,
                                                      0, SLICE_NS, -1, -1});
    }
    simple_load(3, "alone", -1, 1, 1500);
    bench_write(true);
    const char *text = printed(P11PROF_FORMAT_TEXT);
    has(text, "Results\n  TEST   OPS/S ");
    has(text, "Mix 1\n"
              "  TEST   THREADS  COUNT  WEIGHT     HAD  OPS/S    TIME      P50      P95       P99\n"
              "  short        2   1500  70.0 %  75.0 %   1500  50.0 %  1.00 us  1.00 us   1.00 us\n"
              "  long         2    500  30.0 %  25.0 %    500  50.0 %  3.00 us  3.00 us  ~3.00 us\n"
              "  all operations: 2000/s\n");
    lacks(text, "Threads of short");
    has(text, "Threads of mix 1\n"
              "  THREAD  COUNT  OPS/S\n"
              "       1    900    900\n"
              "       2   1100   1100\n"
              "  together 2000 operations/s; contention 20.0 % (high)\n");
    text = printed(P11PROF_FORMAT_JSON);
    has(text, "\"mix\":\t1,");
    has(text, "\"weight\":\t0.700000,");
    has(text, "\"time_share\":\t0.500000,");
    has(text, "\"mix\":\tnull,");
}

static void problems_are_loud(void **state)
{
    (void)state;
    simple_load(1, "aes-256-gcm-decrypt", 1024, 2, 1500);
    bench_thread(&(struct p11prof_thread_row){1, 1, 1, 7, 500, 9, 2, SLICE_NS, -1, -1});
    bench_thread(&(struct p11prof_thread_row){1, 1, 2, 8, 500, 0, 0, SLICE_NS, -1, -1});
    bench_skip("b", "no such key");
    bench_skip("a", "no such key");
    bench_skip("c", "no mechanism");
    bench_write(true);
    const char *text = printed(P11PROF_FORMAT_TEXT);
    has(text,
        "Errors and wrong results\n"
        "  WRONG RESULTS: 2 of those checked, of 1000 of aes-256-gcm-decrypt, 1.00 KB, threads: 2\n"
        "  FAILED: 7 of 1000 of aes-256-gcm-decrypt, 1.00 KB, threads: 2\n");
    has(text, "TEST                 THREADS  ERRORS  WRONG  OPS/S ");
    has(text, "Threads of aes-256-gcm-decrypt, 1.00 KB, threads: 2\n");
    has(text, "together 991 operations/s; contention 1.8 % (low)\n");
    has(text, "Skipped tests: 3\n  no such key: a, b\n  no mechanism: c\n");
}

static void many_threads_are_cut(void **state)
{
    (void)state;
    simple_load(1, "ecdsa-p256-sign", -1, 20, 1500);
    for (unsigned i = 1; i <= 20; i++)
        bench_thread(&(struct p11prof_thread_row){1, 1, i, i, 50, 0, 0, SLICE_NS, -1, -1});
    bench_write(true);
    const char *text = printed(P11PROF_FORMAT_TEXT);
    has(text, "\n      16     50   50.0        -        -\n  \u2026 4 more\n");
    lacks(text, "\n      17 ");
}

/* 0.8 ms and 0.1 us a byte: half of the peak rate at 8000 bytes. */
static void sizes_are_explained(void **state)
{
    (void)state;
    static const int64_t sizes[] = {16, 1000, 10000, 100000};
    for (unsigned i = 0; i < 4; i++)
        simple_load(i + 1, "aes-256-gcm-encrypt", sizes[i], 1, 800000 + 100 * (uint64_t)sizes[i]);
    bench_write(true);
    const char *text = printed(P11PROF_FORMAT_TEXT);
    has(text, "TEST                    DATA  OPS/S ");
    has(text, "Sizes of data of aes-256-gcm-encrypt\n     DATA  OPS/S    MB/S     MEAN      P99\n");
    has(text, "fixed 800 us + 102 us per KB; half of the peak rate at 7.81 KB\n");
}

static void two_sizes_make_no_line(void **state)
{
    (void)state;
    simple_load(1, "aes-256-gcm-encrypt", 16, 1, 1500);
    simple_load(2, "aes-256-gcm-encrypt", 1024, 1, 2500);
    bench_write(true);
    const char *text = printed(P11PROF_FORMAT_TEXT);
    has(text, "Sizes of data of aes-256-gcm-encrypt\n");
    lacks(text, "fixed");
    lacks(text, "line fits");
}

static void falling_times_make_no_line(void **state)
{
    (void)state;
    static const int64_t sizes[] = {16, 1024, 16384};
    for (unsigned i = 0; i < 3; i++)
        simple_load(i + 1, "aes-256-gcm-encrypt", sizes[i], 1, 9000 - 2000 * i);
    bench_write(true);
    has(printed(P11PROF_FORMAT_TEXT), "no line fits");
}

static void harm_is_escaped(void **state)
{
    (void)state;
    simple_load(1, evil_test, 16, 2, 1500);
    bench_thread(&(struct p11prof_thread_row){1, 1, 1, 7, 500, 9, 2, SLICE_NS, -1, -1});
    bench_thread(&(struct p11prof_thread_row){1, 1, 2, 8, 500, 0, 0, SLICE_NS, -1, -1});
    simple_load(2, evil_test, 32, 2, 1500);
    simple_load(3, "a\nb", 32, 1, 1500);
    bench_skip(evil_test, evil_reason);
    bench_write(true);

    const char *text = printed(P11PROF_FORMAT_TEXT);
    no_control_characters(text, "\n");
    has(text, "t|1,\"x\"\\x0A\\x1B[31m\\xFF\\u202E<b>");
    has(text, "no | \\x0D\\x0A# mechanism \"\\xC3\" `x` [a](b): t|1");

    text = printed(P11PROF_FORMAT_MARKDOWN);
    no_control_characters(text, "\n");
    has(text, "\n| t\\|1,\"x\"\\\\x0A\\\\x1B\\[31m\\\\xFF\\\\u202E&lt;b> |");
    has(text, "no \\| \\\\x0D\\\\x0A# mechanism \"\\\\xC3\" \\`x\\` \\[a\\](b): t\\|1");
    lacks(text, "<b>");

    cJSON *document = cJSON_Parse(printed(P11PROF_FORMAT_JSON));
    cJSON *result = cJSON_GetObjectItem(document, "results")->child;
    assert_string_equal(result->child->valuestring, "t|1,\"x\"\n\x1B[31m\uFFFD\u202E<b>");
    cJSON *skip = cJSON_GetObjectItem(document, "skipped")->child;
    assert_string_equal(skip->child->next->valuestring,
                        "no | \r\n# mechanism \"\uFFFD\" `x` [a](b)");
    cJSON_Delete(document);

    text = printed(P11PROF_FORMAT_CSV);
    has(text, "\r\n\"t|1,\"\"x\"\"\n\x1B[31m\xFF\u202E<b>\",");
    has(text, "\r\n\"a\nb\",");
}

/* Every line of a table of Markdown has as many bars; numbers are at the right. */
static void markdown_has_tables(void **state)
{
    (void)state;
    simple_load(1, "ecdsa-p256-sign", -1, 1, 1500);
    bench_skip("b", "no such key");
    bench_write(true);
    static const char start[] =
        "## Results\n\n"
        "| TEST | OPS/S | MEAN | P50 | P95 | P99 |\n"
        "|---|---:|---:|---:|---:|---:|\n"
        "| ecdsa-p256-sign | 1000 | 1.50 us | 1.50 us | 1.50 us | 1.50 us |\n"
        "\n## Skipped tests: 1\n\nno such key: b\n";
    const char *text = printed(P11PROF_FORMAT_MARKDOWN);
    if (strncmp(text, start, sizeof start - 1) != 0) {
        fail_msg("%s", text);
    }
    has(text, "\n# Run 1 (bench, ");
    has(text, "\n- percentiles: exact\n");
    has(text, "\n## Calls\n\n| FUNCTION | MECHANISM | COUNT |");
}

int main(void)
{
#define WITH_BENCH(test) cmocka_unit_test_setup_teardown(test, bench_setup, bench_teardown)
    const struct CMUnitTest tests[] = {
        WITH_BENCH(json_has_the_schema_in_order),
        WITH_BENCH(csv_has_the_scalars_of_json),
        WITH_BENCH(csv_keeps_runs_apart),
        WITH_BENCH(text_shows_what_is_needed),
        WITH_BENCH(a_mix_is_a_table),
        WITH_BENCH(problems_are_loud),
        WITH_BENCH(many_threads_are_cut),
        WITH_BENCH(sizes_are_explained),
        WITH_BENCH(two_sizes_make_no_line),
        WITH_BENCH(falling_times_make_no_line),
        WITH_BENCH(harm_is_escaped),
        WITH_BENCH(markdown_has_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
