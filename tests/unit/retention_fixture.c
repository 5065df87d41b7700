/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "retention_fixture.h"
#include "p11prof/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CKM_RSA = 1, DEVICE_ERROR = 0x30, GROUPS_MAX = 512, SIGN_OPERATION = 1 };

static const uint16_t functions[] = {P11PROF_C_Sign, P11PROF_C_GetInfo, P11PROF_C_Decrypt};

/* The batch that is being made. */
struct making {
    struct p11prof_row *rows;
    struct fixture_group *groups;
    size_t group_count;
    struct p11prof_error_count error;
    struct p11prof_thread_sum threads[2];
    struct p11prof_batch batch;
};

static uint64_t window_ns(uint64_t start_ns)
{
    return start_ns < UINT64_C(60000000000) ? 1000000000 : UINT64_C(60000000000);
}

static struct fixture_group *find_group(struct making *making, const struct p11prof_row *row,
                                        bool operation)
{
    uint64_t size_ns = window_ns(row->start_ns);
    uint64_t start_ns = row->start_ns / size_ns * size_ns;
    uint16_t code = operation ? SIGN_OPERATION : row->function;
    for (size_t i = 0; i < making->group_count; i++) {
        const struct p11prof_group *group = &making->groups[i].group;
        if (group->window_start_ns == start_ns && group->code == code &&
            group->operation == operation)
            return &making->groups[i];
    }
    assert_true(making->group_count < GROUPS_MAX);
    struct fixture_group *group = &making->groups[making->group_count++];
    fixture_group_init(group, code, start_ns);
    group->group.operation = operation;
    group->group.window_ns = size_ns;
    group->group.mechanism = row->function == P11PROF_C_Sign ? (int64_t)CKM_RSA : P11PROF_UNKNOWN;
    return group;
}

static void add_to_group(struct fixture_group *group, const struct p11prof_row *row)
{
    bool undisclosed = !(row->known & P11PROF_ROW_RV);
    group->group.in_bytes += row->in_bytes;
    group->group.undisclosed_count += undisclosed;
    if (undisclosed || row->rv == 0) {
        fixture_group_add(group, row->duration_ns);
        return;
    }
    group->group.count++;
    group->group.error_count++;
    group->group.error_sum_ns += row->duration_ns;
}

static void count_error(struct p11prof_error_count *error, const struct p11prof_row *row)
{
    bool first = error->count++ == 0;
    error->function = row->function;
    error->rv = row->rv;
    error->sum_ns += row->duration_ns;
    error->min_ns = first || row->duration_ns < error->min_ns ? row->duration_ns : error->min_ns;
    error->max_ns = row->duration_ns > error->max_ns ? row->duration_ns : error->max_ns;
}

static void count_thread(struct p11prof_thread_sum *thread, const struct p11prof_row *row)
{
    uint64_t end_ns = row->start_ns + row->duration_ns;
    bool first = thread->call_count++ == 0;
    thread->thread_id = row->thread_id;
    thread->first_ns = first || row->start_ns < thread->first_ns ? row->start_ns : thread->first_ns;
    thread->last_ns = end_ns > thread->last_ns ? end_ns : thread->last_ns;
    thread->outer_ns += row->duration_ns;
}

static void make_row(struct p11prof_row *row, const struct retention_calls *calls, unsigned index)
{
    bool sign = index % 3 == 0;
    *row = (struct p11prof_row){.function = functions[index % 3],
                                .thread_id = 100 + index % 2,
                                .caller_id = 1 + index % 2,
                                .session = calls->process,
                                .in_bytes = 32 + index % 5,
                                .start_ns = calls->first_ns + calls->step_ns * (index ^ 1),
                                .duration_ns = 100 + (uint64_t)index * index % 50021 * 7,
                                .rv = sign && index % 5 == 0 ? DEVICE_ERROR : 0,
                                .mechanism = CKM_RSA,
                                .operation = SIGN_OPERATION,
                                .operation_call_count = 1 + index % 2,
                                .known = P11PROF_ROW_CALLER | P11PROF_ROW_SESSION |
                                         P11PROF_ROW_IN_BYTES | P11PROF_ROW_OPERATION_IN};
    row->operation_start_ns = row->start_ns;
    row->operation_duration_ns = row->duration_ns;
    row->intended_start_ns = row->start_ns - row->start_ns % 1000;
    row->item_count = index;
    row->detail = index * 2;
    row->operation_in_bytes = row->in_bytes;
    row->known |= index % 3 == 2 ? 0 : (uint32_t)P11PROF_ROW_RV;
    row->known |=
        sign ? (uint32_t)P11PROF_ROW_MECHANISM | P11PROF_ROW_OPERATION | P11PROF_ROW_INTENDED
             : (uint32_t)P11PROF_ROW_ITEM_COUNT | P11PROF_ROW_DETAIL;
}

static void make_call(struct making *making, const struct retention_calls *calls, unsigned index)
{
    struct p11prof_row *row = &making->rows[index];
    uint64_t end_ns;
    make_row(row, calls, index);
    add_to_group(find_group(making, row, false), row);
    if (row->known & P11PROF_ROW_OPERATION)
        add_to_group(find_group(making, row, true), row);
    if (row->known & P11PROF_ROW_RV && row->rv != 0)
        count_error(&making->error, row);
    count_thread(&making->threads[index % 2], row);
    end_ns = row->start_ns + row->duration_ns;
    if (end_ns > making->batch.last_end_ns)
        making->batch.last_end_ns = end_ns;
}

static void write_making(struct p11prof_store *store, struct making *making,
                         const struct retention_calls *calls)
{
    struct p11prof_group list[GROUPS_MAX];
    struct p11prof_session_row session = {calls->process,  1, true,
                                          calls->first_ns, 0, calls->count};
    struct p11prof_caller_row callers[] = {{1, "/usr/bin/app", 0}, {2, "/usr/lib/engine.so", 64}};
    struct p11prof_state_row state = {P11PROF_STATE_LEFT_SESSION, 7, "left", 4};
    struct p11prof_position_row position = {calls->spool, calls->count};
    struct p11prof_loss_row loss = {P11PROF_C_Sign, P11PROF_LOSS_LIMIT, calls->spool};
    struct p11prof_in_flight_row in_flight = {100, P11PROF_C_Login, calls->first_ns, 5};
    struct p11prof_token_row token = {1, 1, true, "token", "maker", "model", "serial", 1, 2, 3, 4};
    struct p11prof_batch *batch = &making->batch;
    for (size_t i = 0; i < making->group_count; i++)
        list[i] = making->groups[i].group;
    batch->rows = making->rows;
    batch->row_count = batch->call_count = calls->count;
    batch->groups = list, batch->group_count = making->group_count;
    batch->errors = &making->error, batch->error_count = making->error.count > 0;
    batch->threads = making->threads, batch->thread_count = 2;
    batch->sessions = &session, batch->session_count = 1;
    batch->callers = callers, batch->caller_count = 2;
    batch->states = &state, batch->state_count = 1;
    batch->positions = &position, batch->position_count = 1;
    batch->losses = &loss, batch->loss_count = 1;
    batch->in_flight = &in_flight, batch->in_flight_count = 1;
    batch->tokens = &token, batch->token_count = 1;
    batch->process_ended = calls->last;
    struct p11prof_spool_header *header = fixture_header(calls->process, calls->spool);
    header->run_id[0] = calls->run;
    snprintf(header->run_name, sizeof header->run_name, "run-%u", calls->run);
    fixture_write(store, header, batch);
    free(header);
}

void retention_write(struct p11prof_store *store, const struct retention_calls *calls)
{
    struct making *making = calloc(1, sizeof *making);
    making->rows = calloc(calls->count, sizeof *making->rows);
    making->groups = calloc(GROUPS_MAX, sizeof *making->groups);
    assert_true(calls->count % 2 == 0);
    for (unsigned i = 0; i < calls->count; i++)
        make_call(making, calls, i);
    write_making(store, making, calls);
    free(making->rows);
    free(making->groups);
    free(making);
}

static void write_slice(struct p11prof_store *store, int64_t id, unsigned slice)
{
    struct p11prof_error error;
    struct fixture_group *group = calloc(1, sizeof *group);
    struct p11prof_slice_row row = {.load = 1,
                                    .slice = slice,
                                    .start_ns = slice * UINT64_C(1000000000),
                                    .duration_ns = 900000000,
                                    .load_average = 0.5,
                                    .steal_ns = 3};
    fixture_group_init(group, SIGN_OPERATION, row.start_ns);
    group->group.operation = true;
    group->group.part = p11prof_part(1, P11PROF_PHASE_MEASURED);
    group->group.window_ns = 0;
    for (unsigned i = 0; i < 100; i++)
        fixture_group_add(group, 1000 + i * slice);
    assert_int_equal(p11prof_store_slice_add(store, id, &row, &error), P11PROF_OK);
    assert_int_equal(p11prof_store_group_add(store, id, &group->group, &error), P11PROF_OK);
    free(group);
}

void retention_write_bench(struct p11prof_store *store, uint8_t run, int64_t *id)
{
    struct p11prof_error error;
    struct p11prof_run_start start = {
        .uuid = {run}, .kind = "bench", .name = "bench", .start = {0, 0, RETENTION_START_NS}};
    struct p11prof_load_row load = {.load = 1,
                                    .test = "rsa-2048-sign",
                                    .name = "RSA-2048 sign",
                                    .operation = SIGN_OPERATION,
                                    .mechanism = CKM_RSA,
                                    .key_type = -1,
                                    .key_bits = 2048,
                                    .data_bytes = 32,
                                    .threads = 1,
                                    .processes = 1,
                                    .step = 1};
    struct p11prof_interval_row interval = {.load = 1,
                                            .interval = 1,
                                            .start_ns = 1000000000,
                                            .duration_ns = 3000000000,
                                            .until_ns = 3000000000,
                                            .measured_ns = 2700000000,
                                            .count = 300,
                                            .error_count = 2,
                                            .p50_ns = 1050,
                                            .p99_ns = 1099,
                                            .cpu_share = 0.25,
                                            .steal_share = -1,
                                            .temperature_celsius = -5.5,
                                            .frequency_hz = 1000000000,
                                            .rss_bytes = 4096,
                                            .session_count = 2};
    struct p11prof_thread_row thread = {1, 1, 1, 100, 300, 2, 1, 2700000000, 1000, 1099};
    assert_int_equal(p11prof_store_run_start(store, &start, id, &error), P11PROF_OK);
    assert_int_equal(p11prof_store_load_add(store, *id, &load, &error), P11PROF_OK);
    for (unsigned slice = 1; slice <= 3; slice++)
        write_slice(store, *id, slice);
    assert_int_equal(p11prof_store_thread_set(store, *id, &thread, &error), P11PROF_OK);
    assert_int_equal(p11prof_store_interval_add(store, *id, &interval, &error), P11PROF_OK);
    assert_int_equal(
        p11prof_store_skip_add(store, *id, "ed25519-sign", "no such mechanism", &error),
        P11PROF_OK);
    assert_int_equal(sqlite3_exec(p11prof_store_sqlite(store),
                                  "INSERT INTO bench_figure (run, load, count, mean_ns) "
                                  "SELECT max(id), 1, 3, 1500 FROM run",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(p11prof_store_run_end(store, *id, "finished", 4000000000, &error), P11PROF_OK);
}

char *retention_rows(struct p11prof_store *store, const char *sql)
{
    char *text = NULL;
    size_t bytes;
    sqlite3_stmt *rows;
    sqlite3 *sqlite = p11prof_store_sqlite(store);
    FILE *stream = open_memstream(&text, &bytes);
    if (sqlite3_prepare_v2(sqlite, sql, -1, &rows, NULL))
        fail_msg("%s: %s", sql, sqlite3_errmsg(sqlite));
    while (sqlite3_step(rows) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(rows); i++) {
            const char *value = (const char *)sqlite3_column_text(rows, i);
            fprintf(stream, "%s|", value ? value : "NULL");
        }
        fputc('\n', stream);
    }
    sqlite3_finalize(rows);
    fclose(stream);
    return text;
}

/* Statements that show a table each, one a line. A merge may order windows, sessions
 * and tokens anew: their numbers are left out. */
static char *table_queries(struct p11prof_store *store)
{
    return retention_rows(
        store,
        "WITH shown AS (SELECT s.name AS tab, CASE WHEN c.type = 'BLOB' THEN 'hex(' || c.name || "
        "')' "
        "WHEN c.name = 'id' AND s.name IN ('group_window', 'session', 'token') THEN 'NULL' "
        "WHEN c.name = 'group_window' THEN '(SELECT call_group || '' '' || start_ns || '' '' || "
        "duration_ns FROM group_window AS w WHERE w.id = window_bucket.group_window)' "
        "ELSE c.name END AS value "
        "FROM sqlite_schema AS s JOIN pragma_table_info(s.name) AS c WHERE s.type = 'table' "
        "AND s.name NOT LIKE '%\\_name' ESCAPE '\\' AND s.name NOT LIKE 'sqlite%' "
        "AND s.name <> 'meta') "
        "SELECT 'SELECT ''' || tab || ''', ' || group_concat(value, ', ') || ' FROM ' || tab || "
        "' ORDER BY ' || group_concat(value, ', ') "
        "FROM shown GROUP BY tab ORDER BY tab");
}

/* Calls `take` with the rows of each table. */
static void each_table(struct p11prof_store *store,
                       void (*take)(void *payload, const char *sql, const char *rows),
                       void *payload)
{
    char *queries = table_queries(store), *rest = queries;
    for (char *sql; (sql = strsep(&rest, "\n")) != NULL;) {
        if (!*sql)
            continue;
        sql[strlen(sql) - 1] = '\0';
        char *rows = retention_rows(store, sql);
        take(payload, sql, rows);
        free(rows);
    }
    free(queries);
}

static void add_rows(void *payload, const char *sql, const char *rows)
{
    (void)sql;
    fputs(rows, payload);
}

char *retention_dump(struct p11prof_store *store)
{
    char *text = NULL;
    size_t bytes;
    FILE *stream = open_memstream(&text, &bytes);
    each_table(store, add_rows, stream);
    fclose(stream);
    return text;
}

static void expect_rows(void *payload, const char *sql, const char *rows)
{
    (void)payload;
    if (!*rows)
        fail_msg("nothing from: %s", sql);
}

void retention_expect_filled(struct p11prof_store *store)
{
    each_table(store, expect_rows, NULL);
}

void retention_expect_sound(struct p11prof_store *store)
{
    assert_string_equal(fixture_text(store, "PRAGMA integrity_check"), "ok");
    char *broken = retention_rows(store, "PRAGMA foreign_key_check");
    assert_string_equal(broken, "");
    free(broken);
    assert_int_equal(fixture_integer(store,
                                     "SELECT (SELECT count(*) FROM call) - (SELECT "
                                     "coalesce(sum(last_call - first_call + 1), 0) FROM segment)"),
                     0);
    assert_int_equal(
        fixture_integer(store, "SELECT (SELECT count(*) FROM call) - (SELECT count(*) FROM segment "
                               "AS s JOIN call AS c ON c.id BETWEEN s.first_call AND s.last_call)"),
        0);
}

void retention_expect_same(char *expected, char *found)
{
    size_t at = 0;
    while (expected[at] && expected[at] == found[at])
        at++;
    if (expected[at] != found[at]) {
        while (at > 0 && expected[at - 1] != '\n')
            at--;
        fail_msg("expected: %.300s\nfound: %.300s", expected + at, found + at);
    }
    free(expected);
    free(found);
}
