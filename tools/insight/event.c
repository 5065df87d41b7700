/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "event.h"
#include "report/row_scan.h"

#include <sqlite3.h>

static const char columns[] =
    "c.id, s.process, c.thread_id, c.start_ns, c.duration_ns, c.function, c.kind, c.flags, "
    "coalesce(c.operation, 0), coalesce(c.part, 0), c.rv, c.session, c.slot_id, c.mechanism, "
    "c.key_type, c.key_bits, c.key_id, c.in_bytes, c.out_bytes, c.item_count, c.detail, c.caller, "
    "coalesce(c.operation_call_count, 1), coalesce(c.operation_start_ns, c.start_ns), "
    "coalesce(c.operation_duration_ns, c.duration_ns)";

struct reading {
    void (*take)(void *payload, const struct p11prof_event *event);
    void *payload;
    uint64_t least_ns;
};

static int64_t column(sqlite3_stmt *row, int index)
{
    return sqlite3_column_type(row, index) == SQLITE_NULL ? P11PROF_EVENT_UNKNOWN
                                                          : sqlite3_column_int64(row, index);
}

static unsigned small(sqlite3_stmt *row, int index)
{
    return (unsigned)sqlite3_column_int64(row, index);
}

static void take_row(void *payload, size_t run, sqlite3_stmt *row)
{
    const struct reading *reading = payload;
    (void)run;
    struct p11prof_event event = {
        .call_id = sqlite3_column_int64(row, 0),
        .process_id = sqlite3_column_int64(row, 1),
        .thread_id = sqlite3_column_int64(row, 2),
        .start_ns = sqlite3_column_int64(row, 3),
        .duration_ns = sqlite3_column_int64(row, 4),
        .function = small(row, 5),
        .kind = small(row, 6),
        .flags = small(row, 7),
        .operation = small(row, 8),
        .part = small(row, 9),
        .rv = column(row, 10),
        .session = column(row, 11),
        .slot_id = column(row, 12),
        .mechanism = column(row, 13),
        .key_type = column(row, 14),
        .key_bits = column(row, 15),
        .key_id = column(row, 16),
        .in_bytes = column(row, 17),
        .out_bytes = column(row, 18),
        .item_count = column(row, 19),
        .detail = column(row, 20),
        .caller = column(row, 21),
        .operation_call_count = sqlite3_column_int64(row, 22),
        .operation_start_ns = sqlite3_column_int64(row, 23),
        .operation_duration_ns = sqlite3_column_int64(row, 24),
    };
    if (reading->least_ns == 0 || event.duration_ns >= (int64_t)reading->least_ns)
        reading->take(reading->payload, &event);
}

enum p11prof_status p11prof_events_read(struct sqlite3 *db, int64_t run_id,
                                        const struct p11prof_selection *selection,
                                        void (*take)(void *payload,
                                                     const struct p11prof_event *event),
                                        void *payload, struct p11prof_error *error)
{
    struct p11prof_condition condition = {.of_call = NULL};
    struct reading reading = {take, payload, selection ? selection->slower_than_ns : 0};
    void *payloads[] = {&reading};
    enum p11prof_status status =
        p11prof_selection_resolve(selection, db, run_id, &condition, error);
    if (status == P11PROF_OK) {
        struct p11prof_row_scan scan = {.db = db,
                                        .run_ids = &run_id,
                                        .conditions = &condition,
                                        .run_count = 1,
                                        .columns = columns,
                                        .where = "",
                                        .take = take_row};
        status = p11prof_row_scan_run(&scan, payloads, 1, error);
    }
    p11prof_condition_clear(&condition);
    return status;
}
