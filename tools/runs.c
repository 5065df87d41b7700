/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* p11prof runs: lists what was recorded. */
#include "commands.h"
#include "common_options.h"
#include "message.h"
#include "report/query.h"
#include "report/run_report.h"
#include "report/writer.h"

#include <cjson/cJSON.h>

enum { OPTION_LIMIT = 'l' };

static const struct p11prof_option options[] = {
    {"limit", OPTION_LIMIT, "N", "only the N newest"},
    P11PROF_OPTION_FORMAT,
    P11PROF_OPTION_DB,
    P11PROF_OPTION_NO_COLLECT,
    {.name = NULL},
};

static const struct p11prof_usage usage = {
    .command = "runs",
    .arguments = "",
    .summary = "Lists the runs of a database, newest first.",
    .options = options,
    .notes =
        "CSV and JSON have all columns of the view `runs`; text and Markdown the most important.",
};

struct settings {
    struct p11prof_common_options common;
    uint64_t limit;
};

static bool take_option(void *payload, int id, const char *value)
{
    struct settings *settings = payload;
    if (id == OPTION_LIMIT)
        return p11prof_option_number("limit", value, INT64_MAX, &settings->limit);
    return p11prof_common_option(&settings->common, id, value);
}

/* The most important. */
#define TEXT_COLUMNS "run_id started_at name kind state program call_count lost_count duration_ns"

static void print_text(const struct p11prof_table *runs)
{
    struct p11prof_table shown = {.columns = NULL};
    p11prof_table_select(&shown, runs, TEXT_COLUMNS);
    p11prof_write_text_table(stdout, &shown, NULL);
    p11prof_table_clear(&shown);
}

static void print_json(const struct p11prof_table *runs)
{
    struct cJSON *document = p11prof_document_new();
    p11prof_document_rows(document, "runs", runs);
    p11prof_document_print(stdout, document);
    cJSON_Delete(document);
}

static void print_csv(const struct p11prof_table *runs)
{
    p11prof_write_table(stdout, runs, P11PROF_FORMAT_CSV);
}

static void print_markdown(const struct p11prof_table *runs)
{
    struct p11prof_table shown = {.columns = NULL};
    p11prof_table_select(&shown, runs, TEXT_COLUMNS);
    p11prof_write_table(stdout, &shown, P11PROF_FORMAT_MARKDOWN);
    p11prof_table_clear(&shown);
}

static int list(const struct settings *settings, struct p11prof_database *database)
{
    static void (*const print[])(const struct p11prof_table *runs) = {
        [P11PROF_FORMAT_TEXT] = print_text,
        [P11PROF_FORMAT_JSON] = print_json,
        [P11PROF_FORMAT_CSV] = print_csv,
        [P11PROF_FORMAT_MARKDOWN] = print_markdown,
    };
    static const char sql[] = "SELECT * FROM runs ORDER BY start_wall_ns DESC, run_id DESC "
                              "LIMIT ?1";
    struct p11prof_table runs = {.columns = NULL};
    struct p11prof_error error;
    int code = P11PROF_EXIT_DONE;
    if (p11prof_query_table(p11prof_store_sqlite(database->store), sql, (int64_t)settings->limit,
                            &runs, &error) == P11PROF_OK)
        print[settings->common.format](&runs);
    else
        code = p11prof_complain_of(&error);
    p11prof_table_clear(&runs);
    return code;
}

int p11prof_command_runs(int argc, char **argv)
{
    struct settings settings = {.limit = INT64_MAX};
    struct p11prof_database database;
    int first, code;
    if (!p11prof_options_read(&usage, argc, argv, take_option, &settings, &first, &code))
        return code;
    if (first < argc) {
        p11prof_complain(0, "runs takes no arguments, not '%s'", argv[first]);
        return p11prof_usage_hint(&usage);
    }
    code = p11prof_database_open(&database, &settings.common.database);
    if (code != P11PROF_EXIT_DONE)
        return code;
    code = list(&settings, &database);
    p11prof_database_close(&database);
    return code;
}
