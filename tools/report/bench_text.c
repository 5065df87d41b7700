/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "bench_text.h"
#include "allocate.h"
#include "bench_mixes.h"
#include "bench_rates.h"
#include "bench_sizes.h"
#include "bench_suites.h"
#include "ramp.h"
#include "stats_table.h"
#include "units.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS_MOST = 16 };

static bool any_above(const struct p11prof_table *loads, const char *column, int64_t limit)
{
    for (size_t i = 0; i < loads->row_count; i++)
        if (p11prof_table_integer(loads, i, column, INT64_MIN) > limit)
            return true;
    return false;
}

static bool any_known(const struct p11prof_table *loads, const char *column)
{
    for (size_t i = 0; i < loads->row_count; i++)
        if (p11prof_table_get(loads, i, column)->kind != P11PROF_CELL_NULL)
            return true;
    return false;
}

/* Some test with two sizes of data. */
static bool several_sizes(const struct p11prof_table *loads)
{
    for (size_t i = 0; i < loads->row_count; i++)
        for (size_t j = 0; j < i; j++)
            if (strcmp(p11prof_table_text(loads, i, "test", ""),
                       p11prof_table_text(loads, j, "test", "")) == 0 &&
                p11prof_table_integer(loads, i, "data_bytes", -1) !=
                    p11prof_table_integer(loads, j, "data_bytes", -1))
                return true;
    return false;
}

void p11prof_bench_columns(char names[P11PROF_BENCH_NAMES_BYTES], const struct p11prof_table *loads,
                           const char *first, const char *counts, const char *durations)
{
    const struct {
        const char *names;
        bool needed;
    } columns[] = {
        {first, true},
        {"test", true},
        {"data_bytes", !strstr(counts, "data_bytes") && several_sizes(loads)},
        {"threads", any_above(loads, "threads", 1) || any_above(loads, "processes", 1)},
        {"processes", any_above(loads, "processes", 1)},
        {counts, true},
        {"error_count", any_above(loads, "error_count", 0)},
        {"wrong_count", any_above(loads, "wrong_count", 0)},
        {"think_time_ns", any_known(loads, "think_time_ns")},
        {"rate", any_known(loads, "rate")},
        {"missed_count", any_above(loads, "missed_count", 0)},
        {durations, true},
        {"service_p50_ns service_p99_ns", any_known(loads, "service_p99_ns")},
        {"bytes_per_s", any_known(loads, "bytes_per_s")},
        {"cooldown_change", any_known(loads, "cooldown_change")},
    };
    *names = '\0';
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
        strcat(names, columns[i].needed ? columns[i].names : "");
        strcat(names, " ");
    }
}

/* Loads that are no part of a mix, a suite or a ramp. */
static void print_loads(struct p11prof_page *page, const struct p11prof_table *loads)
{
    struct p11prof_table alone = {.columns = NULL};
    char names[P11PROF_BENCH_NAMES_BYTES];
    p11prof_table_add_columns(&alone, P11PROF_RESULT_COLUMNS);
    for (size_t i = 0; i < loads->row_count; i++)
        if (p11prof_load_is_alone(loads, i) && !p11prof_load_is_step(loads, i) &&
            !p11prof_load_is_ramp(loads, i))
            p11prof_table_copy_row(&alone, p11prof_table_add_row(&alone), loads, i);
    if (alone.row_count > 0) {
        p11prof_bench_columns(names, &alone, "", "", "ops_per_s mean_ns p50_ns p95_ns p99_ns");
        p11prof_page_section(page, "Results");
        p11prof_page_table(page, &alone, names);
    }
    p11prof_table_clear(&alone);
}

/* Of the load, or of the whole mix; negative: unknown. */
static double rate_of(const struct p11prof_table *loads, size_t row)
{
    double sum = -1;
    for (size_t i = 0; i < loads->row_count; i++) {
        const struct p11prof_cell *cell = p11prof_table_get(loads, i, "ops_per_s");
        if ((i == row || p11prof_same_mix(loads, row, i)) && cell->kind == P11PROF_CELL_REAL)
            sum = (sum < 0 ? 0 : sum) + cell->real;
    }
    return sum;
}

static void print_mix(struct p11prof_page *page, const struct p11prof_table *loads, size_t first)
{
    struct p11prof_table mix = {.columns = NULL};
    char names[P11PROF_BENCH_NAMES_BYTES], rate[P11PROF_UNIT_TEXT_BYTES] = "-";
    double ops_per_s = rate_of(loads, first);
    p11prof_table_add_columns(&mix, P11PROF_RESULT_COLUMNS);
    for (size_t i = first; i < loads->row_count; i++)
        if (p11prof_same_mix(loads, first, i))
            p11prof_table_copy_row(&mix, p11prof_table_add_row(&mix), loads, i);
    p11prof_bench_columns(names, &mix, "", "count weight count_share",
                          "ops_per_s time_share p50_ns p95_ns p99_ns");
    p11prof_page_section(page, "Mix %" PRId64, p11prof_table_integer(loads, first, "mix", 0));
    p11prof_page_table(page, &mix, names);
    if (ops_per_s >= 0)
        p11prof_format_rate(rate, ops_per_s);
    p11prof_page_note(page, "all operations: %s/s", rate);
    p11prof_table_clear(&mix);
}

static void print_mixes(struct p11prof_page *page, const struct p11prof_table *loads)
{
    for (size_t i = 0; i < loads->row_count; i++)
        if (p11prof_mix_begins(loads, i) && !p11prof_load_is_ramp(loads, i))
            print_mix(page, loads, i);
}

void p11prof_bench_describe(char *out, size_t out_bytes, const struct p11prof_table *loads,
                            size_t row)
{
    char size[P11PROF_UNIT_TEXT_BYTES] = "", threads[64] = "", processes[64] = "", mix[32] = "";
    int64_t data_bytes = p11prof_table_integer(loads, row, "data_bytes", -1);
    int64_t thread_count = p11prof_table_integer(loads, row, "threads", 1);
    int64_t process_count = p11prof_table_integer(loads, row, "processes", 1);
    if (data_bytes >= 0)
        p11prof_format_bytes(size, (uint64_t)data_bytes);
    if (thread_count > 1 || process_count > 1)
        snprintf(threads, sizeof threads, ", threads: %" PRId64, thread_count);
    if (process_count > 1)
        snprintf(processes, sizeof processes, ", processes: %" PRId64, process_count);
    if (p11prof_load_is_step(loads, row))
        snprintf(mix, sizeof mix, ", step %" PRId64, p11prof_table_integer(loads, row, "step", 0));
    if (!p11prof_load_is_alone(loads, row))
        snprintf(mix, sizeof mix, ", mix %" PRId64, p11prof_table_integer(loads, row, "mix", 0));
    snprintf(out, out_bytes, "%.200s%s%s%s%s%s", p11prof_table_text(loads, row, "test", ""),
             *size ? ", " : "", size, threads, processes, mix);
}

/* " (0.000278/s were wanted)": a rate may be so low that none was due. */
static void wanted_text(char out[64], const struct p11prof_table *loads, size_t row)
{
    const struct p11prof_cell *wanted = p11prof_table_get(loads, row, "rate");
    char rate[P11PROF_UNIT_TEXT_BYTES];
    *out = '\0';
    if (wanted->kind != P11PROF_CELL_REAL)
        return;
    p11prof_format_rate(rate, wanted->real);
    snprintf(out, 64, " (%s/s were wanted)", rate);
}

static void print_problem(struct p11prof_page *page, const struct p11prof_table *loads, size_t row)
{
    char load[512], wanted[64];
    int64_t count = p11prof_table_integer(loads, row, "count", 0);
    int64_t wrong = p11prof_table_integer(loads, row, "wrong_count", 0);
    int64_t failed = p11prof_table_integer(loads, row, "error_count", 0) - wrong;
    p11prof_bench_describe(load, sizeof load, loads, row);
    if (wrong > 0) /* most runs check one in a hundred: it is no share of all */
        p11prof_page_note(page, "WRONG RESULTS: %" PRId64 " of those checked, of %" PRId64 " of %s",
                          wrong, count, load);
    if (failed > 0)
        p11prof_page_note(page, "FAILED: %" PRId64 " of %" PRId64 " of %s", failed, count, load);
    wanted_text(wanted, loads, row);
    if (count == 0)
        p11prof_page_note(page, "NOTHING DONE: %s%s", load, wanted);
    if (p11prof_table_integer(loads, row, "unchecked", 0))
        p11prof_page_note(page, "not verified: %s", load);
}

static bool has_problem(const struct p11prof_table *loads, size_t row)
{
    return p11prof_table_integer(loads, row, "error_count", 0) > 0 ||
           p11prof_table_integer(loads, row, "unchecked", 0) ||
           p11prof_table_integer(loads, row, "count", 0) == 0;
}

static void print_problems(struct p11prof_page *page, const struct p11prof_table *loads)
{
    bool titled = false;
    for (size_t i = 0; i < loads->row_count; i++) {
        if (has_problem(loads, i) && !titled) {
            p11prof_page_section(page, "Errors and wrong results");
            titled = true;
        }
        if (has_problem(loads, i))
            print_problem(page, loads, i);
    }
}

/* "together 1234/s; contention 3.1 % (low); efficiency 87.0 %": what is known of it. */
static void print_sum(struct p11prof_page *page, const struct p11prof_table *loads, size_t row)
{
    char rate[P11PROF_UNIT_TEXT_BYTES] = "-", share[P11PROF_UNIT_TEXT_BYTES];
    char contention[64] = "", efficiency[96] = "";
    double sum = rate_of(loads, row);
    if (sum >= 0)
        p11prof_format_rate(rate, sum);
    const struct p11prof_cell *cell = p11prof_table_get(loads, row, "contention");
    if (cell->kind == P11PROF_CELL_REAL) {
        p11prof_format_share(share, cell->real);
        snprintf(contention, sizeof contention, "; contention %s (%s)", share,
                 p11prof_contention_word(cell->real));
    }
    cell = p11prof_table_get(loads, row, "efficiency");
    if (cell->kind == P11PROF_CELL_REAL) {
        p11prof_format_share(share, cell->real);
        snprintf(efficiency, sizeof efficiency, "; efficiency %s of as many times one thread",
                 share);
    }
    p11prof_page_note(page, "together %s operations/s%s%s", rate, contention, efficiency);
}

static void print_mix_threads(struct p11prof_page *page,
                              const struct p11prof_bench_results *results, size_t row)
{
    struct p11prof_table threads = {.columns = NULL}, shown = {.columns = NULL};
    p11prof_mix_threads(&threads, results, row);
    p11prof_table_add_columns(&shown, "thread count ops_per_s");
    for (size_t i = 0; i < threads.row_count && i < THREADS_MOST; i++)
        p11prof_table_copy_row(&shown, p11prof_table_add_row(&shown), &threads, i);
    if (threads.row_count > 1) {
        p11prof_page_section(page, "Threads of mix %" PRId64,
                             p11prof_table_integer(&results->loads, row, "mix", 0));
        p11prof_page_table(page, &shown, "thread count ops_per_s");
        if (threads.row_count > THREADS_MOST)
            p11prof_page_note(page, "\u2026 %zu more", threads.row_count - THREADS_MOST);
        print_sum(page, &results->loads, row);
    }
    p11prof_table_clear(&threads);
    p11prof_table_clear(&shown);
}

static void print_load_threads(struct p11prof_page *page,
                               const struct p11prof_bench_results *results, size_t row)
{
    struct p11prof_table part = {.columns = NULL};
    char load[512];
    int64_t number = p11prof_table_integer(&results->loads, row, "load", 0);
    int64_t run_id = p11prof_table_integer(&results->loads, row, "run_id", 0);
    size_t count = 0;
    p11prof_table_add_columns(&part, P11PROF_THREAD_COLUMNS);
    for (size_t i = 0; i < results->threads.row_count; i++)
        if (p11prof_table_integer(&results->threads, i, "load", -1) == number &&
            p11prof_table_integer(&results->threads, i, "run_id", -1) == run_id &&
            ++count <= THREADS_MOST)
            p11prof_table_copy_row(&part, p11prof_table_add_row(&part), &results->threads, i);
    if (count > 1) {
        p11prof_bench_describe(load, sizeof load, &results->loads, row);
        p11prof_page_section(page, "Threads of %s", load);
        p11prof_page_table(page, &part, "thread count ops_per_s mean_ns p99_ns");
        if (count > THREADS_MOST)
            p11prof_page_note(page, "\u2026 %zu more", count - THREADS_MOST);
        print_sum(page, &results->loads, row);
    }
    p11prof_table_clear(&part);
}

/* The tests that were left out for the reason of the row, on one line. */
static void print_reason(struct p11prof_page *page, const struct p11prof_table *skipped, size_t row)
{
    const char *reason = p11prof_table_text(skipped, row, "reason", "");
    char *tests;
    size_t bytes;
    FILE *stream = p11prof_text_open(&tests, &bytes);
    for (size_t i = row; i < skipped->row_count; i++)
        if (strcmp(p11prof_table_text(skipped, i, "reason", ""), reason) == 0)
            fprintf(stream, "%s%s", i > row ? ", " : "",
                    p11prof_table_text(skipped, i, "test", ""));
    fclose(stream);
    p11prof_page_note(page, "%s: %s", reason, tests);
    free(tests);
}

static void print_skipped(struct p11prof_page *page, const struct p11prof_table *skipped)
{
    if (skipped->row_count > 0)
        p11prof_page_section(page, "Skipped tests: %zu", skipped->row_count);
    for (size_t i = 0; i < skipped->row_count; i++) {
        const char *reason = p11prof_table_text(skipped, i, "reason", "");
        size_t first = 0;
        while (strcmp(p11prof_table_text(skipped, first, "reason", ""), reason) != 0)
            first++;
        if (first == i)
            print_reason(page, skipped, i);
    }
}

void p11prof_bench_page(struct p11prof_page *page, const struct p11prof_bench_results *results)
{
    if (results->loads.row_count > 0) {
        print_problems(page, &results->loads);
        print_loads(page, &results->loads);
        print_mixes(page, &results->loads);
        p11prof_bench_suites_page(page, results);
        p11prof_bench_rates_page(page, &results->loads);
    }
    for (size_t i = 0; i < results->loads.row_count; i++) {
        if (p11prof_load_is_ramp(&results->loads, i))
            continue;
        if (p11prof_load_is_alone(&results->loads, i))
            print_load_threads(page, results, i);
        else if (p11prof_mix_begins(&results->loads, i))
            print_mix_threads(page, results, i);
    }
    p11prof_bench_sizes_page(page, &results->loads);
    print_skipped(page, &results->skipped);
}
