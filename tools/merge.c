/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* p11prof merge: several databases into one. */
#include "retention/merge.h"
#include "commands.h"
#include "common_options.h"
#include "database_watch.h"
#include "message.h"

#include <inttypes.h>

static const struct p11prof_option options[] = {
    {"db", P11PROF_OPTION_ID_DB, "INTO",
     "the database to copy into; made if there is none (default: as everywhere)"},
    {.name = NULL},
};

static const struct p11prof_usage usage = {
    .command = "merge",
    .arguments = "OTHER.db...",
    .summary = "Copies the runs of other databases into one.",
    .options = options,
    .notes = "  p11prof merge host-a.db host-b.db --db all.db",
    .kind = P11PROF_VALUE_FILE,
};

static bool take_option(void *payload, int id, const char *value)
{
    return p11prof_common_option(payload, id, value);
}

static void say_left_out(void *payload, const char *text)
{
    (void)payload;
    p11prof_warn("%s", text);
}

/* "3 runs copied, 1 …": only what there was. */
static void say_result(const struct p11prof_merge_result *result)
{
    static const char *const words[P11PROF_MERGE_OUTCOMES] = {
        [P11PROF_MERGE_COPIED] = "copied",
        [P11PROF_MERGE_REPLACED] = "replaced by what became of them",
        [P11PROF_MERGE_ADDED] = "completed by other processes",
        [P11PROF_MERGE_SAME] = "here already",
        [P11PROF_MERGE_OLDER] = "newer here",
        [P11PROF_MERGE_REFUSED] = "left out",
    };
    for (size_t i = 0; i < P11PROF_MERGE_OUTCOMES; i++)
        if (result->run_counts[i] > 0 || i == P11PROF_MERGE_COPIED)
            p11prof_note("%" PRIu64 " runs %s", result->run_counts[i], words[i]);
    if (result->baseline_count > 0)
        p11prof_note("%" PRIu64 " baselines copied", result->baseline_count);
}

static int merge_all(struct p11prof_store *store, char **sources, int count)
{
    struct p11prof_merge_result result = {.baseline_count = 0};
    int code = P11PROF_EXIT_DONE;
    for (int i = 0; i < count; i++) {
        struct p11prof_merge merge = {.store = store, .source = sources[i], .say = say_left_out};
        struct p11prof_error error = {.status = P11PROF_OK};
        if (p11prof_merge(&merge, &result, &error) == P11PROF_OK)
            continue;
        int failed = p11prof_complain_of(&error);
        code = failed > code ? failed : code;
    }
    say_result(&result);
    return code == P11PROF_EXIT_DONE && result.run_counts[P11PROF_MERGE_REFUSED] > 0
               ? P11PROF_EXIT_USAGE
               : code;
}

/* Looks at all of them before one is merged, or a database is made to merge into. */
static int check_sources(char **sources, int count)
{
    for (int i = 0; i < count; i++) {
        struct p11prof_store *source;
        struct p11prof_error error;
        struct p11prof_database_watch *watch = p11prof_database_watch_start(sources[i]);
        enum p11prof_status status =
            p11prof_store_open(&source, sources[i], P11PROF_STORE_READ_ONLY, &error);
        p11prof_database_watch_stop(watch);
        p11prof_store_close(source);
        if (status != P11PROF_OK)
            return p11prof_complain_of(&error);
    }
    return P11PROF_EXIT_DONE;
}

int p11prof_command_merge(int argc, char **argv)
{
    struct p11prof_common_options common = {.format = P11PROF_FORMAT_TEXT};
    struct p11prof_database database;
    struct p11prof_error error;
    int first, code;
    if (!p11prof_options_read(&usage, argc, argv, take_option, &common, &first, &code))
        return code;
    if (first == argc) {
        p11prof_complain(0, "merge wants the path of another database");
        return p11prof_usage_hint(&usage);
    }
    if (!p11prof_database_choose(&database, common.database.path))
        return P11PROF_EXIT_USAGE;
    code = check_sources(argv + first, argc - first);
    if (code != P11PROF_EXIT_DONE)
        return code;
    database.watch = p11prof_database_watch_start(database.path);
    code = p11prof_store_open(&database.store, database.path,
                              P11PROF_STORE_CREATE | P11PROF_STORE_MIGRATE, &error) == P11PROF_OK
               ? merge_all(database.store, argv + first, argc - first)
               : p11prof_complain_of(&error);
    p11prof_database_close(&database);
    return code;
}
