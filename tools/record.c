/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* p11prof record: runs a program with its PKCS#11 module replaced by the shim. */
#include "commands.h"
#include "message.h"
#include "options.h"
#include "record/folder.h"
#include "record/launch.h"
#include "record/leftovers.h"
#include "record/passed.h"
#include "record/recording.h"
#include "record/summary.h"
#include "record/target.h"
#include "record/users.h"
#include "report/hint_database.h"
#include "spool_folder.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DRAIN_MS = 100, OTHERS_MS = 300, MANY_CALLS = 50000 };

struct record {
    struct p11prof_config config; /* as a shim here would see it, with our options on top */
    struct p11prof_modules modules;
    struct p11prof_run_folder folder;
    struct p11prof_recording recording;
    struct p11prof_launch launch;
    char program[PATH_MAX];
    char *options_json;
};

static const struct p11prof_option options[] = {
    {"module", 'm', "REAL", "the module to record; may be given again (default: p11-kit's)",
     P11PROF_VALUE_FILE},
    P11PROF_OPTION_DB,
    {"name", 'n', "NAME", "free text kept with the run"},
    {.name = NULL},
};

static const struct p11prof_usage usage = {
    .command = "record",
    .arguments = "-- CMD [ARGUMENT...]",
    .summary = "Runs CMD and records every call that it and its children make to a PKCS#11 module.",
    .options = options,
    .notes = "  p11prof record -- p11tool --list-all\n"
             "  p11prof record --module /usr/lib/softhsm/libsofthsm2.so -- ssh-keygen -D ...",
    .kind = P11PROF_VALUE_PROGRAM,
};

static bool set_db(struct record *record, const char *value)
{
    char here[P11PROF_PATH_BYTES] = "";
    char *db = record->config.db;
    if (!*value || (value[0] != '/' && !getcwd(here, sizeof here)) ||
        strlen(here) + strlen(value) + 2 > sizeof record->config.db) {
        p11prof_complain(0, "--db '%s' is no usable path", value);
        return false;
    }
    stpcpy(stpcpy(stpcpy(db, here), *here ? "/" : ""), value);
    p11prof_hint_database_set(db);
    return true;
}

static bool take_option(void *payload, int id, const char *value)
{
    struct record *record = payload;
    struct p11prof_error error;
    if (id == 'd')
        return set_db(record, value);
    if (id == 'n') {
        snprintf(record->config.name, sizeof record->config.name, "%s", value);
        return true;
    }
    if (p11prof_modules_add(&record->modules, value, &error) == P11PROF_OK)
        return true;
    p11prof_complain_of(&error);
    return false;
}

/* What the database keeps of how this run was made. Not the command line: it may hold a PIN. */
static char *describe_options(const struct p11prof_modules *modules)
{
    cJSON *object = cJSON_CreateObject(), *paths = cJSON_AddArrayToObject(object, "modules");
    for (unsigned i = 0; i < modules->count; i++)
        cJSON_AddItemToArray(paths, cJSON_CreateString(modules->entries[i].path));
    char *text = cJSON_PrintUnformatted(object);
    cJSON_Delete(object);
    return text;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* A shim without a spool passes calls on and says so where nobody may look. */
static bool can_record(const struct p11prof_config *config)
{
    char folder[P11PROF_PATH_BYTES];
    const char *advice;
    struct p11prof_error error;
    if (p11prof_spool_folder_find(folder, config, &advice, &error) == P11PROF_OK)
        return true;
    p11prof_complain(0, "nothing could be recorded, there is no place for spools: %s; %s",
                     error.text, advice);
    return false;
}

/* Everything that is needed before CMD may start. Returns 0 or an exit code. */
static int prepare(struct record *record, char **argv)
{
    struct p11prof_error error;
    int exit_code = p11prof_target_find(argv[0], record->program, sizeof record->program);
    if (exit_code)
        return exit_code;
    if (!record->config.db[0])
        return p11prof_complain(P11PROF_EXIT_USAGE, "there is no place for a database: use --db");
    if (record->modules.count == 0 &&
        p11prof_modules_add_configured(&record->modules, &error) != P11PROF_OK)
        return p11prof_complain_of(&error);
    if (!can_record(&record->config))
        return P11PROF_EXIT_FAILED;
    p11prof_target_warn(record->program);
    record->options_json = describe_options(&record->modules);
    if (p11prof_run_folder_make(&record->folder, &record->modules, &record->config, &error) !=
            P11PROF_OK ||
        p11prof_recording_start(&record->recording, record->config.db, "profile",
                                record->config.name, base_name(record->program),
                                record->options_json, &error) != P11PROF_OK)
        return p11prof_complain_of(&error);
    record->recording.folder = record->config.spool[0] ? record->config.spool : NULL;
    return 0;
}

static void drain(struct record *record, struct p11prof_collect_result *result)
{
    bool had_problem = record->recording.problem.status != P11PROF_OK;
    p11prof_recording_drain(&record->recording, result);
    if (!had_problem && record->recording.problem.status != P11PROF_OK)
        p11prof_warn("%s (tried again)", record->recording.problem.text);
}

/* Drains until the program has ended; without a pause while it makes many calls. Returns its wait
 * status. */
static int follow_program(struct record *record, pid_t child)
{
    struct p11prof_collect_result result = {.call_count = 0};
    int wait_status = 0, number;
    while (p11prof_watch(child, result.call_count < MANY_CALLS ? DRAIN_MS : 1, &wait_status,
                         &number) != P11PROF_EVENT_ENDED)
        drain(record, &result);
    return wait_status;
}

/* One look at what goes on without the program: a process that has a spool, or may make one. What
 * ended before the look is drained after it. */
static uint64_t drain_others(struct record *record)
{
    struct p11prof_collect_result result;
    uint64_t users = p11prof_run_folder_users(&record->folder);
    drain(record, &result);
    return users > result.live_count ? users : result.live_count;
}

/* Drains until nothing of the run goes on, or somebody ends the waiting. */
static void follow_others(struct record *record)
{
    int wait_status, number = 0;
    uint64_t count = drain_others(record);
    if (count > 0)
        p11prof_note("waiting for %" PRIu64 " other process%s of this run; Ctrl-C ends the waiting",
                     count, count == 1 ? "" : "es");
    while (count > 0 && number == 0) {
        p11prof_watch(0, OTHERS_MS, &wait_status, &number);
        count = drain_others(record);
    }
    if (count > 0)
        p11prof_note("not waiting any longer: 'p11prof collect' takes what %" PRIu64
                     " process%s of this run still record%s",
                     count, count == 1 ? "" : "es", count == 1 ? "s" : "");
}

static void finish(struct record *record, int wait_status)
{
    struct p11prof_recording *recording = &record->recording;
    static struct p11prof_modules passed;
    p11prof_recording_end(recording, WIFSIGNALED(wait_status) ? "interrupted" : "finished");
    p11prof_passed_read(&passed, record->folder.passed, &record->modules);
    if (recording->problem.status != P11PROF_OK)
        p11prof_warn("%s: what was recorded waits in its spool; 'p11prof collect --db %s' takes it",
                     recording->problem.text, recording->db);
    else
        p11prof_summary_print(p11prof_store_sqlite(recording->store), recording->run_id,
                              &record->modules, &passed);
}

/* Returns the exit code; *wait_status is that of the program, if it was started. */
static int run(struct record *record, char **argv, int *wait_status)
{
    int exit_code = prepare(record, argv);
    if (exit_code)
        return exit_code;
    record->launch.argv = argv;
    record->launch.audit = record->folder.audit;
    record->launch.run = record->recording.uuid_text;
    record->launch.db = record->config.db;
    record->launch.name = record->config.name;
    pid_t child = p11prof_launch(&record->launch, &exit_code);
    if (child < 0) {
        p11prof_recording_end(&record->recording, "failed");
        return exit_code;
    }
    *wait_status = follow_program(record, child);
    follow_others(record);
    finish(record, *wait_status);
    return 0;
}

static void clean_up(struct record *record)
{
    p11prof_leftovers_remove(&record->folder);
    p11prof_run_folder_remove(&record->folder);
    p11prof_recording_close(&record->recording);
    cJSON_free(record->options_json);
    p11prof_signals_release(&record->launch);
}

int p11prof_command_record(int argc, char **argv)
{
    static struct record record = {.folder.lock = -1};
    int first, exit_code, wait_status = 0;
    unsetenv("P11PROF_MODULE"); /* the modules are those named here */
    p11prof_config_load(&record.config, NULL);
    if (!p11prof_options_read(&usage, argc, argv, take_option, &record, &first, &exit_code))
        return exit_code;
    if (record.config.warning[0])
        p11prof_warn("%s", record.config.warning);
    if (first >= argc) {
        p11prof_complain(0, "no command: p11prof record [OPTION...] -- CMD [ARGUMENT...]");
        return p11prof_usage_hint(&usage);
    }
    p11prof_signals_hold(&record.launch);
    exit_code = run(&record, argv + first, &wait_status);
    clean_up(&record);
    return exit_code ? exit_code : p11prof_end_as(wait_status);
}
