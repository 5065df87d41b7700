/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* RUN := id | last[~N] | NAME. */
#include "store_fixture.h"

#include "run_row.h"
#include "run_select.h"
#include "run_side.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Runs 1 to 5; the fifth was started first, then the third. */
static int runs_setup(void **state)
{
    static const struct {
        const char *name;
        uint64_t wall_ns;
    } runs[] = {{"nightly", 20}, {NULL, 30}, {"nightly", 10}, {"weekly", 40}, {"nightly:more", 5}};
    struct p11prof_error error;
    if (fixture_store_setup(state) != 0)
        return -1;
    for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++) {
        struct p11prof_run_start run = {.uuid = {(uint8_t)(i + 1)},
                                        .kind = "profile",
                                        .name = runs[i].name,
                                        .start = {.wall_ns = runs[i].wall_ns}};
        int64_t run_id;
        if (p11prof_store_begin(fixture_store, 5000, &error) != P11PROF_OK ||
            p11prof_store_run_start(fixture_store, &run, &run_id, &error) != P11PROF_OK ||
            p11prof_store_commit(fixture_store, &error) != P11PROF_OK)
            return -1;
    }
    return sqlite3_exec(
        p11prof_store_sqlite(fixture_store),
        "INSERT INTO baseline VALUES ('release', 1);"
        "INSERT INTO baseline_run VALUES ('release', 3), ('release', 1);"
        "INSERT INTO bench_load (run, load, test, name, operation, threads, "
        "processes, step, unchecked) VALUES (1, 1, 'sha-256', 'SHA', 4, 1, 1, 1, 0);"
        "INSERT INTO call_group (run, is_operation, code, kind, mechanism, "
        "key_type, key_bits, count, success_count, error_count, "
        "undisclosed_count, sum_ns, error_sum_ns, sum_squares, in_bytes, "
        "out_bytes) VALUES "
        "(1, 0, 44, 0, -1, -1, -1, 1, 1, 0, 0, 1, 0, 1, 0, 0), "
        "(1, 1, 4, 0, -1, -1, -1, 1, 1, 0, 0, 1, 0, 1, 0, 0), "
        "(3, 0, 44, 0, -1, -1, -1, 1, 1, 0, 0, 1, 0, 1, 0, 0);",
        NULL, NULL, NULL);
}

static void means(const char *text, int64_t run_id)
{
    struct p11prof_error error = {0};
    int64_t found = -1;
    if (p11prof_run_select(p11prof_store_sqlite(fixture_store), text, &found, &error)) {
        fail_msg("%s: %s", text, error.text);
    }
    assert_int_equal(found, run_id);
}

static void fails(const char *text, const char *problem)
{
    struct p11prof_error error = {0};
    int64_t found;
    assert_int_equal(p11prof_run_select(p11prof_store_sqlite(fixture_store), text, &found, &error),
                     P11PROF_BAD_INPUT);
    if (!strstr(error.text, problem)) {
        fail_msg("%s: %s", text, error.text);
    }
}

static void runs_are_found(void **state)
{
    (void)state;
    means("2", 2);
    means("last", 4);
    means("last~0", 4);
    means("last~1", 2);
    means("last~3", 3);
    means("nightly", 1);
    means("weekly", 4);
}

static void others_are_not(void **state)
{
    (void)state;
    fails("0", "no run 0");
    fails("6", "no run 6");
    fails("last~5", "there are 5 runs");
    fails("last~", "no run named");
    fails("99999999999999999999", "no run named");
    fails("nighly", "did you mean 'nightly'?");
    fails("zebra", "'p11prof runs' lists them");
    fails("@base", "is no run");
    fails("./export.json", "is no run");
    fails("1,2", "is no run");
    fails("", "no run named");
}

/* "1 a.json:sha-256 3:sign" of the sources of a side. */
static void side_is(const char *text, const char *wanted)
{
    struct p11prof_run_side side;
    struct p11prof_error error = {0};
    char *found;
    size_t bytes;
    if (p11prof_run_side_select(p11prof_store_sqlite(fixture_store), text, &side, &error)) {
        fail_msg("%s: %s", text, error.text);
    }
    FILE *stream = open_memstream(&found, &bytes);
    for (size_t i = 0; i < side.source_count; i++) {
        const struct p11prof_run_source *source = &side.sources[i];
        fputs(i > 0 ? " " : "", stream);
        if (source->path)
            fputs(source->path, stream);
        else
            fprintf(stream, "%lld", (long long)source->run_id);
        fprintf(stream, "%s%s", source->row ? ":" : "", source->row ? source->row : "");
    }
    fclose(stream);
    assert_string_equal(found, wanted);
    free(found);
    p11prof_run_side_clear(&side);
}

static void side_fails(const char *text, const char *problem)
{
    struct p11prof_run_side side;
    struct p11prof_error error = {0};
    assert_int_equal(
        p11prof_run_side_select(p11prof_store_sqlite(fixture_store), text, &side, &error),
        P11PROF_BAD_INPUT);
    if (!strstr(error.text, problem)) {
        fail_msg("%s: %s", text, error.text);
    }
    p11prof_run_side_clear(&side);
}

static void sides_are_runs_files_and_rows(void **state)
{
    (void)state;
    side_is("2", "2");
    side_is("1,last~1,nightly:more", "1 2 5");
    side_is("last:rsa-2048-sign", "4:rsa-2048-sign");
    side_is("weekly:sign CKM_ECDSA EC 256", "4:sign CKM_ECDSA EC 256");
    side_is("nightly:more:sign", "5:sign");
    side_is("@release", "1 3");
    side_is("@release:sign,2", "1:sign 3:sign 2");
    side_is("a.json", "a.json");
    side_is("./a,b:c/d", "./a b:c/d");
    side_is("a.json:sha-256,/b.json", "a.json:sha-256 /b.json");
    side_is("C:/x.json:y", "C:/x.json:y");
    side_fails("@releas", "did you mean '@release'?");
    side_fails("@zebra", "no baseline '@zebra'");
    side_fails("last:", "ends in a colon");
    side_fails("1,,2", "no run named ''");
    side_fails("zebra:sign", "no run named 'zebra'");
    assert_false(p11prof_run_side_needs_database("a.json,./b:sign"));
    assert_true(p11prof_run_side_needs_database("a.json,1"));
}

static void files_may_have_any_name(void **state)
{
    const char *path = fixture_path("a,b:c.json");
    FILE *file = fopen(path, "w");
    (void)state;
    assert_non_null(file);
    fclose(file);
    side_is(path, path);
    remove(path);
}

static void sets_take_baselines(void **state)
{
    struct p11prof_run_set set;
    struct p11prof_error error;
    (void)state;
    assert_int_equal(
        p11prof_run_set_select(p11prof_store_sqlite(fixture_store), "3,@release,2", &set, &error),
        P11PROF_OK);
    assert_int_equal(set.run_count, 3);
    assert_int_equal(set.run_ids[0], 3);
    assert_int_equal(set.run_ids[1], 1);
    assert_int_equal(set.run_ids[2], 2);
    p11prof_run_set_clear(&set);
}

/* The row that a command filters by, and how many runs it is of. */
static void row_is(const char *text, enum p11prof_dimension_id id, const char *name, size_t runs)
{
    struct p11prof_run_set set;
    struct p11prof_run_row row;
    struct p11prof_error error = {0};
    if (p11prof_run_row_select(p11prof_store_sqlite(fixture_store), text, &set, &row, &error)) {
        fail_msg("%s: %s", text, error.text);
    }
    assert_int_equal(set.run_count, runs);
    if (name) {
        assert_string_equal(row.name, name);
        assert_int_equal(row.id, id);
    } else {
        assert_null(row.name);
    }
    p11prof_run_set_clear(&set);
    p11prof_run_row_clear(&row);
}

static void row_fails(const char *text, const char *problem)
{
    struct p11prof_run_set set;
    struct p11prof_run_row row;
    struct p11prof_error error = {0};
    assert_int_equal(
        p11prof_run_row_select(p11prof_store_sqlite(fixture_store), text, &set, &row, &error),
        P11PROF_BAD_INPUT);
    if (!strstr(error.text, problem)) {
        fail_msg("%s: %s", text, error.text);
    }
    p11prof_run_set_clear(&set);
    p11prof_run_row_clear(&row);
}

static void rows_are_tests_operations_or_functions(void **state)
{
    (void)state;
    row_is("1:sha-256", P11PROF_BY_TEST, "sha-256", 1);
    row_is("1:sign", P11PROF_BY_OPERATION, "sign", 1);
    row_is("1:C_Sign", P11PROF_BY_FUNCTION, "C_Sign", 1);
    row_is("@release:C_Sign", P11PROF_BY_FUNCTION, "C_Sign", 2);
    row_is("1,2", P11PROF_BY_TEST, NULL, 2);
    row_fails("1:sha-257", "did you mean 'sha-256'?");
    row_fails("2:sha-256", "run 2 has no test, operation or function 'sha-256'");
    row_fails("1:sha-256,1:sign", "several rows");
    row_fails("1:sha-256,3", "several rows");
    row_fails("a.json", "'p11prof compare' reads those");
    row_fails("9:sign", "no run 9");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_are_found),
        cmocka_unit_test(others_are_not),
        cmocka_unit_test(sides_are_runs_files_and_rows),
        cmocka_unit_test(files_may_have_any_name),
        cmocka_unit_test(sets_take_baselines),
        cmocka_unit_test(rows_are_tests_operations_or_functions),
    };
    return cmocka_run_group_tests(tests, runs_setup, fixture_store_teardown);
}
