/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Runs, processes and spools: finding, making and ending their rows. */
#include "store/internal.h"

#include <unistd.h>

enum { COMMAND_WAIT_MS = 5000 };

static struct p11prof_value uuid_value(const uint8_t uuid[16])
{
    static const uint8_t none[16];
    return memcmp(uuid, none, sizeof none) ? p11prof_blob(uuid, 16) : p11prof_null();
}

static enum p11prof_status add_run(struct p11prof_store *store, const struct p11prof_run_start *run,
                                   uint32_t user_id, const char *boot_id,
                                   struct p11prof_error *error)
{
    struct p11prof_host host;
    p11prof_host_read(&host, user_id);
    return p11prof_store_do(
        store, P11PROF_SQL_RUN_ADD,
        "INSERT INTO run (uuid, kind, name, program, start_wall_ns, start_monotonic_ns, options, "
        "boot_id, host, user, os, kernel, cpu, governor, cpu_count, memory_bytes, tool_version) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, nullif(?15, 0), "
        "nullif(?16, 0), ?17) ON CONFLICT (uuid) DO UPDATE SET kind = excluded.kind, "
        "name = excluded.name, program = excluded.program, "
        "options = coalesce(options, excluded.options)",
        P11PROF_VALUES(
            p11prof_blob(run->uuid, 16), p11prof_string(run->kind), p11prof_string(run->name),
            p11prof_string(run->program), p11prof_quantity(run->start.wall_ns),
            p11prof_quantity(run->start.monotonic_ns), p11prof_string(run->options_json),
            p11prof_text(boot_id ? boot_id : host.boot_id, sizeof host.boot_id),
            p11prof_text(host.name, sizeof host.name), p11prof_text(host.user, sizeof host.user),
            p11prof_text(host.os, sizeof host.os), p11prof_text(host.kernel, sizeof host.kernel),
            p11prof_text(host.cpu, sizeof host.cpu),
            p11prof_text(host.governor, sizeof host.governor), p11prof_integer(host.cpu_count),
            p11prof_integer(host.memory_bytes), p11prof_string(P11PROF_VERSION)),
        error);
}

/* columns: id, start_monotonic_ns, whether it started in that boot. */
static enum p11prof_status find_run(struct p11prof_store *store, const uint8_t uuid[16],
                                    const char *boot_id, int64_t columns[3], bool *found,
                                    struct p11prof_error *error)
{
    return p11prof_store_get(
        store, P11PROF_SQL_RUN_FIND,
        "SELECT id, start_monotonic_ns, boot_id IS ?2 FROM run WHERE uuid = ?1",
        P11PROF_VALUES(p11prof_blob(uuid, 16), p11prof_text(boot_id, 40)), columns, 3, found,
        error);
}

/* The anchor that all times of a new run count from. */
static struct p11prof_anchor start_of(const struct p11prof_spool_header *header)
{
    return header->run_start.wall_ns ? header->run_start : header->start;
}

static enum p11prof_status add_run_of(struct p11prof_store *store,
                                      const struct p11prof_spool_header *header,
                                      struct p11prof_error *error)
{
    char name[sizeof header->run_name + 1] = "", program[sizeof header->program + 1] = "";
    memcpy(name, header->run_name, sizeof header->run_name);
    memcpy(program, header->program, sizeof header->program);
    struct p11prof_run_start run = {
        .kind = "profile", .name = name, .program = program, .start = start_of(header)};
    memcpy(run.uuid, header->run_id, sizeof run.uuid);
    return add_run(store, &run, header->user_id, header->boot_id, error);
}

/* The run of a spool; its clock is that of the first process that came. */
static enum p11prof_status enter_run(struct p11prof_store *store,
                                     const struct p11prof_spool_header *header,
                                     struct p11prof_process_rows *out, struct p11prof_error *error)
{
    int64_t columns[3];
    bool found = false;
    enum p11prof_status status =
        find_run(store, header->run_id, header->boot_id, columns, &found, error);
    if (!status && !found) {
        status = add_run_of(store, header, error);
        status = status ? status
                        : find_run(store, header->run_id, header->boot_id, columns, &found, error);
    }
    if (status) {
        return status;
    }
    out->run_id = columns[0];
    out->run_start_monotonic_ns = columns[2] ? (uint64_t)columns[1] : start_of(header).monotonic_ns;
    return p11prof_store_do(
        store, P11PROF_SQL_RUN_CLOCK, "UPDATE run SET clock = ?2 WHERE id = ?1 AND clock IS NULL",
        P11PROF_VALUES(p11prof_integer(out->run_id),
                       p11prof_string(header->ticks_per_second ? "tsc" : "monotonic")),
        error);
}

static enum p11prof_status enter_process(struct p11prof_store *store,
                                         const struct p11prof_spool_header *header,
                                         struct p11prof_process_rows *out,
                                         struct p11prof_error *error)
{
    char user[12];
    p11prof_host_user(user, header->user_id);
    int64_t start_ns = (int64_t)(header->start.monotonic_ns - out->run_start_monotonic_ns);
    enum p11prof_status status = p11prof_store_do(
        store, P11PROF_SQL_PROCESS_ADD,
        "INSERT INTO process (run, uuid, parent_uuid, pid, program, user, module_path, "
        "start_wall_ns, start_ns, overhead_ns) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) "
        "ON CONFLICT (uuid) DO NOTHING",
        P11PROF_VALUES(p11prof_integer(out->run_id), p11prof_blob(header->process_id, 16),
                       uuid_value(header->parent_id), p11prof_integer(header->pid),
                       p11prof_text(header->program, sizeof header->program),
                       p11prof_text(user, sizeof user),
                       p11prof_text(header->module_path, sizeof header->module_path),
                       p11prof_quantity(header->start.wall_ns), p11prof_integer(start_ns),
                       p11prof_quantity(header->overhead_ns)),
        error);
    int64_t columns[2];
    status = status ? status
                    : p11prof_store_get(store, P11PROF_SQL_PROCESS_FIND,
                                        "SELECT id, run FROM process WHERE uuid = ?1",
                                        P11PROF_VALUES(p11prof_blob(header->process_id, 16)),
                                        columns, 2, NULL, error);
    if (!status) {
        out->process_id = columns[0];
        out->run_id = columns[1];
    }
    return status;
}

static enum p11prof_status enter_spool(struct p11prof_store *store,
                                       const struct p11prof_spool_header *header,
                                       struct p11prof_process_rows *out,
                                       struct p11prof_error *error)
{
    int64_t columns[2];
    enum p11prof_status status = p11prof_store_do(
        store, P11PROF_SQL_SPOOL_ADD,
        "INSERT INTO spool (spool_id, process) VALUES (?1, ?2) ON CONFLICT (spool_id) DO NOTHING",
        P11PROF_VALUES(p11prof_blob(header->spool_id, 16), p11prof_integer(out->process_id)),
        error);
    status = status ? status
                    : p11prof_store_get(store, P11PROF_SQL_SPOOL_FIND,
                                        "SELECT id, batch FROM spool WHERE spool_id = ?1",
                                        P11PROF_VALUES(p11prof_blob(header->spool_id, 16)), columns,
                                        2, NULL, error);
    if (!status) {
        out->spool_id = columns[0];
        out->batch = (uint64_t)columns[1];
    }
    return status;
}

enum p11prof_status p11prof_store_enter(struct p11prof_store *store,
                                        const struct p11prof_spool_header *header,
                                        struct p11prof_process_rows *out,
                                        struct p11prof_error *error)
{
    enum p11prof_status status = enter_run(store, header, out, error);
    status = status ? status : enter_process(store, header, out, error);
    return status ? status : enter_spool(store, header, out, error);
}

/* Steps through a query and hands each row to `read`. */
static enum p11prof_status load(struct p11prof_store *store, enum p11prof_statement statement,
                                const char *sql, const struct p11prof_value *values,
                                size_t value_count,
                                void (*read)(sqlite3_stmt *, const struct p11prof_state_reader *),
                                const struct p11prof_state_reader *reader,
                                struct p11prof_error *error)
{
    sqlite3_stmt *query = p11prof_store_bind(store, statement, sql, values, value_count);
    int code = query ? SQLITE_ROW : SQLITE_ERROR;
    while (code == SQLITE_ROW && (code = sqlite3_step(query)) == SQLITE_ROW) {
        read(query, reader);
    }
    enum p11prof_status status =
        code == SQLITE_DONE ? P11PROF_OK : p11prof_store_failed(store, "read", error);
    sqlite3_reset(query);
    return status;
}

static void read_position(sqlite3_stmt *query, const struct p11prof_state_reader *reader)
{
    reader->position(reader->payload, (uint32_t)sqlite3_column_int64(query, 0),
                     (uint64_t)sqlite3_column_int64(query, 1));
}

static void read_state(sqlite3_stmt *query, const struct p11prof_state_reader *reader)
{
    const void *data = sqlite3_column_blob(query, 2);
    reader->state(reader->payload, (enum p11prof_state_kind)sqlite3_column_int(query, 0),
                  (uint64_t)sqlite3_column_int64(query, 1), data,
                  (size_t)sqlite3_column_bytes(query, 2));
}

static void read_caller(sqlite3_stmt *query, const struct p11prof_state_reader *reader)
{
    const char *path = (const char *)sqlite3_column_text(query, 1); /* NULL: it is damaged */
    reader->caller(reader->payload, (uint32_t)sqlite3_column_int64(query, 0), path ? path : "",
                   (uint64_t)sqlite3_column_int64(query, 2));
}

enum p11prof_status p11prof_store_load(struct p11prof_store *store,
                                       const struct p11prof_process_rows *rows,
                                       const struct p11prof_state_reader *reader,
                                       struct p11prof_error *error)
{
    enum p11prof_status status = load(
        store, P11PROF_SQL_LOAD_POSITIONS, "SELECT ring, position FROM position WHERE spool = ?1",
        P11PROF_VALUES(p11prof_integer(rows->spool_id)), read_position, reader, error);
    status =
        status ? status
               : load(store, P11PROF_SQL_LOAD_STATES,
                      "SELECT kind, key, data FROM state WHERE process = ?1 AND kind < 4",
                      P11PROF_VALUES(p11prof_integer(rows->process_id)), read_state, reader, error);
    return status ? status
                  : load(store, P11PROF_SQL_LOAD_CALLERS,
                         "SELECT caller, path, offset_bytes FROM caller WHERE process = ?1 "
                         "ORDER BY caller",
                         P11PROF_VALUES(p11prof_integer(rows->process_id)), read_caller, reader,
                         error);
}

enum p11prof_status p11prof_store_load_parent(struct p11prof_store *store,
                                              const struct p11prof_process_rows *rows,
                                              const uint8_t parent_id[16],
                                              const struct p11prof_state_reader *reader,
                                              struct p11prof_error *error)
{
    return load(store, P11PROF_SQL_LOAD_PARENT,
                "SELECT kind, key, data FROM state WHERE process = "
                "(SELECT id FROM process WHERE uuid = ?1 AND run = ?2) ORDER BY kind, key",
                P11PROF_VALUES(p11prof_blob(parent_id, 16), p11prof_integer(rows->run_id)),
                read_state, reader, error);
}

enum p11prof_status p11prof_store_begin_own(struct p11prof_store *store, bool *own,
                                            struct p11prof_error *error)
{
    *own = !store->in_transaction;
    return *own ? p11prof_store_begin(store, COMMAND_WAIT_MS, error) : P11PROF_OK;
}

enum p11prof_status p11prof_store_end_own(struct p11prof_store *store, bool own,
                                          enum p11prof_status status, struct p11prof_error *error)
{
    if (!own || status) {
        if (own) {
            p11prof_store_rollback(store);
        }
        return status;
    }
    return p11prof_store_commit(store, error);
}

enum p11prof_status p11prof_store_run_start(struct p11prof_store *store,
                                            const struct p11prof_run_start *run, int64_t *run_id,
                                            struct p11prof_error *error)
{
    static const char no_boot[40];
    int64_t columns[3] = {0};
    bool own, found = false;
    enum p11prof_status status = p11prof_store_begin_own(store, &own, error);
    if (status) {
        return status;
    }
    status = add_run(store, run, geteuid(), NULL, error);
    status = status ? status : find_run(store, run->uuid, no_boot, columns, &found, error);
    *run_id = columns[0];
    return p11prof_store_end_own(store, own, status, error);
}

enum p11prof_status p11prof_store_run_end(struct p11prof_store *store, int64_t run_id,
                                          const char *state, uint64_t duration_ns,
                                          struct p11prof_error *error)
{
    bool own;
    enum p11prof_status status = p11prof_store_begin_own(store, &own, error);
    if (status) {
        return status;
    }
    status = p11prof_store_do(
        store, P11PROF_SQL_RUN_END, "UPDATE run SET state = ?2, duration_ns = ?3 WHERE id = ?1",
        P11PROF_VALUES(p11prof_integer(run_id), p11prof_string(state),
                       duration_ns == P11PROF_NO_RUN_DURATION ? p11prof_null()
                                                              : p11prof_quantity(duration_ns)),
        error);
    return p11prof_store_end_own(store, own, status, error);
}

enum p11prof_status p11prof_store_run_options(struct p11prof_store *store, int64_t run_id,
                                              const char *options_json, struct p11prof_error *error)
{
    bool own;
    enum p11prof_status status = p11prof_store_begin_own(store, &own, error);
    if (status) {
        return status;
    }
    status = p11prof_store_do(
        store, P11PROF_SQL_RUN_OPTIONS, "UPDATE run SET options = ?2 WHERE id = ?1",
        P11PROF_VALUES(p11prof_integer(run_id), p11prof_string(options_json)), error);
    return p11prof_store_end_own(store, own, status, error);
}

enum p11prof_status p11prof_store_run_elsewhere(struct p11prof_store *store, int64_t run_id,
                                                struct p11prof_error *error)
{
    enum p11prof_status status = p11prof_store_do(
        store, P11PROF_SQL_RUN_ELSEWHERE,
        "UPDATE run SET boot_id = NULL, host = NULL, user = NULL, os = NULL, kernel = NULL, "
        "cpu = NULL, governor = NULL, cpu_count = NULL, memory_bytes = NULL, clock = NULL "
        "WHERE id = ?1",
        P11PROF_VALUES(p11prof_integer(run_id)), error);
    return status ? status
                  : p11prof_store_do(
                        store, P11PROF_SQL_PROCESS_ELSEWHERE,
                        "UPDATE process SET user = NULL, overhead_ns = NULL WHERE run = ?1",
                        P11PROF_VALUES(p11prof_integer(run_id)), error);
}
