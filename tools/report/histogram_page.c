/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "allocate.h"
#include "histogram.h"
#include "histogram_draw.h"
#include "moments.h"
#include "units.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *word(const struct p11prof_histogram_group *group)
{
    return group->set->of == P11PROF_HISTOGRAM_CALLS ? "calls" : "operations";
}

/* One value of a group's name; numbers say what they are. */
static void write_name(FILE *stream, const struct p11prof_column *column,
                       const struct p11prof_cell *cell)
{
    bool is_number = cell->kind != P11PROF_CELL_TEXT;
    char *text = p11prof_cell_text(column, cell);
    if (strcmp(column->name, "kind") != 0 || strcmp(text, "call") != 0)
        fprintf(stream, is_number ? " %s %s" : " %s%s", is_number ? column->name : "", text);
    free(text);
}

/* "sha-256, SHA-256 hash, 1.00 KB, threads: 2" */
static void write_load(FILE *stream, const struct p11prof_table *names, size_t row)
{
    int64_t data_bytes = p11prof_table_integer(names, row, "data_bytes", -1);
    char size[P11PROF_UNIT_TEXT_BYTES];
    fprintf(stream, " %s, %s", p11prof_table_text(names, row, "test", "-"),
            p11prof_table_text(names, row, "name", "-"));
    if (data_bytes >= 0) {
        p11prof_format_bytes(size, (uint64_t)data_bytes);
        fprintf(stream, ", %s", size);
    }
    for (size_t i = 0; i < 2; i++) {
        const char *column = i == 0 ? "threads" : "processes";
        int64_t number = p11prof_table_integer(names, row, column, 1);
        if (number > 1)
            fprintf(stream, ", %s: %" PRId64, column, number);
    }
}

/* "C_Sign CKM_ECDSA", "run 12: C_Sign"; of a load its name. The caller frees it. */
static char *group_title(const struct p11prof_histogram *histogram, size_t index)
{
    const struct p11prof_table *names = &histogram->names;
    const struct p11prof_cell *row = p11prof_table_row(names, index);
    int64_t run_id = p11prof_table_integer(names, index, "run_id", -1);
    char *text;
    size_t bytes;
    FILE *stream = p11prof_text_open(&text, &bytes);
    if (run_id >= 0 && (histogram->set_count > 1 || histogram->sets[0].runs->run_count > 1))
        fprintf(stream, " run %" PRId64 ":", run_id);
    if (histogram->groups[index].set->of == P11PROF_HISTOGRAM_LOADS) {
        write_load(stream, names, index);
    } else {
        for (size_t i = 0; i < names->column_count; i++)
            if (row[i].kind != P11PROF_CELL_NULL && strcmp(names->columns[i].name, "run_id") != 0)
                write_name(stream, &names->columns[i], &row[i]);
    }
    fclose(stream);
    if (bytes > 0)
        memmove(text, text + 1, bytes);
    return text;
}

static void print_counts(struct p11prof_page *page, const struct p11prof_histogram_group *group)
{
    const struct p11prof_stats *stats = &group->stats;
    char p50[P11PROF_UNIT_TEXT_BYTES], p99[P11PROF_UNIT_TEXT_BYTES], max[P11PROF_UNIT_TEXT_BYTES];
    uint64_t count = group->tally->count, failed = group->tally->error_count;
    if (stats->count == 0) {
        p11prof_page_fact(page, word(group), "%" PRIu64 ", %s", count,
                          failed < count ? "no durations" : "all failed");
        return;
    }
    p11prof_format_ns(p50, stats->quantile_ns[P11PROF_P50]);
    p11prof_format_ns(p99, stats->quantile_ns[P11PROF_P99]);
    p11prof_format_ns(max, stats->max_ns);
    p11prof_page_fact(page, word(group),
                      "%" PRIu64 ", %" PRIu64 " failed; p50 %s%s, p99 %s%s, max %s", count, failed,
                      stats->supported[P11PROF_P50] ? "" : "~", p50,
                      stats->supported[P11PROF_P99] ? "" : "~", p99, max);
}

static void print_chart(struct p11prof_page *page, const struct p11prof_histogram *histogram,
                        const struct p11prof_histogram_group *group,
                        const struct p11prof_chart_style *style)
{
    bool markdown = page->format == P11PROF_FORMAT_MARKDOWN;
    struct p11prof_canvas canvas;
    p11prof_histogram_draw(&canvas, &histogram->bins, group->counts, &group->stats, style);
    fputs(markdown ? "\n```text\n" : "", page->stream);
    p11prof_canvas_print(&canvas, page->stream, style);
    fputs(markdown ? "```\n\n" : "", page->stream);
    page->blank = markdown;
    p11prof_canvas_clear(&canvas);
}

/* "about 120 us (83 %), about 4.1 ms (17 %)" */
static char *modes_text(const struct p11prof_histogram_group *group)
{
    char *text;
    size_t bytes;
    FILE *stream = p11prof_text_open(&text, &bytes);
    for (size_t i = 0; i < group->modes.count; i++) {
        char about[P11PROF_UNIT_TEXT_BYTES];
        p11prof_format_round_ns(about, group->modes.modes[i].peak_ns, 2);
        fprintf(stream, "%sabout %s", i > 0 ? ", " : "", about);
        if (group->modes.count > 1)
            fprintf(stream, " (%.0f %%)",
                    100 * (double)group->modes.modes[i].count / (double)group->stats.count);
    }
    fclose(stream);
    return text;
}

static void print_modes(struct p11prof_page *page, const struct p11prof_histogram_group *group)
{
    char *text = modes_text(group);
    if (group->modes.count == 0)
        p11prof_page_fact(page, "modes", "too few %s to tell", word(group));
    else
        p11prof_page_fact(page, "modes", "%zu mode%s: %s", group->modes.count,
                          group->modes.count > 1 ? "s" : "", text);
    free(text);
}

/* The time of day, with its day where that is not the one its run started on. */
static const char *wall_time(const char *utc, const struct p11prof_histogram_set *set,
                             int64_t run_id)
{
    const char *started_at = "";
    for (size_t i = 0; i < set->runs_table.row_count; i++)
        if (p11prof_table_integer(&set->runs_table, i, "run_id", -1) == run_id)
            started_at = p11prof_table_text(&set->runs_table, i, "started_at", "");
    size_t day = strcspn(utc, "T");
    return strncmp(utc, started_at, day) == 0 ? utc + day + 1 : utc;
}

static void print_worst(struct p11prof_page *page, const struct p11prof_histogram_set *set,
                        const struct p11prof_worst *worst)
{
    char duration[P11PROF_UNIT_TEXT_BYTES], utc[P11PROF_UTC_BYTES], iteration[40] = "";
    double seconds = (double)worst->start_ns / 1e9;
    p11prof_format_ns(duration, worst->duration_ns);
    p11prof_format_utc(utc, worst->start_wall_ns);
    if (worst->iteration > 0)
        snprintf(iteration, sizeof iteration, ", operation %" PRIu64, worst->iteration);
    p11prof_page_fact(page, duration, "%.*f s, %s, pid %" PRId64 ", thread %" PRId64 "%s",
                      seconds < 10 ? 4 : 3, seconds, wall_time(utc, set, worst->run_id), worst->pid,
                      worst->thread_id, iteration);
}

static void print_outliers(struct p11prof_page *page, const struct p11prof_histogram_group *group)
{
    const struct p11prof_outliers *outliers = &group->outliers;
    char beyond[P11PROF_UNIT_TEXT_BYTES], share[P11PROF_UNIT_TEXT_BYTES];
    p11prof_format_ns(beyond, outliers->beyond_ns);
    p11prof_format_share(share, outliers->share);
    if (outliers->count == 0)
        p11prof_page_fact(page, "outliers", "none longer than %s", beyond);
    else
        p11prof_page_fact(
            page, "outliers", "%" PRIu64 " (%s) longer than %s%s", outliers->count, share, beyond,
            group->worst_known ? "; the worst:" : "; which ones is not known: rows are gone");
    for (size_t i = 0; i < group->worst_count; i++)
        print_worst(page, group->set, &group->worst[i]);
}

static void print_group(struct p11prof_page *page, const struct p11prof_histogram *histogram,
                        size_t index, const struct p11prof_chart_style *style)
{
    const struct p11prof_histogram_group *group = &histogram->groups[index];
    char *title = group_title(histogram, index);
    p11prof_page_section(page, "%s", title);
    free(title);
    print_counts(page, group);
    if (group->stats.count == 0)
        return;
    print_chart(page, histogram, group, style);
    print_modes(page, group);
    print_outliers(page, group);
}

static void print_set(struct p11prof_page *page, const struct p11prof_histogram_set *set)
{
    const struct p11prof_table *runs = &set->runs_table;
    for (size_t i = 0; i < runs->row_count; i++) {
        const char *name = p11prof_table_text(runs, i, "name", NULL);
        p11prof_page_title(page, "Run %" PRId64 "%s%s (%s, %s)",
                           p11prof_table_integer(runs, i, "run_id", 0), name ? " " : "",
                           name ? name : "", p11prof_table_text(runs, i, "kind", "-"),
                           p11prof_table_text(runs, i, "state", "-"));
        p11prof_page_fact(page, "started", "%s", p11prof_table_text(runs, i, "started_at", "-"));
    }
    if (!set->scan.exact)
        p11prof_page_note(page, "From histograms: durations are within 0.5 %%.");
}

static bool has_doubtful(const struct p11prof_histogram *histogram)
{
    for (size_t i = 0; i < histogram->group_count; i++)
        if (histogram->groups[i].stats.count > 0 &&
            !histogram->groups[i].stats.supported[P11PROF_P99])
            return true;
    return false;
}

void p11prof_histogram_page(struct p11prof_page *page, const struct p11prof_histogram *histogram,
                            const struct p11prof_chart_style *style)
{
    char rest[P11PROF_UNIT_TEXT_BYTES];
    for (size_t i = 0; i < histogram->set_count; i++)
        print_set(page, &histogram->sets[i]);
    for (size_t i = 0; i < histogram->group_count; i++)
        print_group(page, histogram, i, style);
    p11prof_format_ns(rest, histogram->rest_ns);
    if (histogram->rest_count > 0)
        p11prof_page_paragraph(page, "Not shown: %zu group%s with %" PRIu64 " %s of %s in all.",
                               histogram->rest_count, histogram->rest_count > 1 ? "s" : "",
                               histogram->rest_calls, word(&histogram->groups[0]), rest);
    if (has_doubtful(histogram))
        p11prof_page_paragraph(page, "~ fewer than 10 durations lie beyond this percentile");
}
