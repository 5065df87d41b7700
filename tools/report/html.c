/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "html.h"
#include "html_parts.h"

#include <cjson/cJSON.h>
#include <string.h>

/* Files of tools/html/, and Chart.js. */
extern const char p11prof_html_page_html[], p11prof_html_page_css[], p11prof_html_chart_min_js[];
extern const char p11prof_html_format_js[], p11prof_html_tables_js[], p11prof_html_charts_js[];
extern const char p11prof_html_plots_js[], p11prof_html_insights_js[], p11prof_html_page_js[];

/* Shares of the room of a run: 14 for its tables and sentences, four for each insight, two for
 * distributions, one for timelines. */
enum { ROOM_SHARES = 36, DISTRIBUTION_SHARES = 2, ROOM_BYTES_LEAST = 40 * 1000 };

static enum p11prof_status add_charts(const struct p11prof_html_charts *charts,
                                      const struct p11prof_run_report *report,
                                      struct p11prof_error *error)
{
    enum p11prof_status status =
        p11prof_html_distributions(charts, p11prof_run_report_is_bench(report), error);
    return status == P11PROF_OK ? p11prof_html_timelines(charts, error) : status;
}

static enum p11prof_status add_run(cJSON *document, struct sqlite3 *db,
                                   const struct p11prof_run_set *runs, size_t bytes,
                                   const struct p11prof_report_options *options,
                                   struct p11prof_error *error)
{
    struct p11prof_run_report report = {.exact = false};
    cJSON *columns = cJSON_GetObjectItemCaseSensitive(document, "columns");
    cJSON *section = cJSON_CreateObject();
    cJSON_AddItemToArray(cJSON_GetObjectItemCaseSensitive(document, "sections"), section);
    const struct p11prof_html_charts charts = {
        section, columns, db, runs, options, bytes * DISTRIBUTION_SHARES / ROOM_SHARES};
    enum p11prof_status status = p11prof_run_report_load(&report, db, runs, options, error);
    if (status == P11PROF_OK) {
        p11prof_html_report(section, columns, &report, options, bytes / ROOM_SHARES);
        status = add_charts(&charts, &report, error);
    }
    p11prof_run_report_clear(&report);
    return status;
}

static void write_data(FILE *stream, const cJSON *document)
{
    char *text = cJSON_PrintUnformatted(document);
    p11prof_html_write_json(stream, text ? text : "null");
    cJSON_free(text);
}

/* What stands for a {{name}} of the page. */
static void write_part(FILE *stream, const char *name, size_t name_bytes, const cJSON *document)
{
    static const struct {
        const char *name, *text;
    } parts[] = {
        {"page.css", p11prof_html_page_css},       {"chart.min.js", p11prof_html_chart_min_js},
        {"format.js", p11prof_html_format_js},     {"tables.js", p11prof_html_tables_js},
        {"charts.js", p11prof_html_charts_js},     {"plots.js", p11prof_html_plots_js},
        {"insights.js", p11prof_html_insights_js}, {"page.js", p11prof_html_page_js}};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (strlen(parts[i].name) == name_bytes && memcmp(parts[i].name, name, name_bytes) == 0)
            fputs(parts[i].text, stream);
    if (name_bytes == strlen("data") && memcmp(name, "data", name_bytes) == 0)
        write_data(stream, document);
}

static void write_page(FILE *stream, const cJSON *document)
{
    const char *rest = p11prof_html_page_html;
    for (const char *open; (open = strstr(rest, "{{")) != NULL;) {
        const char *name = open + strlen("{{"), *close = strstr(name, "}}");
        fwrite(rest, 1, (size_t)(open - rest), stream);
        write_part(stream, name, (size_t)(close - name), document);
        rest = close + strlen("}}");
    }
    fputs(rest, stream);
}

enum p11prof_status p11prof_html_write(FILE *stream, struct sqlite3 *db,
                                       const struct p11prof_run_set *sets, size_t count,
                                       const struct p11prof_report_options *options,
                                       struct p11prof_error *error)
{
    size_t bytes = P11PROF_HTML_DATA_BYTES / count;
    enum p11prof_status status = P11PROF_OK;
    cJSON *document = cJSON_CreateObject();
    cJSON_AddStringToObject(document, "version", P11PROF_VERSION);
    cJSON_AddObjectToObject(document, "columns");
    cJSON_AddArrayToObject(document, "sections");
    for (size_t i = 0; i < count && status == P11PROF_OK; i++)
        status = add_run(document, db, &sets[i],
                         bytes > ROOM_BYTES_LEAST ? bytes : ROOM_BYTES_LEAST, options, error);
    if (status == P11PROF_OK)
        write_page(stream, document);
    cJSON_Delete(document);
    return status;
}
