/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* p11prof errors: what did not return CKR_OK, and what that says. */
#include "commands.h"
#include "common_options.h"
#include "message.h"
#include "named_runs.h"
#include "report/allocate.h"
#include "report/failures.h"
#include "run_select.h"
#include "select_options.h"

#include <stdlib.h>
#include <string.h>

enum { OPTION_BY = 'b' };

static const struct p11prof_option options[] = {
    {"by", OPTION_BY, "COLUMN,…", "by these too, besides function and result",
     P11PROF_VALUE_DIMENSION},
    P11PROF_OPTIONS_SELECT,
    P11PROF_OPTION_FORMAT,
    P11PROF_OPTION_DB,
    P11PROF_OPTION_NO_COLLECT,
    {.name = NULL},
};

static const struct p11prof_usage usage = {
    .command = "errors",
    .arguments = "[RUN...]",
    .summary = "Shows what did not return CKR_OK, how often, when, and what it says.",
    .options = options,
    .notes = "  p11prof errors\n"
             "  p11prof errors nightly --by caller --rv 'CKR_DEVICE*'\n"
             "  p11prof errors 12 --format csv > errors.csv",
    .kind = P11PROF_VALUE_RUN,
};

struct settings {
    struct p11prof_common_options common;
    struct p11prof_failure_options failures;
};

/* The kind is only added to what is read if it is asked for: here nothing is a percentile of all.
 */
static bool take_by(struct p11prof_grouping *by, const char *value)
{
    const char *nearest;
    const char *wrong = p11prof_grouping_read(by, value, &nearest);
    if (wrong && nearest)
        p11prof_complain(0, "--by has no '%s': did you mean '%s'?", wrong, nearest);
    else if (wrong)
        p11prof_complain(0, "--by has no '%s'", wrong);
    else if (by->ids[by->count - 1] == P11PROF_BY_KIND && !strstr(value, "kind"))
        by->count--;
    return !wrong;
}

static bool take_option(void *payload, int id, const char *value)
{
    struct settings *settings = payload;
    if (p11prof_is_select_option(id))
        return p11prof_select_option(&settings->failures.selection, id, value);
    if (id == OPTION_BY)
        return take_by(&settings->failures.by, value);
    return p11prof_common_option(&settings->common, id, value);
}

/* --- what is printed --- */

/* The failures of one run. */
struct run_failures {
    int64_t run_id;
    struct p11prof_failures failures;
};

static void say_what_is_missing(const struct run_failures *run)
{
    if (run->failures.lost_count > 0)
        p11prof_note("%llu calls of run %lld were lost: whether they failed is not known",
                     (unsigned long long)run->failures.lost_count, (long long)run->run_id);
    if (run->failures.missing_count > 0)
        p11prof_note("%llu calls of run %lld are not kept one by one any more and are not here",
                     (unsigned long long)run->failures.missing_count, (long long)run->run_id);
}

static enum p11prof_status print_pages(const struct settings *settings, struct sqlite3 *db,
                                       const struct run_failures *runs, size_t count,
                                       struct p11prof_error *error)
{
    struct p11prof_page page = {.stream = stdout, .format = settings->common.format};
    for (size_t i = 0; i < count; i++)
        if (p11prof_failures_page(&page, &runs[i].failures, db, runs[i].run_id, &settings->failures,
                                  error) != P11PROF_OK)
            return error->status;
    return P11PROF_OK;
}

static void print_rows(enum p11prof_format format, const struct run_failures *runs, size_t count)
{
    struct p11prof_writer writer = {.stream = stdout, .format = format};
    bool json = format == P11PROF_FORMAT_JSON;
    if (json)
        fputs("{\"schema\":\"p11prof/export/v1\",\"errors\":", stdout);
    for (size_t i = 0; i < count; i++)
        p11prof_writer_rows(&writer, &runs[i].failures.rows);
    p11prof_writer_end(&writer, &runs[0].failures.rows);
    if (json)
        fputs("}\n", stdout);
}

/* Nothing is printed before all are read. */
static enum p11prof_status print_runs(const struct settings *settings, struct sqlite3 *db,
                                      struct run_failures *runs, size_t count,
                                      struct p11prof_error *error)
{
    enum p11prof_format format = settings->common.format;
    for (size_t i = 0; i < count; i++)
        if (p11prof_failures_load(&runs[i].failures, db, runs[i].run_id, &settings->failures,
                                  error) != P11PROF_OK)
            return error->status;
    if (format == P11PROF_FORMAT_CSV || format == P11PROF_FORMAT_JSON)
        print_rows(format, runs, count);
    else if (print_pages(settings, db, runs, count, error) != P11PROF_OK)
        return error->status;
    for (size_t i = 0; i < count; i++)
        say_what_is_missing(&runs[i]);
    return P11PROF_OK;
}

/* Each run by itself, also those that are named together. */
static int print(const struct settings *settings, const struct p11prof_named_runs *named)
{
    struct p11prof_error error;
    struct p11prof_run_set all = p11prof_named_runs_join(named);
    struct run_failures *runs = p11prof_zalloc(all.run_count, sizeof *runs);
    for (size_t i = 0; i < all.run_count; i++)
        runs[i].run_id = all.run_ids[i];
    enum p11prof_status status = print_runs(settings, named->db, runs, all.run_count, &error);
    for (size_t i = 0; i < all.run_count; i++)
        p11prof_failures_clear(&runs[i].failures);
    free(runs);
    p11prof_run_set_clear(&all);
    return status == P11PROF_OK ? P11PROF_EXIT_DONE : p11prof_complain_of(&error);
}

int p11prof_command_errors(int argc, char **argv)
{
    struct settings settings = {.common = {.format = P11PROF_FORMAT_TEXT}};
    struct p11prof_named_runs runs;
    int first, code;
    if (!p11prof_options_read(&usage, argc, argv, take_option, &settings, &first, &code))
        return code;
    code = p11prof_named_runs_open(&runs, &settings.common.database, argv + first, argc - first,
                                   &settings.failures.selection);
    if (code == P11PROF_EXIT_DONE)
        code = print(&settings, &runs);
    p11prof_named_runs_close(&runs);
    return code;
}
