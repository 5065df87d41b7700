/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* p11prof collect: takes what waits in spools into the database. */
#include "caller_names.h"
#include "commands.h"
#include "common_options.h"
#include "database_watch.h"
#include "intended.h"
#include "message.h"
#include "others.h"
#include "spool_watch.h"

#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    OPTION_FOLLOW = 'F',
    OPTION_ADOPT = 'a',
    OPTION_ALL = 'A',
    OPTION_SPOOL = 's',
    WAIT_MS = 5000,
    PROBLEMS = 256, /* said at most, a round */
    ROUND_MS = 1000,
    LOOK_MS = 2, /* between two looks for spools that begin */
};

static const struct p11prof_option options[] = {
    {"follow", OPTION_FOLLOW, NULL, "go on every second until SIGINT or SIGTERM"},
    {"adopt", OPTION_ADOPT, NULL, "take spools whose first part is in a database that is gone"},
    {"all", OPTION_ALL, NULL, "take spools that are meant for other databases too"},
    {"spool", OPTION_SPOOL, "FOLDER", "look only there (default: all of /dev/shm/p11prof-*)",
     P11PROF_VALUE_FOLDER},
    P11PROF_OPTION_DB,
    {.name = NULL},
};

static const struct p11prof_usage usage = {
    .command = "collect",
    .arguments = "",
    .summary = "Takes what ended or undrained processes left in spools into the database.",
    .options = options,
};

struct settings {
    struct p11prof_common_options common;
    const char *folder;
    bool follow, adopt, all;
};

/* What was said of a round, by its hash. */
struct said {
    uint64_t problems[PROBLEMS];
    size_t count;
};

struct totals {
    uint64_t call_count, spool_count, live_count;
    struct said now, before; /* each problem once, not every second */
    struct p11prof_held_spools *held;
    struct p11prof_others others;
};

/* The store looks at it too: a long write ends at its next row. */
static _Atomic(uint32_t) stopped;
static volatile sig_atomic_t stop_signal;

static void on_signal(int number)
{
    stop_signal = number;
    atomic_store(&stopped, 1);
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static bool take_option(void *payload, int id, const char *value)
{
    struct settings *settings = payload;
    switch (id) {
    case OPTION_FOLLOW:
        settings->follow = true;
        return true;
    case OPTION_ADOPT:
        settings->adopt = true;
        return true;
    case OPTION_ALL:
        settings->all = true;
        return true;
    case OPTION_SPOOL:
        settings->folder = value;
        return true;
    default:
        return p11prof_common_option(&settings->common, id, value);
    }
}

static bool was_said(const struct said *said, uint64_t problem)
{
    for (size_t i = 0; i < said->count; i++)
        if (said->problems[i] == problem)
            return true;
    return false;
}

static void say_problem(struct totals *totals, const char *problem)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
    for (const char *byte = problem; *byte; byte++)
        hash = (hash ^ (unsigned char)*byte) * UINT64_C(0x100000001b3);
    if (was_said(&totals->now, hash) || totals->now.count == PROBLEMS)
        return;
    totals->now.problems[totals->now.count++] = hash;
    if (!was_said(&totals->before, hash))
        p11prof_complain(0, "%s", problem);
}

static void say_anew(struct totals *totals)
{
    totals->before = totals->now;
    totals->now.count = 0;
}

/* Names each spool that cannot be looked into. */
static bool list_problem(void *payload, const struct p11prof_found_spool *spool)
{
    struct p11prof_error named;
    if (spool->problem.status == P11PROF_OK)
        return true;
    p11prof_error_set(&named, spool->problem.status, "%s: %s", spool->path, spool->problem.text);
    say_problem(payload, named.text);
    return true;
}

/* What one round of collecting needs. */
struct collecting {
    const struct p11prof_database *database;
    const struct settings *settings;
    struct totals *totals;
};

/* Its first part is in a database that is no longer where it was. */
static bool is_orphan(const struct p11prof_found_spool *spool)
{
    return p11prof_spool_is_begun(spool) && spool->user_id == geteuid() &&
           access(spool->database_path, F_OK) != 0;
}

static bool wants(void *payload, const struct p11prof_found_spool *spool)
{
    const struct collecting *collecting = payload;
    const struct settings *settings = collecting->settings;
    if (settings->all || !spool->database_path[0] ||
        p11prof_spool_is_begun_in(spool, collecting->database->store) ||
        p11prof_spool_is_for(spool, collecting->database) || (settings->adopt && is_orphan(spool)))
        return true;
    p11prof_others_add(&collecting->totals->others, spool);
    return false;
}

static struct p11prof_collect_options options_of(struct collecting *collecting, const char *folder)
{
    return (struct p11prof_collect_options){.folder = folder,
                                            .wants = wants,
                                            .payload = collecting,
                                            .held = collecting->totals->held,
                                            .adopt = collecting->settings->adopt,
                                            .wait_ms = WAIT_MS};
}

/* False if something was left that ought to have been taken. */
static bool collect_folder(struct collecting *collecting, const char *folder)
{
    struct totals *totals = collecting->totals;
    struct p11prof_collect_options wanted = options_of(collecting, folder);
    struct p11prof_collect_result result = {.call_count = 0};
    struct p11prof_error error = {.status = P11PROF_OK};
    enum p11prof_status status =
        p11prof_collect(collecting->database->store, &wanted, &result, &error);
    totals->call_count += result.call_count;
    totals->spool_count += result.spool_count;
    totals->live_count += result.live_count;
    if (stop_signal || (status == P11PROF_OK && result.waiting_count == 0))
        return true;
    if (error.text[0])
        say_problem(totals, error.text);
    p11prof_spools_visit(folder, list_problem, totals);
    return false;
}

static bool collect_once(const struct p11prof_database *database, const struct settings *settings,
                         struct totals *totals)
{
    struct collecting collecting = {database, settings, totals};
    struct p11prof_database_watch *watch = p11prof_database_watch_start(database->path);
    totals->live_count = 0;
    say_anew(totals);
    p11prof_others_restart(&totals->others);
    bool done = collect_folder(&collecting, settings->folder);
    if (!settings->folder && database->spool_folder[0])
        done = collect_folder(&collecting, database->spool_folder) && done;
    p11prof_others_say(&totals->others);
    if (!stop_signal)
        p11prof_caller_names(database->store);
    p11prof_database_watch_stop(watch);
    return done;
}

static bool open_store(struct p11prof_database *database, struct p11prof_error *error)
{
    struct p11prof_database_watch *watch = p11prof_database_watch_start(database->path);
    enum p11prof_status status = p11prof_store_open(
        &database->store, database->path, P11PROF_STORE_CREATE | P11PROF_STORE_MIGRATE, error);
    p11prof_database_watch_stop(watch);
    if (status != P11PROF_OK)
        return false;
    p11prof_store_stop_word(database->store, &stopped);
    return true;
}

static int64_t monotonic_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* Until the next round. A spool that begins is held at once: systemd removes what some services
 * leave the moment that they end. */
static void rest(struct p11prof_spool_watch *watch, const struct p11prof_database *database,
                 const struct settings *settings, struct totals *totals)
{
    struct collecting collecting = {database, settings, totals};
    struct p11prof_collect_options wanted = options_of(&collecting, settings->folder);
    int64_t end_ms = monotonic_ms() + ROUND_MS, left_ms = ROUND_MS;
    for (; left_ms > 0 && !stop_signal; left_ms = end_ms - monotonic_ms()) {
        if (!p11prof_spool_watch_wait(watch, (int)left_ms) || !database->store)
            continue;
        p11prof_held_spools_look(&wanted);
        nanosleep(&(struct timespec){.tv_nsec = LOOK_MS * 1000000}, NULL);
    }
}

/* Opens the database anew after a failure: it may have been replaced. */
static bool follow(struct p11prof_database *database, const struct settings *settings,
                   struct totals *totals)
{
    struct p11prof_spool_watch *watch = p11prof_spool_watch_start(settings->folder);
    struct p11prof_error error;
    bool done = true;
    totals->held = p11prof_held_spools_new();
    while (!stop_signal) {
        if (!database->store && !open_store(database, &error)) {
            say_anew(totals);
            say_problem(totals, error.text);
        } else if (!(done = collect_once(database, settings, totals))) {
            p11prof_database_close(database);
        }
        rest(watch, database, settings, totals);
    }
    p11prof_held_spools_free(totals->held);
    p11prof_spool_watch_stop(watch);
    return done;
}

int p11prof_command_collect(int argc, char **argv)
{
    struct settings settings = {.folder = NULL};
    static struct totals totals;
    struct p11prof_database database;
    struct p11prof_error error;
    int first, code;
    if (!p11prof_options_read(&usage, argc, argv, take_option, &settings, &first, &code))
        return code;
    if (first < argc) {
        p11prof_complain(0, "collect takes no arguments, not '%s'", argv[first]);
        return p11prof_usage_hint(&usage);
    }
    if (!p11prof_database_choose(&database, settings.common.database.path))
        return P11PROF_EXIT_USAGE;
    catch_signals();
    if (!open_store(&database, &error))
        return p11prof_complain_of(&error);
    bool done = settings.follow ? follow(&database, &settings, &totals)
                                : collect_once(&database, &settings, &totals);
    p11prof_database_close(&database);
    p11prof_note("%" PRIu64 " calls of %" PRIu64 " spools taken; %" PRIu64 " spools still live",
                 totals.call_count, totals.spool_count, totals.live_count);
    if (stop_signal)
        return P11PROF_EXIT_SIGNAL + stop_signal;
    return done ? P11PROF_EXIT_DONE : P11PROF_EXIT_FAILED;
}
