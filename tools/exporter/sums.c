/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "sums.h"

#include "report/allocate.h"
#include "report/query.h"
#include "report/window_read.h"
#include "sums_read.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *const kinds[] = {"profile", "bench", NULL};
static const char *const states[] = {"running", "finished",  "interrupted",
                                     "failed",  "recovered", NULL};

static const char runs_sql[] =
    "SELECT x.run_id, x.kind, coalesce(x.state, n.name, 'running'), x.is_application, "
    "x.batch_count, x.spool_count, x.ended_count, x.end_wall_ns FROM ("
    "SELECT r.id AS run_id, r.kind, r.state, " P11PROF_IS_APPLICATION(
        "r.kind", "r.id") " AS is_application, CAST(total(s.batch) AS INTEGER) AS batch_count, "
                          "count(s.id) AS spool_count, "
                          "count(s.id) FILTER (WHERE s.state != 3) AS ended_count, "
                          "r.start_wall_ns + coalesce(max(p.end_ns), 0) AS end_wall_ns, "
                          "max(s.state) AS greatest "
                          "FROM run AS r LEFT JOIN process AS p ON p.run = r.id "
                          "LEFT JOIN spool AS s ON s.process = p.id GROUP BY r.id) AS x "
                          "LEFT JOIN state_name AS n ON n.code = x.greatest ORDER BY x.run_id";

/* Words of the database, so that only known ones become labels. */
static const char *known(const char *const *words, const char *text)
{
    for (; *words; words++)
        if (strcmp(*words, text) == 0)
            return *words;
    return "other";
}

/* One pass over the runs of the database. */
struct refreshing {
    struct exporter_sums *sums;
    struct exporter_reader reader;
    int64_t now_wall_ns;
    size_t position; /* in sums->runs, of the run that comes next */
    bool stale;      /* runs are gone, or changed after they were over: all is read anew */
};

static struct exporter_run *run_insert(struct exporter_sums *sums, size_t position)
{
    sums->runs =
        p11prof_grow(sums->runs, &sums->run_capacity, sums->run_count + 1, sizeof *sums->runs);
    struct exporter_run *run = &sums->runs[position];
    memmove(run + 1, run, (sums->run_count++ - position) * sizeof *run);
    memset(run, 0, sizeof *run);
    return run;
}

/* The run of the row at hand; NULL if one between it and the row before is gone. */
static struct exporter_run *run_of(struct refreshing *refreshing, int64_t run_id)
{
    struct exporter_sums *sums = refreshing->sums;
    size_t position = refreshing->position++;
    if (position == sums->run_count || sums->runs[position].run_id > run_id)
        run_insert(sums, position)->run_id = run_id;
    return sums->runs[position].run_id == run_id ? &sums->runs[position] : NULL;
}

/* Processes of a run may still come while one of them lives, or shortly after. */
static bool is_over(const struct refreshing *refreshing, const struct exporter_run *run)
{
    const int64_t QUIET_NS = INT64_C(300000000000);
    return run->signature.ended_count == run->signature.spool_count &&
           refreshing->now_wall_ns - run->signature.end_wall_ns > QUIET_NS;
}

static void run_settle(struct exporter_run *run)
{
    free(run->parts);
    run->parts = NULL;
    run->part_count = run->part_capacity = 0;
    run->settled = true;
}

static enum p11prof_status run_take(struct refreshing *refreshing, sqlite3_stmt *row,
                                    struct p11prof_error *error)
{
    struct exporter_run *run = run_of(refreshing, sqlite3_column_int64(row, 0));
    if (!run) {
        refreshing->stale = true;
        return P11PROF_OK;
    }
    struct exporter_signature signature = {
        sqlite3_column_int64(row, 4), sqlite3_column_int64(row, 5), sqlite3_column_int64(row, 6),
        sqlite3_column_int64(row, 7)};
    run->kind = known(kinds, p11prof_query_text(row, 1));
    run->state = known(states, p11prof_query_text(row, 2));
    bool changed = !run->read || memcmp(&signature, &run->signature, sizeof signature) != 0;
    if (changed && run->settled) {
        refreshing->stale = true;
        return P11PROF_OK;
    }
    run->signature = signature;
    if (changed) {
        run->read = false;
        if (sqlite3_column_int(row, 3) &&
            exporter_run_read(&refreshing->reader, &refreshing->sums->book, run, error))
            return error->status;
        run->read = true;
    }
    if (!run->settled && is_over(refreshing, run))
        run_settle(run);
    return P11PROF_OK;
}

static int64_t wall_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* *stale: nothing is right any more. */
static enum p11prof_status runs_take(struct exporter_sums *sums, struct sqlite3 *db, bool *stale,
                                     struct p11prof_error *error)
{
    struct refreshing refreshing = {.sums = sums, .reader = {.db = db}, .now_wall_ns = wall_ns()};
    enum p11prof_status status = P11PROF_OK;
    sqlite3_stmt *rows;
    int result = SQLITE_DONE;
    if (p11prof_query_prepare(db, runs_sql, 0, &rows, error) != P11PROF_OK)
        return error->status;
    while (status == P11PROF_OK && !refreshing.stale && (result = sqlite3_step(rows)) == SQLITE_ROW)
        status = run_take(&refreshing, rows, error);
    if (status != P11PROF_OK || refreshing.stale)
        sqlite3_finalize(rows);
    else if ((status = p11prof_query_end(rows, result, error)) == P11PROF_OK)
        refreshing.stale = refreshing.position < sums->run_count;
    exporter_reader_clear(&refreshing.reader);
    *stale = refreshing.stale;
    return status;
}

static enum p11prof_status refresh(struct exporter_sums *sums, struct sqlite3 *db,
                                   struct p11prof_error *error)
{
    int64_t data_version = 0;
    bool stale = false;
    enum p11prof_status status =
        p11prof_query_integer(db, "PRAGMA data_version", 0, 0, &data_version, error);
    if (status != P11PROF_OK || (data_version == sums->data_version && data_version != 0))
        return status;
    sums->data_version = 0;
    status = runs_take(sums, db, &stale, error);
    if (status == P11PROF_OK && stale) {
        exporter_sums_clear(sums);
        status = runs_take(sums, db, &stale, error);
    }
    if (status != P11PROF_OK)
        return status;
    sums->data_version = data_version;
    return P11PROF_OK;
}

enum p11prof_status exporter_sums_refresh(struct exporter_sums *sums, struct sqlite3 *db,
                                          struct p11prof_error *error)
{
    sqlite3_exec(db, "BEGIN", NULL, NULL, NULL);
    enum p11prof_status status = refresh(sums, db, error);
    sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return status;
}

void exporter_run_counts_visit(const struct exporter_sums *sums,
                               void (*visit)(void *payload, const struct exporter_run_count *count),
                               void *payload)
{
    for (size_t kind = 0; kinds[kind]; kind++)
        for (size_t state = 0; states[state]; state++) {
            struct exporter_run_count count = {kinds[kind], states[state], 0};
            for (size_t i = 0; i < sums->run_count; i++)
                count.count +=
                    sums->runs[i].kind == count.kind && sums->runs[i].state == count.state;
            if (count.count > 0)
                visit(payload, &count);
        }
}

void exporter_sums_clear(struct exporter_sums *sums)
{
    for (size_t i = 0; i < sums->run_count; i++)
        free(sums->runs[i].parts);
    free(sums->runs);
    exporter_book_clear(&sums->book);
    *sums = (struct exporter_sums){.book = sums->book};
}
