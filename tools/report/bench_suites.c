/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "bench_suites.h"
#include "bench_text.h"
#include "query.h"
#include "stats_table.h"
#include "units.h"

#include <inttypes.h>
#include <string.h>

static const char suites_sql[] =
    "SELECT b.run AS run_id, b.suite, CAST(total(s.duration_ns) AS INTEGER) AS duration_ns "
    "FROM bench_load AS b LEFT JOIN bench_slice AS s ON s.run = b.run AND s.load = b.load "
    "WHERE b.run = ?1 AND b.suite IS NOT NULL GROUP BY b.suite ORDER BY min(b.load)";

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

static void set_sums(const struct p11prof_table *suites, size_t suite,
                     const struct p11prof_table *loads)
{
    static const char *const sums[] = {"count", "error_count", "total_ns"};
    struct p11prof_cell *cells = p11prof_table_row(suites, suite);
    int64_t values[sizeof sums / sizeof sums[0]] = {0};
    for (size_t row = 0; row < loads->row_count; row++)
        for (size_t i = 0; i < sizeof sums / sizeof sums[0]; i++)
            if (is_step_of(loads, row, suites, suite))
                values[i] += p11prof_table_integer(loads, row, sums[i], 0);
    for (size_t i = 0; i < sizeof sums / sizeof sums[0]; i++)
        p11prof_table_set_integer(suites, cells, sums[i], values[i]);
    int64_t duration_ns = p11prof_table_integer(suites, suite, "duration_ns", 0);
    if (duration_ns > 0)
        p11prof_table_set_real(suites, cells, "ops_per_s",
                               (double)(values[0] - values[1]) / ((double)duration_ns / 1e9));
}

enum p11prof_status p11prof_bench_suites_load(struct p11prof_bench_results *out, struct sqlite3 *db,
                                              int64_t run_id, struct p11prof_error *error)
{
    struct p11prof_table found = {.columns = NULL};
    if (out->suites.column_count == 0)
        p11prof_table_add_columns(&out->suites, P11PROF_SUITE_COLUMNS);
    enum p11prof_status status = p11prof_query_table(db, suites_sql, run_id, &found, error);
    for (size_t i = 0; i < found.row_count && status == P11PROF_OK; i++) {
        p11prof_table_copy_row(&out->suites, p11prof_table_add_row(&out->suites), &found, i);
        set_sums(&out->suites, out->suites.row_count - 1, &out->loads);
    }
    p11prof_table_clear(&found);
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
