/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Writing a batch: each list of it by one function, all in the caller's transaction. */
#include "store/internal.h"

#include <stdio.h>

/* What every writer below gets. */
struct write {
    struct p11prof_store *store;
    const struct p11prof_process_rows *process;
    const struct p11prof_batch *batch;
    struct p11prof_error *error;
};

/* First of all: whoever drained this spool meanwhile has moved its batch number. */
static enum p11prof_status claim(const struct write *write)
{
    const struct p11prof_batch *batch = write->batch;
    enum p11prof_status status = p11prof_store_do(
        write->store, P11PROF_SQL_SPOOL_BATCH,
        "UPDATE spool SET batch = batch + 1, clock_step_count = ?3, clamped_count = ?4, "
        "state = ?5 "
        "WHERE id = ?1 AND batch = ?2",
        P11PROF_VALUES(
            p11prof_integer(write->process->spool_id), p11prof_quantity(write->process->batch),
            p11prof_quantity(batch->clock_step_count), p11prof_quantity(batch->clamped_count),
            p11prof_integer(P11PROF_SPOOL_RUNNING)),
        write->error);
    if (!status && sqlite3_changes(write->store->sqlite) == 0) {
        return p11prof_error_set(write->error, P11PROF_CHANGED,
                                 "%s: another process drained this spool meanwhile",
                                 write->store->path);
    }
    return status;
}

/* Between the rows of lists that may be long. */
static enum p11prof_status stop_check(const struct write *write)
{
    return p11prof_store_stopped(write->store)
               ? p11prof_error_set(write->error, P11PROF_BUSY, "%s: stopped", write->store->path)
               : P11PROF_OK;
}

static enum p11prof_status write_groups(const struct write *write)
{
    enum p11prof_status status = P11PROF_OK;
    for (size_t index = 0; !status && index < write->batch->group_count; index++) {
        status = stop_check(write);
        status = status ? status
                        : p11prof_store_write_group(write->store, write->process->run_id,
                                                    &write->batch->groups[index], write->error);
    }
    return status;
}

/* NULL where no duration is known. */
static struct p11prof_value duration(const struct write *write, uint64_t ns)
{
    return write->batch->untimed ? p11prof_null() : p11prof_quantity(ns);
}

static enum p11prof_status write_errors(const struct write *write)
{
    enum p11prof_status status = P11PROF_OK;
    for (size_t index = 0; !status && index < write->batch->error_count; index++) {
        const struct p11prof_error_count *row = &write->batch->errors[index];
        status = p11prof_store_do(
            write->store, P11PROF_SQL_ERROR,
            "INSERT INTO error_count (run, function, rv, count, sum_ns, min_ns, max_ns) "
            "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (run, function, rv) DO UPDATE "
            "SET " P11PROF_SQL_ADD("count") ", " P11PROF_SQL_ADD(
                "sum_ns") ", "
                          "min_ns = min(min_ns, excluded.min_ns), max_ns = max(max_ns, "
                          "excluded.max_ns)",
            P11PROF_VALUES(p11prof_integer(write->process->run_id), p11prof_integer(row->function),
                           p11prof_integer((int64_t)row->rv), p11prof_quantity(row->count),
                           duration(write, row->sum_ns), duration(write, row->min_ns),
                           duration(write, row->max_ns)),
            write->error);
    }
    return status;
}

static enum p11prof_status write_threads(const struct write *write)
{
    enum p11prof_status status = P11PROF_OK;
    for (size_t index = 0; !status && index < write->batch->thread_count; index++) {
        const struct p11prof_thread_sum *row = &write->batch->threads[index];
        status = stop_check(write);
        if (status) {
            break;
        }
        status = p11prof_store_do(
            write->store, P11PROF_SQL_THREAD,
            "INSERT INTO thread (process, thread_id, first_ns, last_ns, call_count, outer_ns, "
            "waiting_ns) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) "
            "ON CONFLICT (process, thread_id) DO UPDATE SET "
            "first_ns = min(first_ns, excluded.first_ns), "
            "last_ns = max(last_ns, excluded.last_ns), " P11PROF_SQL_ADD(
                "call_count") ", " P11PROF_SQL_ADD("outer_ns") ", " P11PROF_SQL_ADD("waiting_ns"),
            P11PROF_VALUES(p11prof_integer(write->process->process_id),
                           p11prof_integer(row->thread_id), p11prof_quantity(row->first_ns),
                           p11prof_quantity(row->last_ns), p11prof_quantity(row->call_count),
                           p11prof_quantity(row->outer_ns), p11prof_quantity(row->waiting_ns)),
            write->error);
    }
    return status;
}

static enum p11prof_status write_sessions(const struct write *write)
{
    enum p11prof_status status = P11PROF_OK;
    for (size_t index = 0; !status && index < write->batch->session_count; index++) {
        const struct p11prof_session_row *row = &write->batch->sessions[index];
        status = p11prof_store_do(
            write->store, P11PROF_SQL_SESSION,
            "INSERT INTO session (process, session, slot_id, opened_ns, closed_ns, call_count) "
            "VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            P11PROF_VALUES(
                p11prof_integer(write->process->process_id), p11prof_integer((int64_t)row->session),
                row->slot_known ? p11prof_integer((int64_t)row->slot_id) : p11prof_null(),
                p11prof_quantity(row->opened_ns),
                row->closed_ns ? p11prof_quantity(row->closed_ns) : p11prof_null(),
                p11prof_quantity(row->call_count)),
            write->error);
    }
    return status;
}

static enum p11prof_status write_callers(const struct write *write)
{
    enum p11prof_status status = P11PROF_OK;
    for (size_t index = 0; !status && index < write->batch->caller_count; index++) {
        const struct p11prof_caller_row *row = &write->batch->callers[index];
        const char *slash = strrchr(row->path, '/');
        const char *name = slash && slash[1] ? slash + 1 : row->path;
        status = p11prof_store_do(
            write->store, P11PROF_SQL_CALLER,
            "INSERT OR REPLACE INTO caller (process, caller, path, name, offset_bytes) "
            "VALUES (?1, ?2, ?3, ?4, ?5)",
            P11PROF_VALUES(
                p11prof_integer(write->process->process_id), p11prof_integer(row->caller_id),
                p11prof_string(row->path), p11prof_string(name),
                row->offset_bytes ? p11prof_quantity(row->offset_bytes) : p11prof_null()),
            write->error);
    }
    return status;
}

static enum p11prof_status write_state(const struct write *write,
                                       const struct p11prof_state_row *row)
{
    struct p11prof_value values[] = {p11prof_integer(write->process->process_id),
                                     p11prof_integer(row->kind), p11prof_integer((int64_t)row->key),
                                     p11prof_blob(row->data, row->data_bytes)};
    if (!row->data) {
        return p11prof_store_do(write->store, P11PROF_SQL_STATE_REMOVE,
                                "DELETE FROM state WHERE process = ?1 AND kind = ?2 AND key = ?3",
                                values, 3, write->error);
    }
    return p11prof_store_do(
        write->store, P11PROF_SQL_STATE_SET,
        "INSERT OR REPLACE INTO state (process, kind, key, data) VALUES (?1, ?2, ?3, ?4)", values,
        4, write->error);
}

/* Of a process that ended, nobody needs more than its children do. */
static enum p11prof_status write_states(const struct write *write)
{
    enum p11prof_status status = P11PROF_OK;
    if (write->batch->process_ended) {
        status = p11prof_store_do(write->store, P11PROF_SQL_STATE_CLEAR,
                                  "DELETE FROM state WHERE process = ?1 AND kind < 4",
                                  P11PROF_VALUES(p11prof_integer(write->process->process_id)),
                                  write->error);
    }
    for (size_t index = 0; !status && index < write->batch->state_count; index++) {
        const struct p11prof_state_row *row = &write->batch->states[index];
        if (!write->batch->process_ended || row->kind >= P11PROF_STATE_LEFT_SESSION) {
            status = write_state(write, row);
        }
    }
    return status;
}

static enum p11prof_status write_positions(const struct write *write)
{
    enum p11prof_status status = P11PROF_OK;
    for (size_t index = 0; !status && index < write->batch->position_count; index++) {
        const struct p11prof_position_row *row = &write->batch->positions[index];
        status = p11prof_store_do(
            write->store, P11PROF_SQL_POSITION,
            "INSERT OR REPLACE INTO position (spool, ring, position) VALUES (?1, ?2, ?3)",
            P11PROF_VALUES(p11prof_integer(write->process->spool_id), p11prof_integer(row->ring),
                           p11prof_quantity(row->position)),
            write->error);
    }
    return status;
}

static enum p11prof_status write_losses(const struct write *write)
{
    enum p11prof_status status = P11PROF_OK;
    for (size_t index = 0; !status && index < write->batch->loss_count; index++) {
        const struct p11prof_loss_row *row = &write->batch->losses[index];
        status = p11prof_store_do(
            write->store, P11PROF_SQL_LOSS,
            "INSERT INTO loss (spool, function, cause, count) VALUES (?1, ?2, ?3, ?4) "
            "ON CONFLICT (spool, function, cause) DO UPDATE SET count = "
            "min(9223372036854775807, excluded.count + iif(?5, count, 0))",
            P11PROF_VALUES(p11prof_integer(write->process->spool_id),
                           p11prof_integer(row->function), p11prof_integer(row->cause),
                           p11prof_quantity(row->count),
                           p11prof_integer(row->cause == P11PROF_LOSS_TORN)),
            write->error);
    }
    return status;
}

static enum p11prof_status write_in_flight(const struct write *write)
{
    enum p11prof_status status = P11PROF_OK;
    for (size_t index = 0; !status && index < write->batch->in_flight_count; index++) {
        const struct p11prof_in_flight_row *row = &write->batch->in_flight[index];
        status = p11prof_store_do(
            write->store, P11PROF_SQL_OPEN_CALL,
            "INSERT OR REPLACE INTO open_call (spool, thread_id, function, start_ns, age_ns) "
            "VALUES (?1, ?2, ?3, ?4, ?5)",
            P11PROF_VALUES(p11prof_integer(write->process->spool_id),
                           p11prof_integer(row->thread_id), p11prof_integer(row->function),
                           p11prof_quantity(row->start_ns), p11prof_quantity(row->age_ns)),
            write->error);
    }
    return status;
}

/* "2.40": a CK_VERSION. */
static struct p11prof_value version(char text[8], unsigned major, unsigned minor, bool known)
{
    snprintf(text, 8, "%u.%u", major & 255, minor & 255);
    return p11prof_text(known ? text : NULL, 8);
}

/* A text that may be empty and is known all the same. */
static struct p11prof_value label(const char *text, size_t max_bytes, bool known)
{
    return (struct p11prof_value){.type = known ? SQLITE_TEXT : SQLITE_NULL,
                                  .data = text,
                                  .data_bytes = strnlen(text, max_bytes)};
}

static enum p11prof_status write_token(const struct write *write,
                                       const struct p11prof_token_row *row)
{
    char hardware[8], firmware[8];
    bool known = row->described;
    return p11prof_store_do(
        write->store, P11PROF_SQL_TOKEN,
        "INSERT INTO token (process, slot_id, session_count, label, manufacturer, model, serial, "
        "hardware_version, firmware_version) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) "
        "ON CONFLICT (process, slot_id) DO UPDATE SET session_count = excluded.session_count, "
        "label = coalesce(excluded.label, label), "
        "manufacturer = coalesce(excluded.manufacturer, manufacturer), "
        "model = coalesce(excluded.model, model), serial = coalesce(excluded.serial, serial), "
        "hardware_version = coalesce(excluded.hardware_version, hardware_version), "
        "firmware_version = coalesce(excluded.firmware_version, firmware_version)",
        P11PROF_VALUES(p11prof_integer(write->process->process_id),
                       p11prof_integer((int64_t)row->slot_id), p11prof_quantity(row->session_count),
                       label(row->label, sizeof row->label, known),
                       label(row->manufacturer, sizeof row->manufacturer, known),
                       label(row->model, sizeof row->model, known),
                       label(row->serial, sizeof row->serial, known),
                       version(hardware, row->hardware_major, row->hardware_minor, known),
                       version(firmware, row->firmware_major, row->firmware_minor, known)),
        write->error);
}

static enum p11prof_status write_tokens(const struct write *write)
{
    enum p11prof_status status = P11PROF_OK;
    for (size_t index = 0; !status && index < write->batch->token_count; index++) {
        status = write_token(write, &write->batch->tokens[index]);
    }
    return status;
}

static enum p11prof_status write_library(const struct write *write)
{
    const struct p11prof_batch *batch = write->batch;
    char cryptoki[8];
    if (!batch->library_known) {
        return P11PROF_OK;
    }
    return p11prof_store_do(
        write->store, P11PROF_SQL_RUN_LIBRARY,
        "UPDATE run SET library = ?2, cryptoki_version = ?3 WHERE id = ?1 AND library IS NOT ?2",
        P11PROF_VALUES(p11prof_integer(write->process->run_id),
                       label(batch->library, sizeof batch->library, true),
                       version(cryptoki, batch->cryptoki_major, batch->cryptoki_minor, true)),
        write->error);
}

static enum p11prof_status write_process(const struct write *write)
{
    return p11prof_store_do(
        write->store, P11PROF_SQL_PROCESS_COUNT,
        "UPDATE process SET " P11PROF_SQL_PLUS(
            "call_count", "?2") ", "
                                "end_ns = nullif(max(coalesce(end_ns, 0), ?3), 0) WHERE id = ?1",
        P11PROF_VALUES(p11prof_integer(write->process->process_id),
                       p11prof_quantity(write->batch->call_count),
                       p11prof_quantity(write->batch->last_end_ns)),
        write->error);
}

static enum p11prof_status write_end(const struct write *write)
{
    if (!write->batch->process_ended) {
        return P11PROF_OK;
    }
    return p11prof_store_do(
        write->store, P11PROF_SQL_SPOOL_END, "UPDATE spool SET state = ?2 WHERE id = ?1",
        P11PROF_VALUES(p11prof_integer(write->process->spool_id),
                       p11prof_integer(write->batch->process_recovered ? P11PROF_SPOOL_RECOVERED
                                                                       : P11PROF_SPOOL_FINISHED)),
        write->error);
}

enum p11prof_status p11prof_store_write(struct p11prof_store *store,
                                        const struct p11prof_process_rows *rows,
                                        const struct p11prof_batch *batch, bool with_rows,
                                        struct p11prof_error *error)
{
    static enum p11prof_status (*const writers[])(const struct write *) = {
        write_groups,  write_errors,    write_threads, write_sessions,  write_callers,
        write_states,  write_positions, write_losses,  write_in_flight, write_tokens,
        write_library, write_process,   write_end,
    };
    const struct write write = {store, rows, batch, error};
    enum p11prof_status status = claim(&write);
    if (!status && with_rows) {
        status = p11prof_store_write_rows(store, rows, batch, error);
    }
    for (size_t index = 0; !status && index < sizeof writers / sizeof *writers; index++) {
        status = writers[index](&write);
    }
    return status;
}
