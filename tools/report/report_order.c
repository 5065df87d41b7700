/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Which rows of a report's tables are shown, in which order. */
#include "report_parts.h"

/* Times of --by run from early to late, within them what costs most stands first. */
static void sort(struct p11prof_table *table, const struct p11prof_report_options *options)
{
    for (size_t i = options->by.count; i-- > 0;)
        if (p11prof_dimensions[options->by.ids[i]].kind == P11PROF_DIMENSION_TIME)
            p11prof_table_sort(table, p11prof_dimensions[options->by.ids[i]].column);
    if (options->sort)
        p11prof_table_sort(table, options->sort);
}

static void cut(struct p11prof_table *table, struct p11prof_rest *rest, size_t top)
{
    if (top == 0 || top >= table->row_count)
        return;
    rest->row_count = table->row_count - top;
    for (size_t i = top; i < table->row_count; i++) {
        rest->count += (uint64_t)p11prof_table_integer(table, i, "count", 0);
        rest->total_ns += (uint64_t)p11prof_table_integer(table, i, "total_ns", 0);
    }
    p11prof_table_cut(table, top);
}

void p11prof_report_order(struct p11prof_run_report *report,
                          const struct p11prof_report_options *options)
{
    const struct {
        struct p11prof_table *table;
        struct p11prof_rest *rest;
        const char *first; /* column that orders it */
    } tables[] = {
        {&report->functions, &report->rest.functions, "total_ns"},
        {&report->others, &report->rest.others, "total_ns"},
        {&report->operations, &report->rest.operations, "total_ns"},
        {&report->errors, &report->rest.errors, "count"},
        {&report->losses, &report->rest.losses, "count"},
        {&report->in_flight, &report->rest.in_flight, "age_ns"},
    };
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        p11prof_table_sort(tables[i].table, tables[i].first);
        sort(tables[i].table, options);
        cut(tables[i].table, tables[i].rest, options->top);
    }
    p11prof_table_sort(&report->startup, "elapsed_ns");
}
