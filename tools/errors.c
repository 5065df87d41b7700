/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* p11prof errors: what did not return CKR_OK, and what that says. */
#include "commands.h"
#include "common_options.h"
#include "message.h"
#include "report/allocate.h"
#include "report/failures.h"
#include "run_select.h"
#include "select_options.h"

#include <stdlib.h>
#include <string.h>

enum { OPTION_BY = 'b' };

static const struct p11prof_option options[] = {
    {"by", OPTION_BY, "COLUMNS", "by these too, besides function and result"},
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
    .notes =
        "RUN is its number, last, last~N or its name; without one it is last.\n\n"
        "Failures are of the application (a wrong use), the token (device, memory, sessions),\n"
        "authentication (PIN, login) or a vendor's own. What is part of normal use stands apart:\n"
        "answers such as CKR_BUFFER_TOO_SMALL or a signature that is not valid. Results of\n"
        "decryptions whose outcome would help an attacker are not kept: \"undisclosed\".\n\n"
        "SHARE is of the calls of that function (with --by: of those alike). MEAN to MAX are of\n"
        "the failing calls. Without rows (record = summary, or pruned) there are no percentiles\n"
        "and times, and only --function and --rv filter.\n"
        "--by takes mechanism, session, thread, process, program, caller, key, slot, hour and the\n"
        "other words of `p11prof report --by`.\n\n" P11PROF_NOTES_SELECT "\n"
        "  p11prof errors\n"
        "  p11prof errors nightly --by caller --rv 'CKR_DEVICE*'\n"
        "  p11prof errors 12 --format csv > errors.csv",
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

struct print {
    const struct settings *settings;
    struct sqlite3 *db;
    struct p11prof_page page;     /* text and Markdown */
    struct p11prof_writer writer; /* CSV and JSON */
};

static bool is_page(const struct print *print)
{
    return print->settings->common.format == P11PROF_FORMAT_TEXT ||
           print->settings->common.format == P11PROF_FORMAT_MARKDOWN;
}

static void say_what_is_missing(const struct p11prof_failures *failures, int64_t run_id)
{
    if (failures->lost_count > 0)
        p11prof_note("%llu calls of run %lld were lost: whether they failed is not known",
                     (unsigned long long)failures->lost_count, (long long)run_id);
    if (failures->missing_count > 0)
        p11prof_note("%llu calls of run %lld are not kept one by one any more and are not here",
                     (unsigned long long)failures->missing_count, (long long)run_id);
}

/* last: nothing follows. */
static enum p11prof_status print_run(struct print *print, int64_t run_id, bool last,
                                     struct p11prof_error *error)
{
    const struct p11prof_failure_options *failure_options = &print->settings->failures;
    struct p11prof_failures failures = {.call_count = 0};
    enum p11prof_status status =
        p11prof_failures_load(&failures, print->db, run_id, failure_options, error);
    if (status == P11PROF_OK && is_page(print))
        status = p11prof_failures_page(&print->page, &failures, print->db, run_id, failure_options,
                                       error);
    else if (status == P11PROF_OK)
        p11prof_writer_rows(&print->writer, &failures.rows);
    if (status == P11PROF_OK && last && !is_page(print))
        p11prof_writer_end(&print->writer, &failures.rows);
    if (status == P11PROF_OK)
        say_what_is_missing(&failures, run_id);
    p11prof_failures_clear(&failures);
    return status;
}

static enum p11prof_status print_runs(struct print *print, const int64_t *run_ids, size_t count,
                                      struct p11prof_error *error)
{
    enum p11prof_status status = P11PROF_OK;
    bool json = print->settings->common.format == P11PROF_FORMAT_JSON;
    if (json)
        fputs("{\"schema\":\"p11prof/export/v1\",\"errors\":", stdout);
    for (size_t i = 0; i < count && status == P11PROF_OK; i++)
        status = print_run(print, run_ids[i], i + 1 == count, error);
    if (json)
        fputs("}\n", stdout);
    return status;
}

static int print_all(const struct settings *settings, struct sqlite3 *db, char **runs, size_t count)
{
    struct print print = {.settings = settings,
                          .db = db,
                          .page = {.stream = stdout, .format = settings->common.format},
                          .writer = {.stream = stdout, .format = settings->common.format}};
    struct p11prof_error error;
    int64_t *run_ids = p11prof_zalloc(count, sizeof *run_ids);
    enum p11prof_status status = P11PROF_OK;
    for (size_t i = 0; i < count && status == P11PROF_OK; i++)
        status = p11prof_run_select(db, runs[i], &run_ids[i], &error);
    if (status == P11PROF_OK)
        status = print_runs(&print, run_ids, count, &error);
    free(run_ids);
    return status == P11PROF_OK ? P11PROF_EXIT_DONE : p11prof_complain_of(&error);
}

int p11prof_command_errors(int argc, char **argv)
{
    struct settings settings = {.common = {.format = P11PROF_FORMAT_TEXT}};
    struct p11prof_database database;
    char *last[] = {(char[]){"last"}};
    int first, code;
    if (!p11prof_options_read(&usage, argc, argv, take_option, &settings, &first, &code))
        return code;
    code = p11prof_database_open(&database, &settings.common.database);
    if (code != P11PROF_EXIT_DONE)
        return code;
    bool named = first < argc;
    code = print_all(&settings, p11prof_store_sqlite(database.store), named ? argv + first : last,
                     named ? (size_t)(argc - first) : 1);
    p11prof_database_close(&database);
    return code;
}
