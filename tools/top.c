/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* p11prof top: what live processes do with their tokens right now. */
#include "commands.h"
#include "common_options.h"
#include "message.h"
#include "report/moments.h"
#include "report/units.h"
#include "run_select.h"
#include "top/lines.h"
#include "top/screen.h"

#include <cjson/cJSON.h>
#include <time.h>
#include <unistd.h>

enum { OPTION_ONCE = 'o', OPTION_INTERVAL = 'i', OPTION_WINDOW = 'w' };

static const struct p11prof_option options[] = {
    {"once", OPTION_ONCE, NULL, "wait for one window and print it"},
    {"interval", OPTION_INTERVAL, "TIME", "between refreshes (default: 1s)"},
    {"window", OPTION_WINDOW, "TIME", "that rates and percentiles are of (default: 5s)"},
    P11PROF_OPTION_FORMAT,
    P11PROF_OPTION_DB,
    P11PROF_OPTION_NO_COLLECT,
    {.name = NULL},
};

static const struct p11prof_usage usage = {
    .command = "top",
    .arguments = "[RUN...]",
    .summary = "Shows live what the processes that are recorded do with their tokens.",
    .options = options,
    .notes = "  p11prof top\n"
             "  p11prof top --once --window 2s --format json",
    .kind = P11PROF_VALUE_RUN,
};

struct settings {
    struct p11prof_common_options common;
    uint64_t interval_ns, window_ns;
    bool once;
};

static bool take_time(const char *option, const char *value, uint64_t *out_ns)
{
    const uint64_t LEAST_NS = 100000000, MOST_NS = 60000000000;
    if (p11prof_parse_ns(value, out_ns) && *out_ns >= LEAST_NS && *out_ns <= MOST_NS)
        return true;
    p11prof_complain(0, "--%s is a time from 100ms to 60s, not '%s'", option, value);
    return false;
}

static bool take_option(void *payload, int id, const char *value)
{
    struct settings *settings = payload;
    switch (id) {
    case OPTION_ONCE:
        return settings->once = true;
    case OPTION_INTERVAL:
        return take_time("interval", value, &settings->interval_ns);
    case OPTION_WINDOW:
        return take_time("window", value, &settings->window_ns);
    default:
        return p11prof_common_option(&settings->common, id, value);
    }
}

static void print_json(const struct top_figures *figures)
{
    char at[P11PROF_UTC_BYTES];
    cJSON *document = cJSON_CreateObject();
    p11prof_format_utc(at, figures->all.wall_ns);
    cJSON_AddStringToObject(document, "schema", "p11prof/top/v1");
    cJSON_AddStringToObject(document, "at", at);
    cJSON_AddNumberToObject(document, "window_ns", (double)figures->all.duration_ns);
    cJSON_AddNumberToObject(document, "process_count", (double)figures->all.process_count);
    cJSON_AddNumberToObject(document, "calls_per_s", figures->all.calls_per_s);
    cJSON_AddNumberToObject(document, "errors_per_s", figures->all.errors_per_s);
    cJSON_AddNumberToObject(document, "in_flight_count", (double)figures->all.in_flight_count);
    if (figures->all.in_flight_count > 0)
        cJSON_AddNumberToObject(document, "oldest_ns", (double)figures->all.oldest_ns);
    else
        cJSON_AddNullToObject(document, "oldest_ns");
    cJSON_AddNumberToObject(document, "lost_count", (double)figures->all.lost_count);
    cJSON_AddItemToObject(document, "functions", p11prof_json_rows(&figures->functions));
    cJSON_AddItemToObject(document, "processes", p11prof_json_rows(&figures->processes));
    char *text = cJSON_Print(document);
    puts(text ? text : "null");
    cJSON_free(text);
    cJSON_Delete(document);
}

static void print_page(struct top_figures *figures, enum p11prof_format format)
{
    size_t width = p11prof_terminal_width(stdout);
    if (format == P11PROF_FORMAT_MARKDOWN) {
        p11prof_write_table(stdout, &figures->functions, format);
        putchar('\n');
        p11prof_write_table(stdout, &figures->processes, format);
        return;
    }
    top_lines_head(stdout, figures);
    putchar('\n');
    top_lines_table(stdout, figures, TOP_PAGE_FUNCTIONS, &top_sorts[0], width);
    putchar('\n');
    top_lines_table(stdout, figures, TOP_PAGE_PROCESSES, &top_sorts[1], width);
}

static void wait_for(uint64_t ns)
{
    struct timespec time = {(time_t)(ns / 1000000000), (long)(ns % 1000000000)};
    while (nanosleep(&time, &time) != 0)
        ;
}

static int print_once(struct top_watch *watch, enum p11prof_format format)
{
    struct p11prof_error error;
    struct top_figures figures = {.all = {.wall_ns = 0}};
    if (top_watch_refresh(watch, &error) != P11PROF_OK)
        return p11prof_complain_of(&error);
    wait_for(watch->window_ns);
    if (top_watch_refresh(watch, &error) != P11PROF_OK)
        return p11prof_complain_of(&error);
    top_watch_figures(watch, NULL, &figures);
    p11prof_table_sort(&figures.functions, "busy");
    if (format == P11PROF_FORMAT_JSON)
        print_json(&figures);
    else if (format == P11PROF_FORMAT_CSV)
        p11prof_write_table(stdout, &figures.functions, format);
    else
        print_page(&figures, format);
    top_figures_clear(&figures);
    return P11PROF_EXIT_DONE;
}

/* RUNs are looked up once: later ones of the same name are others. */
static int read_runs(struct p11prof_run_set *out, struct sqlite3 *db, char **words, int count)
{
    struct p11prof_error error = {.status = P11PROF_OK};
    for (int i = 0; i < count && error.status == P11PROF_OK; i++)
        error.status = p11prof_run_set_add(db, words[i], out, &error);
    return error.status == P11PROF_OK ? P11PROF_EXIT_DONE : p11prof_complain_of(&error);
}

int p11prof_command_top(int argc, char **argv)
{
    struct settings settings = {.common = {.format = P11PROF_FORMAT_TEXT},
                                .interval_ns = 1000000000,
                                .window_ns = 5000000000};
    struct p11prof_database database;
    int first, code;
    if (!p11prof_options_read(&usage, argc, argv, take_option, &settings, &first, &code))
        return code;
    if (!settings.once && !(isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))) {
        p11prof_complain(0, "top wants a terminal; --once prints once");
        return p11prof_usage_hint(&usage);
    }
    code = p11prof_database_open(&database, &settings.common.database);
    if (code != P11PROF_EXIT_DONE)
        return code;
    struct p11prof_run_set runs = {.run_ids = NULL};
    code = read_runs(&runs, p11prof_store_sqlite(database.store), argv + first, argc - first);
    struct top_watch watch = {.database = &database,
                              .window_ns = settings.window_ns,
                              .run_ids = runs.run_ids,
                              .run_count = runs.run_count,
                              .no_collect = settings.common.database.no_collect};
    if (code == P11PROF_EXIT_DONE)
        code = settings.once ? print_once(&watch, settings.common.format)
                             : top_screen_run(&watch, settings.interval_ns);
    top_watch_clear(&watch);
    p11prof_run_set_clear(&runs);
    p11prof_database_close(&database);
    return code;
}
