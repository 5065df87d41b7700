/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "waiting.h"
#include "message.h"
#include "p11prof/drain.h"
#include "report/allocate.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

enum { WAIT_MS = 2000 };

struct waiting {
    struct p11prof_store *store; /* NULL: there is no database yet */
    bool takes_unclaimed;        /* what no database has a part of */
    uint8_t (*runs)[16];         /* that spools wait for */
    size_t count, capacity;
};

static bool has_run(const struct waiting *waiting, const uint8_t *run)
{
    for (size_t i = 0; i < waiting->count; i++)
        if (memcmp(waiting->runs[i], run, 16) == 0)
            return true;
    return false;
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

static bool belongs_here(const struct waiting *waiting, const struct p11prof_found_spool *spool)
{
    static const uint8_t none[16];
    uint64_t id[2] = {0, 0};
    if (waiting->store)
        p11prof_store_id(waiting->store, id);
    if (memcmp(spool->database_id, none, sizeof none) != 0)
        return memcmp(spool->database_id, id, sizeof id) == 0;
    return waiting->takes_unclaimed || database_has_run(waiting->store, spool->run_id);
}

static bool take_spool(void *payload, const struct p11prof_found_spool *spool)
{
    struct waiting *waiting = payload;
    bool waits = spool->problem.status == P11PROF_OK &&
                 (spool->gone || spool->drain_mode == P11PROF_DRAIN_EXTERNAL);
    if (!waits || !belongs_here(waiting, spool) || has_run(waiting, spool->run_id))
        return true;
    waiting->runs =
        p11prof_grow(waiting->runs, &waiting->capacity, waiting->count + 1, sizeof *waiting->runs);
    memcpy(waiting->runs[waiting->count++], spool->run_id, 16);
    return true;
}

static void collect_runs(const struct waiting *waiting, const char *folder)
{
    for (size_t i = 0; i < waiting->count; i++) {
        struct p11prof_collect_options options = {
            .folder = folder, .run_id = waiting->runs[i], .wait_ms = WAIT_MS};
        struct p11prof_collect_result result;
        struct p11prof_error error = {.status = P11PROF_OK};
        if (p11prof_collect(waiting->store, &options, &result, &error) != P11PROF_OK)
            p11prof_warn("not all that waits in spools is in this report: %s", error.text);
    }
}

static void collect_folder(struct waiting *waiting, const struct p11prof_database *database,
                           const char *folder)
{
    struct p11prof_error error = {.status = P11PROF_OK};
    bool configured_folder = folder || !database->spool_folder[0];
    waiting->takes_unclaimed = database->configured && configured_folder;
    waiting->count = 0;
    p11prof_spools_visit(folder, take_spool, waiting);
    if (waiting->count == 0)
        return;
    if (!waiting->store)
        p11prof_store_open(&waiting->store, database->path,
                           P11PROF_STORE_CREATE | P11PROF_STORE_MIGRATE, &error);
    if (waiting->store)
        collect_runs(waiting, folder);
    else
        p11prof_warn("what waits in spools cannot be taken: %s", error.text);
}

void p11prof_waiting_collect(const struct p11prof_database *database)
{
    struct waiting waiting = {.store = NULL};
    struct p11prof_error error = {.status = P11PROF_OK};
    enum p11prof_status status =
        p11prof_store_open(&waiting.store, database->path, P11PROF_STORE_MIGRATE, &error);
    if (status == P11PROF_OK || status == P11PROF_MISSING) {
        collect_folder(&waiting, database, NULL);
        if (database->spool_folder[0])
            collect_folder(&waiting, database, database->spool_folder);
    } else if (status != P11PROF_REFUSED) {
        p11prof_warn("spools are not looked at: %s", error.text);
    }
    p11prof_store_close(waiting.store);
    free(waiting.runs);
}
