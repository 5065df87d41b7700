/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* p11prof runs: lists what was recorded, renames and deletes runs, and shows a trend over them. */
#include "commands.h"
#include "common_options.h"
#include "message.h"
#include "report/nearest.h"
#include "runs/change.h"
#include "runs/list.h"
#include "runs/trend.h"
#include "select_options.h"

#include <string.h>

enum {
    OPTION_LIMIT = 'l',
    OPTION_NAME = 'N',
    OPTION_KIND = 'k',
    OPTION_PROGRAM = 'p',
    OPTION_TREND = 't',
    OPTION_MIX = 'm',
    OPTION_ASCII = 'a',
    OPTION_YES = 'y'
};

static const struct p11prof_option options[] = {
    {"limit", OPTION_LIMIT, "N", "only the N newest"},
    {"name", OPTION_NAME, "GLOB", "only runs of such a name: 'nightly-*'", P11PROF_VALUE_RUN_NAME},
    {"kind", OPTION_KIND, "KIND", "only profile or bench", P11PROF_VALUE_WORDS, "profile bench"},
    {"program", OPTION_PROGRAM, "GLOB", "only runs of such a program"},
    {"trend", OPTION_TREND, "METRIC", "one metric of all runs, oldest first", P11PROF_VALUE_TEXT,
     "p50 p90 p95 p99 p999 mean min max count errors ops_per_s"},
    P11PROF_SELECT_BY("function", P11PROF_BY_FUNCTION, "NAME", "trend: of this C_* function"),
    P11PROF_SELECT_BY("operation", P11PROF_BY_OPERATION, "NAME", "trend: of this operation"),
    P11PROF_SELECT_BY("test", P11PROF_BY_TEST, "ID", "trend: of this test of a bench"),
    {"mix", OPTION_MIX, NULL, "trend of a test: where it was part of a mix, not alone"},
    P11PROF_SELECT_BY("mechanism", P11PROF_BY_MECHANISM, "NAME", "trend: of this mechanism"),
    P11PROF_SELECT_BY("key-type", P11PROF_BY_KEY_TYPE, "NAME", "trend: with keys of this type"),
    P11PROF_SELECT_BY("key-bits", P11PROF_BY_KEY_BITS, "N", "trend: with keys of this size"),
    {"ascii", OPTION_ASCII, NULL, "draw bars with #"},
    {"yes", OPTION_YES, NULL, "delete: do not ask"},
    P11PROF_OPTION_FORMAT,
    P11PROF_OPTION_DB,
    P11PROF_OPTION_NO_COLLECT,
    {.name = NULL},
};

static const struct p11prof_usage usage = {
    .command = "runs",
    .arguments = "[rename RUN NAME | delete RUN[,RUN...]...]",
    .summary = "Lists the runs of a database, newest first; renames or deletes runs.",
    .options = options,
    .notes = "  p11prof runs --name 'nightly-*' --limit 20\n"
             "  p11prof runs --trend p99 --function C_Sign --mechanism CKM_RSA_PKCS\n"
             "  p11prof runs --trend ops_per_s --test rsa-2048-sign --format csv\n"
             "  p11prof runs rename last before-update\n"
             "  p11prof runs delete 12,13",
    .kind = P11PROF_VALUE_RUN,
    .words = "rename delete",
};

struct settings {
    struct p11prof_common_options common;
    struct p11prof_runs_filter filter;
    struct p11prof_runs_trend trend;
    bool yes;
};

static bool take_option(void *payload, int id, const char *value)
{
    struct settings *settings = payload;
    if (p11prof_is_select_option(id))
        return p11prof_select_option(&settings->trend.trend.selection, id, value);
    switch (id) {
    case OPTION_LIMIT:
        return p11prof_option_number("limit", value, INT64_MAX, &settings->filter.limit);
    case OPTION_NAME:
        settings->filter.name = value;
        return true;
    case OPTION_KIND:
        settings->filter.kind = value;
        return true;
    case OPTION_PROGRAM:
        settings->filter.program = value;
        return true;
    case OPTION_TREND:
        return p11prof_runs_trend_metric(&settings->trend, value);
    case OPTION_MIX:
        settings->trend.trend.mix = true;
        return true;
    case OPTION_ASCII:
        settings->trend.ascii = true;
        return true;
    case OPTION_YES:
        settings->yes = true;
        return true;
    default:
        return p11prof_common_option(&settings->common, id, value);
    }
}

#define TEXT_COLUMNS "run_id started_at name kind state program call_count lost_count duration_ns"

static int list(const struct settings *settings, struct sqlite3 *db)
{
    struct p11prof_table runs = {.columns = NULL};
    struct p11prof_error error;
    enum p11prof_status status = p11prof_runs_read(&runs, db, &settings->filter, &error);
    if (status == P11PROF_OK)
        p11prof_runs_print(&runs, settings->common.format, "runs", TEXT_COLUMNS);
    if (status == P11PROF_OK && runs.row_count == 0 && settings->filter.limit > 0)
        p11prof_runs_say_none(db, &settings->filter);
    p11prof_table_clear(&runs);
    return status == P11PROF_OK ? P11PROF_EXIT_DONE : p11prof_complain_of(&error);
}

static int show(struct settings *settings)
{
    struct p11prof_database database;
    if (!p11prof_runs_trend_check(&settings->trend))
        return p11prof_usage_hint(&usage);
    int code = p11prof_database_open(&database, &settings->common.database);
    if (code != P11PROF_EXIT_DONE)
        return code;
    struct sqlite3 *db = p11prof_store_sqlite(database.store);
    code = settings->trend.wanted
               ? p11prof_runs_trend_print(&settings->trend, db, &settings->filter,
                                          settings->common.format)
               : list(settings, db);
    p11prof_database_close(&database);
    return code;
}

static int complain_word(const char *word)
{
    static const char *const words[] = {"rename", "delete"};
    const char *nearest = p11prof_nearest(word, words, 2);
    if (nearest)
        p11prof_complain(0, "runs has no '%s': did you mean '%s'?", word, nearest);
    else
        p11prof_complain(0, "runs takes rename or delete, not '%s'; 'p11prof report' shows a run",
                         word);
    return p11prof_usage_hint(&usage);
}

static int change(const struct settings *settings, char **words, int count)
{
    struct p11prof_database database;
    bool rename = strcmp(words[0], "rename") == 0;
    if (!rename && strcmp(words[0], "delete") != 0)
        return complain_word(words[0]);
    int code = p11prof_database_open_to_change(&database, &settings->common.database);
    if (code != P11PROF_EXIT_DONE)
        return code;
    code = rename ? p11prof_runs_rename(&database, words + 1, count - 1)
                  : p11prof_runs_delete(&database, words + 1, count - 1, settings->yes);
    p11prof_database_close(&database);
    return code;
}

int p11prof_command_runs(int argc, char **argv)
{
    struct settings settings = {.filter.limit = INT64_MAX};
    int first, code;
    if (!p11prof_options_read(&usage, argc, argv, take_option, &settings, &first, &code))
        return code;
    return first < argc ? change(&settings, argv + first, argc - first) : show(&settings);
}
