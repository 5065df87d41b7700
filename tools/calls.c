/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* p11prof calls: single calls of a run. */
#include "calls_note.h"
#include "commands.h"
#include "common_options.h"
#include "message.h"
#include "report/call_print.h"
#include "run_row.h"
#include "select_options.h"
#include "untimed_note.h"

#include <stdlib.h>
#include <string.h>

enum {
    OPTION_SLOWEST = 's',
    OPTION_FAILED = 'x',
    OPTION_LAST = 'l',
    OPTION_AROUND = 'a',
    OPTION_ALL = 'A',
    OPTION_BEFORE = 'b',
    OPTION_AFTER = 'B',
    OPTION_ALL_THREADS = 't',
    OPTION_COLUMNS = 'c',
};

enum { COUNT_DEFAULT = 20, COUNT_MAX = 1000000, NEIGHBOURS = 5, STREAM_BYTES = 256 * 1024 };

static const struct p11prof_option options[] = {
    {"slowest", OPTION_SLOWEST, "N", "the N slowest calls (default: 20)"},
    {"failed", OPTION_FAILED, "[N]", "the N newest calls that failed, newest first (20)"},
    {"last", OPTION_LAST, "N", "the N newest calls"},
    {"around", OPTION_AROUND, "MOMENT", "what a thread did before and after that"},
    {"before", OPTION_BEFORE, "N", "how many calls before it (5)"},
    {"after", OPTION_AFTER, "N", "how many calls after it (5)"},
    {"all-threads", OPTION_ALL_THREADS, NULL, "and what other threads had in flight then"},
    {"all", OPTION_ALL, NULL, "every call, in the order in which they were recorded"},
    {"columns", OPTION_COLUMNS, "COLUMN,…", "only these, in this order", P11PROF_VALUE_CALL_COLUMN},
    P11PROF_OPTIONS_SELECT,
    P11PROF_OPTION_FORMAT,
    P11PROF_OPTION_DB,
    P11PROF_OPTION_NO_COLLECT,
    {.name = NULL},
};

static const struct p11prof_usage usage = {
    .command = "calls",
    .arguments = "[RUN]",
    .summary = "Shows single calls of a run: the slowest, the failed, those around a moment.",
    .options = options,
    .notes = "  p11prof calls --function C_Sign --slowest 10\n"
             "  p11prof calls nightly --failed\n"
             "  p11prof calls --around slowest --all-threads\n"
             "  p11prof calls 12 --all --format csv > calls.csv",
    .kind = P11PROF_VALUE_RUN,
};

struct settings {
    struct p11prof_common_options common;
    struct p11prof_call_options calls;
    const char *mode;         /* the option that says what is shown; NULL: none yet */
    const char *needs_around; /* the last option that only --around has; NULL: none */
};

static bool take_count(const char *option, const char *value, uint64_t least, uint64_t *out)
{
    if (!p11prof_option_number(option, value, COUNT_MAX, out))
        return false;
    if (*out >= least)
        return true;
    p11prof_complain(0, "--%s 0 shows nothing: it wants 1 or more", option);
    return false;
}

static bool take_mode(struct settings *settings, const char *option, enum p11prof_call_show show,
                      const char *value)
{
    if (settings->mode && strcmp(settings->mode, option) != 0) {
        p11prof_complain(0, "--%s and --%s are different questions: ask one", settings->mode,
                         option);
        return false;
    }
    settings->mode = option;
    settings->calls.show = show;
    return !value || take_count(option, value, 1, &settings->calls.count);
}

static bool take_around(struct settings *settings, const char *value)
{
    if (!take_mode(settings, "around", P11PROF_SHOW_AROUND, NULL))
        return false;
    if (p11prof_call_anchor_read(value, &settings->calls.anchor))
        return true;
    p11prof_complain(0,
                     "--around wants a time since the run's start (12.5s), UTC "
                     "(2026-11-24T10:15:30), call:ID or slowest, not '%s'",
                     value);
    return false;
}

static bool take_columns(struct settings *settings, const char *value)
{
    const char *nearest;
    const char *wrong = p11prof_call_columns_read(&settings->calls.columns, value, &nearest);
    if (!wrong)
        return true;
    char *list = p11prof_call_columns_list();
    if (nearest)
        p11prof_complain(0, "--columns has no '%s': did you mean '%s'?", wrong, nearest);
    else
        p11prof_complain(0, "--columns has no '%s'; there are %s", wrong, list);
    free(list);
    return false;
}

static bool take_neighbours(struct settings *settings, int id, const char *value)
{
    static const struct {
        int id;
        const char *name;
    } names[] = {{OPTION_BEFORE, "before"}, {OPTION_AFTER, "after"}};
    bool after = id == OPTION_AFTER;
    settings->needs_around = names[after].name;
    return take_count(names[after].name, value, 0,
                      after ? &settings->calls.after : &settings->calls.before);
}

static bool take_option(void *payload, int id, const char *value)
{
    struct settings *settings = payload;
    if (p11prof_is_select_option(id))
        return p11prof_select_option(&settings->calls.selection, id, value);
    switch (id) {
    case OPTION_SLOWEST:
        return take_mode(settings, "slowest", P11PROF_SHOW_SLOWEST, value);
    case OPTION_FAILED:
        return take_mode(settings, "failed", P11PROF_SHOW_FAILED, value);
    case OPTION_LAST:
        return take_mode(settings, "last", P11PROF_SHOW_NEWEST, value);
    case OPTION_ALL:
        return take_mode(settings, "all", P11PROF_SHOW_ALL, NULL);
    case OPTION_AROUND:
        return take_around(settings, value);
    case OPTION_BEFORE:
    case OPTION_AFTER:
        return take_neighbours(settings, id, value);
    case OPTION_ALL_THREADS:
        settings->needs_around = "all-threads";
        return settings->calls.all_threads = true;
    case OPTION_COLUMNS:
        return take_columns(settings, value);
    default:
        return p11prof_common_option(&settings->common, id, value);
    }
}

static bool check(const struct settings *settings, int argument_count)
{
    if (settings->needs_around && settings->calls.show != P11PROF_SHOW_AROUND)
        p11prof_complain(0, "--%s goes with --around", settings->needs_around);
    else if (argument_count > 1)
        p11prof_complain(0, "calls takes one run");
    else
        return true;
    return false;
}

static int print(struct settings *settings, struct sqlite3 *db, const char *run)
{
    struct p11prof_error error;
    struct p11prof_run_row row;
    struct p11prof_call_notes notes = {.lost_count = 0};
    int64_t run_id;
    if (settings->calls.show == P11PROF_SHOW_ALL)
        setvbuf(stdout, NULL, _IOFBF, STREAM_BYTES);
    enum p11prof_status status =
        p11prof_run_row_select_one(db, run, &run_id, &row, &settings->calls.selection, &error);
    if (status == P11PROF_OK)
        status = p11prof_call_print(stdout, db, run_id, settings->common.format, &settings->calls,
                                    &notes, &error);
    p11prof_run_row_clear(&row);
    if (status != P11PROF_OK)
        return p11prof_complain_of(&error);
    calls_note_missing(&notes, run_id);
    p11prof_note_untimed(db, &run_id, 1);
    return P11PROF_EXIT_DONE;
}

int p11prof_command_calls(int argc, char **argv)
{
    struct settings settings = {.common = {.format = P11PROF_FORMAT_TEXT},
                                .calls = {.show = P11PROF_SHOW_SLOWEST,
                                          .count = COUNT_DEFAULT,
                                          .before = NEIGHBOURS,
                                          .after = NEIGHBOURS}};
    struct p11prof_database database;
    int first, code;
    if (!p11prof_options_read(&usage, argc, argv, take_option, &settings, &first, &code))
        return code;
    if (!check(&settings, argc - first))
        return p11prof_usage_hint(&usage);
    code = p11prof_database_open(&database, &settings.common.database);
    if (code != P11PROF_EXIT_DONE)
        return code;
    code =
        print(&settings, p11prof_store_sqlite(database.store), first < argc ? argv[first] : "last");
    p11prof_database_close(&database);
    return code;
}
