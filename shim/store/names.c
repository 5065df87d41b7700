/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The names of numbers, as tables of the database. */
#include "p11prof/calls.h"
#include "store/internal.h"

#include <stdio.h>

struct name {
    int64_t code;
    const char *name;
};

static const struct name functions[] = {
#define CALL(number, name, ...) {(number), #name},
#include "p11prof/calls.def"
#undef CALL
};

/* One list of constants.def by its kind: entries of other kinds are left out. */
#define KIND_RV(...)
#define KIND_MECHANISM(...)
#define KIND_KEY_TYPE(...)
#define CONSTANT(kind, name, value) KIND_##kind(name, value)

#undef KIND_RV
#define KIND_RV(name, value) {(int64_t)(value), name},
static const struct name rvs[] = {
#include "p11prof/constants.def"
};
#undef KIND_RV
#define KIND_RV(...)

#undef KIND_MECHANISM
#define KIND_MECHANISM(name, value) {(int64_t)(value), name},
static const struct name mechanisms[] = {
#include "p11prof/constants.def"
};
#undef KIND_MECHANISM
#define KIND_MECHANISM(...)

#undef KIND_KEY_TYPE
#define KIND_KEY_TYPE(name, value) {(int64_t)(value), name},
static const struct name key_types[] = {
#include "p11prof/constants.def"
};

static const struct name kinds[] = {
    {P11PROF_KIND_CALL, "call"},
    {P11PROF_KIND_SIZE_QUERY, "size-query"},
    {P11PROF_KIND_TOO_SMALL, "too-small"},
    {P11PROF_KIND_BLOCKING, "blocking"},
};

static const struct name causes[] = {
    {P11PROF_LOSS_LIMIT, "limit"},
    {P11PROF_LOSS_NO_DRAINER, "no_drainer"},
    {P11PROF_LOSS_NO_MEMORY, "no_memory"},
    {P11PROF_LOSS_TORN, "torn"},
};
_Static_assert(sizeof causes / sizeof *causes == P11PROF_LOSSES, "every cause has a name");

/* Ordered: the greatest of its spools is the state of a process or run. */
static const struct name states[] = {
    {P11PROF_SPOOL_FINISHED, "finished"},
    {P11PROF_SPOOL_RECOVERED, "recovered"},
    {P11PROF_SPOOL_RUNNING, "running"},
};

static const struct name phases[] = {
    {P11PROF_PHASE_WARMUP, "warmup"},
    {P11PROF_PHASE_MEASURED, "measured"},
    {P11PROF_PHASE_COOLDOWN, "cooldown"},
};

#define TABLE(table, names)                                                                        \
    {                                                                                              \
        table, names, sizeof(names) / sizeof *(names)                                              \
    }
static const struct {
    const char *table;
    const struct name *names;
    size_t count;
} tables[] = {
    TABLE("function_name", functions),   TABLE("rv_name", rvs),
    TABLE("mechanism_name", mechanisms), TABLE("key_type_name", key_types),
    TABLE("kind_name", kinds),           TABLE("cause_name", causes),
    TABLE("state_name", states),         TABLE("phase_name", phases),
};

/* Inserts or replaces; names of a newer p11prof stay. */
static enum p11prof_status insert(struct p11prof_store *store, const char *table,
                                  const struct name *names, size_t count,
                                  struct p11prof_error *error)
{
    char sql[96];
    sqlite3_stmt *statement = NULL;
    snprintf(sql, sizeof sql, "INSERT OR REPLACE INTO %s (code, name) VALUES (?1, ?2)", table);
    int code = sqlite3_prepare_v2(store->sqlite, sql, -1, &statement, NULL);
    for (size_t index = 0; !code && index < count; index++) {
        sqlite3_bind_int64(statement, 1, names[index].code);
        sqlite3_bind_text(statement, 2, names[index].name, -1, SQLITE_STATIC);
        sqlite3_step(statement);
        code = sqlite3_reset(statement);
    }
    enum p11prof_status status =
        code ? p11prof_store_failed(store, "write the names to", error) : P11PROF_OK;
    sqlite3_finalize(statement);
    return status;
}

static enum p11prof_status insert_operations(struct p11prof_store *store,
                                             struct p11prof_error *error)
{
    struct name operations[P11PROF_OPERATIONS];
    size_t count = 0;
    for (unsigned operation = 1; operation < P11PROF_OPERATIONS; operation++) {
        const char *name = p11prof_operation_name(operation);
        if (name) /* some numbers are not in use */
            operations[count++] = (struct name){operation, name};
    }
    return insert(store, "operation_name", operations, count, error);
}

enum p11prof_status p11prof_store_names(struct p11prof_store *store, struct p11prof_error *error)
{
    enum p11prof_status status = insert_operations(store, error);
    for (size_t index = 0; !status && index < sizeof tables / sizeof *tables; index++) {
        status =
            insert(store, tables[index].table, tables[index].names, tables[index].count, error);
    }
    return status;
}
