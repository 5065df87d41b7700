/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "compare_table.h"
#include "writer.h"

static void add_row(struct p11prof_table *table, const struct p11prof_compare_report *report,
                    size_t index, const struct p11prof_row_result *row, enum p11prof_metric metric)
{
    struct p11prof_cell *cells = p11prof_table_add_row(table);
    p11prof_table_set_text(table, cells, "side", report->currents[index].text);
    p11prof_compare_set_row(table, cells, row->base);
    p11prof_table_set_text(table, cells, "verdict", p11prof_verdict_name(row->verdict));
    p11prof_compare_set_metric(table, cells, &row->metrics[metric], metric);
}

/* What one side does not have. */
static void add_unmatched(struct p11prof_table *table, const struct p11prof_compare_report *report,
                          size_t index, const struct p11prof_row_result *row)
{
    struct p11prof_cell *cells = p11prof_table_add_row(table);
    p11prof_table_set_text(table, cells, "side", report->currents[index].text);
    p11prof_compare_set_row(table, cells, row->base ? row->base : row->current);
    p11prof_table_set_text(table, cells, "verdict", "unmatched");
    p11prof_table_set_text(table, cells, "reason",
                           row->base ? "only in the baseline" : "only in the current side");
}

void p11prof_compare_csv(FILE *stream, const struct p11prof_compare_report *report)
{
    struct p11prof_table table = {.columns = NULL};
    p11prof_table_add_columns(&table, "side " P11PROF_COMPARE_ROW_COLUMNS
                                      " verdict " P11PROF_COMPARE_METRIC_COLUMNS);
    for (size_t i = 0; i < report->count; i++) {
        const struct p11prof_comparison *comparison = &report->comparisons[i];
        for (size_t j = 0; j < comparison->row_count; j++) {
            const struct p11prof_row_result *row = &comparison->rows[j];
            if (j >= comparison->matched_count)
                add_unmatched(&table, report, i, row);
            for (int metric = 0; j < comparison->matched_count && metric < P11PROF_METRICS;
                 metric++)
                add_row(&table, report, i, row, metric);
        }
    }
    p11prof_write_table(stream, &table, P11PROF_FORMAT_CSV);
    p11prof_table_clear(&table);
}
