/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "bench_mixes.h"

bool p11prof_load_is_alone(const struct p11prof_table *loads, size_t row)
{
    return p11prof_table_get(loads, row, "mix")->kind == P11PROF_CELL_NULL;
}

bool p11prof_same_mix(const struct p11prof_table *loads, size_t a, size_t b)
{
    return !p11prof_load_is_alone(loads, a) &&
           p11prof_table_integer(loads, a, "mix", -1) ==
               p11prof_table_integer(loads, b, "mix", -1) &&
           p11prof_table_integer(loads, a, "run_id", -1) ==
               p11prof_table_integer(loads, b, "run_id", -1);
}

bool p11prof_mix_begins(const struct p11prof_table *loads, size_t row)
{
    for (size_t i = 0; i < row; i++)
        if (p11prof_same_mix(loads, row, i))
            return false;
    return !p11prof_load_is_alone(loads, row);
}

/* Of the whole mix that the row belongs to. */
static void set_share(const struct p11prof_table *loads, size_t row, const char *of,
                      const char *share)
{
    int64_t own = p11prof_table_integer(loads, row, of, 0), sum = 0;
    for (size_t i = 0; i < loads->row_count; i++)
        if (p11prof_same_mix(loads, row, i))
            sum += p11prof_table_integer(loads, i, of, 0);
    if (sum > 0)
        p11prof_table_set_real(loads, p11prof_table_row(loads, row), share,
                               (double)own / (double)sum);
}

static double real(const struct p11prof_table *table, size_t row, const char *column)
{
    const struct p11prof_cell *cell = p11prof_table_get(table, row, column);
    return cell->kind == P11PROF_CELL_REAL ? cell->real : 0;
}

/* Adds a row of per-thread figures to that of its thread. */
static void add_thread(struct p11prof_table *out, const struct p11prof_table *threads, size_t row)
{
    int64_t thread = p11prof_table_integer(threads, row, "thread", 0);
    size_t place = 0;
    while (place < out->row_count && p11prof_table_integer(out, place, "thread", 0) != thread)
        place++;
    if (place == out->row_count)
        p11prof_table_set_integer(out, p11prof_table_add_row(out), "thread", thread);
    struct p11prof_cell *cells = p11prof_table_row(out, place);
    p11prof_table_set_integer(out, cells, "count",
                              p11prof_table_integer(out, place, "count", 0) +
                                  p11prof_table_integer(threads, row, "count", 0));
    p11prof_table_set_real(out, cells, "ops_per_s",
                           real(out, place, "ops_per_s") + real(threads, row, "ops_per_s"));
}

static bool is_of_load(const struct p11prof_bench_results *results, size_t thread, size_t load)
{
    static const char *const columns[] = {"run_id", "load"};
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
        if (p11prof_table_integer(&results->threads, thread, columns[i], -1) !=
            p11prof_table_integer(&results->loads, load, columns[i], -1))
            return false;
    return true;
}

void p11prof_mix_threads(struct p11prof_table *out, const struct p11prof_bench_results *results,
                         size_t row)
{
    p11prof_table_add_columns(out, "thread count ops_per_s");
    for (size_t i = 0; i < results->loads.row_count; i++)
        for (size_t j = 0;
             p11prof_same_mix(&results->loads, row, i) && j < results->threads.row_count; j++)
            if (is_of_load(results, j, i))
                add_thread(out, &results->threads, j);
}

/* Fastest less slowest thread, of their mean; negative: unknown. */
static double contention_of(const struct p11prof_table *threads)
{
    double least = 0, most = 0, sum = 0;
    for (size_t i = 0; i < threads->row_count; i++) {
        double rate = real(threads, i, "ops_per_s");
        least = i == 0 || rate < least ? rate : least;
        most = rate > most ? rate : most;
        sum += rate;
    }
    return threads->row_count > 1 && sum > 0 ? (most - least) / (sum / (double)threads->row_count)
                                             : -1;
}

static void set_contention(const struct p11prof_bench_results *results, size_t first)
{
    const struct p11prof_table *loads = &results->loads;
    struct p11prof_table threads = {.columns = NULL};
    p11prof_mix_threads(&threads, results, first);
    double contention = contention_of(&threads);
    for (size_t i = first; i < loads->row_count && contention >= 0; i++)
        if (p11prof_same_mix(loads, first, i))
            p11prof_table_set_real(loads, p11prof_table_row(loads, i), "contention", contention);
    p11prof_table_clear(&threads);
}

void p11prof_mixes_complete(const struct p11prof_bench_results *results)
{
    const struct p11prof_table *loads = &results->loads;
    for (size_t i = 0; i < loads->row_count; i++) {
        set_share(loads, i, "count", "count_share");
        set_share(loads, i, "total_ns", "time_share");
        bool scheduled = p11prof_table_get(loads, i, "rate")->kind != P11PROF_CELL_NULL;
        if (p11prof_mix_begins(loads, i) && !scheduled)
            set_contention(results, i);
    }
}
