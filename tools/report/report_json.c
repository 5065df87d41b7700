/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "run_report.h"
#include "writer.h"

#include <cjson/cJSON.h>

struct cJSON *p11prof_document_new(void)
{
    static const char *const arrays[] = {"runs",   "processes", "results", "functions", "errors",
                                         "losses", "in_flight", "skipped", "times",     "startup"};
    cJSON *document = cJSON_CreateObject();
    cJSON_AddStringToObject(document, "schema", "p11prof/export/v1");
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++)
        cJSON_AddArrayToObject(document, arrays[i]);
    cJSON_AddNullToObject(document, "selection");
    return document;
}

void p11prof_document_rows(struct cJSON *document, const char *name,
                           const struct p11prof_table *table)
{
    cJSON *array = cJSON_GetObjectItemCaseSensitive(document, name);
    if (!array)
        array = cJSON_AddArrayToObject(document, name);
    for (size_t i = 0; i < table->row_count; i++)
        cJSON_AddItemToArray(array, p11prof_json_row(table, i));
}

/* "advice", "concurrency" … hold an object of each run that has them. */
static void add_insights(struct cJSON *document, const struct p11prof_run_report *report)
{
    for (size_t i = 0; i < P11PROF_INSIGHTS; i++) {
        const struct p11prof_section *section = &report->insights[i];
        if (!p11prof_section_has(section))
            continue;
        cJSON *array = cJSON_GetObjectItemCaseSensitive(document, section->name);
        if (!array)
            array = cJSON_AddArrayToObject(document, section->name);
        cJSON_AddItemToArray(array, p11prof_section_json(section));
    }
}

void p11prof_document_add(struct cJSON *document, const struct p11prof_run_report *report)
{
    p11prof_document_rows(document, "runs", &report->run);
    p11prof_document_rows(document, "processes", &report->processes);
    p11prof_document_rows(document, "results",
                          p11prof_run_report_is_bench(report) ? &report->results.loads
                                                              : &report->operations);
    p11prof_document_rows(document, "functions", &report->functions);
    p11prof_document_rows(document, "functions", &report->others);
    p11prof_document_rows(document, "errors", &report->errors);
    p11prof_document_rows(document, "losses", &report->losses);
    p11prof_document_rows(document, "in_flight", &report->in_flight);
    p11prof_document_rows(document, "skipped", &report->results.skipped);
    p11prof_document_rows(document, "times", &report->times);
    p11prof_document_rows(document, "startup", &report->startup);
    if (report->stress.intervals.row_count > 0) {
        p11prof_document_rows(document, "intervals", &report->stress.intervals);
        p11prof_document_rows(document, "stress", &report->stress.findings);
    }
    if (report->ramps.ramp_count > 0)
        p11prof_document_rows(document, "ramp", &report->ramps.findings);
    if (report->results.suites.row_count > 0)
        p11prof_document_rows(document, "suites", &report->results.suites);
    if (report->objectives.row_count > 0)
        p11prof_document_rows(document, "objectives", &report->objectives);
    add_insights(document, report);
    if (report->selection)
        cJSON_ReplaceItemInObjectCaseSensitive(document, "selection",
                                               cJSON_CreateString(report->selection));
}

void p11prof_document_print(FILE *stream, const struct cJSON *document)
{
    char *text = cJSON_Print(document);
    fprintf(stream, "%s\n", text ? text : "null");
    cJSON_free(text);
}
