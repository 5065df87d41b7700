/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "runs/trend.h"
#include "commands.h"
#include "message.h"
#include "report/allocate.h"
#include "report/nearest.h"
#include "report/progress.h"
#include "report/query.h"
#include "report/run_report.h"
#include "report/trend_changes.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_COLUMNS "run_id started_at name token_firmware count error_count value change"

enum { BAR_WIDTH = 20 };

bool p11prof_runs_trend_metric(struct p11prof_runs_trend *trend, const char *name)
{
    const char *nearest;
    trend->wanted = p11prof_trend_metric_read(name, &trend->trend.metric, &nearest);
    if (!trend->wanted && nearest)
        p11prof_complain(0, "--trend has no '%s': did you mean '%s'?", name, nearest);
    else if (!trend->wanted)
        p11prof_complain(0, "--trend is " P11PROF_TREND_METRIC_NAMES ", not '%s'", name);
    return trend->wanted;
}

static bool has_filter(const struct p11prof_selection *selection, enum p11prof_dimension_id id)
{
    for (size_t i = 0; i < selection->filter_count; i++)
        if (selection->filters[i].id == id)
            return true;
    return false;
}

bool p11prof_runs_trend_check(struct p11prof_runs_trend *trend)
{
    struct p11prof_selection *selection = &trend->trend.selection;
    bool function = has_filter(selection, P11PROF_BY_FUNCTION);
    bool operation = has_filter(selection, P11PROF_BY_OPERATION);
    bool test = has_filter(selection, P11PROF_BY_TEST);
    if (!trend->wanted && selection->filter_count > 0) {
        p11prof_complain(0, "functions, operations, tests, mechanisms and keys are chosen for a "
                            "--trend only");
        return false;
    }
    if (function + operation + test > 1) {
        p11prof_complain(0, "--trend takes one of --function, --operation and --test");
        return false;
    }
    if (trend->trend.mix && !test) {
        p11prof_complain(0, "--mix tells tests of a mix from those alone: name one with --test");
        return false;
    }
    trend->trend.operations = operation || test;
    trend->trend.tests = test;
    if (!p11prof_selection_add(selection, P11PROF_BY_KIND, "call")) {
        p11prof_complain(0, "more than %d filters", P11PROF_FILTERS_MAX);
        return false;
    }
    return true;
}

/* A test is known by its runs only: the others' words were looked up. NULL: there is none, or it is
 * the word itself. */
static const char *nearest_test(const struct p11prof_selection *selection,
                                const struct p11prof_table *tests)
{
    const char **list = p11prof_zalloc(tests->row_count + 1, sizeof *list);
    const char *nearest = NULL, *words = "";
    for (size_t i = 0; i < tests->row_count; i++)
        list[i] = p11prof_table_text(tests, i, "test", "");
    for (size_t i = 0; i < selection->filter_count && !nearest; i++)
        if (selection->filters[i].id == P11PROF_BY_TEST) {
            words = selection->filters[i].words;
            nearest = p11prof_nearest(words, list, tests->row_count);
        }
    free(list);
    return nearest && strcmp(nearest, words) != 0 ? nearest : NULL;
}

static int complain_none(const struct p11prof_trend *trend, struct sqlite3 *db)
{
    struct p11prof_table tests = {.columns = NULL};
    struct p11prof_error error;
    const char *nearest = NULL;
    if (trend->tests && p11prof_query_table(db, "SELECT DISTINCT test FROM loads LIMIT 10000", 0,
                                            &tests, &error) == P11PROF_OK)
        nearest = nearest_test(&trend->selection, &tests);
    int code = nearest ? p11prof_complain(P11PROF_EXIT_USAGE,
                                          "no run measured that test: did you mean '%s'?", nearest)
                       : p11prof_complain(P11PROF_EXIT_USAGE, "no run has calls of that%s",
                                          trend->mix     ? " in a mix"
                                          : trend->tests ? " alone; --mix is of those in a mix"
                                                         : "");
    p11prof_table_clear(&tests);
    return code;
}

#define CHANGE_COLUMNS                                                                             \
    "run_id started_at name before after change effect_low effect_high before_count after_count"

/* Where the level changed, and what is different since then. */
static void print_changes(const struct p11prof_table *changes, enum p11prof_format format)
{
    struct p11prof_page page = {
        .stream = stdout, .format = format, .width = p11prof_terminal_width(stdout)};
    if (changes->row_count == 0)
        return;
    putchar('\n');
    p11prof_page_section(&page, "Changes of level");
    p11prof_page_table(&page, changes, CHANGE_COLUMNS);
    for (size_t i = 0; i < changes->row_count; i++)
        p11prof_page_note(&page, "Run %lld (%s) differs from the one before: %s.",
                          (long long)p11prof_table_integer(changes, i, "run_id", 0),
                          p11prof_table_text(changes, i, "program", "program unknown"),
                          p11prof_table_text(changes, i, "differences", ""));
}

static void print_json(const struct p11prof_table *table, const struct p11prof_table *changes)
{
    struct cJSON *document = p11prof_document_new();
    p11prof_document_rows(document, "trend", table);
    p11prof_document_rows(document, "changes", changes);
    p11prof_document_print(stdout, document);
    cJSON_Delete(document);
}

static void print_text(const struct p11prof_table *table, bool ascii)
{
    struct p11prof_table shown = {.columns = NULL};
    p11prof_table_select(&shown, table, TEXT_COLUMNS " bar");
    p11prof_trend_bars(&shown, BAR_WIDTH, ascii);
    p11prof_write_text_table(stdout, &shown, NULL);
    p11prof_table_clear(&shown);
}

static void print_all(const struct p11prof_table *table, const struct p11prof_table *runs,
                      enum p11prof_format format, bool ascii)
{
    struct p11prof_table changes = {.columns = NULL};
    p11prof_trend_changes(&changes, table, runs);
    switch (format) {
    case P11PROF_FORMAT_JSON:
        print_json(table, &changes);
        break;
    case P11PROF_FORMAT_CSV:
        p11prof_write_table(stdout, table, format);
        break;
    case P11PROF_FORMAT_TEXT:
        print_text(table, ascii);
        print_changes(&changes, format);
        break;
    case P11PROF_FORMAT_MARKDOWN:
        p11prof_runs_print(table, format, "trend", TEXT_COLUMNS);
        print_changes(&changes, format);
        break;
    }
    p11prof_table_clear(&changes);
}

int p11prof_runs_trend_print(const struct p11prof_runs_trend *trend, struct sqlite3 *db,
                             const struct p11prof_runs_filter *filter, enum p11prof_format format)
{
    struct p11prof_table runs = {.columns = NULL}, table = {.columns = NULL};
    struct p11prof_error error;
    struct p11prof_progress progress;
    int code = P11PROF_EXIT_DONE;
    p11prof_progress_begin(&progress, db, "reading histograms");
    enum p11prof_status status = p11prof_runs_read(&runs, db, filter, &error);
    if (status == P11PROF_OK)
        status = p11prof_trend_load(&table, db, &runs, &trend->trend, &error);
    p11prof_progress_end(&progress);
    if (status != P11PROF_OK)
        code = p11prof_complain_of(&error);
    else if (table.row_count == 0)
        code = complain_none(&trend->trend, db);
    else
        print_all(&table, &runs, format, trend->ascii);
    p11prof_table_clear(&table);
    p11prof_table_clear(&runs);
    return code;
}
