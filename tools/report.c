/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* p11prof report: what the calls of a run were, and how long they took. */
#include "chart_options.h"
#include "commands.h"
#include "common_options.h"
#include "message.h"
#include "named_runs.h"
#include "recorded.h"
#include "report/allocate.h"
#include "report/nearest.h"
#include "report/run_report.h"
#include "report/slo.h"
#include "report/units.h"
#include "select_options.h"
#include "untimed_note.h"

#include <stdlib.h>
#include <string.h>

enum {
    OPTION_BY = 'b',
    OPTION_COLUMNS = 'c',
    OPTION_REDACT = 'r',
    OPTION_SECTIONS = 'S',
    OPTION_SLO = 'O',
    OPTION_SORT = 's',
    OPTION_TOP = 't',
};

/* Rows of each table that a page shows: it is to fit a screen, unless --by asks for more. */
enum { TOP = 10, TOP_BY = 50 };

static const struct p11prof_option options[] = {
    {"by", OPTION_BY, "COLUMN,…", "one row for each (default: function,mechanism)",
     P11PROF_VALUE_DIMENSION},
    {"columns", OPTION_COLUMNS, "COLUMN,…", "show these, in this order; not for JSON",
     P11PROF_VALUE_COLUMN},
    {"sort", OPTION_SORT, "COLUMN", "largest first (default: total_ns); names: A to Z",
     P11PROF_VALUE_COLUMN},
    {"top", OPTION_TOP, "N", "only the first N rows of each table; 0: all"},
    {"sections", OPTION_SECTIONS, "NAME,…",
     "these alone, in full: advice, concurrency, latency, history", P11PROF_VALUE_TEXT,
     "advice concurrency latency history"},
    {"redact", OPTION_REDACT, NULL, "without names of people, hosts, programs and tokens"},
    {"slo", OPTION_SLO, "OBJECTIVE,…", "exit code 1 if one is missed: C_Sign.p99<20ms,errors<0.1%"},
    P11PROF_OPTIONS_SELECT,
    P11PROF_OPTIONS_CHART,
    P11PROF_OPTION_FORMAT,
    P11PROF_OPTION_DB,
    P11PROF_OPTION_NO_COLLECT,
    {.name = NULL},
};

static const struct p11prof_usage usage = {
    .command = "report",
    .arguments = "[RUN...]",
    .summary = "Shows counts, errors, shares of time and latencies of runs.",
    .options = options,
    .notes = "  p11prof report\n"
             "  p11prof report nightly --by caller,function --top 10\n"
             "  p11prof report --function C_Sign --since -60s --columns count,mean_ns,p99_ns\n"
             "  p11prof report 12 --format csv > calls.csv",
    .kind = P11PROF_VALUE_RUN,
};

struct settings {
    struct p11prof_common_options common;
    struct p11prof_report_options report;
    struct p11prof_chart_options chart;
    struct p11prof_objectives objectives;
    bool top_given;
};

static bool take_by(struct settings *settings, const char *value)
{
    const char *nearest;
    const char *wrong = p11prof_grouping_read(&settings->report.by, value, &nearest);
    if (wrong && nearest)
        p11prof_complain(0, "--by has no '%s': did you mean '%s'?", wrong, nearest);
    else if (wrong)
        p11prof_complain(0, "--by has no '%s'", wrong);
    return !wrong;
}

static bool take_sections(struct settings *settings, const char *value)
{
    const char *nearest;
    const char *wrong = p11prof_insights_read(&settings->report.insights, value, &nearest);
    if (wrong && nearest)
        p11prof_complain(0, "--sections has no '%s': did you mean '%s'?", wrong, nearest);
    else if (wrong)
        p11prof_complain(0, "--sections has no '%s': advice, concurrency, latency or history",
                         wrong);
    return !wrong;
}

static bool take_objectives(struct p11prof_objectives *out, const char *value)
{
    struct p11prof_error error;
    if (p11prof_objectives_read(out, value, &error) == P11PROF_OK)
        return true;
    p11prof_complain(0, "%s", error.text);
    return false;
}

static bool take_option(void *payload, int id, const char *value)
{
    struct settings *settings = payload;
    uint64_t number;
    if (p11prof_is_select_option(id))
        return p11prof_select_option(&settings->report.selection, id, value);
    if (p11prof_is_chart_option(id))
        return p11prof_chart_option(&settings->chart, id, value);
    switch (id) {
    case OPTION_BY:
        return take_by(settings, value);
    case OPTION_SORT:
        settings->report.sort = value;
        return true;
    case OPTION_COLUMNS:
        settings->report.columns = value;
        return true;
    case OPTION_SECTIONS:
        return take_sections(settings, value);
    case OPTION_SLO:
        settings->report.objectives = &settings->objectives;
        return take_objectives(&settings->objectives, value);
    case OPTION_REDACT:
        settings->report.redact = true;
        return true;
    case OPTION_TOP:
        if (!p11prof_option_number("top", value, UINT32_MAX, &number))
            return false;
        settings->report.top = (size_t)number;
        settings->top_given = true;
        return true;
    default:
        return p11prof_common_option(&settings->common, id, value);
    }
}

/* Says so if a table has no column of that name. */
static bool check_column(const char *option, const struct p11prof_table *columns, const char *name)
{
    if (p11prof_table_find(columns, name) < columns->column_count)
        return true;
    const char **names = p11prof_zalloc(columns->column_count, sizeof *names);
    for (size_t i = 0; i < columns->column_count; i++)
        names[i] = columns->columns[i].name;
    const char *nearest = p11prof_nearest(name, names, columns->column_count);
    if (nearest)
        p11prof_complain(0, "--%s has no column '%s': did you mean '%s'?", option, name, nearest);
    else
        p11prof_complain(0, "--%s has no column '%s'", option, name);
    free(names);
    return false;
}

static bool check_columns(const struct p11prof_table *columns, const char *list)
{
    bool known = true;
    char *words = p11prof_copy(list), *rest = words;
    for (char *word; known && (word = strsep(&rest, ",")) != NULL;)
        known = check_column("columns", columns, word);
    free(words);
    return known;
}

/* --sort and --columns take what the tables have. */
static bool check_settings(const struct settings *settings)
{
    const struct p11prof_report_options *report = &settings->report;
    struct p11prof_table columns = {.columns = NULL};
    p11prof_run_report_columns(&columns, &report->by);
    bool good = (!report->sort || check_column("sort", &columns, report->sort)) &&
                (!report->columns || check_columns(&columns, report->columns));
    p11prof_table_clear(&columns);
    if (good && report->columns && settings->common.format == P11PROF_FORMAT_JSON) {
        p11prof_complain(0, "--columns is not for JSON, which has all of them");
        return false;
    }
    return good;
}

/* A page without --top fits a screen; machine formats have all. */
static void set_top(struct settings *settings)
{
    bool page = settings->common.format == P11PROF_FORMAT_TEXT ||
                settings->common.format == P11PROF_FORMAT_MARKDOWN;
    if (page && !settings->top_given)
        settings->report.top = settings->report.by.count > 0 ? TOP_BY : TOP;
}

static int complain_missed(const struct p11prof_table *missed)
{
    for (size_t i = 0; i < missed->row_count; i++) {
        const struct p11prof_cell *by = p11prof_table_get(missed, i, "missed_by");
        char share[P11PROF_UNIT_TEXT_BYTES] = "";
        if (by->kind == P11PROF_CELL_REAL)
            p11prof_format_share(share, by->real);
        p11prof_complain(0, "objective missed: %s is %s, wanted %s%s%s",
                         p11prof_table_text(missed, i, "objective", ""),
                         p11prof_table_text(missed, i, "value", ""),
                         p11prof_table_text(missed, i, "limit", ""), *share ? ": off by " : "",
                         share);
    }
    return missed->row_count > 0 ? P11PROF_EXIT_NO : P11PROF_EXIT_DONE;
}

static int report_runs(const struct settings *settings, const struct p11prof_named_runs *runs)
{
    struct p11prof_error error;
    struct p11prof_report_options report = settings->report;
    struct p11prof_table missed = {.columns = NULL};
    report.missed = &missed;
    report.chart = p11prof_chart_style_choose(&settings->chart, stdout, settings->common.format);
    report.spool_folder = runs->database.spool_folder;
    for (size_t i = 0; i < runs->count; i++)
        if (settings->common.format == P11PROF_FORMAT_CSV || report.objectives)
            p11prof_note_recorded(runs->db, &runs->sets[i]);
    for (size_t i = 0; report.objectives && i < runs->count; i++)
        p11prof_note_unreturned(runs->db, &runs->sets[i]);
    for (size_t i = 0; i < runs->count; i++)
        if (report.objectives || runs->sets[i].run_count > 1)
            p11prof_note_untimed(runs->db, runs->sets[i].run_ids, runs->sets[i].run_count);
    enum p11prof_status status = p11prof_report_run(stdout, runs->db, runs->sets, runs->count,
                                                    settings->common.format, &report, &error);
    int code = status == P11PROF_OK ? complain_missed(&missed) : p11prof_complain_of(&error);
    p11prof_table_clear(&missed);
    return code;
}

int p11prof_command_report(int argc, char **argv)
{
    struct settings settings = {.common = {.format = P11PROF_FORMAT_TEXT}};
    struct p11prof_named_runs runs;
    int first, code;
    if (!p11prof_options_read(&usage, argc, argv, take_option, &settings, &first, &code))
        return code;
    if (!check_settings(&settings))
        return p11prof_usage_hint(&usage);
    set_top(&settings);
    code = p11prof_named_runs_open(&runs, &settings.common.database, argv + first, argc - first,
                                   &settings.report.selection);
    if (code == P11PROF_EXIT_DONE)
        code = report_runs(&settings, &runs);
    p11prof_named_runs_close(&runs);
    return code;
}
