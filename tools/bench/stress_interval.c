/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "stress.h"

#include "../message.h"
#include "../report/buckets.h"
#include "../report/quantile.h"
#include "../report/query.h"

#include <sqlite3.h>
#include <time.h>

/* A drain leaves what ended in the last 10 ms. */
enum { DRAINED_AFTER_NS = 12000000 };

/* --- percentiles --- */

/* Of the measured slices from a moment on. */
static const char buckets_sql[] =
    "SELECT b.low_ns, b.count, w.min_ns, w.max_ns "
    "FROM bench_load AS l JOIN bench_slice AS s ON s.run = l.run AND s.load = l.load "
    "JOIN call_group AS g ON g.run = l.run AND g.is_operation = 1 AND g.code = l.operation "
    "AND g.kind = 0 AND g.part = l.load * 4 + 2 "
    "JOIN group_window AS w ON w.call_group = g.id AND w.start_ns = s.start_ns "
    "JOIN window_bucket AS b ON b.group_window = w.id "
    "WHERE l.run = ?1 AND l.load = ?2 AND s.start_ns >= ?3";

struct latencies {
    struct p11prof_buckets buckets;
    uint64_t min_ns, max_ns;
};

static enum p11prof_status latencies_read(struct latencies *out, const struct stress *stress,
                                          uint64_t since_ns, struct p11prof_error *error)
{
    const struct p11prof_recording *recording = &stress->run->recording;
    sqlite3_stmt *rows;
    int result;
    if (p11prof_query_prepare(p11prof_store_sqlite(recording->store), buckets_sql,
                              recording->run_id, &rows, error) != P11PROF_OK)
        return error->status;
    sqlite3_bind_int64(rows, 2, stress->load->number);
    sqlite3_bind_int64(rows, 3, (int64_t)since_ns);
    while ((result = sqlite3_step(rows)) == SQLITE_ROW) {
        uint64_t min_ns = (uint64_t)sqlite3_column_int64(rows, 2);
        uint64_t max_ns = (uint64_t)sqlite3_column_int64(rows, 3);
        p11prof_buckets_add(&out->buckets, (uint64_t)sqlite3_column_int64(rows, 0),
                            (uint64_t)sqlite3_column_int64(rows, 1));
        out->min_ns = min_ns < out->min_ns ? min_ns : out->min_ns;
        out->max_ns = max_ns > out->max_ns ? max_ns : out->max_ns;
    }
    return p11prof_query_end(rows, result, error);
}

static int64_t percentile(const struct latencies *latencies, enum p11prof_quantile quantile)
{
    struct p11prof_bucket bucket = {0};
    uint64_t seen = 0, rank = p11prof_quantile_rank(latencies->buckets.count,
                                                    p11prof_quantile_millionths[quantile]);
    while (rank > 0 && p11prof_buckets_next(&latencies->buckets, &bucket)) {
        seen += bucket.count;
        if (seen >= rank)
            return (int64_t)p11prof_bucket_value_ns(bucket.low_ns, bucket.high_ns,
                                                    latencies->min_ns, latencies->max_ns);
    }
    return -1;
}

static void percentiles_set(struct p11prof_interval_row *row, const struct stress *stress)
{
    const struct timespec wait = {0, DRAINED_AFTER_NS};
    struct bench_run *run = stress->run;
    struct latencies latencies = {.min_ns = UINT64_MAX};
    struct p11prof_error error;
    row->p50_ns = row->p99_ns = -1;
    if (run->record != BENCH_RECORD_OFF && run->recording.problem.status == P11PROF_OK) {
        nanosleep(&wait, NULL);
        run_drain(run);
    }
    if (!run->recording.store || stress->interval.first_plan_ns == 0)
        return;
    uint64_t since_ns = stress->interval.first_plan_ns - run->recording.start.monotonic_ns;
    if (latencies_read(&latencies, stress, since_ns, &error) == P11PROF_OK) {
        row->p50_ns = percentile(&latencies, P11PROF_P50);
        row->p99_ns = percentile(&latencies, P11PROF_P99);
    }
    p11prof_buckets_clear(&latencies.buckets);
}

/* --- the machine and the workers --- */

static int64_t rss_bytes(const struct crew *crew)
{
    int64_t sum = -1;
    for (unsigned i = 0; i < crew->count; i++) {
        int64_t bytes = crew->members[i].pid > 0 ? machine_rss_bytes("", crew->members[i].pid) : -1;
        if (bytes >= 0)
            sum = (sum < 0 ? 0 : sum) + bytes;
    }
    return sum;
}

/* What the first worker's module counts, else what all workers hold. */
static int64_t session_count(struct bench_run *run)
{
    const struct bench_request request = {.kind = BENCH_REQUEST_SESSIONS};
    struct p11prof_error error;
    int64_t held = 0;
    if (run->signal_number || run->crashed ||
        crew_ask(&run->crew, run->crew.count, &request, run_tick, run, &error) != P11PROF_OK)
        return -1;
    for (unsigned i = 0; i < run->crew.count; i++)
        held += run->crew.members[i].reply.held_count;
    int64_t counted = run->crew.members[0].reply.session_count;
    return counted >= 0 ? counted : held;
}

static void machine_set(struct p11prof_interval_row *row, const struct stress *stress)
{
    const struct machine_cpu cpu = machine_cpu_read("");
    const struct machine_cpu_shares shares = machine_cpu_between(&stress->interval.cpu, &cpu);
    row->cpu_share = shares.busy;
    row->steal_share = shares.steal;
    row->temperature_celsius = machine_temperature_celsius("");
    row->frequency_hz = machine_frequency_hz("");
    row->rss_bytes = rss_bytes(&stress->run->crew);
    row->session_count = session_count(stress->run);
}

/* --- intervals --- */

void stress_interval_begin(struct stress *stress, uint64_t now_ns)
{
    unsigned number = stress->interval.number + 1;
    stress->interval =
        (struct stress_interval){.number = number, .start_ns = now_ns, .cpu = machine_cpu_read("")};
}

static void row_store(const struct stress *stress, const struct p11prof_interval_row *row)
{
    const struct p11prof_recording *recording = &stress->run->recording;
    struct p11prof_error error;
    if (recording->store &&
        p11prof_store_interval_add(recording->store, recording->run_id, row, &error) !=
            P11PROF_OK &&
        !stress->undrained)
        p11prof_warn("%s", error.text);
}

void stress_interval_end(struct stress *stress, uint64_t now_ns)
{
    const struct stress_interval *interval = &stress->interval;
    struct p11prof_interval_row row = {.load = stress->load->number,
                                       .interval = interval->number,
                                       .start_ns = interval->start_ns -
                                                   stress->run->recording.start.monotonic_ns,
                                       .duration_ns = now_ns - interval->start_ns,
                                       .until_ns = now_ns - stress->begin_ns,
                                       .measured_ns = interval->measured_ns,
                                       .count = interval->count,
                                       .error_count = interval->error_count};
    machine_set(&row, stress);
    percentiles_set(&row, stress);
    row_store(stress, &row);
    progress_clear(stress->run->progress);
    stress_line_print(stress_lines(stress->run->settings), &row);
    stress->count += interval->count;
    stress->error_count += interval->error_count;
    stress->dead = interval->count == interval->error_count;
}
