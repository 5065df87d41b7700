/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "samples.h"
#include "allocate.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A profile's windows: seconds in its first minute, then minutes; at most so many of a run are
 * filled in where nothing happened. */
#define SECOND_NS UINT64_C(1000000000)
#define MINUTE_NS (60 * SECOND_NS)
enum { EMPTY_WINDOWS_MOST = 10000 };

void p11prof_sample_key_clear(struct p11prof_sample_key *key)
{
    free(key->what);
    free(key->mechanism);
    free(key->key_type);
    free(key->suite);
    *key = (struct p11prof_sample_key){.what = NULL};
}

static void clear_sample(struct p11prof_sample *sample)
{
    for (size_t i = 0; i < sample->window_count; i++)
        free(sample->windows[i].buckets);
    free(sample->windows);
}

void p11prof_samples_clear(struct p11prof_samples *samples)
{
    for (size_t i = 0; i < samples->row_count; i++) {
        struct p11prof_sample_row *row = &samples->rows[i];
        for (size_t j = 0; j < row->sample_count; j++)
            clear_sample(&row->samples[j]);
        free(row->samples);
        free(row->name);
        p11prof_sample_key_clear(&row->key);
    }
    free(samples->rows);
    p11prof_table_clear(&samples->runs);
    *samples = (struct p11prof_samples){.rows = NULL};
}

int64_t p11prof_sample_weight(double part)
{
    return part > 0 ? llround(fmax(fmin(part, 1) * 1e6, 1)) : 0;
}

int64_t p11prof_sample_rate(double per_s)
{
    return per_s > 0 ? llround(fmax(fmin(per_s, 1e9) * 1e6, 1)) : 0;
}

static int compare_numbers(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

int p11prof_sample_key_compare(const struct p11prof_sample_key *a,
                               const struct p11prof_sample_key *b)
{
    const int orders[] = {
        compare_numbers(a->kind, b->kind),
        strcmp(a->what, b->what),
        a->kind == P11PROF_SAMPLE_TEST ? 0 : strcmp(a->mechanism, b->mechanism),
        strcmp(a->key_type, b->key_type),
        compare_numbers(a->key_bits, b->key_bits),
        compare_numbers(a->data_bytes, b->data_bytes),
        compare_numbers(a->processes, b->processes),
        compare_numbers(a->threads, b->threads),
        compare_numbers(a->weight, b->weight),
        strcmp(a->suite ? a->suite : "", b->suite ? b->suite : ""),
        compare_numbers(a->step, b->step),
        compare_numbers(a->rate, b->rate),
        compare_numbers(a->poisson, b->poisson),
        compare_numbers(a->think_time_ns, b->think_time_ns),
    };
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++)
        if (orders[i] != 0)
            return orders[i];
    return 0;
}

static void write_number(FILE *stream, const char *format, int64_t number, int64_t usual)
{
    if (number != usual && number >= 0)
        fprintf(stream, format, number);
}

char *p11prof_sample_key_text(const struct p11prof_sample_key *key)
{
    char *text;
    size_t bytes;
    FILE *stream = p11prof_text_open(&text, &bytes);
    bool test = key->kind == P11PROF_SAMPLE_TEST;
    fputs(key->what, stream);
    if (!test && *key->mechanism)
        fprintf(stream, " %s", key->mechanism);
    if (!test && *key->key_type)
        fprintf(stream, " %s", key->key_type);
    if (!test)
        write_number(stream, " %" PRId64, key->key_bits, -1);
    write_number(stream, " %" PRId64 " bytes", key->data_bytes, -1);
    write_number(stream, " %" PRId64 " threads", key->threads, 1);
    write_number(stream, " %" PRId64 " processes", key->processes, 1);
    if (key->suite)
        fprintf(stream, ", step %" PRId64 " of %s", key->step, key->suite);
    if (key->weight > 0)
        fprintf(stream, " %.4g %% of a mix", (double)key->weight / 1e4);
    if (key->rate > 0)
        fprintf(stream, " at %.6g/s%s", (double)key->rate / 1e6, key->poisson ? " (poisson)" : "");
    if (key->think_time_ns > 0)
        fprintf(stream, " with %.6g ms between", (double)key->think_time_ns / 1e6);
    fclose(stream);
    return text;
}

struct p11prof_sample_row *p11prof_samples_row(struct p11prof_samples *samples,
                                               struct p11prof_sample_key *key)
{
    struct p11prof_sample_row *row = NULL;
    for (size_t i = 0; i < samples->row_count && !row; i++)
        if (p11prof_sample_key_compare(&samples->rows[i].key, key) == 0)
            row = &samples->rows[i];
    if (row) {
        p11prof_sample_key_clear(key);
    } else {
        samples->rows = p11prof_grow(samples->rows, &samples->row_capacity, samples->row_count + 1,
                                     sizeof *samples->rows);
        row = &samples->rows[samples->row_count++];
        *row = (struct p11prof_sample_row){.key = *key};
        *key = (struct p11prof_sample_key){.what = NULL};
    }
    return row;
}

struct p11prof_sample *p11prof_sample_of_run(struct p11prof_sample_row *row, size_t run)
{
    for (size_t i = 0; i < row->sample_count; i++)
        if (row->samples[i].run == run)
            return &row->samples[i];
    row->samples = p11prof_grow(row->samples, &row->sample_capacity, row->sample_count + 1,
                                sizeof *row->samples);
    row->samples[row->sample_count] = (struct p11prof_sample){.run = run};
    return &row->samples[row->sample_count++];
}

struct p11prof_window *p11prof_sample_add_window(struct p11prof_sample *sample)
{
    sample->windows = p11prof_grow(sample->windows, &sample->window_capacity,
                                   sample->window_count + 1, sizeof *sample->windows);
    sample->windows[sample->window_count] = (struct p11prof_window){.count = 0};
    return &sample->windows[sample->window_count++];
}

static int compare_windows(const void *a, const void *b)
{
    const struct p11prof_window *first = a, *second = b;
    return first->start_ns != second->start_ns ? (first->start_ns > second->start_ns) * 2 - 1
           : first->duration_ns != second->duration_ns
               ? (first->duration_ns > second->duration_ns) * 2 - 1
               : 0;
}

/* Where the window of that moment ends. */
static uint64_t window_end(uint64_t start_ns, uint64_t run_ns)
{
    uint64_t width_ns = start_ns < MINUTE_NS ? SECOND_NS : MINUTE_NS;
    uint64_t least_ns = run_ns / EMPTY_WINDOWS_MOST;
    width_ns = width_ns < least_ns ? least_ns : width_ns;
    return start_ns - start_ns % width_ns + width_ns;
}

static void fill_gap(struct p11prof_sample *sample, uint64_t from_ns, uint64_t to_ns,
                     uint64_t run_ns)
{
    while (from_ns < to_ns) {
        uint64_t end_ns = window_end(from_ns, run_ns);
        struct p11prof_window *window = p11prof_sample_add_window(sample);
        window->start_ns = from_ns;
        window->duration_ns = (end_ns < to_ns ? end_ns : to_ns) - from_ns;
        from_ns += window->duration_ns;
    }
}

/* Of a profile, the windows have all that the row has. */
static void count_windows(struct p11prof_sample *sample)
{
    sample->count = sample->error_count = 0;
    for (size_t i = 0; i < sample->window_count; i++) {
        sample->count += sample->windows[i].count;
        sample->error_count += sample->windows[i].error_count;
    }
}

/* A run ends inside its last window, and a second without a call is a window too. */
static void complete_profile(struct p11prof_sample *sample, uint64_t run_ns)
{
    size_t count = sample->window_count;
    uint64_t end_ns = 0;
    for (size_t i = 0; i < count; i++) {
        struct p11prof_window *window = &sample->windows[i];
        uint64_t start_ns = window->start_ns;
        if (start_ns < run_ns && run_ns - start_ns < window->duration_ns)
            window->duration_ns = run_ns - start_ns;
        uint64_t next_ns = start_ns + window->duration_ns;
        fill_gap(sample, end_ns, start_ns < run_ns ? start_ns : run_ns, run_ns);
        end_ns = next_ns > end_ns ? next_ns : end_ns;
    }
    fill_gap(sample, end_ns, run_ns, run_ns);
    qsort(sample->windows, sample->window_count, sizeof *sample->windows, compare_windows);
}

void p11prof_samples_complete(struct p11prof_samples *samples)
{
    for (size_t i = 0; i < samples->row_count; i++) {
        struct p11prof_sample_row *row = &samples->rows[i];
        for (size_t j = 0; j < row->sample_count; j++) {
            struct p11prof_sample *sample = &row->samples[j];
            int64_t run_ns = p11prof_table_integer(&samples->runs, sample->run, "duration_ns", 0);
            if (sample->window_count == 0)
                continue;
            qsort(sample->windows, sample->window_count, sizeof *sample->windows, compare_windows);
            if (row->key.kind == P11PROF_SAMPLE_TEST)
                continue;
            count_windows(sample);
            complete_profile(sample, run_ns > 0 ? (uint64_t)run_ns : 0); /* damaged: negative */
        }
    }
}
