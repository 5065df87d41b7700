/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "bench_suites.h"
#include "bench_text.h"
#include "query.h"
#include "stats_table.h"
#include "units.h"

#include <inttypes.h>
#include <string.h>

static const char steps_sql[] =
    "SELECT b.run AS run_id, b.suite, b.load, CAST(total(s.duration_ns) AS INTEGER) AS duration_ns "
    "FROM bench_load AS b LEFT JOIN bench_slice AS s ON s.run = b.run AND s.load = b.load "
    "WHERE b.run = ?1 AND b.suite IS NOT NULL GROUP BY b.load ORDER BY b.load";

bool p11prof_load_is_step(const struct p11prof_table *loads, size_t row)
{
    return p11prof_table_get(loads, row, "suite")->kind != P11PROF_CELL_NULL;
}

static bool is_step_of(const struct p11prof_table *loads, size_t row,
                       const struct p11prof_table *suites, size_t suite)
{
    return p11prof_load_is_step(loads, row) &&
           p11prof_table_integer(loads, row, "run_id", -1) ==
               p11prof_table_integer(suites, suite, "run_id", -1) &&
           strcmp(p11prof_table_text(loads, row, "suite", ""),
                  p11prof_table_text(suites, suite, "suite", "")) == 0;
}

/* What the steps of one test come to so far. */
struct sums {
    int64_t count, error_count, total_ns, duration_ns;
    double timed_count; /* successes in slices that ended: the others have no time */
};

static void step_add(struct sums *sums, const struct p11prof_table *steps, size_t step,
                     const struct p11prof_table *loads)
{
    int64_t duration_ns = p11prof_table_integer(steps, step, "duration_ns", 0);
    sums->duration_ns += duration_ns;
    for (size_t row = 0; row < loads->row_count; row++) {
        if (!is_step_of(loads, row, steps, step) ||
            p11prof_table_integer(loads, row, "load", -1) !=
                p11prof_table_integer(steps, step, "load", 0))
            continue;
        const struct p11prof_cell *rate = p11prof_table_get(loads, row, "ops_per_s");
        sums->count += p11prof_table_integer(loads, row, "count", 0);
        sums->error_count += p11prof_table_integer(loads, row, "error_count", 0);
        sums->total_ns += p11prof_table_integer(loads, row, "total_ns", 0);
        if (rate->kind == P11PROF_CELL_REAL)
            sums->timed_count += rate->real * (double)duration_ns / 1e9;
    }
}

static void sums_set(const struct p11prof_table *suites, const struct sums *sums)
{
    struct p11prof_cell *cells = p11prof_table_row(suites, suites->row_count - 1);
    p11prof_table_set_integer(suites, cells, "count", sums->count);
    p11prof_table_set_integer(suites, cells, "error_count", sums->error_count);
    p11prof_table_set_integer(suites, cells, "total_ns", sums->total_ns);
    p11prof_table_set_integer(suites, cells, "duration_ns", sums->duration_ns);
    if (sums->duration_ns > 0)
        p11prof_table_set_real(suites, cells, "ops_per_s",
                               sums->timed_count / ((double)sums->duration_ns / 1e9));
}

/* The steps of a test follow each other. */
static bool begins_suite(const struct p11prof_table *steps, size_t step)
{
    return step == 0 || strcmp(p11prof_table_text(steps, step, "suite", ""),
                               p11prof_table_text(steps, step - 1, "suite", "")) != 0;
}

enum p11prof_status p11prof_bench_suites_load(struct p11prof_bench_results *out, struct sqlite3 *db,
                                              int64_t run_id, struct p11prof_error *error)
{
    struct p11prof_table steps = {.columns = NULL};
    struct sums sums = {0};
    if (out->suites.column_count == 0)
        p11prof_table_add_columns(&out->suites, P11PROF_SUITE_COLUMNS);
    enum p11prof_status status = p11prof_query_table(db, steps_sql, run_id, &steps, error);
    for (size_t i = 0; i < steps.row_count && status == P11PROF_OK; i++) {
        if (begins_suite(&steps, i)) {
            p11prof_table_copy_row(&out->suites, p11prof_table_add_row(&out->suites), &steps, i);
            sums = (struct sums){0};
        }
        step_add(&sums, &steps, i, &out->loads);
        sums_set(&out->suites, &sums);
    }
    p11prof_table_clear(&steps);
    return status;
}

/* "all steps: 1201 operations in 3.20 s, 375/s; in the module 3.10 s" */
static void print_total(struct p11prof_page *page, const struct p11prof_table *suites, size_t suite)
{
    char duration[P11PROF_UNIT_TEXT_BYTES], module[P11PROF_UNIT_TEXT_BYTES];
    char rate[P11PROF_UNIT_TEXT_BYTES] = "-", failed[64] = "";
    int64_t errors = p11prof_table_integer(suites, suite, "error_count", 0);
    const struct p11prof_cell *cell = p11prof_table_get(suites, suite, "ops_per_s");
    p11prof_format_ns(duration, (uint64_t)p11prof_table_integer(suites, suite, "duration_ns", 0));
    p11prof_format_ns(module, (uint64_t)p11prof_table_integer(suites, suite, "total_ns", 0));
    if (cell->kind == P11PROF_CELL_REAL)
        p11prof_format_rate(rate, cell->real);
    if (errors > 0)
        snprintf(failed, sizeof failed, ", %" PRId64 " of them failed or wrong", errors);
    p11prof_page_note(page, "all steps: %" PRId64 " operations%s, in %s, %s/s; in the module %s",
                      p11prof_table_integer(suites, suite, "count", 0), failed, duration, rate,
                      module);
}

static void print_suite(struct p11prof_page *page, const struct p11prof_bench_results *results,
                        size_t suite)
{
    struct p11prof_table steps = {.columns = NULL};
    char names[P11PROF_BENCH_NAMES_BYTES];
    p11prof_table_add_columns(&steps, P11PROF_RESULT_COLUMNS);
    for (size_t i = 0; i < results->loads.row_count; i++)
        if (is_step_of(&results->loads, i, &results->suites, suite))
            p11prof_table_copy_row(&steps, p11prof_table_add_row(&steps), &results->loads, i);
    p11prof_bench_columns(names, &steps, "step", "data_bytes count",
                          "ops_per_s mean_ns p50_ns p95_ns p99_ns");
    p11prof_page_section(page, "Suite: %s",
                         p11prof_table_text(&results->suites, suite, "suite", ""));
    p11prof_page_table(page, &steps, names);
    print_total(page, &results->suites, suite);
    p11prof_table_clear(&steps);
}

void p11prof_bench_suites_page(struct p11prof_page *page,
                               const struct p11prof_bench_results *results)
{
    for (size_t i = 0; i < results->suites.row_count; i++)
        print_suite(page, results, i);
}
