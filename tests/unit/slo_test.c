/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Objectives: how they are read, and what meets them. */
#include "results_fixture.h"

#include "report/slo.h"

#include <sqlite3.h>
#include <string.h>

static void is_refused(const char *text, const char *why)
{
    struct p11prof_objectives objectives = {.count = 0};
    struct p11prof_error error = {0};
    assert_int_equal(p11prof_objectives_read(&objectives, text, &error), P11PROF_BAD_INPUT);
    if (!strstr(error.text, why)) {
        fail_msg("'%s' lacks '%s'", error.text, why);
    }
}

static void bad_objectives_are_explained(void **state)
{
    (void)state;
    is_refused("", "is no objective");
    is_refused("C_Sign.p99", "is no objective");
    is_refused("<20ms", "is no objective");
    is_refused("C_Sign.p98<20ms", "did you mean 'p9");
    is_refused("C_Sign.latency<20ms", "it has p50 to p999");
    is_refused(".p99<20ms", "no subject");
    is_refused("p99<20", "wants a time such as 20ms as its limit, not");
    is_refused("p99<-1ms", "a time");
    is_refused("p99<", "a time");
    is_refused("errors<0.1%%", "a share");
    is_refused("errors<many", "a share");
    is_refused("ops_per_s>1e999", "a number");
    is_refused("p99<20ms,", "is no objective");
}

/* 1000 signatures of 1 to 1000 us, of which 10 fail. */
static int setup(void **state)
{
    if (bench_setup(state) != 0)
        return -1;
    bench_load(1, "ecdsa-p256-sign", 32, 1, 1);
    for (uint64_t i = 0; i < 1000; i++) {
        struct bench_place place = {1, P11PROF_PHASE_MEASURED, 7, 0};
        bench_operation(&place, (i + 1) * 1000, i < 10 ? CKR_DEVICE_ERROR : CKR_OK);
    }
    bench_slice(1, 1, 0, 1000000000);
    bench_write(true);
    return 0;
}

/* How many of them the run misses. */
static size_t missed(const char *text, struct p11prof_table *out)
{
    static const int64_t run_id = 1;
    const struct p11prof_run_set runs = {&run_id, 1};
    struct p11prof_objectives objectives = {.count = 0};
    struct p11prof_error error = {0};
    size_t count = 0;
    if (p11prof_objectives_read(&objectives, text, &error) != P11PROF_OK ||
        p11prof_objectives_check(&objectives, p11prof_store_sqlite(fixture_store), &runs, NULL, out,
                                 &error) != P11PROF_OK) {
        fail_msg("%s", error.text);
    }
    for (size_t i = 0; i < out->row_count; i++)
        count += strcmp(p11prof_table_text(out, i, "verdict", ""), "missed") == 0;
    return count;
}

static void values_are_held_against_limits(void **state)
{
    (void)state;
    const struct {
        const char *text;
        size_t missed;
    } cases[] = {{"ecdsa-p256-sign.p50<506us", 0}, /* the 495th of 11 to 1000 us is 505 us */
                 {"ecdsa-p256-sign.p50<505us", 1},
                 {"ecdsa-p256-sign.p50<=505us", 0},
                 {"ecdsa-p256-sign.max<1ms", 1},
                 {"sign.min>=11us", 0},
                 {"sign.min>11us", 1},
                 {"sign.errors<1%", 1},
                 {"sign.errors<=0.01", 0},
                 {"errors<2%,count>=1000,lost<=0", 0},
                 {"ecdsa-p256-sign.ops_per_s>989.5", 0},
                 {"ecdsa-p256-sign.ops_per_s>990.5", 1},
                 {"sign.p50<1us,sign.p99<1us,sign.count>1", 2}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct p11prof_table table = {.columns = NULL};
        print_message("%s\n", cases[i].text);
        assert_int_equal(missed(cases[i].text, &table), cases[i].missed);
        p11prof_table_clear(&table);
    }
}

static void a_missed_one_says_by_how_much(void **state)
{
    (void)state;
    struct p11prof_table table = {.columns = NULL};
    assert_int_equal(missed("ecdsa-p256-sign.max<=500us", &table), 1);
    assert_string_equal(p11prof_table_text(&table, 0, "objective", ""),
                        "ecdsa-p256-sign.max, 32 B");
    assert_string_equal(p11prof_table_text(&table, 0, "value", ""), "1.00 ms");
    assert_string_equal(p11prof_table_text(&table, 0, "limit", ""), "<= 500 us");
    assert_string_equal(p11prof_table_text(&table, 0, "verdict", ""), "missed");
    assert_true(p11prof_table_get(&table, 0, "missed_by")->real > 0.999);
    p11prof_table_clear(&table);
}

static void unknown_subjects_are_an_error(void **state)
{
    (void)state;
    static const int64_t run_id = 1;
    const struct p11prof_run_set runs = {&run_id, 1};
    struct p11prof_objectives objectives = {.count = 0};
    struct p11prof_table table = {.columns = NULL};
    struct p11prof_error error = {0};
    assert_int_equal(p11prof_objectives_read(&objectives, "ecdsa-p256-sing.p99<1s", &error),
                     P11PROF_OK);
    assert_int_equal(p11prof_objectives_check(&objectives, p11prof_store_sqlite(fixture_store),
                                              &runs, NULL, &table, &error),
                     P11PROF_BAD_INPUT);
    assert_non_null(strstr(error.text, "did you mean 'ecdsa-p256-sign'?"));
    p11prof_table_clear(&table);
}

/* The last 750 us of a run of 1 ms. */
static void rates_are_of_the_time_that_is_selected(void **state)
{
    (void)state;
    static const int64_t run_id = 1;
    const struct p11prof_run_set runs = {&run_id, 1};
    const struct p11prof_selection selection = {
        .since = {P11PROF_MOMENT_SINCE_START, 250000, "250us"}};
    struct p11prof_objectives objectives = {.count = 0};
    struct p11prof_table table = {.columns = NULL};
    struct p11prof_error error = {0};
    struct sqlite3 *db = p11prof_store_sqlite(fixture_store);
    assert_int_equal(sqlite3_exec(db, "UPDATE run SET duration_ns = 1000000", NULL, NULL, NULL), 0);
    assert_int_equal(
        p11prof_objectives_read(&objectives, "C_Sign.count>0,C_Sign.ops_per_s>0", &error), 0);
    assert_int_equal(p11prof_objectives_check(&objectives, db, &runs, &selection, &table, &error),
                     0);
    double count = p11prof_table_get(&table, 0, "measured")->real;
    double rate = p11prof_table_get(&table, 1, "measured")->real;
    assert_true(count > 100 && count < 1000);
    assert_true(rate > 0.999 * count / 750e-6 && rate < 1.001 * count / 750e-6);
    p11prof_table_clear(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_objectives_are_explained),
        cmocka_unit_test_setup_teardown(values_are_held_against_limits, setup, bench_teardown),
        cmocka_unit_test_setup_teardown(a_missed_one_says_by_how_much, setup, bench_teardown),
        cmocka_unit_test_setup_teardown(rates_are_of_the_time_that_is_selected, setup,
                                        bench_teardown),
        cmocka_unit_test_setup_teardown(unknown_subjects_are_an_error, setup, bench_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
