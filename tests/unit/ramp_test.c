/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The ramp of a stored run: its steps, its verdict in tables and JSON, its page and its chart. */
#include "results_fixture.h"

#include "report/ramp.h"
#include "report/slo.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SLICE_NS = 100000000, SLICES = 10 };

/* Times are lower edges of buckets: units of 2^20 ns. */
static const unsigned long long unit_ns = 1 << 20;

static void run_sql(const char *format, ...)
{
    char sql[1024], *message = NULL;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sql, sizeof sql, format, arguments);
    va_end(arguments);
    if (sqlite3_exec(p11prof_store_sqlite(fixture_store), sql, NULL, NULL, &message)) {
        fail_msg("%s: %s", sql, message);
    }
}

/* A load of a step: so many operations in each slice, that took so many units, and errors in all.
 * rate 0: no schedule. */
struct step {
    unsigned load, ramp, threads;
    double rate;
    unsigned count, units, error_count, missed_count, mix;
};

static void write_group(const struct step *step)
{
    unsigned long long ns = step->units * unit_ns, width = 1ull << (63 - __builtin_clzll(ns) - 7);
    unsigned done = step->count * SLICES, group = step->load;
    run_sql("INSERT INTO call_group VALUES (%u, 1, 1, (SELECT operation FROM bench_load), 0, -1, "
            "-1, -1, %u, %u, %u, %u, 0, %llu, 0, %llu, %llu, %llu, 0, 0)",
            group, step->load * 4 + 2, done, done - step->error_count, step->error_count, done * ns,
            done * ns * ns, ns, ns);
    run_sql("INSERT INTO group_bucket VALUES (%u, %llu, %llu, %u)", group, ns, ns + width,
            done - step->error_count);
    for (unsigned i = 0; i < SLICES; i++) {
        unsigned window = step->load * 100 + i, errors = i == 0 ? step->error_count : 0;
        unsigned long long start_ns = step->ramp * 10000000000ull + i * SLICE_NS;
        run_sql("INSERT INTO group_window VALUES (%u, %u, %llu, 0, %u, %u, %u, 0, %llu, 0, %llu, "
                "%llu, %llu, 0, 0)",
                window, group, start_ns, step->count, step->count - errors, errors,
                step->count * ns, step->count * ns * ns, ns, ns);
        run_sql("INSERT INTO window_bucket VALUES (%u, %llu, %llu, %u)", window, ns, ns + width,
                step->count - errors);
    }
}

static void write_step(const struct step *step)
{
    struct p11prof_error error = {0};
    bench_load(step->load, "ecdsa-p256-sign", 32, step->threads, 1);
    run_sql("UPDATE bench_load SET ramp = %u WHERE load = %u", step->ramp, step->load);
    if (step->mix)
        run_sql("UPDATE bench_load SET mix = %u, weight = 0.5 WHERE load = %u", step->mix,
                step->load);
    if (step->rate > 0)
        run_sql("UPDATE bench_load SET rate = %f, arrivals = 'constant' WHERE load = %u",
                step->rate, step->load);
    for (unsigned i = 0; i < SLICES; i++) {
        const struct p11prof_slice_row slice = {
            .load = step->load,
            .slice = i + 1,
            .start_ns = step->ramp * 10000000000ull + i * SLICE_NS,
            .duration_ns = SLICE_NS,
            .load_average = -1,
            .steal_ns = -1,
            .missed_count = step->rate <= 0 ? -1
                            : i == 0        ? (int64_t)step->missed_count
                                            : 0};
        if (p11prof_store_slice_add(fixture_store, 1, &slice, &error)) {
            fail_msg("%s", error.text);
        }
    }
    write_group(step);
}

static void set_options(const char *options)
{
    struct p11prof_error error = {0};
    if (p11prof_store_run_options(fixture_store, 1, options, &error)) {
        fail_msg("%s", error.text);
    }
}

/* Two are served at a time; what waits takes longer. Written out of order. */
static void write_threads(void)
{
    static const struct step steps[] = {{1, 1, 1, 0, 10, 10, 0, 0, 0},
                                        {2, 2, 4, 0, 20, 20, 0, 0, 0},
                                        {3, 3, 2, 0, 20, 10, 0, 0, 0},
                                        {4, 4, 8, 0, 20, 40, 0, 0, 0}};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        write_step(&steps[i]);
}

static struct p11prof_ramps ramps;

static const struct p11prof_ramp *read_ramp(void)
{
    struct p11prof_error error = {0};
    p11prof_ramps_clear(&ramps);
    if (p11prof_ramp_read(&ramps, p11prof_store_sqlite(fixture_store), 1, &error)) {
        fail_msg("%s", error.text);
    }
    assert_int_equal(ramps.ramp_count, 1);
    return &ramps.ramps[0];
}

static int teardown(void **state)
{
    p11prof_ramps_clear(&ramps);
    return bench_teardown(state);
}

static double found(const char *column)
{
    const struct p11prof_cell *cell = p11prof_table_get(&ramps.findings, 0, column);
    return cell->kind == P11PROF_CELL_REAL      ? cell->real
           : cell->kind == P11PROF_CELL_INTEGER ? (double)cell->integer
                                                : -1;
}

static void summary_is(const char *text)
{
    assert_string_equal(p11prof_table_text(&ramps.findings, 0, "summary", ""), text);
}

/* The page; valid until the next call. */
static const char *printed(bool ascii)
{
    static char *text;
    size_t bytes;
    const struct p11prof_chart_style style = {.width = 60, .ascii = ascii};
    free(text);
    struct p11prof_page page = {.stream = open_memstream(&text, &bytes),
                                .format = P11PROF_FORMAT_TEXT};
    p11prof_ramp_page(&page, &ramps, &style);
    fclose(page.stream);
    return text;
}

static void has(const char *part)
{
    const char *text = printed(true);
    if (!strstr(text, part)) {
        fail_msg("there is no '%s' in:\n%s", part, text);
    }
}

/* --- threads --- */

static void test_threads(void **state)
{
    (void)state;
    write_threads();
    const struct p11prof_ramp *ramp = read_ramp();
    assert_int_equal(ramp->of, P11PROF_RAMP_THREADS);
    assert_int_equal(ramp->count, 4);
    for (size_t i = 1; i < ramp->count; i++)
        assert_true(ramp->steps[i - 1].value < ramp->steps[i].value);
    assert_int_equal(ramp->verdict.finding, P11PROF_RAMP_SATURATES);
    assert_true(found("best") == 2 && found("ops_per_s") == 200 && found("held") == -1);
    assert_true(fabs(found("p99_ns") - 10.0 * unit_ns) < 0.005 * 10 * unit_ns);
    assert_true(isfinite(ramp->steps[0].variance));
    summary_is("best: 2 threads: 200/s, p99 10.5 ms; more threads only add latency (8 threads: "
               "200/s, p99 41.9 ms)");
}

static void test_page(void **state)
{
    (void)state;
    write_threads();
    read_ramp();
    has("Ramp: ecdsa-p256-sign, 1 to 8 threads\n");
    has("THREADS  OPS/S  FROM   TO      P50       P99  EFFICIENCY  VERDICT\n");
    has(" best\n");
    has("threads  1       2       4       8\n                 ^ best\n");
    for (const char *text = printed(true); *text; text++)
        assert_true(*text == '\n' || (*text >= ' ' && *text <= '~'));
    assert_non_null(strstr(printed(false), "\u2588"));
}

static void test_one_is_enough(void **state)
{
    (void)state;
    write_step(&(struct step){1, 1, 1, 0, 20, 10, 0, 0, 0});
    write_step(&(struct step){2, 2, 2, 0, 20, 10, 0, 0, 0});
    assert_int_equal(read_ramp()->verdict.finding, P11PROF_RAMP_FLAT);
    summary_is("best: 1 thread is enough: 200/s, p99 10.5 ms; more threads change nothing "
               "(2 threads: 200/s, p99 10.5 ms)");
}

static void test_errors(void **state)
{
    (void)state;
    write_step(&(struct step){1, 1, 1, 0, 10, 10, 0, 0, 0});
    write_step(&(struct step){2, 2, 2, 0, 20, 10, 3, 0, 0});
    read_ramp();
    assert_true(found("best") == 1);
    has("failed");
    has("ERRORS");
    run_sql("UPDATE group_window SET success_count = 0, error_count = count");
    run_sql("UPDATE call_group SET success_count = 0, error_count = count");
    run_sql("DELETE FROM group_bucket");
    run_sql("DELETE FROM window_bucket");
    assert_int_equal(read_ramp()->verdict.finding, P11PROF_RAMP_UNKNOWN);
    assert_true(found("best") == -1);
    summary_is("best: none: no step was without errors");
}

/* A step that was cut short says nothing. */
static void test_interrupted(void **state)
{
    (void)state;
    write_step(&(struct step){1, 1, 1, 0, 10, 10, 0, 0, 0});
    bench_load(2, "ecdsa-p256-sign", 32, 2, 1);
    run_sql("UPDATE bench_load SET ramp = 2 WHERE load = 2");
    const struct p11prof_ramp *ramp = read_ramp();
    assert_int_equal(ramp->count, 1);
    assert_int_equal(ramp->verdict.finding, P11PROF_RAMP_SINGLE);
    has("there is no other step");
}

static void test_interrupted_at_once(void **state)
{
    (void)state;
    struct p11prof_error error = {0};
    bench_load(1, "ecdsa-p256-sign", 32, 1, 1);
    run_sql("UPDATE bench_load SET ramp = 1");
    assert_int_equal(p11prof_ramp_read(&ramps, p11prof_store_sqlite(fixture_store), 1, &error),
                     P11PROF_OK);
    assert_int_equal(ramps.ramp_count, 0);
    assert_string_equal(printed(true), "");
}

/* The step of a value that was measured last. */
static void test_again(void **state)
{
    (void)state;
    write_step(&(struct step){1, 1, 1, 0, 10, 10, 0, 0, 0});
    write_step(&(struct step){2, 2, 2, 0, 5, 10, 0, 0, 0});
    write_step(&(struct step){3, 3, 2, 0, 20, 10, 0, 0, 0});
    assert_int_equal(read_ramp()->count, 2);
    assert_true(found("best") == 2 && found("ops_per_s") == 200);
}

static void test_mix(void **state)
{
    (void)state;
    write_step(&(struct step){1, 1, 1, 0, 10, 10, 0, 0, 1});
    write_step(&(struct step){2, 1, 1, 0, 10, 20, 0, 0, 1});
    write_step(&(struct step){3, 2, 2, 0, 20, 10, 0, 0, 2});
    write_step(&(struct step){4, 2, 2, 0, 20, 20, 0, 0, 2});
    const struct p11prof_ramp *ramp = read_ramp();
    assert_int_equal(ramp->count, 2);
    assert_true(ramp->steps[0].ops_per_s == 200 && ramp->steps[1].ops_per_s == 400);
    assert_true(fabs(ramp->steps[0].mean_ns / (15.0 * unit_ns) - 1) < 0.01);
    assert_true(fabs(ramp->steps[0].p99_ns / (20.0 * unit_ns) - 1) < 0.01);
    assert_string_equal(p11prof_table_text(&ramps.steps, 0, "test", ""), "mix");
}

/* --- rates and objectives --- */

static void write_rates(void)
{
    write_step(&(struct step){1, 1, 4, 50, 5, 10, 0, 0, 0});
    write_step(&(struct step){2, 2, 4, 100, 10, 10, 0, 0, 0});
    write_step(&(struct step){3, 3, 4, 150, 15, 40, 0, 0, 0});
    write_step(&(struct step){4, 4, 4, 400, 20, 200, 0, 200, 0});
}

static void test_rates(void **state)
{
    (void)state;
    write_rates();
    assert_int_equal(read_ramp()->of, P11PROF_RAMP_RATE);
    assert_true(found("best") == 100 && found("held") == 150 && found("not_held") == 400);
    summary_is("knee: 100/s (100/s, p99 10.5 ms); up to 150/s is held (150/s, p99 41.9 ms); 400/s "
               "is not: 200/s, p99 210 ms, 50.0 % never began");
    has("Ramp: ecdsa-p256-sign, 50.0 to 400/s, threads: 4\n");
    has("not held");
    has("^ knee");
}

/* 83/s in slices of 100 ms: eight starts or nine. */
static void test_part_of_a_slice(void **state)
{
    (void)state;
    write_step(&(struct step){1, 1, 4, 83, 8, 10, 0, 0, 0});
    assert_true(read_ramp()->steps[0].held);
    write_step(&(struct step){2, 2, 4, 95, 8, 10, 0, 0, 0});
    assert_false(read_ramp()->steps[1].held);
}

static void test_objective(void **state)
{
    (void)state;
    write_rates();
    set_options("{\"ramp\": {\"of\": \"rate\", \"values\": [50, 100]}, \"slo\": \"p99=20ms\"}");
    read_ramp();
    assert_true(found("met_up_to") == 100 && found("missed_from") == 150);
    assert_string_equal(p11prof_table_text(&ramps.findings, 0, "objective", ""), "p99 <= 20 ms");
    has("holds p99 <= 20 ms up to 100/s (150/s does not: 41.9 ms)");
    has("knee: ");
    set_options("{\"ramp\": {\"of\": \"rate\", \"values\": []}, \"slo\": \"mean<=5ms\"}");
    read_ramp();
    assert_true(found("met_up_to") == -1 && found("missed_from") == 50);
    assert_string_equal(p11prof_table_text(&ramps.findings, 0, "verdict", ""), "missed");
    summary_is("does not hold mean <= 5 ms: even 50.0/s does not: 10.5 ms");
    set_options("{\"ramp\": {\"of\": \"rate\", \"values\": []}, \"slo\": \"p99=1s\"}");
    read_ramp();
    assert_true(found("met_up_to") == 150 && found("missed_from") == 400);
    summary_is("holds p99 <= 1 s up to 150/s (400/s was not held)");
}

/* Only what the token does at most is known, then somebody pressed Ctrl-C. */
static void test_search_without_a_rate(void **state)
{
    (void)state;
    write_step(&(struct step){1, 1, 1, 0, 10, 10, 0, 0, 0});
    set_options("{\"ramp\": {\"of\": \"rate\", \"values\": []}, \"slo\": \"p99=20ms\"}");
    read_ramp();
    assert_int_equal(p11prof_table_get(&ramps.findings, 0, "verdict")->kind, P11PROF_CELL_NULL);
    summary_is("whether it holds p99 <= 20 ms is unknown: no rate was tried");
}

static void test_objectives_of_a_ramp(void **state)
{
    (void)state;
    static const char *const good[] = {"p99=20ms", "p99<20ms", "p99<=20ms", "p50=1us", "mean=3s"};
    static const char *const bad[] = {"",         "p99",           "p99=20",  "p99>20ms",
                                      "errors=1", "C_Sign.p99<1s", "p99=0ms", "p99=1ms,p50=1ms",
                                      "p98=1ms",  "=20ms",         "count<5", "p99==20ms"};
    struct p11prof_objective objective;
    struct p11prof_error error;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_int_equal(p11prof_ramp_objective_read(&objective, good[i], &error), P11PROF_OK);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (p11prof_ramp_objective_read(&objective, bad[i], &error) != P11PROF_BAD_INPUT) {
            fail_msg("'%s' is an objective", bad[i]);
        }
}

static void test_bare_objectives_have_an_example(void **state)
{
    (void)state;
    static const char *const bare[] = {"p99", "20ms", "=20ms", "p99:20ms", ""};
    struct p11prof_objective objective;
    struct p11prof_error error;
    for (size_t i = 0; i < sizeof bare / sizeof bare[0]; i++) {
        p11prof_ramp_objective_read(&objective, bare[i], &error);
        assert_non_null(strstr(error.text, "such as p99=20ms"));
    }
}

/* --- documents --- */

static void test_json(void **state)
{
    (void)state;
    write_threads();
    bench_results();
    cJSON *made = p11prof_document_new();
    p11prof_document_add(made, &bench_report);
    char *text = cJSON_Print(made);
    cJSON *document = cJSON_Parse(text);
    cJSON_free(text);
    cJSON_Delete(made);
    const cJSON *ramp = cJSON_GetArrayItem(cJSON_GetObjectItem(document, "ramp"), 0);
    const cJSON *steps = cJSON_GetObjectItem(ramp, "steps");
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(ramp, "finding")), "saturates");
    assert_int_equal(cJSON_GetArraySize(steps), 4);
    assert_true(
        cJSON_GetNumberValue(cJSON_GetObjectItem(cJSON_GetArrayItem(steps, 3), "threads")) == 8);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(document, "results")), 4);
    cJSON_Delete(document);
}

/* A run without a ramp has none. */
static void test_none(void **state)
{
    (void)state;
    struct p11prof_error error = {0};
    bench_load(1, "ecdsa-p256-sign", 32, 1, 1);
    assert_int_equal(p11prof_ramp_read(&ramps, p11prof_store_sqlite(fixture_store), 1, &error),
                     P11PROF_OK);
    assert_int_equal(ramps.ramp_count, 0);
    assert_string_equal(printed(true), "");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, bench_setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_threads),
        TEST(test_page),
        TEST(test_one_is_enough),
        TEST(test_errors),
        TEST(test_interrupted),
        TEST(test_interrupted_at_once),
        TEST(test_again),
        TEST(test_mix),
        TEST(test_rates),
        TEST(test_part_of_a_slice),
        TEST(test_objective),
        TEST(test_objectives_of_a_ramp),
        TEST(test_bare_objectives_have_an_example),
        TEST(test_search_without_a_rate),
        TEST(test_json),
        TEST(test_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
