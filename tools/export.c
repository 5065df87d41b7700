/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* p11prof export: runs for other programs. */
#include "calls_note.h"
#include "commands.h"
#include "common_options.h"
#include "insight/folded.h"
#include "message.h"
#include "named_runs.h"
#include "output_file.h"
#include "report/call_print.h"
#include "report/hint_database.h"
#include "report/html.h"
#include "report/imported.h"
#include "report/metrics.h"
#include "report/nearest.h"
#include "report/run_report.h"
#include "report/trace.h"
#include "run_select.h"
#include "select_options.h"

#include <inttypes.h>
#include <string.h>

enum {
    OPTION_OUTPUT = 'o',
    OPTION_LIMIT = 'l',
    OPTION_CALLS = 'c',
    OPTION_NO_HSM_GAUGES = 'g',
    OPTION_REDACT = 'r'
};
enum { STREAM_BYTES = 256 * 1024 };

static const struct p11prof_option options[] = {
    {"format", P11PROF_OPTION_ID_FORMAT, "FORMAT",
     "json (default), csv, html, prometheus, trace or folded", P11PROF_VALUE_WORDS,
     "json csv html prometheus trace folded"},
    {"output", OPTION_OUTPUT, "FILE", "replaced in one step (default: stdout)", P11PROF_VALUE_FILE},
    {"limit", OPTION_LIMIT, "N", "trace: at most N calls of a run (default: 200000)"},
    {"calls", OPTION_CALLS, NULL, "csv: every call of a run instead"},
    {"no-hsm-gauges", OPTION_NO_HSM_GAUGES, NULL,
     "prometheus: without hsm_ops_per_sec and hsm_latency_p99_ms"},
    {"redact", OPTION_REDACT, NULL,
     "json, csv, html, folded: without names of hosts, users and programs"},
    P11PROF_OPTIONS_SELECT,
    P11PROF_OPTION_DB,
    P11PROF_OPTION_NO_COLLECT,
    {.name = NULL},
};

static const struct p11prof_usage usage = {
    .command = "export",
    .arguments = "[RUN...]",
    .summary = "Writes runs for other programs.",
    .options = options,
    .notes = "  p11prof export last --output run.json\n"
             "  p11prof export last --format html --output run.html\n"
             "  p11prof export last --format csv --calls --output calls.csv\n"
             "  p11prof export --format trace --since 10s --output calls.trace.json\n"
             "  p11prof export --format folded | flamegraph.pl --countname ns > calls.svg",
    .kind = P11PROF_VALUE_RUN,
};

enum format {
    FORMAT_JSON,
    FORMAT_CSV,
    FORMAT_HTML,
    FORMAT_PROMETHEUS,
    FORMAT_TRACE,
    FORMAT_FOLDED,
    FORMATS
};
static const char *const format_names[FORMATS] = {"json",       "csv",   "html",
                                                  "prometheus", "trace", "folded"};

struct settings {
    struct p11prof_common_options common;
    struct p11prof_selection selection;
    enum format format;
    const char *output;
    uint64_t limit;
    bool limited, calls, no_hsm_gauges, redact;
};

static bool take_format(struct settings *settings, const char *value)
{
    size_t format = 0;
    while (format < FORMATS && strcmp(format_names[format], value) != 0)
        format++;
    settings->format = (enum format)format;
    return format < FORMATS;
}

static bool take_limit(struct settings *settings, const char *value)
{
    if (!p11prof_option_number("limit", value, UINT32_MAX, &settings->limit))
        return false;
    if (settings->limit == 0)
        p11prof_complain(0, "--limit 0 shows nothing: it wants 1 or more");
    return settings->limit > 0;
}

static bool take_option(void *payload, int id, const char *value)
{
    struct settings *settings = payload;
    if (p11prof_is_select_option(id))
        return p11prof_select_option(&settings->selection, id, value);
    switch (id) {
    case P11PROF_OPTION_ID_FORMAT:
        return take_format(settings, value);
    case OPTION_OUTPUT:
        settings->output = value;
        return true;
    case OPTION_LIMIT:
        return settings->limited = take_limit(settings, value);
    case OPTION_CALLS:
        return settings->calls = true;
    case OPTION_NO_HSM_GAUGES:
        return settings->no_hsm_gauges = true;
    case OPTION_REDACT:
        return settings->redact = true;
    default:
        return p11prof_common_option(&settings->common, id, value);
    }
}

/* Whether it is of the same as `p11prof report`. */
static bool is_report(const struct settings *settings)
{
    return settings->format == FORMAT_JSON || settings->format == FORMAT_HTML ||
           (settings->format == FORMAT_CSV && !settings->calls);
}

static enum p11prof_status write_report(FILE *stream, const struct settings *settings,
                                        struct sqlite3 *db, const struct p11prof_run_set *sets,
                                        size_t count, struct p11prof_error *error)
{
    const struct p11prof_report_options report = {.selection = settings->selection,
                                                  .redact = settings->redact,
                                                  .insights_full = settings->format == FORMAT_HTML};
    if (settings->format == FORMAT_HTML)
        return p11prof_html_write(stream, db, sets, count, &report, error);
    return p11prof_report_run(
        stream, db, sets, count,
        settings->format == FORMAT_JSON ? P11PROF_FORMAT_JSON : P11PROF_FORMAT_CSV, &report, error);
}

static enum p11prof_status write_trace(FILE *stream, const struct settings *settings,
                                       struct sqlite3 *db, const struct p11prof_run_set *runs,
                                       struct p11prof_error *error)
{
    struct p11prof_trace trace = {.selection = &settings->selection, .limit = settings->limit};
    enum p11prof_status status = p11prof_trace_write(stream, db, runs, &trace, error);
    char untimed[P11PROF_UNTIMED_BYTES];
    bool first = runs->run_count == 1 && p11prof_run_is_untimed(db, runs->run_ids[0], untimed);
    if (status == P11PROF_OK && trace.written_count < trace.selected_count)
        p11prof_note("%" PRIu64 " of %" PRIu64 " calls, %s: --since and --until choose others, "
                     "--limit more",
                     trace.written_count, trace.selected_count,
                     first ? "the first" : "those around the slowest");
    return status;
}

static enum p11prof_status write_calls(FILE *stream, const struct settings *settings,
                                       struct sqlite3 *db, const struct p11prof_run_set *runs,
                                       struct p11prof_error *error)
{
    const struct p11prof_call_options all = {.show = P11PROF_SHOW_ALL,
                                             .selection = settings->selection};
    struct p11prof_call_notes notes = {.lost_count = 0};
    if (runs->run_count != 1)
        return p11prof_error_set(error, P11PROF_BAD_INPUT, "--calls takes one run");
    setvbuf(stream, NULL, _IOFBF, STREAM_BYTES);
    enum p11prof_status status =
        p11prof_call_print(stream, db, runs->run_ids[0], P11PROF_FORMAT_CSV, &all, &notes, error);
    if (status == P11PROF_OK)
        calls_note_missing(&notes, runs->run_ids[0]);
    return status;
}

static enum p11prof_status write_runs(FILE *stream, const struct settings *settings,
                                      const struct p11prof_named_runs *named,
                                      struct p11prof_error *error)
{
    enum p11prof_status status;
    struct sqlite3 *db = named->db;
    if (is_report(settings))
        return write_report(stream, settings, db, named->sets, named->count, error);
    if (settings->format == FORMAT_PROMETHEUS && named->row.name)
        return p11prof_error_set(error, P11PROF_BAD_INPUT,
                                 "--format prometheus is of whole runs: it takes no row '%.100s'",
                                 named->row.name);
    struct p11prof_run_set runs = p11prof_named_runs_join(named);
    if (settings->format == FORMAT_TRACE)
        status = write_trace(stream, settings, db, &runs, error);
    else if (settings->format == FORMAT_FOLDED)
        status =
            p11prof_folded_write(stream, db, &runs, &settings->selection, settings->redact, error);
    else if (settings->calls)
        status = write_calls(stream, settings, db, &runs, error);
    else
        status = p11prof_metrics_write(stream, db, runs.run_ids, runs.run_count,
                                       !settings->no_hsm_gauges, error);
    p11prof_run_set_clear(&runs);
    return status;
}

static int export_runs(const struct settings *settings, const struct p11prof_named_runs *named)
{
    struct p11prof_error error;
    struct output_file file;
    int code = output_file_open(&file, settings->output);
    if (code != P11PROF_EXIT_DONE)
        return code;
    if (write_runs(file.stream, settings, named, &error) == P11PROF_OK)
        return output_file_close(&file);
    output_file_discard(&file);
    return p11prof_complain_of(&error);
}

/* Options that would change nothing. */
static bool check(const struct settings *settings)
{
    if (settings->calls && settings->format != FORMAT_CSV)
        p11prof_complain(0, "--calls goes with --format csv");
    else if (settings->no_hsm_gauges && settings->format != FORMAT_PROMETHEUS)
        p11prof_complain(0, "--no-hsm-gauges goes with --format prometheus");
    else if (settings->limited && settings->format != FORMAT_TRACE)
        p11prof_complain(0, "--limit goes with --format trace");
    else if (settings->redact && !is_report(settings) && settings->format != FORMAT_FOLDED)
        p11prof_complain(0, "--redact goes with --format json, csv (without --calls), html or "
                            "folded");
    else if (settings->format == FORMAT_PROMETHEUS &&
             !p11prof_selection_is_all(&settings->selection))
        p11prof_complain(0, "--format prometheus is of whole runs: it takes no filters");
    else
        return true;
    return false;
}

int p11prof_command_export(int argc, char **argv)
{
    struct settings settings = {.limit = P11PROF_TRACE_CALLS};
    struct p11prof_named_runs runs;
    int first, code;
    if (!p11prof_options_read(&usage, argc, argv, take_option, &settings, &first, &code))
        return code;
    if (!check(&settings))
        return p11prof_usage_hint(&usage);
    code = p11prof_named_runs_open(&runs, &settings.common.database, argv + first, argc - first,
                                   &settings.selection);
    p11prof_hint_database_set(NULL);
    if (code == P11PROF_EXIT_DONE)
        code = export_runs(&settings, &runs);
    p11prof_named_runs_close(&runs);
    return code;
}
