/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "bench_sizes.h"
#include "allocate.h"
#include "bench_suites.h"
#include "line_fit.h"
#include "units.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Loads that differ in nothing but their data. Of a mix, others took part in it; steps of a suite
 * are what it says. */
static bool same_but_size(const struct p11prof_table *loads, size_t a, size_t b)
{
    if (a == b)
        return true;
    return !p11prof_load_is_step(loads, a) && !p11prof_load_is_step(loads, b) &&
           p11prof_table_get(loads, a, "mix")->kind == P11PROF_CELL_NULL &&
           p11prof_table_get(loads, b, "mix")->kind == P11PROF_CELL_NULL &&
           strcmp(p11prof_table_text(loads, a, "test", ""),
                  p11prof_table_text(loads, b, "test", "")) == 0 &&
           p11prof_table_integer(loads, a, "threads", 1) ==
               p11prof_table_integer(loads, b, "threads", 1) &&
           p11prof_table_integer(loads, a, "processes", 1) ==
               p11prof_table_integer(loads, b, "processes", 1);
}

/* "95.0 us per KB"; of a MB where a KB takes next to nothing. */
static void format_slope(char *out, size_t out_bytes, double slope_ns)
{
    char time[P11PROF_UNIT_TEXT_BYTES];
    bool small = slope_ns * 0x1p10 < 100;
    p11prof_format_ns(time, (uint64_t)llround(slope_ns * (small ? 0x1p20 : 0x1p10)));
    snprintf(out, out_bytes, "%s per %s", time, small ? "MB" : "KB");
}

static void print_line(struct p11prof_page *page, const struct p11prof_line *line)
{
    char fixed[P11PROF_UNIT_TEXT_BYTES], half[P11PROF_UNIT_TEXT_BYTES], slope[64];
    if (!line->fits) {
        p11prof_page_note(page, "no line fits: time is not a fixed part and one per byte");
        return;
    }
    format_slope(slope, sizeof slope, line->slope_ns);
    if (!line->fixed_known) {
        p11prof_page_note(page, "%s; the fixed part is too small to tell", slope);
        return;
    }
    p11prof_format_ns(fixed, (uint64_t)llround(line->fixed_ns));
    p11prof_format_bytes(half, (uint64_t)llround(line->half_bytes));
    p11prof_page_note(page, "fixed %s + %s%s%s", fixed, slope,
                      line->half_known ? "; half of the peak rate at " : "",
                      line->half_known ? half : "");
}

/* One sentence about the means of the rows, if they have three sizes. */
static void print_fit(struct p11prof_page *page, const struct p11prof_table *rows)
{
    double *bytes = p11prof_zalloc(rows->row_count, sizeof *bytes);
    double *ns = p11prof_zalloc(rows->row_count, sizeof *ns);
    struct p11prof_line line;
    size_t count = 0;
    for (size_t i = 0; i < rows->row_count; i++) {
        int64_t mean_ns = p11prof_table_integer(rows, i, "mean_ns", 0);
        mean_ns = p11prof_table_integer(rows, i, "service_mean_ns", mean_ns);
        if (mean_ns > 0) {
            bytes[count] = (double)p11prof_table_integer(rows, i, "data_bytes", 0);
            ns[count++] = (double)mean_ns;
        }
    }
    p11prof_line_fit(&line, bytes, ns, count);
    if (line.size_count >= P11PROF_LINE_SIZES_LEAST)
        print_line(page, &line);
    free(bytes);
    free(ns);
}

/* Rows of the loads that are like this one, without those of unknown size. */
static void select_rows(struct p11prof_table *rows, const struct p11prof_table *loads, size_t load)
{
    p11prof_table_add_columns(rows,
                              "data_bytes ops_per_s bytes_per_s mean_ns p99_ns service_mean_ns");
    for (size_t i = load; i < loads->row_count; i++)
        if (same_but_size(loads, load, i) &&
            p11prof_table_get(loads, i, "data_bytes")->kind == P11PROF_CELL_INTEGER)
            p11prof_table_copy_row(rows, p11prof_table_add_row(rows), loads, i);
}

static bool has_several(const struct p11prof_table *rows)
{
    int64_t first = p11prof_table_integer(rows, 0, "data_bytes", -1);
    for (size_t i = 1; i < rows->row_count; i++)
        if (p11prof_table_integer(rows, i, "data_bytes", -1) != first)
            return true;
    return false;
}

static void print_title(struct p11prof_page *page, const struct p11prof_table *loads, size_t load)
{
    char threads[64] = "";
    int64_t thread_count = p11prof_table_integer(loads, load, "threads", 1);
    int64_t process_count = p11prof_table_integer(loads, load, "processes", 1);
    if (thread_count * process_count > 1)
        snprintf(threads, sizeof threads, ", threads: %" PRId64 ", processes: %" PRId64,
                 thread_count, process_count);
    p11prof_page_section(page, "Sizes of data of %s%s", p11prof_table_text(loads, load, "test", ""),
                         threads);
}

void p11prof_bench_sizes_page(struct p11prof_page *page, const struct p11prof_table *loads)
{
    for (size_t i = 0; i < loads->row_count; i++) {
        struct p11prof_table rows = {.columns = NULL};
        size_t first = 0;
        while (!same_but_size(loads, first, i))
            first++;
        if (first == i)
            select_rows(&rows, loads, i);
        if (has_several(&rows)) {
            print_title(page, loads, i);
            p11prof_page_table(page, &rows, "data_bytes ops_per_s bytes_per_s mean_ns p99_ns");
            print_fit(page, &rows);
        }
        p11prof_table_clear(&rows);
    }
}
