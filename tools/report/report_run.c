/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "allocate.h"
#include "page.h"
#include "run_report.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

bool p11prof_run_report_is_bench(const struct p11prof_run_report *report)
{
    bool is_bench = strcmp(p11prof_table_text(&report->run, 0, "kind", ""), "bench") == 0;
    return is_bench && report->results.loads.row_count + report->results.skipped.row_count > 0;
}

/* Adds columns "a,b". */
static void add_chosen(struct p11prof_table *table, const char *chosen)
{
    char *words = p11prof_copy(chosen), *rest = words;
    for (char *word; (word = strsep(&rest, ",")) != NULL;)
        p11prof_table_add_columns(table, word);
    free(words);
}

/* The rows with chosen columns, or with all that are no arrays of numbers. */
static void write_rows(struct p11prof_writer *writer, const struct p11prof_table *rows,
                       const char *chosen)
{
    struct p11prof_table part = {.columns = NULL};
    if (chosen)
        add_chosen(&part, chosen);
    for (size_t i = 0; i < rows->column_count && !chosen; i++)
        if (rows->columns[i].type != P11PROF_TYPE_JSON)
            p11prof_table_add_columns(&part, rows->columns[i].name);
    for (size_t i = 0; i < rows->row_count; i++)
        p11prof_table_copy_row(&part, p11prof_table_add_row(&part), rows, i);
    p11prof_writer_rows(writer, &part);
    p11prof_table_clear(&part);
}

void p11prof_run_report_rows(struct p11prof_writer *writer, const struct p11prof_run_report *report,
                             const char *columns)
{
    write_rows(writer, &report->functions, columns);
    write_rows(writer, &report->others, columns);
}

void p11prof_run_report_results(struct p11prof_writer *writer,
                                const struct p11prof_run_report *report, const char *columns)
{
    write_rows(writer, &report->results.loads, columns);
}

/* Where the reports of all runs go. */
struct output {
    const struct p11prof_report_options *options;
    struct cJSON *document;
    struct p11prof_writer writer;
    struct p11prof_page page;
    uint64_t result_count, call_count; /* runs in the CSV, by what it has of them */
};

static enum p11prof_status add_to_csv(struct output *output,
                                      const struct p11prof_run_report *report,
                                      struct p11prof_error *error)
{
    bool results = p11prof_run_report_is_bench(report) && output->options->by.count == 0;
    output->result_count += results;
    output->call_count += !results;
    if (output->result_count > 0 && output->call_count > 0)
        return p11prof_error_set(error, P11PROF_BAD_INPUT,
                                 "one CSV cannot hold results of a bench and calls of another run: "
                                 "report them one by one, or all their calls (--by function)");
    (results ? p11prof_run_report_results : p11prof_run_report_rows)(&output->writer, report,
                                                                     output->options->columns);
    return P11PROF_OK;
}

static enum p11prof_status add_report(struct output *output,
                                      const struct p11prof_run_report *report,
                                      struct p11prof_error *error)
{
    switch (output->writer.format) {
    case P11PROF_FORMAT_JSON:
        p11prof_document_add(output->document, report);
        return P11PROF_OK;
    case P11PROF_FORMAT_CSV:
        return add_to_csv(output, report, error);
    case P11PROF_FORMAT_TEXT:
    case P11PROF_FORMAT_MARKDOWN:
        break;
    }
    p11prof_run_report_print(&output->page, report, output->options);
    return P11PROF_OK;
}

static enum p11prof_status add_run(struct output *output, struct sqlite3 *db,
                                   const struct p11prof_run_set *set, struct p11prof_error *error)
{
    struct p11prof_run_report report = {.exact = false};
    enum p11prof_status status = p11prof_run_report_load(&report, db, set, output->options, error);
    if (status == P11PROF_OK)
        status = add_report(output, &report, error);
    p11prof_run_report_clear(&report);
    return status;
}

enum p11prof_status p11prof_report_run(FILE *stream, struct sqlite3 *db,
                                       const struct p11prof_run_set *sets, size_t count,
                                       enum p11prof_format format,
                                       const struct p11prof_report_options *options,
                                       struct p11prof_error *error)
{
    struct p11prof_report_options all = *options;
    all.windows = format == P11PROF_FORMAT_JSON;
    struct output output = {
        .options = &all,
        .document = p11prof_document_new(),
        .writer = {.stream = stream, .format = format},
        .page = {.stream = stream, .format = format, .width = p11prof_terminal_width(stream)}};
    enum p11prof_status status = P11PROF_OK;
    for (size_t i = 0; i < count && status == P11PROF_OK; i++)
        status = add_run(&output, db, &sets[i], error);
    if (format == P11PROF_FORMAT_JSON && status == P11PROF_OK)
        p11prof_document_print(stream, output.document);
    cJSON_Delete(output.document);
    return status;
}
