/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "compare_facts.h"
#include "compare_table.h"
#include "safe_text.h"
#include "writer.h"

#include <cjson/cJSON.h>

static cJSON *side_json(const struct p11prof_compare_side *side)
{
    cJSON *object = cJSON_CreateObject();
    char text[1024];
    p11prof_valid_text(text, sizeof text, side->text);
    cJSON_AddStringToObject(object, "side", text);
    cJSON_AddItemToObject(object, "runs", p11prof_json_rows(&side->samples.runs));
    return object;
}

/* An object of one row's cells. */
static cJSON *row_json(const struct p11prof_sample_row *row)
{
    struct p11prof_table table = {.columns = NULL};
    p11prof_table_add_columns(&table, P11PROF_COMPARE_ROW_COLUMNS);
    p11prof_compare_set_row(&table, p11prof_table_add_row(&table), row);
    cJSON *object = p11prof_json_row(&table, 0);
    p11prof_table_clear(&table);
    return object;
}

static cJSON *metrics_json(const struct p11prof_row_result *row)
{
    struct p11prof_table table = {.columns = NULL};
    p11prof_table_add_columns(&table, P11PROF_COMPARE_METRIC_COLUMNS);
    for (int i = 0; i < P11PROF_METRICS; i++)
        p11prof_compare_set_metric(&table, p11prof_table_add_row(&table), &row->metrics[i], i);
    cJSON *array = p11prof_json_rows(&table);
    p11prof_table_clear(&table);
    return array;
}

static void add_rows(cJSON *object, const struct p11prof_comparison *comparison)
{
    cJSON *rows = cJSON_AddArrayToObject(object, "rows");
    cJSON *unmatched = cJSON_AddArrayToObject(object, "unmatched");
    for (size_t i = 0; i < comparison->row_count; i++) {
        const struct p11prof_row_result *row = &comparison->rows[i];
        bool matched = i < comparison->matched_count;
        cJSON *item = row_json(row->base ? row->base : row->current);
        if (matched) {
            cJSON_AddStringToObject(item, "verdict", p11prof_verdict_name(row->verdict));
            cJSON_AddItemToObject(item, "metrics", metrics_json(row));
        } else {
            cJSON_AddStringToObject(item, "only_in", row->base ? "baseline" : "current");
        }
        cJSON_AddItemToArray(matched ? rows : unmatched, item);
    }
}

static void add_summary(cJSON *object, const struct p11prof_comparison *comparison)
{
    static const char *const means[2] = {"mean_change_ops_per_s", "mean_change_p50"};
    cJSON *summary = cJSON_AddObjectToObject(object, "summary");
    for (int i = P11PROF_VERDICTS - 1; i >= 0; i--)
        cJSON_AddNumberToObject(summary, p11prof_verdict_name(i),
                                (double)comparison->verdict_count[i]);
    cJSON_AddNumberToObject(summary, "unmatched",
                            (double)(comparison->row_count - comparison->matched_count));
    cJSON_AddNumberToObject(summary, "tested_count", (double)comparison->tested_count);
    for (int i = 0; i < 2; i++)
        if (comparison->mean_count[i] > 0)
            cJSON_AddNumberToObject(summary, means[i], comparison->mean_change[i]);
        else
            cJSON_AddNullToObject(summary, means[i]);
}

static cJSON *current_json(const struct p11prof_compare_report *report, size_t index)
{
    struct p11prof_table facts = {.columns = NULL};
    cJSON *object = side_json(&report->currents[index]);
    p11prof_compare_facts(&facts, &report->base->samples, &report->currents[index].samples);
    cJSON_AddItemToObject(object, "differences", p11prof_json_rows(&facts));
    p11prof_table_clear(&facts);
    add_rows(object, &report->comparisons[index]);
    add_summary(object, &report->comparisons[index]);
    return object;
}

void p11prof_compare_json(FILE *stream, const struct p11prof_compare_report *report)
{
    cJSON *document = cJSON_CreateObject();
    cJSON_AddStringToObject(document, "schema", "p11prof/compare/v1");
    cJSON_AddItemToObject(document, "baseline", side_json(report->base));
    cJSON *currents = cJSON_AddArrayToObject(document, "currents");
    for (size_t i = 0; i < report->count; i++)
        cJSON_AddItemToArray(currents, current_json(report, i));
    char *text = cJSON_Print(document);
    fprintf(stream, "%s\n", text ? text : "null");
    cJSON_free(text);
    cJSON_Delete(document);
}
