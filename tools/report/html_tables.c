/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What a report says and its tables, as the data of an HTML page. */
#include "allocate.h"
#include "html_parts.h"
#include "page.h"

#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdlib.h>

enum { ROWS_MOST = 2000, LINES_MOST = 1000 };

static void describe(const struct p11prof_column *column, cJSON *columns)
{
    static const char *const units[] = {[P11PROF_UNIT_NONE] = "text",
                                        [P11PROF_UNIT_NUMBER] = "id",
                                        [P11PROF_UNIT_NS] = "ns",
                                        [P11PROF_UNIT_MOMENT] = "moment",
                                        [P11PROF_UNIT_BYTES] = "bytes",
                                        [P11PROF_UNIT_COUNT] = "count",
                                        [P11PROF_UNIT_SHARE] = "share",
                                        [P11PROF_UNIT_PER_S] = "rate",
                                        [P11PROF_UNIT_WANTED_PER_S] = "rate",
                                        [P11PROF_UNIT_CHANGE] = "share",
                                        [P11PROF_UNIT_BYTES_PER_S] = "byte_rate"};
    if (cJSON_GetObjectItemCaseSensitive(columns, column->name))
        return;
    cJSON *about = cJSON_AddObjectToObject(columns, column->name);
    cJSON_AddStringToObject(about, "heading", column->heading);
    cJSON_AddStringToObject(about, "unit", units[column->unit]);
    cJSON_AddStringToObject(about, "meaning", column->meaning ? column->meaning : "");
}

static cJSON *value_of(const struct p11prof_column *column, const struct p11prof_cell *cell)
{
    if (cell->kind == P11PROF_CELL_TEXT)
        return p11prof_html_text(cell->text, P11PROF_HTML_TEXT_BYTES);
    cJSON *value = p11prof_json_cell(column, cell);
    if (!cell->doubtful)
        return value;
    cJSON *doubtful = cJSON_CreateArray();
    cJSON_AddItemToArray(doubtful, value);
    return doubtful;
}

static cJSON *row_of(const struct p11prof_table *table, size_t row)
{
    cJSON *values = cJSON_CreateArray();
    for (size_t i = 0; i < table->column_count; i++)
        cJSON_AddItemToArray(values,
                             value_of(&table->columns[i], &p11prof_table_row(table, row)[i]));
    return values;
}

struct cJSON *p11prof_html_table(const struct p11prof_table *table, const char *names,
                                 struct p11prof_html_room room, struct cJSON *columns)
{
    struct p11prof_table part = {.columns = NULL};
    cJSON *json = cJSON_CreateObject();
    p11prof_table_select(&part, table, names);
    cJSON *headings = cJSON_AddArrayToObject(json, "columns");
    cJSON *rows = cJSON_AddArrayToObject(json, "rows");
    for (size_t i = 0; i < part.column_count; i++) {
        describe(&part.columns[i], columns);
        cJSON_AddItemToArray(headings, cJSON_CreateString(part.columns[i].name));
    }
    for (size_t i = 0; i < part.row_count && room.items > 0; i++)
        p11prof_html_put(rows, row_of(&part, i), &room);
    cJSON_AddNumberToObject(json, "left_out",
                            (double)part.row_count - (double)cJSON_GetArraySize(rows));
    p11prof_table_clear(&part);
    return json;
}

/* Where the lines of a page go: title, facts, and sentences by the section they stand in. */
struct lines {
    cJSON *section, *facts, *notes;
    struct p11prof_html_room room;
    char heading[P11PROF_HTML_TEXT_BYTES]; /* "" before the first section */
};

static cJSON *pair(const char *name, const char *text)
{
    cJSON *pair = cJSON_CreateArray();
    cJSON_AddItemToArray(pair, p11prof_html_text(name, P11PROF_HTML_TEXT_BYTES));
    cJSON_AddItemToArray(pair, p11prof_html_text(text, P11PROF_HTML_LINE_BYTES));
    return pair;
}

static void take_line(void *payload, enum p11prof_page_line line, const char *name,
                      const char *text)
{
    struct lines *lines = payload;
    switch (line) {
    case P11PROF_PAGE_TITLE:
        cJSON_AddItemToObject(lines->section, "title",
                              p11prof_html_text(text, P11PROF_HTML_TEXT_BYTES));
        lines->heading[0] = '\0';
        return;
    case P11PROF_PAGE_SECTION:
        snprintf(lines->heading, sizeof lines->heading, "%s", text);
        return;
    case P11PROF_PAGE_FACT:
        p11prof_html_put(lines->facts, pair(name, text), &lines->room);
        return;
    case P11PROF_PAGE_NOTE:
        p11prof_html_put(lines->notes, pair(lines->heading, text), &lines->room);
        return;
    case P11PROF_PAGE_PARAGRAPH:
        p11prof_html_put(lines->notes, pair("", text), &lines->room);
        return;
    }
}

static void add_lines(cJSON *section, const struct p11prof_run_report *report,
                      const struct p11prof_report_options *options, size_t bytes)
{
    struct lines lines = {.section = section,
                          .facts = cJSON_AddArrayToObject(section, "facts"),
                          .notes = cJSON_AddArrayToObject(section, "notes"),
                          .room = {.items = LINES_MOST, .bytes = bytes}};
    struct p11prof_page page = {
        .format = P11PROF_FORMAT_TEXT, .take = take_line, .payload = &lines};
    p11prof_run_report_print(&page, report, options);
    cJSON_AddNumberToObject(section, "notes_left_out", (double)lines.room.left_out);
}

#define PLACE(member) offsetof(struct p11prof_run_report, member)
#define STATS         "mean_ns p50_ns p90_ns p95_ns p99_ns p999_ns max_ns"
static const struct {
    const char *id, *title;
    size_t table; /* where it stands in a report */
    const char *columns;
} tables[] = {
    {"runs", "Runs", PLACE(run),
     "run_id kind name state started_at duration_ns program host call_count lost_count"},
    {"results", "Results", PLACE(results.loads),
     "run_id test load mix weight data_bytes threads processes think_time_ns rate arrivals count "
     "error_count wrong_count missed_count ops_per_s bytes_per_s " STATS
     " service_mean_ns service_p50_ns service_p99_ns count_share time_share contention efficiency "
     "cooldown_change"},
    {"ramp", "Steps of a ramp", PLACE(ramps.steps),
     "run_id test ramp threads processes rate count error_count missed_count ops_per_s "
     "ops_per_s_low ops_per_s_high mean_ns p50_ns p99_ns efficiency verdict"},
    {"threads", "Threads of loads", PLACE(results.threads),
     "run_id load thread count ops_per_s mean_ns p99_ns"},
    {"skipped", "Skipped tests", PLACE(results.skipped), "test reason"},
    {"functions", "Calls", PLACE(functions),
     "function mechanism count error_count share total_ns " STATS},
    {"operations", "Operations", PLACE(operations),
     "operation mechanism key_type key_bits count error_count ops_per_s bytes_per_s " STATS},
    {"others", "Size queries, too small buffers, calls that wait", PLACE(others),
     "function mechanism kind count error_count share total_ns mean_ns max_ns"},
    {"errors", "Errors", PLACE(errors), "run_id function rv count mean_ns max_ns meaning"},
    {"losses", "Lost of the whole run: counted, but without duration or result", PLACE(losses),
     "run_id cause function count"},
    {"in_flight", "Not returned", PLACE(in_flight),
     "run_id function age_ns state program pid thread_id"},
    {"startup", "Start-up", PLACE(startup),
     "run_id process_id program elapsed_ns call_count total_ns function costliest costliest_ns"},
    {"processes", "Processes", PLACE(processes),
     "run_id process_id parent_process_id pid program user module_path state started_at "
     "duration_ns call_count lost_count overhead_ns"},
};
#undef STATS
#undef PLACE

/* All columns of all tables, since charts and findings want more than a table of people has. */
static cJSON *insight_table(const struct p11prof_section_table *table,
                            struct p11prof_html_room room, cJSON *columns)
{
    char *names;
    size_t bytes;
    FILE *stream = p11prof_text_open(&names, &bytes);
    for (size_t i = 0; i < table->table.column_count; i++)
        fprintf(stream, "%s%s", i > 0 ? " " : "", table->table.columns[i].name);
    fclose(stream);
    cJSON *json = p11prof_html_table(&table->table, names, room, columns);
    cJSON_AddStringToObject(json, "id", table->name);
    cJSON_AddStringToObject(json, "title", table->title ? table->title : "");
    cJSON_AddStringToObject(json, "shown", table->columns ? table->columns : names);
    free(names);
    return json;
}

static cJSON *insight_json(const struct p11prof_section *insight, cJSON *columns, size_t bytes)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "name", insight->name);
    cJSON_AddStringToObject(json, "title", insight->title);
    cJSON *sentences = cJSON_AddArrayToObject(json, "sentences");
    cJSON *tables_json = cJSON_AddArrayToObject(json, "tables");
    struct p11prof_html_room room = {.items = LINES_MOST, .bytes = bytes};
    for (size_t i = 0; i < insight->sentence_count; i++)
        p11prof_html_put(sentences,
                         p11prof_html_text(insight->sentences[i], P11PROF_HTML_LINE_BYTES), &room);
    for (size_t i = 0; i < insight->table_count; i++) {
        const struct p11prof_html_room own = {.items = ROWS_MOST, .bytes = bytes};
        cJSON_AddItemToArray(tables_json, insight_table(&insight->tables[i], own, columns));
    }
    return json;
}

static void add_insights(cJSON *section, cJSON *columns, const struct p11prof_run_report *report,
                         size_t bytes)
{
    cJSON *insights = cJSON_AddArrayToObject(section, "insights");
    for (size_t i = 0; i < P11PROF_INSIGHTS; i++)
        if (p11prof_section_has(&report->insights[i]))
            cJSON_AddItemToArray(insights, insight_json(&report->insights[i], columns,
                                                        bytes / P11PROF_SECTION_TABLES_MAX));
    cJSON_AddNumberToObject(section, "uninspected_count", (double)report->uninspected_count);
}

void p11prof_html_report(struct cJSON *section, struct cJSON *columns,
                         const struct p11prof_run_report *report,
                         const struct p11prof_report_options *options, size_t bytes)
{
    cJSON *array = cJSON_AddArrayToObject(section, "tables");
    add_lines(section, report, options, bytes);
    add_insights(section, columns, report, 4 * bytes);
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        const struct p11prof_html_room room = {.items = ROWS_MOST, .bytes = bytes};
        const void *table = (const char *)report + tables[i].table;
        cJSON *json = p11prof_html_table(table, tables[i].columns, room, columns);
        cJSON_AddStringToObject(json, "id", tables[i].id);
        cJSON_AddStringToObject(json, "title", tables[i].title);
        cJSON_AddItemToArray(array, json);
    }
}
