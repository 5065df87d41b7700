/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* p11prof prune: makes a database smaller without forgetting what happened. */
#include "retention/prune.h"
#include "commands.h"
#include "common_options.h"
#include "message.h"
#include "report/moments.h"
#include "report/progress.h"
#include "report/units.h"
#include "retention/space.h"
#include "run_select.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    OPTION_CALLS = 'c',
    OPTION_WINDOWS = 'w',
    OPTION_RUN = 'r',
    OPTION_DRY_RUN = 'y',
    OPTION_VACUUM = 'v'
};

static const struct p11prof_option options[] = {
    {"calls-older-than", OPTION_CALLS, "AGE", "remove the rows of older calls; all counts stay"},
    {"windows-older-than", OPTION_WINDOWS, "AGE",
     "merge older windows of time into hours, 10 times older ones into days"},
    {"run", OPTION_RUN, "RUN", "only of this run", P11PROF_VALUE_RUN},
    {"dry-run", OPTION_DRY_RUN, NULL, "change nothing, say what would be done"},
    {"vacuum", OPTION_VACUUM, NULL, "give the bytes that got free back to the file system"},
    P11PROF_OPTION_DB,
    {.name = NULL},
};

static const struct p11prof_usage usage = {
    .command = "prune",
    .arguments = "",
    .summary = "Removes the rows of old calls and merges old windows of time.",
    .options = options,
    .notes = "  p11prof prune --calls-older-than 7d --windows-older-than 90d\n"
             "  p11prof prune --calls-older-than 12h --run nightly --dry-run",
};

struct settings {
    struct p11prof_common_options common;
    bool calls, windows, dry_run, vacuum;
    uint64_t calls_age_ns, windows_age_ns;
    const char *run;
};

/* A bare number would be seconds: too easily meant as days. */
static bool take_age(const char *option, const char *value, uint64_t *out_ns)
{
    size_t length = strlen(value);
    if (length > 1 && strchr("mhdw", value[length - 1]) && p11prof_read_duration(value, out_ns))
        return true;
    p11prof_complain(0, "--%s wants an age such as 30m, 12h, 7d or 2w, not '%s'", option, value);
    return false;
}

static bool take_option(void *payload, int id, const char *value)
{
    struct settings *settings = payload;
    switch (id) {
    case OPTION_CALLS:
        settings->calls = true;
        return take_age("calls-older-than", value, &settings->calls_age_ns);
    case OPTION_WINDOWS:
        settings->windows = true;
        return take_age("windows-older-than", value, &settings->windows_age_ns);
    case OPTION_RUN:
        settings->run = value;
        return true;
    case OPTION_DRY_RUN:
        settings->dry_run = true;
        return true;
    case OPTION_VACUUM:
        settings->vacuum = true;
        return true;
    default:
        return p11prof_common_option(&settings->common, id, value);
    }
}

static bool check_usage(const struct settings *settings, int argc, int first, char **argv)
{
    if (first < argc)
        p11prof_complain(0, "prune takes no arguments, not '%s': a run is named with --run",
                         argv[first]);
    else if (!settings->calls && !settings->windows && !settings->vacuum)
        p11prof_complain(0, "prune wants --calls-older-than, --windows-older-than or --vacuum");
    else if (settings->vacuum && settings->dry_run)
        p11prof_complain(0, "--vacuum has no --dry-run");
    else
        return true;
    return false;
}

/* The run of --run; 0: all. */
static enum p11prof_status select_run(const struct settings *settings, struct p11prof_store *store,
                                      int64_t *run_id, struct p11prof_error *error)
{
    char *baseline;
    *run_id = 0;
    if (!settings->run)
        return P11PROF_OK;
    if (p11prof_run_select(p11prof_store_sqlite(store), settings->run, run_id, error) !=
            P11PROF_OK ||
        p11prof_baseline_of(store, *run_id, &baseline, error) != P11PROF_OK)
        return error->status;
    p11prof_note_newest(p11prof_store_sqlite(store), settings->run, *run_id);
    if (baseline)
        p11prof_error_set(error, P11PROF_BAD_INPUT,
                          "run %" PRId64 " is in the baseline '%.200s': it is never pruned",
                          *run_id, baseline);
    free(baseline);
    return baseline ? P11PROF_BAD_INPUT : P11PROF_OK;
}

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static enum p11prof_status prune(const struct settings *settings, struct p11prof_store *store,
                                 struct p11prof_prune_result *result, struct p11prof_error *error)
{
    struct p11prof_prune prune = {.store = store, .now_ns = now_ns(), .dry_run = settings->dry_run};
    struct p11prof_progress progress;
    enum p11prof_status status = select_run(settings, store, &prune.run_id, error);
    p11prof_progress_begin(&progress, p11prof_store_sqlite(store), "pruning");
    if (status == P11PROF_OK && settings->calls) {
        prune.age_ns = settings->calls_age_ns;
        status = p11prof_prune_calls(&prune, result, error);
    }
    if (status == P11PROF_OK && settings->windows) {
        prune.age_ns = settings->windows_age_ns;
        status = p11prof_prune_windows(&prune, result, error);
    }
    p11prof_progress_end(&progress);
    return status;
}

static void say_result(const struct settings *settings, const struct p11prof_prune_result *result)
{
    const char *done = settings->dry_run ? "would be " : "";
    if (settings->calls)
        p11prof_note("%" PRIu64 " rows of calls of %" PRIu64 " runs %sremoved", result->call_count,
                     result->call_run_count, done);
    if (settings->windows)
        p11prof_note("%" PRIu64 " windows %smerged into %" PRIu64, result->window_count, done,
                     result->into_window_count);
}

static int vacuum(const char *path)
{
    struct p11prof_error error;
    uint64_t freed_bytes;
    char text[P11PROF_UNIT_TEXT_BYTES];
    if (p11prof_vacuum(path, &freed_bytes, &error) != P11PROF_OK)
        return p11prof_complain_of(&error);
    p11prof_format_bytes(text, freed_bytes);
    p11prof_note("%s given back to the file system", text);
    return P11PROF_EXIT_DONE;
}

static int prune_and_say(const struct settings *settings, struct p11prof_database *database)
{
    struct p11prof_prune_result result = {.call_count = 0};
    struct p11prof_error error;
    char text[P11PROF_UNIT_TEXT_BYTES];
    uint64_t before_bytes = p11prof_free_bytes(database->store);
    enum p11prof_status status = prune(settings, database->store, &result, &error);
    uint64_t after_bytes = p11prof_free_bytes(database->store);
    say_result(settings, &result);
    if (status != P11PROF_OK)
        return p11prof_complain_of(&error);
    p11prof_format_bytes(text, after_bytes > before_bytes ? after_bytes - before_bytes : 0);
    if (!settings->dry_run)
        p11prof_note("%s freed in the database%s", text,
                     settings->vacuum ? "" : ", for new rows; --vacuum gives them back");
    return P11PROF_EXIT_DONE;
}

int p11prof_command_prune(int argc, char **argv)
{
    struct settings settings = {.common.database.no_collect = true};
    struct p11prof_database database;
    int first, code;
    if (!p11prof_options_read(&usage, argc, argv, take_option, &settings, &first, &code))
        return code;
    if (!check_usage(&settings, argc, first, argv))
        return p11prof_usage_hint(&usage);
    code = (settings.dry_run ? p11prof_database_open : p11prof_database_open_to_change)(
        &database, &settings.common.database);
    if (code != P11PROF_EXIT_DONE)
        return code;
    if (settings.calls || settings.windows)
        code = prune_and_say(&settings, &database);
    p11prof_database_close(&database);
    return code == P11PROF_EXIT_DONE && settings.vacuum ? vacuum(database.path) : code;
}
