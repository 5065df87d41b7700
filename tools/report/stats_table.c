/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "stats_table.h"
#include "group_names.h"
#include "p11prof/batch.h"

#include <stdlib.h>
#include <string.h>

/* Column of each enum p11prof_quantile. */
static const char *const quantile_columns[P11PROF_QUANTILES] = {"p50_ns", "p90_ns", "p95_ns",
                                                                "p99_ns", "p999_ns"};

static void set_quantiles(const struct p11prof_table *table, struct p11prof_cell *row,
                          const struct p11prof_stats *stats, char *unsupported)
{
    for (size_t i = 0; i < P11PROF_QUANTILES; i++) {
        size_t column = p11prof_table_find(table, quantile_columns[i]);
        row[column] = (struct p11prof_cell){.kind = P11PROF_CELL_INTEGER,
                                            .doubtful = !stats->supported[i],
                                            .integer = (int64_t)stats->quantile_ns[i]};
        if (!stats->supported[i]) {
            strcat(unsupported, *unsupported ? " " : "");
            strcat(unsupported, quantile_columns[i]);
        }
    }
}

static void set_stats(const struct p11prof_table *table, struct p11prof_cell *row,
                      const struct p11prof_stats *stats)
{
    char unsupported[8 * P11PROF_QUANTILES + 1] = "";
    if (stats->count == 0)
        return;
    p11prof_table_set_integer(table, row, "mean_ns", (int64_t)stats->mean_ns);
    if (stats->stddev_known)
        p11prof_table_set_integer(table, row, "stddev_ns", (int64_t)stats->stddev_ns);
    p11prof_table_set_integer(table, row, "min_ns", (int64_t)stats->min_ns);
    p11prof_table_set_integer(table, row, "max_ns", (int64_t)stats->max_ns);
    set_quantiles(table, row, stats, unsupported);
    p11prof_table_set_text(table, row, "unsupported", *unsupported ? unsupported : NULL);
}

static void set_counts(const struct p11prof_table *table, struct p11prof_cell *row,
                       const struct p11prof_tally_group *group)
{
    const struct {
        const char *column;
        uint64_t value;
    } counts[] = {{"count", group->count},
                  {"error_count", group->error_count},
                  {"undisclosed_count", group->undisclosed_count},
                  {"in_bytes", group->in_bytes},
                  {"out_bytes", group->out_bytes}};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        p11prof_table_set_integer(table, row, counts[i].column, (int64_t)counts[i].value);
    if (!p11prof_tally_is_untimed(group))
        p11prof_table_set_integer(table, row, "total_ns", (int64_t)group->total_ns);
}

void p11prof_stats_row(const struct p11prof_table *table, struct p11prof_cell *row,
                       struct p11prof_tally_group *group)
{
    struct p11prof_stats stats;
    set_counts(table, row, group);
    p11prof_tally_stats(group, &stats);
    set_stats(table, row, &stats);
    if (stats.count > 0 || group->total_ns > 0)
        p11prof_table_set_text(table, row, "percentiles",
                               p11prof_tally_is_exact(group) ? "exact" : "histogram");
}

/* A row with all but what only calls or only operations have; NULL on failure. */
static struct p11prof_cell *add_group(struct p11prof_table *table, int64_t run_id,
                                      const struct p11prof_scan *scan,
                                      const struct p11prof_tally *tally,
                                      struct p11prof_tally_group *group, struct sqlite3 *db,
                                      struct p11prof_error *error)
{
    struct p11prof_cell *row = p11prof_table_add_row(table);
    if (run_id >= 0 && !p11prof_grouping_has(&tally->grouping, P11PROF_BY_RUN))
        p11prof_table_set_integer(table, row, "run_id", run_id);
    p11prof_stats_row(table, row, group);
    if (p11prof_group_names(table, row, tally, &group->key, &scan->texts, db, error) != P11PROF_OK)
        return NULL;
    return row;
}

static int64_t kind_of(const struct p11prof_tally *tally, const struct p11prof_tally_group *group)
{
    int64_t kind = P11PROF_KIND_CALL;
    p11prof_tally_value(tally, &group->key, P11PROF_BY_KIND, &kind);
    return kind;
}

void p11prof_stats_columns(struct p11prof_table *table, const struct p11prof_grouping *grouping)
{
    if (grouping->count == 0)
        grouping = &p11prof_default_grouping;
    if (!p11prof_grouping_has(grouping, P11PROF_BY_RUN))
        p11prof_table_add_columns(table, "run_id");
    for (size_t i = 0; i < grouping->count; i++)
        p11prof_table_add_columns(table, p11prof_dimensions[grouping->ids[i]].column);
    p11prof_table_add_columns(table, P11PROF_STATS_COLUMNS);
}

/* All time but that of calls that wait for an event or a person. */
static uint64_t time_in_module(const struct p11prof_tally *tally)
{
    uint64_t total_ns = 0;
    for (size_t i = 0; i < tally->group_count; i++)
        if (kind_of(tally, &tally->groups[i]) != P11PROF_KIND_BLOCKING)
            total_ns += tally->groups[i].total_ns;
    return total_ns;
}

enum p11prof_status p11prof_stats_tables(const struct p11prof_scan *scan, int64_t run_id,
                                         struct sqlite3 *db, struct p11prof_table *calls,
                                         struct p11prof_table *others, struct p11prof_error *error)
{
    const struct p11prof_tally *tally = &scan->calls;
    uint64_t all_ns = time_in_module(tally);
    p11prof_stats_columns(calls, &tally->grouping);
    p11prof_stats_columns(others, &tally->grouping);
    for (size_t i = 0; i < tally->group_count; i++) {
        struct p11prof_tally_group *group = &tally->groups[i];
        int64_t kind = kind_of(tally, group);
        struct p11prof_table *table = kind == P11PROF_KIND_CALL ? calls : others;
        struct p11prof_cell *row = add_group(table, run_id, scan, tally, group, db, error);
        if (!row)
            return error->status;
        if (kind != P11PROF_KIND_BLOCKING && all_ns > 0)
            p11prof_table_set_real(table, row, "share", (double)group->total_ns / (double)all_ns);
    }
    return P11PROF_OK;
}

static void set_rates(struct p11prof_table *table, struct p11prof_cell *row,
                      const struct p11prof_tally_group *group, uint64_t duration_ns)
{
    if (duration_ns == 0)
        return;
    double seconds = (double)duration_ns / 1e9;
    p11prof_table_set_real(table, row, "ops_per_s",
                           (double)(group->count - group->error_count) / seconds);
    uint64_t bytes = group->in_bytes > 0 ? group->in_bytes : group->out_bytes;
    if (bytes > 0)
        p11prof_table_set_real(table, row, "bytes_per_s", (double)bytes / seconds);
}

enum p11prof_status p11prof_results_table(const struct p11prof_scan *scan, int64_t run_id,
                                          struct sqlite3 *db, uint64_t duration_ns,
                                          struct p11prof_table *out, struct p11prof_error *error)
{
    p11prof_table_add_columns(out, P11PROF_RESULT_COLUMNS);
    for (size_t i = 0; i < scan->operations.group_count; i++) {
        struct p11prof_tally_group *group = &scan->operations.groups[i];
        struct p11prof_cell *row =
            add_group(out, run_id, scan, &scan->operations, group, db, error);
        if (!row)
            return error->status;
        set_rates(out, row, group, duration_ns);
        char *histogram = p11prof_tally_histogram(group);
        p11prof_table_set_text(out, row, "histogram", histogram);
        p11prof_table_set_text(out, row, "per_thread", "[]");
        free(histogram);
    }
    return P11PROF_OK;
}
