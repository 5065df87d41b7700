/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "rows.h"
#include "change.h"
#include "report/allocate.h"
#include "report/query.h"

#include <sqlite3.h>
#include <stdlib.h>

enum {
    LOOK_ROWS = 1000000, /* that are looked at in one go: a reader keeps the log from being reset */
    FIND_ROWS = 100000,  /* that are found in one go */
    PIECE_ROWS = 16384,  /* that are removed in one go */
};

/* Ids of calls, inclusive. */
struct range {
    int64_t first, last;
};

struct ranges {
    struct range *all;
    size_t count, capacity;
    uint64_t row_count;
};

/* The work on one run. */
struct work {
    const struct p11prof_row_removal *removal;
    struct sqlite3 *db;
    struct p11prof_turns turns;
    struct ranges found; /* to be removed next */
    uint64_t *call_count;
};

static void add_range(struct ranges *ranges, int64_t first, int64_t last)
{
    ranges->row_count += (uint64_t)(last - first) + 1;
    if (ranges->count > 0 && ranges->all[ranges->count - 1].last == first - 1) {
        ranges->all[ranges->count - 1].last = last;
        return;
    }
    ranges->all =
        p11prof_grow(ranges->all, &ranges->capacity, ranges->count + 1, sizeof *ranges->all);
    ranges->all[ranges->count++] = (struct range){first, last};
}

static enum p11prof_status read_segments(const struct work *work, struct ranges *out,
                                         struct p11prof_error *error)
{
    sqlite3_stmt *segments;
    int result;
    if (p11prof_query_prepare(
            work->db,
            "SELECT max(first_call, 1), min(last_call, 9223372036854775806) FROM segment "
            "WHERE run = ?1 ORDER BY first_call",
            work->removal->run_id, &segments, error) != P11PROF_OK)
        return error->status;
    while ((result = sqlite3_step(segments)) == SQLITE_ROW) {
        out->all = p11prof_grow(out->all, &out->capacity, out->count + 1, sizeof *out->all);
        out->all[out->count++] =
            (struct range){sqlite3_column_int64(segments, 0), sqlite3_column_int64(segments, 1)};
    }
    return p11prof_query_end(segments, result, error);
}

/* Adds the rows of a part of a segment that are to go; *next is behind the last one looked at. */
static enum p11prof_status find(struct work *work, struct range part, int64_t *next,
                                struct p11prof_error *error)
{
    sqlite3_stmt *rows;
    int result = SQLITE_ROW;
    *next = part.last + 1;
    if (work->removal->before_ns == INT64_MAX) {
        add_range(&work->found, part.first, part.last);
        return P11PROF_OK;
    }
    if (p11prof_query_prepare(work->db,
                              "SELECT id FROM call WHERE id BETWEEN ?1 AND ?2 AND start_ns < ?3",
                              part.first, &rows, error) != P11PROF_OK)
        return error->status;
    sqlite3_bind_int64(rows, 2, part.last);
    sqlite3_bind_int64(rows, 3, work->removal->before_ns);
    while (work->found.row_count < FIND_ROWS && (result = sqlite3_step(rows)) == SQLITE_ROW) {
        int64_t id = sqlite3_column_int64(rows, 0);
        add_range(&work->found, id, id);
        *next = work->found.row_count < FIND_ROWS ? *next : id + 1;
    }
    return p11prof_query_end(rows, result, error);
}

/* The segment that has that row, if it is still there and no baseline wants the run kept. */
static enum p11prof_status find_segment(const struct work *work, int64_t row, struct range *segment,
                                        int64_t *process, bool *found, struct p11prof_error *error)
{
    int64_t columns[3];
    enum p11prof_status status = p11prof_look(
        work->db,
        "SELECT first_call, last_call, process FROM segment WHERE first_call = "
        "(SELECT max(first_call) FROM segment WHERE first_call <= ?1) AND last_call >= ?1 "
        "AND run = ?2 AND NOT EXISTS (SELECT 1 FROM baseline_run AS b WHERE b.run = ?2)",
        P11PROF_NUMBERS(row, work->removal->run_id), columns, 3, found, error);
    *segment = (struct range){columns[0], columns[1]};
    *process = columns[2];
    return status;
}

/* Cuts `piece` out of the segment: what is before and behind it stays. */
static enum p11prof_status cut(const struct work *work, struct range segment, int64_t process,
                               struct range piece, struct p11prof_error *error)
{
    enum p11prof_status status = P11PROF_OK;
    if (piece.first > segment.first)
        status = p11prof_change(work->db, "UPDATE segment SET last_call = ?2 WHERE first_call = ?1",
                                P11PROF_NUMBERS(segment.first, piece.first - 1), NULL, error);
    else
        status = p11prof_change(work->db, "DELETE FROM segment WHERE first_call = ?1",
                                P11PROF_NUMBERS(segment.first), NULL, error);
    if (status != P11PROF_OK || piece.last >= segment.last)
        return status;
    return p11prof_change(
        work->db,
        "INSERT INTO segment (first_call, last_call, run, process) VALUES (?1, ?2, ?3, ?4)",
        P11PROF_NUMBERS(piece.last + 1, segment.last, work->removal->run_id, process), NULL, error);
}

static enum p11prof_status remove_piece(struct work *work, struct range piece,
                                        struct p11prof_error *error)
{
    struct range segment;
    int64_t process;
    bool found;
    uint64_t count;
    if (p11prof_turns_next(&work->turns, error) != P11PROF_OK ||
        find_segment(work, piece.first, &segment, &process, &found, error) != P11PROF_OK)
        return error->status;
    if (!found)
        return P11PROF_OK;
    if (p11prof_change(work->db, "DELETE FROM call WHERE id BETWEEN ?1 AND ?2",
                       P11PROF_NUMBERS(piece.first, piece.last), &count, error) != P11PROF_OK)
        return error->status;
    *work->call_count += count;
    return cut(work, segment, process, piece, error);
}

static enum p11prof_status remove_found(struct work *work, struct p11prof_error *error)
{
    enum p11prof_status status = P11PROF_OK;
    for (size_t i = 0; i < work->found.count && status == P11PROF_OK; i++) {
        struct range piece, range = work->found.all[i];
        for (; range.first <= range.last && status == P11PROF_OK; range.first = piece.last + 1) {
            piece = range;
            if (piece.last - piece.first >= PIECE_ROWS)
                piece.last = piece.first + PIECE_ROWS - 1;
            status = remove_piece(work, piece, error);
        }
    }
    return p11prof_turns_end(&work->turns, status, error);
}

static enum p11prof_status take_found(struct work *work, struct p11prof_error *error)
{
    enum p11prof_status status = P11PROF_OK;
    if (work->removal->dry_run)
        *work->call_count += work->found.row_count;
    else
        status = remove_found(work, error);
    work->found.count = 0;
    work->found.row_count = 0;
    return status;
}

/* The first row of a range. A file may claim ranges of any length: there are as many steps as rows.
 */
static enum p11prof_status first_row(const struct work *work, struct range range, int64_t *row,
                                     bool *found, struct p11prof_error *error)
{
    return p11prof_look(work->db,
                        "SELECT id FROM call WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT 1",
                        P11PROF_NUMBERS(range.first, range.last), row, 1, found, error);
}

static enum p11prof_status prune_segment(struct work *work, struct range segment,
                                         struct p11prof_error *error)
{
    enum p11prof_status status = P11PROF_OK;
    for (int64_t next = segment.first; next <= segment.last && status == P11PROF_OK;) {
        struct range part = {next, segment.last};
        bool found;
        status = first_row(work, part, &part.first, &found, error);
        if (status != P11PROF_OK || !found)
            break;
        if (part.last - part.first >= LOOK_ROWS)
            part.last = part.first + LOOK_ROWS - 1;
        status = find(work, part, &next, error);
        if (status == P11PROF_OK)
            status = take_found(work, error);
    }
    return status;
}

enum p11prof_status p11prof_rows_remove(const struct p11prof_row_removal *removal,
                                        uint64_t *call_count, struct p11prof_error *error)
{
    struct work work = {.removal = removal,
                        .db = p11prof_store_sqlite(removal->store),
                        .turns.store = removal->store,
                        .call_count = call_count};
    struct ranges segments = {.all = NULL};
    enum p11prof_status status = read_segments(&work, &segments, error);
    for (size_t i = 0; i < segments.count && status == P11PROF_OK; i++)
        status = prune_segment(&work, segments.all[i], error);
    free(segments.all);
    free(work.found.all);
    return status;
}
