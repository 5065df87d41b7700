/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "rows.h"

#include "report/query.h"
#include "script.h"

#include <sqlite3.h>

enum p11prof_status like_rows_open(struct sqlite3_stmt **out, struct sqlite3 *db, int64_t run_id,
                                   int64_t process_id, struct p11prof_error *error)
{
    /* Ids of a process's calls are in the order in which they ended. */
    static const char sql[] =
        "SELECT c.start_ns, c.duration_ns, c.function, c.kind, c.flags, c.thread_id, "
        "coalesce(c.rv, 0), c.session, c.mechanism, c.key_type, c.key_bits, c.key_id, c.in_bytes, "
        "c.out_bytes, c.slot_id, c.item_count, c.detail FROM segment AS s CROSS JOIN call AS c "
        "ON c.id BETWEEN s.first_call AND s.last_call "
        "WHERE s.run = ?1 AND s.process = ?2 ORDER BY s.first_call";
    enum p11prof_status status = p11prof_query_prepare(db, sql, run_id, out, error);
    if (status == P11PROF_OK)
        sqlite3_bind_int64(*out, 2, process_id);
    return status;
}

static struct like_row row_read(struct sqlite3_stmt *rows)
{
    struct like_row row;
    int64_t *const members[] = {&row.start_ns,  &row.duration_ns, &row.function, &row.kind,
                                &row.flags,     &row.thread_id,   &row.rv,       &row.session,
                                &row.mechanism, &row.key_type,    &row.key_bits, &row.key_id,
                                &row.in_bytes,  &row.out_bytes,   &row.slot_id,  &row.item_count,
                                &row.detail};
    for (int i = 0; i < (int)(sizeof members / sizeof members[0]); i++)
        *members[i] = sqlite3_column_type(rows, i) == SQLITE_NULL ? LIKE_UNKNOWN
                                                                  : sqlite3_column_int64(rows, i);
    return row;
}

enum p11prof_status like_rows_each(struct sqlite3_stmt *rows,
                                   bool (*take)(void *payload, const struct like_row *row),
                                   void *payload, struct p11prof_error *error)
{
    int result;
    while ((result = sqlite3_step(rows)) == SQLITE_ROW) {
        struct like_row row = row_read(rows);
        if (!take(payload, &row)) {
            sqlite3_finalize(rows);
            return error->status;
        }
    }
    return p11prof_query_end(rows, result, error);
}
