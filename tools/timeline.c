/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* p11prof timeline: latencies, rate, calls in flight and errors of a run over time. */
#include "chart_options.h"
#include "commands.h"
#include "common_options.h"
#include "message.h"
#include "recorded.h"
#include "report/timeline_draw.h"
#include "report/timeline_load.h"
#include "run_row.h"
#include "select_options.h"

#include <string.h>

enum { OPTION_STEP = 's', OPTION_X = 'x' };

static const struct p11prof_option options[] = {
    {"step", OPTION_STEP, "TIME", "of a column: 100ms, 10s (default: what fills the width)"},
    {"x", OPTION_X, "WHAT", "time (default), or iteration: operations of a bench",
     P11PROF_VALUE_WORDS, "time iteration"},
    P11PROF_OPTIONS_CHART,
    P11PROF_OPTIONS_SELECT,
    P11PROF_OPTION_FORMAT,
    P11PROF_OPTION_DB,
    P11PROF_OPTION_NO_COLLECT,
    {.name = NULL},
};

static const struct p11prof_usage usage = {
    .command = "timeline",
    .arguments = "[RUN]",
    .summary = "Shows latencies, rate, calls in flight and errors of a run over time.",
    .options = options,
    .notes = "  p11prof timeline\n"
             "  p11prof timeline nightly --function C_Sign --since 1m --until 2m\n"
             "  p11prof timeline 12 --step 1s --format csv > steps.csv",
    .kind = P11PROF_VALUE_RUN,
};

struct settings {
    struct p11prof_common_options common;
    struct p11prof_chart_options chart;
    struct p11prof_timeline_options timeline;
    const char *step;
};

static bool take_option(void *payload, int id, const char *value)
{
    struct settings *settings = payload;
    if (p11prof_is_select_option(id))
        return p11prof_select_option(&settings->timeline.selection, id, value);
    if (p11prof_is_chart_option(id))
        return p11prof_chart_option(&settings->chart, id, value);
    switch (id) {
    case OPTION_STEP:
        settings->step = value;
        return true;
    case OPTION_X:
        settings->timeline.by_iteration = strcmp(value, "iteration") == 0;
        return true;
    default:
        return p11prof_common_option(&settings->common, id, value);
    }
}

/* What --step means depends on --x. */
static bool read_step(struct settings *settings)
{
    struct p11prof_timeline_options *timeline = &settings->timeline;
    if (!settings->step)
        return true;
    if (timeline->by_iteration) {
        if (!p11prof_option_number("step", settings->step, UINT32_MAX, &timeline->step))
            return false;
    } else if (!p11prof_read_duration(settings->step, &timeline->step)) {
        timeline->step = 0;
    }
    if (timeline->step > 0)
        return true;
    p11prof_complain(0, "--step wants %s, not '%s'",
                     timeline->by_iteration ? "a number of operations"
                                            : "a time such as 100ms or 10s",
                     settings->step);
    return false;
}

static void show(const struct settings *settings, const struct p11prof_run_timelines *timelines,
                 const struct p11prof_chart_style *style)
{
    enum p11prof_format format = settings->common.format;
    struct p11prof_page page = {
        .stream = stdout, .format = format, .width = style->width, .ascii = style->ascii};
    if (format == P11PROF_FORMAT_JSON)
        p11prof_run_timelines_json(stdout, timelines);
    else if (format == P11PROF_FORMAT_CSV)
        p11prof_run_timelines_csv(stdout, timelines);
    else
        p11prof_run_timelines_page(&page, timelines, style);
}

/* Says where --step could not be followed. */
static void note_step(const struct settings *settings,
                      const struct p11prof_run_timelines *timelines)
{
    uint64_t asked = settings->timeline.step;
    if (timelines->of_windows && asked > 0 && timelines->timelines[0].step_ns > asked)
        p11prof_note("the calls of this run are not kept one by one: steps are its windows, longer "
                     "than --step");
}

static int show_run(struct settings *settings, struct sqlite3 *db, const char *text)
{
    struct p11prof_error error;
    struct p11prof_run_timelines timelines = {.count = 0};
    enum p11prof_format format = settings->common.format;
    bool data = format == P11PROF_FORMAT_JSON || format == P11PROF_FORMAT_CSV;
    struct p11prof_chart_style style = p11prof_chart_style_choose(&settings->chart, stdout, format);
    int64_t run_id;
    settings->timeline.room =
        data && settings->step ? P11PROF_STEPS_MOST : p11prof_timeline_room(&style);
    struct p11prof_run_row row;
    enum p11prof_status status =
        p11prof_run_row_select_one(db, text, &run_id, &row, &settings->timeline.selection, &error);
    if (status == P11PROF_OK) {
        p11prof_note_recorded(db, &(struct p11prof_run_set){&run_id, 1});
        status = p11prof_run_timelines_load(&timelines, db, run_id, &settings->timeline, &error);
    }
    if (status == P11PROF_OK) {
        note_step(settings, &timelines);
        show(settings, &timelines, &style);
    }
    p11prof_run_timelines_clear(&timelines);
    p11prof_run_row_clear(&row);
    return status == P11PROF_OK ? P11PROF_EXIT_DONE : p11prof_complain_of(&error);
}

int p11prof_command_timeline(int argc, char **argv)
{
    struct settings settings = {.common = {.format = P11PROF_FORMAT_TEXT}};
    struct p11prof_database database;
    int first, code;
    if (!p11prof_options_read(&usage, argc, argv, take_option, &settings, &first, &code))
        return code;
    if (!read_step(&settings))
        return p11prof_usage_hint(&usage);
    if (argc - first > 1) {
        p11prof_complain(0, "timeline takes one run");
        return p11prof_usage_hint(&usage);
    }
    code = p11prof_database_open(&database, &settings.common.database);
    if (code != P11PROF_EXIT_DONE)
        return code;
    code = show_run(&settings, p11prof_store_sqlite(database.store),
                    first < argc ? argv[first] : "last");
    p11prof_database_close(&database);
    return code;
}
