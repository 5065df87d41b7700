/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What the threads of a bench say, and how they compare. */
#include "results_fixture.h"

enum { SLICE_NS = 500000000, FIRST_NS = 1000000, THREAD = 77 };

/* The database cannot tell failures of a decryption; the threads of the bench can. */
static void wrong_results_are_errors(void **state)
{
    (void)state;
    struct bench_place place = {1, P11PROF_PHASE_MEASURED, THREAD, FIRST_NS};
    for (unsigned load = 1; load <= 2; load++) {
        place.load = load;
        bench_load(load, load == 1 ? "aes-256-gcm-decrypt" : "ecdsa-p256-sign", 10, 2, 1);
        bench_slice(load, 1, FIRST_NS, 2 * SLICE_NS);
        for (unsigned i = 0; i < 100; i++)
            bench_operation(&place, 1000, load == 2 && i < 6 ? CKR_DEVICE_ERROR : CKR_OK);
        bench_thread(&(struct p11prof_thread_row){load, 1, 1, 1, 50, 4, 1, 1000000000, -1, -1});
        bench_thread(&(struct p11prof_thread_row){load, 1, 2, 2, 50, 3, 1, 1000000000, -1, -1});
    }
    bench_write(true);
    bench_results();
    bench_check(0, "count", 100);
    bench_check(0, "wrong_count", 2);
    bench_check(0, "error_count", 7); /* the threads saw 5 fail, the database none */
    bench_check_real(0, "ops_per_s", 93);
    bench_check_real(0, "bytes_per_s", 930);
    bench_check(1, "error_count", 8); /* the threads saw 5 fail, the database 6 */
    bench_check_real(1, "ops_per_s", 92);
}

/* Rates 100, 110, 95 and 95 in two processes: (110 - 95) / 100; a thread alone does 125. */
static void threads_are_compared(void **state)
{
    (void)state;
    static const uint64_t counts[] = {100, 110, 95, 95};
    bench_load(1, "ecdsa-p256-sign", -1, 1, 1);
    bench_load(2, "ecdsa-p256-sign", -1, 2, 2);
    bench_load(3, "ecdsa-p256-sign", 64, 2, 2);
    bench_slice(1, 1, FIRST_NS, 2 * SLICE_NS);
    bench_slice(2, 1, FIRST_NS, 2 * SLICE_NS);
    struct bench_place place = {1, P11PROF_PHASE_MEASURED, THREAD, FIRST_NS};
    for (unsigned i = 0; i < 125; i++)
        bench_operation(&place, 1000, CKR_OK);
    for (unsigned thread = 0; thread < 4; thread++) {
        place = (struct bench_place){2, P11PROF_PHASE_MEASURED, 100 + thread, FIRST_NS};
        for (uint64_t i = 1; i <= counts[thread]; i++)
            bench_operation(&place, i * 1000 * (thread + 1), CKR_OK);
        bench_thread(&(struct p11prof_thread_row){2, thread / 2 + 1, thread % 2 + 1, 100 + thread,
                                                  counts[thread], 0, 0, 1000000000, 7, 8});
    }
    bench_slice(3, 1, FIRST_NS, 2 * SLICE_NS);
    place = (struct bench_place){3, P11PROF_PHASE_MEASURED, 200, FIRST_NS};
    bench_operation(&place, 1000, CKR_OK);
    bench_write(true);
    bench_results();
    bench_check_real(1, "ops_per_s", 400);
    bench_check_real(1, "contention", 0.15);
    bench_check_real(1, "efficiency", 0.8);
    bench_check_unknown(0, "contention");
    bench_check_unknown(0, "efficiency");
    bench_check_unknown(2, "efficiency"); /* nobody measured one thread with 64 bytes */
    bench_check_text(0, "per_thread", "[]");
    bench_check_text(
        1, "per_thread",
        "[{\"thread\":1,\"count\":100,\"ops_per_s\":100.000,\"mean_ns\":50500,\"p99_ns\":99000},"
        "{\"thread\":2,\"count\":110,\"ops_per_s\":110.000,\"mean_ns\":111000,\"p99_ns\":218000},"
        "{\"thread\":3,\"count\":95,\"ops_per_s\":95.000,\"mean_ns\":144000,\"p99_ns\":285000},"
        "{\"thread\":4,\"count\":95,\"ops_per_s\":95.000,\"mean_ns\":192000,\"p99_ns\":380000}]");
    assert_true(p11prof_table_get(&bench_report.results.threads, 0, "p99_ns")->doubtful);
}

/* Without rows: what the threads said; what they did not say is unknown. */
static void threads_speak_for_themselves(void **state)
{
    (void)state;
    bench_load(1, "ecdsa-p256-sign", -1, 2, 1);
    bench_thread(&(struct p11prof_thread_row){1, 1, 1, 5, 2000, 0, 0, 500000000, 300, 400});
    bench_thread(&(struct p11prof_thread_row){1, 1, 2, 6, 2000, 10, 0, 500000000, -1, -1});
    bench_write(false);
    bench_results();
    bench_check(0, "count", 4000);
    bench_check_text(0, "per_thread",
                     "[{\"thread\":1,\"count\":2000,\"ops_per_s\":4000.000,\"mean_ns\":300,"
                     "\"p99_ns\":400},{\"thread\":2,\"count\":2000,\"ops_per_s\":3980.000,"
                     "\"mean_ns\":null,\"p99_ns\":null}]");
    assert_false(p11prof_table_get(&bench_report.results.threads, 0, "p99_ns")->doubtful);
}

static void contention_has_words(void **state)
{
    (void)state;
    assert_string_equal(p11prof_contention_word(0), "low");
    assert_string_equal(p11prof_contention_word(0.0499), "low");
    assert_string_equal(p11prof_contention_word(0.05), "moderate");
    assert_string_equal(p11prof_contention_word(0.1999), "moderate");
    assert_string_equal(p11prof_contention_word(0.2), "high");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(wrong_results_are_errors, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(threads_are_compared, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(threads_speak_for_themselves, bench_setup, bench_teardown),
        cmocka_unit_test(contention_has_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
