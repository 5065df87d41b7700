/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "waiting.h"
#include "intended.h"
#include "message.h"

#include <sqlite3.h>

enum { WAIT_MS = 2000 };

struct waiting {
    const struct p11prof_database *database;
    struct p11prof_store *store; /* NULL: there is no database yet */
    bool takes_unknown;          /* what does not say which database it is meant for */
    bool found;
};

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

static bool belongs_here(void *payload, const struct p11prof_found_spool *spool)
{
    const struct waiting *waiting = payload;
    if (!p11prof_spool_waits(spool))
        return false;
    if (p11prof_spool_is_begun(spool))
        return p11prof_spool_is_begun_in(spool, waiting->store);
    if (spool->database_path[0])
        return p11prof_spool_is_for(spool, waiting->database);
    return waiting->takes_unknown || database_has_run(waiting->store, spool->run_id);
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
        .folder = folder, .wants = belongs_here, .payload = waiting, .wait_ms = WAIT_MS};
    struct p11prof_collect_result result;
    struct p11prof_error error = {.status = P11PROF_OK};
    if (!waiting->store)
        p11prof_store_open(&waiting->store, waiting->database->path,
                           P11PROF_STORE_CREATE | P11PROF_STORE_MIGRATE, &error);
    if (!waiting->store)
        p11prof_warn("what waits in spools cannot be taken: %s", error.text);
    else if (p11prof_collect(waiting->store, &options, &result, &error) != P11PROF_OK)
        p11prof_warn("not all that waits in spools is in this report: %s", error.text);
}

static void collect_folder(struct waiting *waiting, const char *folder)
{
    bool configured_folder = folder || !waiting->database->spool_folder[0];
    waiting->takes_unknown = waiting->database->configured && configured_folder;
    waiting->found = false;
    p11prof_spools_visit(folder, find_one, waiting);
    if (waiting->found)
        collect_from(waiting, folder);
}

void p11prof_waiting_collect(const struct p11prof_database *database)
{
    struct waiting waiting = {.database = database};
    struct p11prof_error error = {.status = P11PROF_OK};
    enum p11prof_status status =
        p11prof_store_open(&waiting.store, database->path, P11PROF_STORE_MIGRATE, &error);
    if (status == P11PROF_OK || status == P11PROF_MISSING) {
        collect_folder(&waiting, NULL);
        if (database->spool_folder[0])
            collect_folder(&waiting, database->spool_folder);
    } else if (status != P11PROF_REFUSED) {
        p11prof_warn("spools are not looked at: %s", error.text);
    }
    p11prof_store_close(waiting.store);
}
