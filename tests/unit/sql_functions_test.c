/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The functions of SQL: linked, as `p11prof sql` has them, and loaded as an extension. */
#include "p11prof/histogram.h"
#include "sql/functions.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

enum { VALUES_MOST = 1000, TEXT_BYTES = 4096 };

static sqlite3 *db;
static bool loaded;

static int open_linked(void **state)
{
    (void)state;
    loaded = false;
    return sqlite3_open(":memory:", &db) || p11prof_functions_register(db);
}

static int open_loaded(void **state)
{
    (void)state;
    loaded = true;
    char *problem = NULL;
    int failed = sqlite3_open(":memory:", &db) || sqlite3_enable_load_extension(db, 1) ||
                 sqlite3_load_extension(db, P11PROF_TEST_EXTENSION, NULL, &problem);
    if (problem)
        print_error("%s\n", problem);
    sqlite3_free(problem);
    return failed;
}

static int close_it(void **state)
{
    (void)state;
    return sqlite3_close(db);
}

static sqlite3_stmt *prepared(const char *sql)
{
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL)) {
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    }
    return statement;
}

/* The one value that a query returns, "NULL" for NULL. Valid until the next call. */
static const char *value_of(const char *sql)
{
    static char text[TEXT_BYTES];
    sqlite3_stmt *statement = prepared(sql);
    if (sqlite3_step(statement) != SQLITE_ROW) {
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    }
    const char *found = (const char *)sqlite3_column_text(statement, 0);
    snprintf(text, sizeof text, "%s", found ? found : "NULL");
    sqlite3_finalize(statement);
    return text;
}

static void is(const char *sql, const char *expected)
{
    const char *found = value_of(sql);
    if (strcmp(found, expected) != 0) {
        fail_msg("%s: '%s', not '%s'", sql, found, expected);
    }
}

/* The query fails, and says so in words that hold `problem`. */
static void fails(const char *sql, int code, const char *problem)
{
    sqlite3_stmt *statement = prepared(sql);
    int result = sqlite3_step(statement);
    if (result != code || !strstr(sqlite3_errmsg(db), problem)) {
        fail_msg("%s: %d %s, not '%s'", sql, result, sqlite3_errmsg(db), problem);
    }
    sqlite3_finalize(statement);
}

static void execute(const char *sql)
{
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
}

/* --- percentiles against a sort of our own --- */

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* R's quantile(type = 1): the least value such that p of all are no greater. */
static int64_t type_1(const int64_t *ordered, size_t count, uint64_t millionths)
{
    size_t rank = 1;
    while (rank * 1000000 < count * millionths)
        rank++;
    return ordered[rank - 1];
}

static uint64_t some_number(void)
{
    static uint64_t seed = 2463534242;
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static int64_t random_value(unsigned spread)
{
    uint64_t number = some_number();
    return spread ? (int64_t)(number % spread) - spread / 3 : (int64_t)number;
}

/* Table t gets the values, and NULLs between them. */
static void fill(int64_t *values, size_t count, unsigned spread)
{
    execute("DROP TABLE IF EXISTS t; CREATE TABLE t (x); BEGIN");
    sqlite3_stmt *insert = prepared("INSERT INTO t VALUES (?1)");
    for (size_t i = 0; i < count; i++) {
        values[i] = random_value(spread);
        sqlite3_bind_int64(insert, 1, values[i]);
        assert_int_equal(sqlite3_step(insert), SQLITE_DONE);
        sqlite3_reset(insert);
        if (some_number() % 8 == 0)
            execute("INSERT INTO t VALUES (NULL)");
    }
    sqlite3_finalize(insert);
    execute("COMMIT");
    qsort(values, count, sizeof *values, by_value);
}

static void check_all(const int64_t *values, size_t count)
{
    static const struct {
        const char *percent;
        uint64_t millionths;
    } all[] = {{"0", 0},
               {"0.0001", 1},
               {"1", 10000},
               {"25", 250000},
               {"33.3333", 333333},
               {"16.4001", 164001},
               {"50", 500000},
               {"66.6667", 666667},
               {"'90'", 900000},
               {"95.0", 950000},
               {"99", 990000},
               {"99.9", 999000},
               {"99.9999", 999999},
               {"100", 1000000}};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        char sql[128], expected[32];
        snprintf(sql, sizeof sql, "SELECT percentile(x, %s) FROM t", all[i].percent);
        snprintf(expected, sizeof expected, "%" PRId64, type_1(values, count, all[i].millionths));
        is(sql, expected);
    }
    char expected[32];
    snprintf(expected, sizeof expected, "%" PRId64, type_1(values, count, 500000));
    is("SELECT median(x) FROM t", expected);
    is("SELECT group_concat(DISTINCT typeof(percentile)) FROM "
       "(SELECT percentile(x, 99) AS percentile FROM t)",
       "integer");
}

static void percentiles_are_of_type_1(void **state)
{
    (void)state;
    static const size_t counts[] = {1, 2, 3, 4, 10, 63, 64, 65, 99, 100, 101, VALUES_MOST};
    static const unsigned spreads[] = {1, 2, 10, 1000000, 0};
    int64_t values[VALUES_MOST];
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        for (size_t s = 0; s < sizeof spreads / sizeof spreads[0]; s++) {
            fill(values, counts[i], spreads[s]);
            check_all(values, counts[i]);
        }
    }
}

static void numbers_keep_their_kind(void **state)
{
    (void)state;
    is("SELECT percentile(column1, 100) FROM (VALUES (9223372036854775806), (9223372036854775807))",
       "9223372036854775807");
    is("SELECT percentile(column1, 0) FROM (VALUES (-9223372036854775808), (0))",
       "-9223372036854775808");
    is("SELECT percentile(column1, 40) FROM (VALUES (2.5), (-1e9), (0.0), (-2.5), (9e999))",
       "-2.5");
    is("SELECT percentile(column1, 100) FROM (VALUES (2.5), (9e999))", "Inf");
    is("SELECT percentile(column1, 50) FROM (VALUES (1), (3), (2.5), (-4), (7))", "2.5");
    is("SELECT percentile(column1, 20) FROM (VALUES (1), (3), (2.5), (-4), (7))", "-4.0");
    is("SELECT typeof(percentile(column1, 50)) FROM (VALUES (1), (2), (2.5))", "real");
    is("SELECT median(column1) FROM (VALUES ('7'), ('8'), (9))", "8");
    is("SELECT typeof(median(column1)) FROM (VALUES ('7'), ('8.5'))", "real");
}

static void nothing_has_no_percentile(void **state)
{
    (void)state;
    is("SELECT percentile(NULL, 50)", "NULL");
    is("SELECT percentile(1, 50) WHERE 0", "NULL");
    is("SELECT percentile(1, 'abc') WHERE 0", "NULL");
    is("SELECT median(column1) FROM (VALUES (NULL), (NULL))", "NULL");
    is("SELECT median(column1) FROM (VALUES (NULL), (5), (NULL))", "5");
}

static void each_group_has_its_own(void **state)
{
    (void)state;
    execute("DROP TABLE IF EXISTS t; CREATE TABLE t AS WITH RECURSIVE n(i) AS "
            "(SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) "
            "SELECT i % 7 AS g, i AS x FROM n");
    is("SELECT group_concat(p) FROM (SELECT g, percentile(x, 100) AS p FROM t GROUP BY g)",
       "994,995,996,997,998,999,1000");
    is("SELECT max(percentile) - min(percentile) FROM "
       "(SELECT percentile(x, 50) AS percentile FROM t GROUP BY g)",
       "6");
    is("SELECT percentile(x, 1) || ' ' || percentile(x, 99) FROM t", "10 990");
}

static void wrong_percentiles_are_named(void **state)
{
    (void)state;
    static const char range[] = "is not a percentage from 0 to 100";
    fails("SELECT percentile(1, 100.1)", SQLITE_ERROR, range);
    fails("SELECT percentile(1, -0.1)", SQLITE_ERROR, range);
    fails("SELECT percentile(1, 9e999)", SQLITE_ERROR, range);
    fails("SELECT percentile(1, NULL)", SQLITE_ERROR, "percentile(): 'NULL' is not a number");
    fails("SELECT percentile(1, 'p99')", SQLITE_ERROR, "percentile(): 'p99' is not a number");
    fails("SELECT percentile(column1, column1) FROM (VALUES (50), (51))", SQLITE_ERROR,
          "'51' is not the percentage of the row before");
    fails("SELECT percentile(column1, column2) FROM (VALUES (1, 50), (NULL, 99))", SQLITE_ERROR,
          "'99' is not the percentage of the row before");
    fails("SELECT percentile('C_Sign', 50)", SQLITE_ERROR, "'C_Sign' is not a number");
    fails("SELECT percentile(x'00', 50)", SQLITE_ERROR, "is not a number");
    fails("SELECT median(column1) FROM (VALUES (1), ('x'))", SQLITE_ERROR,
          "median(): 'x' is not a number");
}

/* --- durations and histograms --- */

static void durations_read_as_in_reports(void **state)
{
    (void)state;
    is("SELECT duration(0)", "0 ns");
    is("SELECT duration(1230000)", "1.23 ms");
    is("SELECT duration(1229999.6)", "1.23 ms");
    is("SELECT duration(999.6)", "1.00 us");
    is("SELECT duration('1500')", "1.50 us");
    is("SELECT duration(-1500)", "-1.50 us");
    is("SELECT duration(-0.4)", "0 ns");
    is("SELECT duration(-9223372036854775808)", "-2562048 h");
    is("SELECT duration(9e999)", "2562048 h");
    is("SELECT duration(NULL)", "NULL");
    fails("SELECT duration('soon')", SQLITE_ERROR, "duration(): 'soon' is not a number");
}

static void durations_are_read(void **state)
{
    (void)state;
    is("SELECT duration_ns('1.5ms')", "1500000");
    is("SELECT typeof(duration_ns('1.5 h'))", "integer");
    is("SELECT duration_ns('3 \u00B5s')", "3000");
    is("SELECT duration_ns(duration(123000))", "123000");
    is("SELECT duration_ns(NULL)", "NULL");
    fails("SELECT duration_ns('1.5')", SQLITE_ERROR, "duration_ns(): '1.5' is no duration");
    fails("SELECT duration_ns(15)", SQLITE_ERROR, "duration_ns(): '15' is no duration");
    fails("SELECT duration_ns('')", SQLITE_ERROR, "'' is no duration");
    fails("SELECT duration_ns(char(27) || '[31mred')", SQLITE_ERROR, "'\\x1B[31mred' is no");
    fails("SELECT duration_ns(printf('%.*c', 100000, 'x'))", SQLITE_ERROR, "xxx' is no duration");
}

/* The edges of a duration's bucket, low and high with a blank between. */
static void edges_are(uint64_t ns, uint64_t low_ns, uint64_t high_ns)
{
    char sql[160], expected[64];
    snprintf(sql, sizeof sql, "SELECT latency_low(%" PRIu64 ") || ' ' || latency_high(%" PRIu64 ")",
             ns, ns);
    snprintf(expected, sizeof expected, "%" PRIu64 " %" PRIu64, low_ns, high_ns);
    is(sql, expected);
}

static void edges_are_those_of_the_histograms(void **state)
{
    (void)state;
    edges_are(0, 0, 1);
    edges_are(255, 255, 256);
    edges_are(256, 256, 258);
    edges_are(1000000, 999424, 1003520);
    edges_are(INT64_MAX, UINT64_C(255) << 55, INT64_MAX);
    for (int i = 0; i < 200; i++) {
        uint64_t ns = some_number() >> (2 + i % 60);
        unsigned octave = p11prof_octave(ns);
        uint64_t low_ns = p11prof_bucket_low_ns(octave, p11prof_octave_bucket(ns, octave));
        edges_are(ns, low_ns, low_ns + p11prof_bucket_width_ns(octave));
    }
    is("SELECT latency_low(300.9)", "300");
    is("SELECT latency_low(NULL)", "NULL");
    is("SELECT latency_high(NULL)", "NULL");
    fails("SELECT latency_low(-1)", SQLITE_ERROR, "'-1' is no duration: it is negative");
    fails("SELECT latency_high(9e999)", SQLITE_ERROR, "is no duration");
    fails("SELECT latency_high('x')", SQLITE_ERROR, "'x' is not a number");
}

static void histograms_count_in_buckets(void **state)
{
    (void)state;
    int64_t values[VALUES_MOST];
    is("SELECT histogram(column1) FROM (VALUES (300), (5), (301), (NULL), (5.5), ('7'))",
       "[[5,6,2],[7,8,1],[300,302,2]]");
    is("SELECT histogram(9223372036854775807)", "[[9187343239835811840,9223372036854775807,1]]");
    is("SELECT histogram(1) WHERE 0", "[]");
    is("SELECT histogram(NULL)", "[]");
    fails("SELECT histogram(column1) FROM (VALUES (1), (-1))", SQLITE_ERROR, "'-1' is no duration");
    fill(values, VALUES_MOST, 1000000);
    is("WITH cells AS (SELECT latency_low(abs(x)) AS low, latency_high(abs(x)) AS high, "
       "count(*) AS n FROM t WHERE x IS NOT NULL GROUP BY low ORDER BY low) "
       "SELECT (SELECT histogram(abs(x)) FROM t) = json_group_array(json_array(low, high, n)) "
       "FROM cells",
       "1");
}

static void bars_are_in_proportion(void **state)
{
    (void)state;
    is("SELECT bar(5, 10, 4)", "██");
    is("SELECT bar(10, 10, 3)", "███");
    is("SELECT bar(99, 10, 3)", "███");
    is("SELECT bar(1, 8, 1)", "▏");
    is("SELECT bar(15, 16, 2)", "█▉");
    is("SELECT bar(0.0001, 10)", "▏");
    is("SELECT bar(0, 10) || bar(-5, 10) || bar(5, 0) || bar(5, -1)", "");
    is("SELECT length(bar(1, 1))", "40");
    is("SELECT length(bar(9e999, 1, 1000))", "1000");
    is("SELECT bar(NULL, 10)", "NULL");
    is("SELECT bar(1, NULL)", "NULL");
    is("SELECT bar(1, 10, NULL)", "NULL");
    fails("SELECT bar(1, 10, 0)", SQLITE_ERROR, "bar(): '0' is no width from 1 to 1000");
    fails("SELECT bar(1, 10, 1001)", SQLITE_ERROR, "'1001' is no width");
    fails("SELECT bar('x', 10)", SQLITE_ERROR, "'x' is not a number");
}

static void a_schema_may_use_them(void **state)
{
    (void)state;
    execute("PRAGMA trusted_schema = 0; DROP TABLE IF EXISTS t; CREATE TABLE t (x)");
    execute("CREATE INDEX of_low ON t (latency_low(x)); INSERT INTO t VALUES (1000), (2000)");
    execute("CREATE VIEW v AS SELECT duration(percentile(x, 50)) AS p FROM t");
    is("SELECT p FROM v", "1.00 us");
    execute("DROP VIEW v");
}

/* --- without memory --- */

static bool calloc_fails;
void *__real_calloc(size_t count, size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);

void *__wrap_calloc(size_t count, size_t bytes)
{
    return calloc_fails ? NULL : __real_calloc(count, bytes);
}

static void too_many_values_are_an_error(void **state)
{
    (void)state;
    static const char many[] = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
                               "WHERE i < 50000) SELECT percentile(i, 50) FROM n";
    is(many, "25000");
    int64_t before_bytes = sqlite3_memory_used();
    sqlite3_hard_heap_limit64(before_bytes + 300000);
    fails(many, SQLITE_NOMEM, "out of memory");
    sqlite3_hard_heap_limit64(0);
    is(many, "25000");
    assert_true(sqlite3_memory_used() < before_bytes + 100000);
}

static void a_histogram_without_memory_is_an_error(void **state)
{
    (void)state;
    if (loaded)
        skip();
    calloc_fails = true;
    fails("SELECT histogram(300)", SQLITE_NOMEM, "out of memory");
    calloc_fails = false;
    is("SELECT histogram(300)", "[[300,302,1]]");
}

static void registering_again_does_no_harm(void **state)
{
    (void)state;
    assert_int_equal(p11prof_functions_register(db), SQLITE_OK);
    if (loaded)
        assert_int_equal(sqlite3_load_extension(db, P11PROF_TEST_EXTENSION, NULL, NULL), SQLITE_OK);
    is("SELECT median(3)", "3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(percentiles_are_of_type_1),
        cmocka_unit_test(numbers_keep_their_kind),
        cmocka_unit_test(nothing_has_no_percentile),
        cmocka_unit_test(each_group_has_its_own),
        cmocka_unit_test(wrong_percentiles_are_named),
        cmocka_unit_test(durations_read_as_in_reports),
        cmocka_unit_test(durations_are_read),
        cmocka_unit_test(edges_are_those_of_the_histograms),
        cmocka_unit_test(histograms_count_in_buckets),
        cmocka_unit_test(bars_are_in_proportion),
        cmocka_unit_test(a_schema_may_use_them),
        cmocka_unit_test(too_many_values_are_an_error),
        cmocka_unit_test(a_histogram_without_memory_is_an_error),
        cmocka_unit_test(registering_again_does_no_harm),
    };
    return cmocka_run_group_tests_name("linked", tests, open_linked, close_it) +
           cmocka_run_group_tests_name("loaded", tests, open_loaded, close_it);
}
