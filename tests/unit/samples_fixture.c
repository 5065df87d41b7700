/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "samples_fixture.h"
#include "p11prof/histogram.h"
#include "report/allocate.h"
#include "report/buckets.h"

#include <math.h>

static uint64_t generator = 1;

void simulation_seed(uint64_t seed)
{
    generator = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
}

double simulation_uniform(void)
{
    generator ^= generator << 13;
    generator ^= generator >> 7;
    generator ^= generator << 17;
    return ((double)(generator >> 11) + 0.5) / 0x1p53;
}

double simulation_normal(void)
{
    return sqrt(-2 * log(simulation_uniform())) * cos(2 * acos(-1) * simulation_uniform());
}

static void take_buckets(struct p11prof_window *window, const struct p11prof_buckets *buckets)
{
    struct p11prof_bucket bucket = {0};
    size_t capacity = 0;
    while (p11prof_buckets_next(buckets, &bucket)) {
        window->buckets = p11prof_grow(window->buckets, &capacity, window->bucket_count + 1,
                                       sizeof *window->buckets);
        window->buckets[window->bucket_count++] =
            (struct p11prof_window_bucket){bucket.low_ns, bucket.count};
    }
}

/* Operations one after another; failed ones take time too. */
static void fill(struct p11prof_window *window, const struct simulation *simulation, double level)
{
    struct p11prof_buckets buckets = {.count = 0};
    double spent_ns = 0;
    bool all_fail = simulation_uniform() < simulation->error_window_share;
    for (double i = 0; i < simulation->operations; i++) {
        double slow = simulation_uniform() < simulation->slow_share ? simulation->slow_times : 1;
        double ns = simulation->latency_ns * slow *
                    exp(level + simulation->operation_spread * simulation_normal());
        spent_ns += ns;
        window->count++;
        if (all_fail || simulation_uniform() < simulation->error_share)
            window->error_count++;
        else
            p11prof_buckets_add(&buckets, (uint64_t)ns, 1);
    }
    if (simulation_uniform() < simulation->stall_share)
        spent_ns *= 2;
    window->duration_ns = (uint64_t)spent_ns + 1;
    take_buckets(window, &buckets);
    p11prof_buckets_clear(&buckets);
}

static void simulate_run(struct p11prof_sample *sample, const struct simulation *simulation)
{
    double state = simulation_normal(), rho = simulation->correlation;
    double run = simulation->run_spread * simulation_normal();
    for (size_t i = 0; i < simulation->windows; i++) {
        struct p11prof_window *window = p11prof_sample_add_window(sample);
        state = rho * state + sqrt(1 - rho * rho) * simulation_normal();
        fill(window, simulation,
             run + simulation->window_spread * state +
                 simulation->trend * (double)i / (double)simulation->windows);
        window->start_ns = i * UINT64_C(1000000000000);
        sample->count += window->count;
        sample->error_count += window->error_count;
    }
}

void simulate(struct p11prof_samples *out, const char *test, const struct simulation *simulation)
{
    struct p11prof_sample_key key = {.kind = P11PROF_SAMPLE_TEST,
                                     .what = p11prof_copy(test),
                                     .mechanism = p11prof_copy(""),
                                     .key_type = p11prof_copy("CKK_RSA"),
                                     .key_bits = 2048,
                                     .data_bytes = 32,
                                     .threads = 1,
                                     .processes = 1};
    struct p11prof_sample_row *row = p11prof_samples_row(out, &key);
    if (out->runs.column_count == 0)
        p11prof_table_add_columns(&out->runs, P11PROF_SAMPLE_RUN_COLUMNS);
    row->name = p11prof_copy(test);
    for (size_t i = 0; i < simulation->runs; i++) {
        while (out->runs.row_count <= i)
            p11prof_table_add_row(&out->runs);
        simulate_run(p11prof_sample_of_run(row, i), simulation);
    }
    p11prof_samples_complete(out);
}
