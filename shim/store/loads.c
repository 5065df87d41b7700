/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Loads of a bench run, their slices and threads. */
#include "store/internal.h"

#include <math.h>

/* -1 is unknown. */
static struct p11prof_value known(int64_t value)
{
    return value == -1 ? p11prof_null() : p11prof_integer(value);
}

/* One statement, in the caller's transaction or in its own. */
static enum p11prof_status write_own(struct p11prof_store *store, enum p11prof_statement statement,
                                     const char *sql, const struct p11prof_value *values,
                                     size_t value_count, struct p11prof_error *error)
{
    bool own;
    enum p11prof_status status = p11prof_store_begin_own(store, &own, error);
    if (status) {
        return status;
    }
    status = p11prof_store_do(store, statement, sql, values, value_count, error);
    return p11prof_store_end_own(store, own, status, error);
}

/* 0 is none. */
static struct p11prof_value positive(uint64_t value)
{
    return value == 0 ? p11prof_null() : p11prof_quantity(value);
}

static const char *arrivals(const struct p11prof_load_row *load)
{
    return load->poisson ? "poisson" : "constant";
}

enum p11prof_status p11prof_store_load_add(struct p11prof_store *store, int64_t run_id,
                                           const struct p11prof_load_row *load,
                                           struct p11prof_error *error)
{
    return write_own(
        store, P11PROF_SQL_LOAD_ADD,
        "INSERT INTO bench_load (run, load, test, name, operation, mechanism, "
        "key_type, key_bits, data_bytes, threads, processes, step, unchecked, mix, weight, suite, "
        "rate, arrivals, think_time_ns, ramp) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, "
        "?19, ?20)",
        P11PROF_VALUES(
            p11prof_integer(run_id), p11prof_integer(load->load), p11prof_string(load->test),
            p11prof_string(load->name), p11prof_integer(load->operation), known(load->mechanism),
            known(load->key_type), known(load->key_bits), known(load->data_bytes),
            p11prof_integer(load->threads), p11prof_integer(load->processes),
            p11prof_integer(load->step), p11prof_integer(load->unchecked),
            load->mix ? p11prof_integer(load->mix) : p11prof_null(),
            load->mix ? p11prof_real(load->weight) : p11prof_null(), p11prof_string(load->suite),
            load->rate > 0 ? p11prof_real(load->rate) : p11prof_null(),
            p11prof_string(load->rate > 0 ? arrivals(load) : NULL), positive(load->think_time_ns),
            positive(load->ramp)),
        error);
}

static struct p11prof_value known_real(double value)
{
    return value < 0 ? p11prof_null() : p11prof_real(value);
}

enum p11prof_status p11prof_store_figure_add(struct p11prof_store *store, int64_t run_id,
                                             const struct p11prof_figure_row *figure,
                                             struct p11prof_error *error)
{
    return write_own(
        store, P11PROF_SQL_FIGURE_ADD,
        "INSERT INTO bench_figure (run, load, count, error_count, duration_ns, ops_per_s, "
        "bytes_per_s, mean_ns, stddev_ns, min_ns, p95_ns, p99_ns, max_ns) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        P11PROF_VALUES(p11prof_integer(run_id), p11prof_integer(figure->load),
                       p11prof_integer(figure->count), known(figure->error_count),
                       known(figure->duration_ns), known_real(figure->ops_per_s),
                       known_real(figure->bytes_per_s), known(figure->mean_ns),
                       known(figure->stddev_ns), known(figure->min_ns), known(figure->p95_ns),
                       known(figure->p99_ns), known(figure->max_ns)),
        error);
}

enum p11prof_status p11prof_store_slice_add(struct p11prof_store *store, int64_t run_id,
                                            const struct p11prof_slice_row *slice,
                                            struct p11prof_error *error)
{
    return write_own(
        store, P11PROF_SQL_SLICE_ADD,
        "INSERT INTO bench_slice (run, load, slice, start_ns, duration_ns, load_average, steal_ns, "
        "missed_count) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        P11PROF_VALUES(p11prof_integer(run_id), p11prof_integer(slice->load),
                       p11prof_integer(slice->slice), p11prof_quantity(slice->start_ns),
                       p11prof_quantity(slice->duration_ns),
                       slice->load_average < 0 ? p11prof_null() : p11prof_real(slice->load_average),
                       known(slice->steal_ns), known(slice->missed_count)),
        error);
}

/* Negative, or not a number, is unknown. */
static struct p11prof_value known_share(double share)
{
    return share >= 0 ? p11prof_real(share) : p11prof_null();
}

enum p11prof_status p11prof_store_interval_add(struct p11prof_store *store, int64_t run_id,
                                               const struct p11prof_interval_row *interval,
                                               struct p11prof_error *error)
{
    double celsius = interval->temperature_celsius;
    return write_own(
        store, P11PROF_SQL_INTERVAL_ADD,
        "INSERT INTO bench_interval (run, load, interval, start_ns, duration_ns, until_ns, "
        "measured_ns, count, error_count, p50_ns, p99_ns, cpu_share, steal_share, "
        "temperature_celsius, frequency_hz, rss_bytes, session_count) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
        P11PROF_VALUES(
            p11prof_integer(run_id), p11prof_integer(interval->load),
            p11prof_integer(interval->interval), p11prof_quantity(interval->start_ns),
            p11prof_quantity(interval->duration_ns), p11prof_quantity(interval->until_ns),
            p11prof_quantity(interval->measured_ns), p11prof_quantity(interval->count),
            p11prof_quantity(interval->error_count), known(interval->p50_ns),
            known(interval->p99_ns), known_share(interval->cpu_share),
            known_share(interval->steal_share),
            isnan(celsius) ? p11prof_null() : p11prof_real(celsius), known(interval->frequency_hz),
            known(interval->rss_bytes), known(interval->session_count)),
        error);
}

enum p11prof_status p11prof_store_thread_set(struct p11prof_store *store, int64_t run_id,
                                             const struct p11prof_thread_row *thread,
                                             struct p11prof_error *error)
{
    return write_own(
        store, P11PROF_SQL_THREAD_SET,
        "INSERT OR REPLACE INTO bench_thread (run, load, process, thread, thread_id, count, "
        "error_count, wrong_count, duration_ns, mean_ns, p99_ns) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        P11PROF_VALUES(p11prof_integer(run_id), p11prof_integer(thread->load),
                       p11prof_integer(thread->process), p11prof_integer(thread->thread),
                       p11prof_integer(thread->thread_id), p11prof_quantity(thread->count),
                       p11prof_quantity(thread->error_count), p11prof_quantity(thread->wrong_count),
                       p11prof_quantity(thread->duration_ns), known(thread->mean_ns),
                       known(thread->p99_ns)),
        error);
}

enum p11prof_status p11prof_store_skip_add(struct p11prof_store *store, int64_t run_id,
                                           const char *test, const char *reason,
                                           struct p11prof_error *error)
{
    return write_own(
        store, P11PROF_SQL_SKIP_ADD,
        "INSERT OR REPLACE INTO bench_skip (run, test, reason) VALUES (?1, ?2, ?3)",
        P11PROF_VALUES(p11prof_integer(run_id), p11prof_string(test), p11prof_string(reason)),
        error);
}

enum p11prof_status p11prof_store_group_add(struct p11prof_store *store, int64_t run_id,
                                            const struct p11prof_group *group,
                                            struct p11prof_error *error)
{
    bool own;
    enum p11prof_status status = p11prof_store_begin_own(store, &own, error);
    if (status) {
        return status;
    }
    status = p11prof_store_write_group(store, run_id, group, error);
    return p11prof_store_end_own(store, own, status, error);
}
