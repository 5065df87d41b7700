/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "row_scan.h"
#include "allocate.h"
#include "p11prof/store.h"
#include "progress.h"
#include "query.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FEW_ROWS = 200000 };

/* Ids of calls, inclusive. */
struct range {
    int64_t first, last;
};

struct ranges {
    struct range *all;
    size_t count, capacity;
    uint64_t row_count;
};

struct job {
    const struct p11prof_row_scan *scan;
    struct sqlite3 *connection;
    struct range range;
    void *payload;
    struct p11prof_error error; /* P11PROF_OK: done */
    pthread_t thread;
    bool started;
};

static int by_first(const void *a, const void *b)
{
    const struct range *first = a, *second = b;
    return (first->first > second->first) - (first->first < second->first);
}

static enum p11prof_status read_ranges(struct ranges *out, struct sqlite3 *db,
                                       const int64_t *run_ids, size_t run_count,
                                       struct p11prof_error *error)
{
    for (size_t i = 0; i < run_count; i++) {
        sqlite3_stmt *segments;
        int result;
        if (p11prof_query_prepare(db, "SELECT first_call, last_call FROM segment WHERE run = ?1",
                                  run_ids[i], &segments, error) != P11PROF_OK)
            return error->status;
        while ((result = sqlite3_step(segments)) == SQLITE_ROW) {
            struct range range = {sqlite3_column_int64(segments, 0),
                                  sqlite3_column_int64(segments, 1)};
            out->all = p11prof_grow(out->all, &out->capacity, out->count + 1, sizeof *out->all);
            out->all[out->count++] = range;
            out->row_count += (uint64_t)(range.last - range.first + 1);
        }
        if (p11prof_query_end(segments, result, error) != P11PROF_OK)
            return error->status;
    }
    if (out->count > 1)
        qsort(out->all, out->count, sizeof *out->all, by_first);
    return P11PROF_OK;
}

enum p11prof_status p11prof_row_scan_count(struct sqlite3 *db, const int64_t *run_ids,
                                           size_t run_count, uint64_t *out,
                                           struct p11prof_error *error)
{
    struct ranges ranges = {.all = NULL};
    enum p11prof_status status = read_ranges(&ranges, db, run_ids, run_count, error);
    *out = ranges.row_count;
    free(ranges.all);
    return status;
}

size_t p11prof_row_scan_threads(uint64_t row_count)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    if (row_count < FEW_ROWS || processors < 2)
        return 1;
    return processors > P11PROF_SCAN_THREADS_MAX ? P11PROF_SCAN_THREADS_MAX : (size_t)processors;
}

/* The id behind which `rank` of the rows stand before. */
static int64_t id_of_rank(const struct ranges *ranges, uint64_t rank)
{
    for (size_t i = 0; i < ranges->count; i++) {
        uint64_t rows = (uint64_t)(ranges->all[i].last - ranges->all[i].first + 1);
        if (rank < rows)
            return ranges->all[i].first + (int64_t)rank;
        rank -= rows;
    }
    return INT64_MAX;
}

static enum p11prof_status scan_run(struct job *job, size_t run, const char *sql,
                                    struct p11prof_error *error)
{
    const struct p11prof_row_scan *scan = job->scan;
    sqlite3_stmt *rows;
    int result;
    if (p11prof_query_prepare(job->connection, sql, scan->run_ids[run], &rows, error) != P11PROF_OK)
        return error->status;
    sqlite3_bind_int64(rows, 2, scan->conditions[run].start_wall_ns);
    sqlite3_bind_int64(rows, 3, job->range.first);
    sqlite3_bind_int64(rows, 4, job->range.last);
    while ((result = sqlite3_step(rows)) == SQLITE_ROW)
        scan->take(job->payload, run, rows);
    return p11prof_query_end(rows, result, error);
}

static char *make_sql(const struct p11prof_row_scan *scan, size_t run)
{
    char *sql;
    size_t bytes;
    FILE *stream = p11prof_text_open(&sql, &bytes);
    fprintf(stream,
            "SELECT %s FROM segment AS s CROSS JOIN call AS c ON c.id BETWEEN "
            "max(s.first_call, ?3) AND min(s.last_call, ?4) "
            "WHERE s.run = ?1 AND s.first_call <= ?4 AND s.last_call >= ?3 "
            "AND coalesce(?2, 0) IS NOT NULL%s%s",
            scan->columns, scan->conditions[run].of_call, scan->where);
    fclose(stream);
    return sql;
}

static void *run_job(void *payload)
{
    struct job *job = payload;
    job->error.status = P11PROF_OK;
    for (size_t i = 0; i < job->scan->run_count && job->error.status == P11PROF_OK; i++) {
        char *sql = make_sql(job->scan, i);
        scan_run(job, i, sql, &job->error);
        free(sql);
    }
    return NULL;
}

/* A connection of its own, but for the first job, which has the caller's. */
static enum p11prof_status open_job(struct job *job, size_t number, struct p11prof_error *error)
{
    struct sqlite3 *db = job->scan->db;
    job->connection = db;
    if (number > 0) {
        const char *path = sqlite3_db_filename(db, "main");
        int result = sqlite3_open_v2(path ? path : "", &job->connection,
                                     SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
        if (result != SQLITE_OK)
            return p11prof_error_set(error, P11PROF_FAILED, "%.256s: %.200s", path ? path : "",
                                     sqlite3_errmsg(job->connection));
        sqlite3_busy_timeout(job->connection, 5000);
        p11prof_store_defend(job->connection);
    }
    if (job->scan->prepare && job->scan->prepare(job->connection, job->payload) != SQLITE_OK)
        return p11prof_error_set(error, P11PROF_FAILED, "%.200s", sqlite3_errmsg(job->connection));
    return P11PROF_OK;
}

static void close_job(struct job *job)
{
    if (job->connection != job->scan->db)
        sqlite3_close(job->connection);
}

/* All but the first have threads; one that cannot be started is done here. */
static void run_jobs(struct job *jobs, size_t count)
{
    for (size_t i = 1; i < count; i++)
        jobs[i].started = pthread_create(&jobs[i].thread, NULL, run_job, &jobs[i]) == 0;
    run_job(&jobs[0]);
    for (size_t i = 1; i < count; i++) {
        if (jobs[i].started)
            pthread_join(jobs[i].thread, NULL);
        else
            run_job(&jobs[i]);
    }
}

static enum p11prof_status run_all(struct job *jobs, size_t count, struct p11prof_error *error)
{
    enum p11prof_status status = P11PROF_OK;
    for (size_t i = 0; i < count && status == P11PROF_OK; i++)
        status = open_job(&jobs[i], i, error);
    if (status == P11PROF_OK)
        run_jobs(jobs, count);
    for (size_t i = 0; i < count; i++) {
        if (status == P11PROF_OK && jobs[i].error.status != P11PROF_OK) {
            *error = jobs[i].error;
            status = error->status;
        }
        close_job(&jobs[i]);
    }
    return status;
}

enum p11prof_status p11prof_row_scan_run(const struct p11prof_row_scan *scan, void *const *payloads,
                                         size_t thread_count, struct p11prof_error *error)
{
    struct ranges ranges = {.all = NULL};
    struct job jobs[P11PROF_SCAN_THREADS_MAX] = {{.started = false}};
    struct p11prof_progress progress;
    char what[64];
    if (read_ranges(&ranges, scan->db, scan->run_ids, scan->run_count, error) != P11PROF_OK) {
        free(ranges.all);
        return error->status;
    }
    for (size_t i = 0; i < thread_count; i++) {
        jobs[i].scan = scan;
        jobs[i].payload = payloads[i];
        jobs[i].range.first = i > 0 ? jobs[i - 1].range.last + 1 : 0;
        jobs[i].range.last =
            i + 1 < thread_count
                ? id_of_rank(&ranges, ranges.row_count * (i + 1) / thread_count) - 1
                : INT64_MAX;
    }
    free(ranges.all);
    snprintf(what, sizeof what, "reading %llu calls", (unsigned long long)ranges.row_count);
    p11prof_progress_begin(&progress, scan->db, what);
    enum p11prof_status status = run_all(jobs, thread_count, error);
    p11prof_progress_end(&progress);
    return status;
}
