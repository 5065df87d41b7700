/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "p11prof/batch.h"
#include "round_steps.h"
#include "row_scan.h"
#include "timeline_steps.h"

#include <inttypes.h>
#include <sqlite3.h>

enum row { ROW_START, ROW_DURATION, ROW_RV, ROW_KIND };
static const char columns[] = "c.start_ns, c.duration_ns, c.rv, c.kind";

static void take_row(void *payload, size_t run, sqlite3_stmt *row)
{
    int64_t start_ns = sqlite3_column_int64(row, ROW_START);
    bool failed = sqlite3_column_type(row, ROW_RV) != SQLITE_NULL &&
                  sqlite3_column_int64(row, ROW_RV) != CKR_OK &&
                  sqlite3_column_int(row, ROW_KIND) != P11PROF_KIND_TOO_SMALL;
    (void)run;
    p11prof_timeline_add(payload, start_ns > 0 ? (uint64_t)start_ns : 0,
                         sqlite3_column_int64(row, ROW_DURATION), failed);
}

static enum p11prof_status scan(struct p11prof_timeline *parts,
                                const struct p11prof_timeline_source *source,
                                struct p11prof_error *error)
{
    void *payloads[P11PROF_SCAN_THREADS_MAX];
    char where[64];
    uint64_t slower_than_ns = source->options->selection.slower_than_ns;
    snprintf(where, sizeof where, " AND c.duration_ns >= %" PRId64,
             slower_than_ns ? (int64_t)slower_than_ns : -1);
    struct p11prof_row_scan rows = {.db = source->db,
                                    .run_ids = &source->run_id,
                                    .conditions = &source->condition,
                                    .run_count = 1,
                                    .columns = columns,
                                    .where = where,
                                    .take = take_row};
    for (size_t i = 0; i < source->threads; i++)
        payloads[i] = &parts[i];
    return p11prof_row_scan_run(&rows, payloads, source->threads, error);
}

enum p11prof_status p11prof_timeline_of_rows(struct p11prof_timeline *timeline,
                                             const struct p11prof_timeline_source *source,
                                             struct p11prof_error *error)
{
    struct p11prof_timeline parts[P11PROF_SCAN_THREADS_MAX];
    uint64_t step_ns, start_ns = timeline->start_ns, end_ns = timeline->end_ns;
    if (p11prof_timeline_choose_step(source, end_ns - start_ns, 0, 0, &step_ns, error) !=
        P11PROF_OK)
        return error->status;
    for (size_t i = 0; i < source->threads; i++)
        p11prof_timeline_make(&parts[i], start_ns, end_ns, step_ns);
    enum p11prof_status status = scan(parts, source, error);
    for (size_t i = 1; i < source->threads; i++) {
        p11prof_timeline_merge(&parts[0], &parts[i]);
        p11prof_timeline_clear(&parts[i]);
    }
    *timeline = parts[0];
    return status;
}
