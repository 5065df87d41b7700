/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "histogram.h"
#include "moments.h"
#include "stats_table.h"

#include <cjson/cJSON.h>

static cJSON *row_of_bins(const struct p11prof_histogram *histogram,
                          const struct p11prof_histogram_group *group)
{
    cJSON *bins = cJSON_CreateArray();
    for (size_t i = 0; i < histogram->bins.count; i++) {
        const uint64_t numbers[] = {histogram->bins.edges_ns[i], histogram->bins.edges_ns[i + 1],
                                    group->counts[i]};
        cJSON *bin = cJSON_CreateArray();
        for (size_t k = 0; k < 3; k++)
            cJSON_AddItemToArray(bin, cJSON_CreateNumber((double)numbers[k]));
        cJSON_AddItemToArray(bins, bin);
    }
    return bins;
}

/* Bounds that are none are null. */
static void add_bound(cJSON *object, const char *name, uint64_t ns)
{
    if (ns == 0 || ns >= INT64_MAX)
        cJSON_AddNullToObject(object, name);
    else
        cJSON_AddNumberToObject(object, name, (double)ns);
}

static cJSON *modes_of(const struct p11prof_histogram_group *group)
{
    cJSON *modes = cJSON_CreateArray();
    for (size_t i = 0; i < group->modes.count; i++) {
        const struct p11prof_mode *mode = &group->modes.modes[i];
        cJSON *object = cJSON_CreateObject();
        cJSON_AddNumberToObject(object, "peak_ns", (double)mode->peak_ns);
        add_bound(object, "low_ns", mode->low_ns);
        add_bound(object, "high_ns", mode->high_ns);
        cJSON_AddNumberToObject(object, "count", (double)mode->count);
        cJSON_AddNumberToObject(object, "share", (double)mode->count / (double)group->stats.count);
        cJSON_AddItemToArray(modes, object);
    }
    return modes;
}

static cJSON *worst_of(const struct p11prof_worst *worst)
{
    char started_at[P11PROF_UTC_BYTES];
    cJSON *object = cJSON_CreateObject();
    p11prof_format_utc(started_at, worst->start_wall_ns);
    cJSON_AddNumberToObject(object, "run_id", (double)worst->run_id);
    cJSON_AddNumberToObject(object, "start_ns", (double)worst->start_ns);
    cJSON_AddStringToObject(object, "started_at", started_at);
    cJSON_AddNumberToObject(object, "duration_ns", (double)worst->duration_ns);
    cJSON_AddNumberToObject(object, "process_id", (double)worst->process_id);
    cJSON_AddNumberToObject(object, "pid", (double)worst->pid);
    struct p11prof_cell program = {.kind = worst->program ? P11PROF_CELL_TEXT : P11PROF_CELL_NULL,
                                   .text = worst->program};
    cJSON_AddItemToObject(object, "program",
                          p11prof_json_cell(p11prof_column_named("program"), &program));
    cJSON_AddNumberToObject(object, "thread_id", (double)worst->thread_id);
    add_bound(object, "iteration", worst->iteration);
    return object;
}

static cJSON *outliers_of(const struct p11prof_histogram_group *group)
{
    cJSON *object = cJSON_CreateObject();
    add_bound(object, "beyond_ns", group->outliers.beyond_ns);
    cJSON_AddNumberToObject(object, "count", (double)group->outliers.count);
    cJSON_AddNumberToObject(object, "share", group->outliers.share);
    if (!group->worst_known) {
        cJSON_AddNullToObject(object, "worst");
        return object;
    }
    cJSON *worst = cJSON_AddArrayToObject(object, "worst");
    for (size_t i = 0; i < group->worst_count; i++)
        cJSON_AddItemToArray(worst, worst_of(&group->worst[i]));
    return object;
}

/* What the names and the statistics of a report have of it. */
static cJSON *facts_of(const struct p11prof_histogram *histogram, size_t index)
{
    struct p11prof_table table = {.columns = NULL};
    for (size_t i = 0; i < histogram->names.column_count; i++)
        p11prof_table_add_column(&table, histogram->names.columns[i].name, false);
    p11prof_table_add_columns(&table, P11PROF_STATS_COLUMNS);
    struct p11prof_cell *row = p11prof_table_add_row(&table);
    p11prof_table_copy_row(&table, row, &histogram->names, index);
    p11prof_stats_row(&table, row, histogram->groups[index].tally);
    cJSON *object = p11prof_json_row(&table, 0);
    cJSON_DeleteItemFromObjectCaseSensitive(object, "share");
    p11prof_table_clear(&table);
    return object;
}

struct cJSON *p11prof_histogram_group_json(const struct p11prof_histogram *histogram, size_t index)
{
    const struct p11prof_histogram_group *group = &histogram->groups[index];
    cJSON *object = facts_of(histogram, index);
    cJSON_AddItemToObject(object, "bins", row_of_bins(histogram, group));
    cJSON_AddItemToObject(object, "modes", modes_of(group));
    cJSON_AddItemToObject(object, "outliers", outliers_of(group));
    return object;
}

void p11prof_histogram_json(FILE *stream, const struct p11prof_histogram *histogram)
{
    cJSON *document = cJSON_CreateObject();
    cJSON_AddStringToObject(document, "schema", "p11prof/histogram/v1");
    cJSON *groups = cJSON_AddArrayToObject(document, "groups");
    for (size_t i = 0; i < histogram->group_count; i++)
        cJSON_AddItemToArray(groups, p11prof_histogram_group_json(histogram, i));
    cJSON *rest = cJSON_AddObjectToObject(document, "rest");
    cJSON_AddNumberToObject(rest, "group_count", (double)histogram->rest_count);
    cJSON_AddNumberToObject(rest, "count", (double)histogram->rest_calls);
    cJSON_AddNumberToObject(rest, "total_ns", (double)histogram->rest_ns);
    p11prof_document_print(stream, document);
    cJSON_Delete(document);
}

static void add_bins(struct p11prof_table *table, const struct p11prof_histogram *histogram,
                     size_t index)
{
    uint64_t passed = 0;
    for (size_t i = 0; i < histogram->bins.count; i++) {
        struct p11prof_cell *row = p11prof_table_add_row(table);
        uint64_t count = histogram->groups[index].counts[i];
        passed += count;
        p11prof_table_copy_row(table, row, &histogram->names, index);
        p11prof_table_set_integer(table, row, "low_ns", (int64_t)histogram->bins.edges_ns[i]);
        p11prof_table_set_integer(table, row, "high_ns", (int64_t)histogram->bins.edges_ns[i + 1]);
        p11prof_table_set_integer(table, row, "count", (int64_t)count);
        p11prof_table_set_integer(table, row, "cumulative_count", (int64_t)passed);
    }
}

void p11prof_histogram_csv(FILE *stream, const struct p11prof_histogram *histogram)
{
    struct p11prof_table table = {.columns = NULL};
    for (size_t i = 0; i < histogram->names.column_count; i++)
        p11prof_table_add_column(&table, histogram->names.columns[i].name, false);
    p11prof_table_add_columns(&table, "low_ns high_ns count cumulative_count");
    for (size_t i = 0; i < histogram->group_count; i++)
        add_bins(&table, histogram, i);
    p11prof_write_table(stream, &table, P11PROF_FORMAT_CSV);
    p11prof_table_clear(&table);
}
