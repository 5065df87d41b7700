/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* RUN := id | last[~N] | NAME. */
#include "store_fixture.h"

#include "run_select.h"

#include <string.h>

/* Runs 1 to 4; the third was started first. */
static int runs_setup(void **state)
{
    static const struct {
        const char *name;
        uint64_t wall_ns;
    } runs[] = {{"nightly", 20}, {NULL, 30}, {"nightly", 10}, {"weekly", 40}};
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
    return 0;
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
    fails("5", "no run 5");
    fails("last~4", "there are 4 runs");
    fails("last~", "no run named");
    fails("99999999999999999999", "no run named");
    fails("nighly", "did you mean 'nightly'?");
    fails("zebra", "'p11prof runs' lists them");
    fails("@base", "is no run");
    fails("./export.json", "is no run");
    fails("1,2", "is no run");
    fails("", "no run named");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_are_found),
        cmocka_unit_test(others_are_not),
    };
    return cmocka_run_group_tests(tests, runs_setup, fixture_store_teardown);
}
