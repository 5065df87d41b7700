/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "waiting.h"
#include "caller_names.h"
#include "database_watch.h"
#include "intended.h"
#include "message.h"

#include <sqlite3.h>
#include <stdio.h>

enum { WAIT_MS = 2000, SHORT_WAIT_MS = 100 };

struct waiting {
    const struct p11prof_database *database;
    struct p11prof_store *store; /* NULL: there is no database yet */
    const char *folder;          /* that is looked into; NULL: the default ones */
    bool found;
    unsigned wait_ms; /* for other writers */
    void (*say)(void *payload, const char *text);
    void *payload; /* of say */
};

static void say_problem(const struct waiting *waiting, const char *what,
                        const struct p11prof_error *error)
{
    char text[sizeof error->text + 64];
    snprintf(text, sizeof text, "%s: %s", what, error->text);
    waiting->say(waiting->payload, text);
}

static bool database_has_run(struct p11prof_store *store, const uint8_t *run)
{
    sqlite3_stmt *statement;
    if (!store ||
        sqlite3_prepare_v2(p11prof_store_sqlite(store), "SELECT 1 FROM run WHERE uuid = ?1", -1,
                           &statement, NULL) != SQLITE_OK)
        return false;
    sqlite3_bind_blob(statement, 1, run, 16, SQLITE_STATIC);
    bool found = sqlite3_step(statement) == SQLITE_ROW;
    sqlite3_finalize(statement);
    return found;
}

bool p11prof_spool_belongs(const struct p11prof_found_spool *spool,
                           const struct p11prof_database *database, struct p11prof_store *store,
                           const char *folder)
{
    if (p11prof_spool_is_begun(spool))
        return p11prof_spool_is_begun_in(spool, store);
    if (spool->database_path[0])
        return p11prof_spool_is_for(spool, database);
    bool configured_folder = folder || !database->spool_folder[0];
    return (database->configured && configured_folder) || database_has_run(store, spool->run_id);
}

static bool belongs_here(void *payload, const struct p11prof_found_spool *spool)
{
    const struct waiting *waiting = payload;
    return p11prof_spool_waits(spool) &&
           p11prof_spool_belongs(spool, waiting->database, waiting->store, waiting->folder);
}

static bool find_one(void *payload, const struct p11prof_found_spool *spool)
{
    struct waiting *waiting = payload;
    waiting->found = belongs_here(waiting, spool);
    return !waiting->found;
}

static void collect_from(struct waiting *waiting, const char *folder)
{
    struct p11prof_collect_options options = {
        .folder = folder, .wants = belongs_here, .payload = waiting, .wait_ms = waiting->wait_ms};
    struct p11prof_collect_result result;
    struct p11prof_error error = {.status = P11PROF_OK};
    if (!waiting->store)
        p11prof_store_open(&waiting->store, waiting->database->path,
                           P11PROF_STORE_CREATE | P11PROF_STORE_MIGRATE, &error);
    if (!waiting->store)
        say_problem(waiting, "what waits in spools cannot be taken", &error);
    else if (p11prof_collect(waiting->store, &options, &result, &error) != P11PROF_OK)
        say_problem(waiting, "not all that waits in spools is in this report", &error);
}

static void collect_folder(struct waiting *waiting, const char *folder)
{
    waiting->folder = folder;
    waiting->found = false;
    p11prof_spools_visit(folder, find_one, waiting);
    if (waiting->found)
        collect_from(waiting, folder);
}

/* Leaves the store open, where there is one. */
static void collect_all(struct waiting *waiting)
{
    const struct p11prof_database *database = waiting->database;
    struct p11prof_error error = {.status = P11PROF_OK};
    enum p11prof_status status =
        p11prof_store_open(&waiting->store, database->path, P11PROF_STORE_MIGRATE, &error);
    if (status == P11PROF_OK || status == P11PROF_MISSING) {
        collect_folder(waiting, NULL);
        if (database->spool_folder[0])
            collect_folder(waiting, database->spool_folder);
    } else if (status != P11PROF_REFUSED) {
        say_problem(waiting, "spools are not looked at", &error);
    }
}

static void warn(void *payload, const char *text)
{
    (void)payload;
    p11prof_warn("%s", text);
}

void p11prof_waiting_collect(const struct p11prof_database *database)
{
    struct waiting waiting = {.database = database, .wait_ms = WAIT_MS, .say = warn};
    struct p11prof_database_watch *watch = p11prof_database_watch_start(database->path);
    collect_all(&waiting);
    if (waiting.store)
        p11prof_caller_names(waiting.store);
    p11prof_database_watch_stop(watch);
    p11prof_store_close(waiting.store);
}

void p11prof_waiting_take(const struct p11prof_database *database,
                          void (*say)(void *payload, const char *text), void *payload)
{
    struct waiting waiting = {
        .database = database, .wait_ms = SHORT_WAIT_MS, .say = say, .payload = payload};
    collect_all(&waiting);
    p11prof_store_close(waiting.store);
}
