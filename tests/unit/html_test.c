/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* An HTML report: what stands in it cannot leave its place, and it does not grow with what was
 * recorded. */
#include "results_fixture.h"

#include "report/html.h"
#include "report/html_parts.h"
#include "report/percentile_curve.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#define HOSTILE "</script><script>alert(1)</script>\"><img src=x onerror=alert(1)>&\u2028\u202E\x1B"
#define MS      UINT64_C(1000000)

enum { LOADS = 200, GROUPS = 130, FILE_BYTES_MOST = 2000000 };

/* What p11prof_html_write_json() makes of JSON. The caller frees it. */
static char *written(const char *json)
{
    char *text;
    size_t bytes;
    FILE *stream = open_memstream(&text, &bytes);
    p11prof_html_write_json(stream, json);
    fclose(stream);
    assert_int_equal(bytes, p11prof_html_json_bytes(json));
    return text;
}

static void escapes_what_ends_a_script(void **state)
{
    (void)state;
    char *text = written("[\"</script>&\u2028\u2029\u2027é\",1]");
    assert_string_equal(text, "[\"\\u003c/script\\u003e\\u0026\\u2028\\u2029\u2027é\",1]");
    free(text);
}

static void keeps_what_it_says(void **state)
{
    (void)state;
    cJSON *before = cJSON_CreateString("<!-- \\ & \u2028 \" </script>");
    char *printed = cJSON_PrintUnformatted(before);
    char *text = written(printed);
    cJSON *after = cJSON_Parse(text);
    assert_null(strpbrk(text, "<>&"));
    assert_string_equal(after->valuestring, before->valuestring);
    cJSON_Delete(after);
    free(text);
    cJSON_free(printed);
    cJSON_Delete(before);
}

static void cuts_texts_at_a_character(void **state)
{
    (void)state;
    cJSON *whole = p11prof_html_text("12345678", 8), *cut = p11prof_html_text("1234é6789", 8);
    cJSON *active = p11prof_html_text("\u202E\x1B\xFF", 80);
    assert_string_equal(whole->valuestring, "12345678");
    assert_string_equal(cut->valuestring, "1234…");
    assert_string_equal(active->valuestring, "\\u202E\\x1B\\xFF");
    cJSON_Delete(whole);
    cJSON_Delete(cut);
    cJSON_Delete(active);
}

static void a_table_has_room(void **state)
{
    (void)state;
    struct p11prof_table table = {.columns = NULL};
    cJSON *columns = cJSON_CreateObject();
    p11prof_table_add_columns(&table, "function count p99_ns");
    for (int64_t i = 0; i < 10; i++) {
        struct p11prof_cell *row = p11prof_table_add_row(&table);
        p11prof_table_set_text(&table, row, "function", "C_Sign");
        p11prof_table_set_integer(&table, row, "count", i);
        row[2] = (struct p11prof_cell){
            .kind = P11PROF_CELL_INTEGER, .doubtful = i == 0, .integer = 1000 + i};
    }
    /* A row is ["C_Sign",1,1001], and a comma: 18 bytes; the first one is doubtful, and 20. */
    cJSON *json =
        p11prof_html_table(&table, "function count p99_ns",
                           (struct p11prof_html_room){.items = 5, .bytes = 20 + 2 * 18}, columns);
    char *text = cJSON_PrintUnformatted(json);
    assert_string_equal(text, "{\"columns\":[\"function\",\"count\",\"p99_ns\"],\"rows\":"
                              "[[\"C_Sign\",0,[1000]],[\"C_Sign\",1,1001],[\"C_Sign\",2,1002]],"
                              "\"left_out\":7}");
    assert_string_equal(
        cJSON_GetObjectItem(cJSON_GetObjectItem(columns, "p99_ns"), "unit")->valuestring, "ns");
    cJSON_free(text);
    cJSON_Delete(json);
    cJSON_Delete(columns);
    p11prof_table_clear(&table);
}

/* The group of durations 1 to n us, one by one or as a histogram. */
static void make_group(struct p11prof_tally_group *group, uint64_t n, bool as_histogram)
{
    *group = (struct p11prof_tally_group){.count = n};
    for (uint64_t i = 1; i <= n; i++) {
        uint64_t ns = 1000 * i;
        const struct p11prof_sums one = {1, ns, ns, ns, 0};
        if (!as_histogram) {
            p11prof_tally_add_duration(group, ns);
            continue;
        }
        p11prof_sums_add(&group->sums, &one);
        p11prof_buckets_add(&group->buckets, ns, 1);
    }
}

static const struct p11prof_curve_point *point_at(const struct p11prof_curve *curve, double beyond)
{
    for (size_t i = 0; i < curve->count; i++)
        if (curve->points[i].beyond > beyond * 0.999999 &&
            curve->points[i].beyond < beyond * 1.000001)
            return &curve->points[i];
    fail_msg("no point at %f", beyond);
    return NULL;
}

static void is_in_order(const struct p11prof_curve *curve)
{
    for (size_t i = 1; i < curve->count; i++)
        assert_true(curve->points[i].beyond < curve->points[i - 1].beyond &&
                    curve->points[i].ns >= curve->points[i - 1].ns);
}

static void a_curve_has_the_percentiles(void **state)
{
    struct p11prof_tally_group group;
    struct p11prof_curve curve;
    struct p11prof_stats stats;
    (void)state;
    make_group(&group, 20000, false);
    p11prof_tally_stats(&group, &stats);
    p11prof_curve_make(&curve, &group, &stats);
    for (size_t i = 0; i < P11PROF_QUANTILES; i++) {
        double beyond = 1 - p11prof_quantile_millionths[i] / 1e6;
        assert_int_equal(point_at(&curve, beyond)->ns, stats.quantile_ns[i]);
        assert_int_equal(point_at(&curve, beyond)->supported, stats.supported[i]);
    }
    assert_int_equal(curve.points[0].ns, stats.min_ns);
    assert_int_equal(curve.points[curve.count - 1].ns, stats.max_ns);
    assert_false(curve.points[curve.count - 1].supported);
    assert_true(curve.points[curve.count - 1].beyond == 1 / 20000.0);
    is_in_order(&curve);
    p11prof_tally_group_clear(&group);
}

static void a_curve_of_a_histogram_is_near(void **state)
{
    struct p11prof_tally_group group;
    struct p11prof_curve curve;
    struct p11prof_stats stats;
    (void)state;
    make_group(&group, 20000, true);
    p11prof_tally_stats(&group, &stats);
    p11prof_curve_make(&curve, &group, &stats);
    assert_in_range(point_at(&curve, 0.01)->ns, 19800000 * 0.995, 19800000 * 1.005);
    assert_int_equal(curve.points[curve.count - 1].ns, 20000000);
    is_in_order(&curve);
    p11prof_tally_group_clear(&group);
}

/* Percentiles that are known exactly stand among those of a histogram. */
static void a_curve_of_both_is_in_order(void **state)
{
    static const uint64_t exact_ns[P11PROF_QUANTILES] = {12100000, 18000000, 18500000, 19700000,
                                                         19981000};
    struct p11prof_tally_group group;
    struct p11prof_curve curve;
    struct p11prof_stats stats;
    (void)state;
    make_group(&group, 20000, true);
    p11prof_tally_stats(&group, &stats);
    group.quantiles_known = true;
    memcpy(group.quantile_ns, exact_ns, sizeof exact_ns);
    p11prof_curve_make(&curve, &group, &stats);
    for (size_t i = 0; i < P11PROF_QUANTILES; i++)
        assert_int_equal(point_at(&curve, 1 - p11prof_quantile_millionths[i] / 1e6)->ns,
                         exact_ns[i]);
    is_in_order(&curve);
    p11prof_tally_group_clear(&group);
}

static void a_curve_of_few(void **state)
{
    struct p11prof_tally_group group;
    struct p11prof_curve curve;
    struct p11prof_stats stats;
    (void)state;
    make_group(&group, 0, false);
    p11prof_tally_stats(&group, &stats);
    p11prof_curve_make(&curve, &group, &stats);
    assert_int_equal(curve.count, 0);
    make_group(&group, 1, false);
    p11prof_tally_stats(&group, &stats);
    p11prof_curve_make(&curve, &group, &stats);
    assert_int_equal(curve.count, 1);
    assert_int_equal(curve.points[0].ns, 1000);
    p11prof_tally_group_clear(&group);
}

/* The file of run 1. The caller frees it. */
static char *html(size_t copies)
{
    static const int64_t run_id = 1;
    static const struct p11prof_report_options options = {.sort = NULL};
    struct p11prof_run_set sets[4];
    struct p11prof_error error = {0};
    char *text;
    size_t bytes;
    FILE *stream = open_memstream(&text, &bytes);
    for (size_t i = 0; i < copies; i++)
        sets[i] = (struct p11prof_run_set){&run_id, 1};
    if (p11prof_html_write(stream, p11prof_store_sqlite(fixture_store), sets, copies, &options,
                           &error)) {
        fail_msg("%s", error.text);
    }
    fclose(stream);
    return text;
}

static size_t count_of(const char *text, const char *part)
{
    size_t count = 0;
    while ((text = strstr(text, part)) != NULL) {
        text += strlen(part);
        count++;
    }
    return count;
}

/* The data of a file. The caller deletes it. */
static cJSON *data_of(const char *text)
{
    static const char start[] = "<script type=\"application/json\" id=\"data\">";
    const char *data = strstr(text, start);
    assert_non_null(data);
    cJSON *json = cJSON_ParseWithLength(data + strlen(start),
                                        (size_t)(strstr(data, "</script>") - data) - strlen(start));
    assert_non_null(json);
    return json;
}

static cJSON *table_of(cJSON *data, const char *id)
{
    cJSON *table;
    cJSON_ArrayForEach(
        table,
        cJSON_GetObjectItem(cJSON_GetArrayItem(cJSON_GetObjectItem(data, "sections"), 0),
                            "tables")) if (strcmp(cJSON_GetObjectItem(table, "id")->valuestring,
                                                  id) == 0) return table;
    fail_msg("no table %s", id);
    return NULL;
}

static void hostile_texts_stay_texts(void **state)
{
    (void)state;
    bench_load(1, HOSTILE, 32, 1, 1);
    bench_skip(HOSTILE, HOSTILE);
    bench_operation(&(struct bench_place){.load = 1, .phase = P11PROF_PHASE_MEASURED}, MS, CKR_OK);
    bench_write(true);
    char *text = html(1);
    assert_int_equal(count_of(text, "</script"), 3);
    assert_int_equal(count_of(text, "<img"), 0);
    assert_int_equal(count_of(text, "\u2028"), 0);
    cJSON *data = data_of(text);
    cJSON *rows = cJSON_GetObjectItem(table_of(data, "results"), "rows");
    assert_string_equal(cJSON_GetArrayItem(cJSON_GetArrayItem(rows, 0), 1)->valuestring,
                        "</script><script>alert(1)</script>\"><img src=x onerror=alert(1)>&\\u2028"
                        "\\u202E\\x1B");
    cJSON_Delete(data);
    free(text);
}

/* As many groups of calls, each in a window of its own and with a histogram of its own. */
static void add_groups(size_t count)
{
    struct p11prof_group *all = calloc(count, sizeof *all);
    struct fixture_group **groups = calloc(count, sizeof *groups);
    for (size_t i = 0; i < count; i++) {
        groups[i] = malloc(sizeof *groups[i]);
        fixture_group_init(groups[i], P11PROF_C_Sign, i * 1000 * MS);
        groups[i]->group.mechanism = (int64_t)(0x80000000 + i);
        for (uint64_t k = 1; k < 60; k++)
            fixture_group_add(groups[i], k * k * k * 1000 + i);
        all[i] = groups[i]->group;
    }
    const struct p11prof_batch batch = {
        .groups = all, .group_count = count, .call_count = 59 * count};
    fixture_write(fixture_store, fixture_spool, &batch);
    for (size_t i = 0; i < count; i++)
        free(groups[i]);
    free(groups);
    free(all);
}

static void a_file_does_not_grow(void **state)
{
    (void)state;
    for (uint32_t i = 1; i <= LOADS; i++) {
        char test[1200];
        snprintf(test, sizeof test, "%u-%s%01000d", i, HOSTILE, 1);
        bench_load(i, test, i, i % 64 + 1, 2);
        bench_skip(test, test);
    }
    add_groups(GROUPS);
    for (size_t copies = 1; copies <= 4; copies += 3) {
        char *text = html(copies);
        cJSON *data = data_of(text);
        cJSON *results = table_of(data, "results");
        print_message("%zu times: %zu bytes, %d of %d rows\n", copies, strlen(text),
                      cJSON_GetArraySize(cJSON_GetObjectItem(results, "rows")), LOADS);
        assert_in_range(strlen(text), 1, FILE_BYTES_MOST);
        assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(results, "rows")) +
                             cJSON_GetObjectItem(results, "left_out")->valueint,
                         LOADS);
        assert_int_equal(count_of(text, "</script"), 3);
        cJSON_Delete(data);
        free(text);
    }
}

static void an_empty_run(void **state)
{
    (void)state;
    char *text = html(1);
    cJSON *data = data_of(text);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(table_of(data, "functions"), "rows")),
                     0);
    assert_non_null(strstr(text, "No PKCS#11 call was recorded."));
    cJSON_Delete(data);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escapes_what_ends_a_script),
        cmocka_unit_test(keeps_what_it_says),
        cmocka_unit_test(cuts_texts_at_a_character),
        cmocka_unit_test(a_table_has_room),
        cmocka_unit_test(a_curve_has_the_percentiles),
        cmocka_unit_test(a_curve_of_a_histogram_is_near),
        cmocka_unit_test(a_curve_of_both_is_in_order),
        cmocka_unit_test(a_curve_of_few),
        cmocka_unit_test_setup_teardown(hostile_texts_stay_texts, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(a_file_does_not_grow, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(an_empty_run, bench_setup, bench_teardown),
    };
    return cmocka_run_group_tests_name("html", tests, NULL, NULL);
}
