/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Bringing a database up to this p11prof: schema, names, views. For commands only. */
#include "store/internal.h"

#include <stdio.h>
#include <stdlib.h>

enum { WAIT_MS = 5000 };

/* SQL that takes a database from the schema version of its index to the next: sql/migrations/. */
static const char *const migrations[P11PROF_SCHEMA_VERSION] = {NULL,
                                                               p11prof_migration_1_sql,
                                                               p11prof_migration_2_sql,
                                                               p11prof_migration_3_sql,
                                                               p11prof_migration_4_sql,
                                                               p11prof_migration_5_sql};

static long version_number(const char *text)
{
    int major = 0, minor = 0, patch = 0;
    sscanf(text ? text : "", "%d.%d.%d", &major, &minor, &patch);
    return major * 1000000L + minor * 1000L + patch;
}

/* Whether an older p11prof wrote names and views. A newer one's stay: they only ever add. */
static enum p11prof_status is_older(struct p11prof_store *store, bool *older,
                                    struct p11prof_error *error)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(store->sqlite, "SELECT tool_version FROM meta", -1, &statement, NULL) ||
        sqlite3_step(statement) != SQLITE_ROW) {
        enum p11prof_status status = p11prof_store_failed(store, "read", error);
        sqlite3_finalize(statement);
        return status;
    }
    *older = version_number((const char *)sqlite3_column_text(statement, 0)) <
             version_number(P11PROF_VERSION);
    sqlite3_finalize(statement);
    return P11PROF_OK;
}

static enum p11prof_status drop_views(struct p11prof_store *store, struct p11prof_error *error)
{
    sqlite3_stmt *statement = NULL;
    const char *sql = "SELECT coalesce(group_concat(printf('DROP VIEW \"%w\"', name), ';'), '') "
                      "FROM sqlite_schema WHERE type = 'view'";
    if (sqlite3_prepare_v2(store->sqlite, sql, -1, &statement, NULL) ||
        sqlite3_step(statement) != SQLITE_ROW) {
        enum p11prof_status status = p11prof_store_failed(store, "read", error);
        sqlite3_finalize(statement);
        return status;
    }
    char *drop = strdup((const char *)sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    enum p11prof_status status =
        drop ? p11prof_store_script(store, drop, "update", error)
             : p11prof_error_set(error, P11PROF_FAILED, "%s: out of memory", store->path);
    free(drop);
    return status;
}

static enum p11prof_status update_schema(struct p11prof_store *store, struct p11prof_error *error)
{
    char sql[64];
    int64_t version = 0; /* another command may have brought it up before we had the lock */
    enum p11prof_status status =
        p11prof_store_number(store, "PRAGMA user_version", &version, error);
    for (; !status && version < P11PROF_SCHEMA_VERSION; version++) {
        if (version < 0 || !migrations[version]) {
            return p11prof_error_set(error, P11PROF_REFUSED,
                                     "%s: no way from its schema version %lld to %d; choose "
                                     "another path",
                                     store->path, (long long)version, P11PROF_SCHEMA_VERSION);
        }
        status = p11prof_store_script(store, migrations[version], "update", error);
    }
    snprintf(sql, sizeof sql, "PRAGMA user_version = %d", P11PROF_SCHEMA_VERSION);
    return status ? status : p11prof_store_script(store, sql, "update", error);
}

static enum p11prof_status update(struct p11prof_store *store, struct p11prof_error *error)
{
    enum p11prof_status status = drop_views(store, error);
    status = status ? status : update_schema(store, error);
    status = status ? status : p11prof_store_script(store, p11prof_views_sql, "update", error);
    status = status ? status : p11prof_store_names(store, error);
    return status
               ? status
               : p11prof_store_script(store, "UPDATE meta SET tool_version = '" P11PROF_VERSION "'",
                                      "update", error);
}

enum p11prof_status p11prof_store_migrate(struct p11prof_store *store, int64_t version,
                                          struct p11prof_error *error)
{
    bool older = version < P11PROF_SCHEMA_VERSION;
    enum p11prof_status status = older ? P11PROF_OK : is_older(store, &older, error);
    if (status || !older) {
        return status;
    }
    status = p11prof_store_begin(store, WAIT_MS, error);
    if (status) {
        return status;
    }
    status = update(store, error);
    if (status) {
        p11prof_store_rollback(store);
        return status;
    }
    return p11prof_store_commit(store, error);
}
