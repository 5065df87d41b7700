/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* p11prof histogram: the distribution of latencies, on one scale for all groups. */
#include "report/histogram.h"
#include "chart_options.h"
#include "commands.h"
#include "common_options.h"
#include "message.h"
#include "named_runs.h"
#include "recorded.h"
#include "select_options.h"

enum { OPTION_BY = 'b', OPTION_OPERATIONS = 'o', OPTION_TOP = 't', DEFAULT_TOP = 6 };

static const struct p11prof_option options[] = {
    {"by", OPTION_BY, "COLUMN,…", "a histogram for each (default: function,mechanism)",
     P11PROF_VALUE_DIMENSION},
    {"operations", OPTION_OPERATIONS, NULL, "of operations, not of calls"},
    {"top", OPTION_TOP, "N", "the N that took most time (default: 6); 0: all"},
    P11PROF_OPTIONS_CHART,
    P11PROF_OPTIONS_SELECT,
    P11PROF_OPTION_FORMAT,
    P11PROF_OPTION_DB,
    P11PROF_OPTION_NO_COLLECT,
    {.name = NULL},
};

static const struct p11prof_usage usage = {
    .command = "histogram",
    .arguments = "[RUN...]",
    .summary = "Shows how the latencies of runs are distributed, on a log scale.",
    .options = options,
    .notes = "  p11prof histogram --function C_Sign\n"
             "  p11prof histogram nightly --by thread --top 3\n"
             "  p11prof histogram 12 13 --operations --format csv > bins.csv",
    .kind = P11PROF_VALUE_RUN,
};

struct settings {
    struct p11prof_common_options common;
    struct p11prof_chart_options chart;
    struct p11prof_histogram_options histogram;
};

static bool take_by(struct settings *settings, const char *value)
{
    const char *nearest;
    const char *wrong = p11prof_grouping_read(&settings->histogram.by, value, &nearest);
    if (wrong && nearest)
        p11prof_complain(0, "--by has no '%s': did you mean '%s'?", wrong, nearest);
    else if (wrong)
        p11prof_complain(0, "--by has no '%s'", wrong);
    return !wrong;
}

static bool take_option(void *payload, int id, const char *value)
{
    struct settings *settings = payload;
    uint64_t number;
    if (p11prof_is_select_option(id))
        return p11prof_select_option(&settings->histogram.selection, id, value);
    if (p11prof_is_chart_option(id))
        return p11prof_chart_option(&settings->chart, id, value);
    switch (id) {
    case OPTION_BY:
        return take_by(settings, value);
    case OPTION_OPERATIONS:
        settings->histogram.operations = true;
        return true;
    case OPTION_TOP:
        if (!p11prof_option_number("top", value, UINT32_MAX, &number))
            return false;
        settings->histogram.top = (size_t)number;
        return true;
    default:
        return p11prof_common_option(&settings->common, id, value);
    }
}

static void show(const struct settings *settings, const struct p11prof_histogram *histogram)
{
    enum p11prof_format format = settings->common.format;
    struct p11prof_chart_style style = p11prof_chart_style_choose(&settings->chart, stdout, format);
    struct p11prof_page page = {
        .stream = stdout, .format = format, .width = style.width, .ascii = style.ascii};
    if (format == P11PROF_FORMAT_JSON)
        p11prof_histogram_json(stdout, histogram);
    else if (format == P11PROF_FORMAT_CSV)
        p11prof_histogram_csv(stdout, histogram);
    else
        p11prof_histogram_page(&page, histogram, &style);
}

static int show_runs(const struct settings *settings, const struct p11prof_named_runs *runs)
{
    struct p11prof_histogram histogram = {.sets = NULL};
    struct p11prof_error error;
    for (size_t i = 0; i < runs->count; i++)
        p11prof_note_recorded(runs->db, &runs->sets[i]);
    enum p11prof_status status = p11prof_histogram_load(&histogram, runs->db, runs->sets,
                                                        runs->count, &settings->histogram, &error);
    if (status == P11PROF_OK)
        show(settings, &histogram);
    p11prof_histogram_clear(&histogram);
    return status == P11PROF_OK ? P11PROF_EXIT_DONE : p11prof_complain_of(&error);
}

int p11prof_command_histogram(int argc, char **argv)
{
    struct settings settings = {.common = {.format = P11PROF_FORMAT_TEXT},
                                .histogram.top = DEFAULT_TOP};
    struct p11prof_named_runs runs;
    int first, code;
    if (!p11prof_options_read(&usage, argc, argv, take_option, &settings, &first, &code))
        return code;
    code = p11prof_named_runs_open(&runs, &settings.common.database, argv + first, argc - first,
                                   &settings.histogram.selection);
    if (code == P11PROF_EXIT_DONE)
        code = show_runs(&settings, &runs);
    p11prof_named_runs_close(&runs);
    return code;
}
