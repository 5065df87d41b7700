/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "results_fixture.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_MOST = 8192, GROUPS_MOST = 64 };

static struct p11prof_row rows[ROWS_MOST];
static struct fixture_group *groups[GROUPS_MOST]; /* of operations and of calls in turn */
static size_t row_count, group_count;

struct p11prof_run_report bench_report;

static void ok(enum p11prof_status status, const struct p11prof_error *error)
{
    if (status) {
        fail_msg("%s", error->text);
    }
}

int bench_setup(void **state)
{
    struct p11prof_run_start start = {.uuid = {1}, .kind = "bench"};
    struct p11prof_error error = {0};
    int64_t run_id = 0;
    row_count = group_count = 0;
    if (fixture_store_setup(state) != 0)
        return -1;
    start.start = fixture_spool->run_start;
    ok(p11prof_store_run_start(fixture_store, &start, &run_id, &error), &error);
    assert_int_equal(run_id, 1);
    return 0;
}

int bench_teardown(void **state)
{
    p11prof_run_report_clear(&bench_report);
    for (size_t i = 0; i < group_count; i++)
        free(groups[i]);
    return fixture_store_teardown(state);
}

static struct fixture_group *group_of(const struct bench_place *place, bool operation)
{
    uint32_t part = p11prof_part(place->load, place->phase);
    for (size_t i = 0; i < group_count; i++)
        if (groups[i]->group.part == part && groups[i]->group.operation == operation &&
            groups[i]->group.window_start_ns == place->start_ns)
            return groups[i];
    assert_in_range(group_count, 0, GROUPS_MOST - 1);
    struct fixture_group *group = groups[group_count++] = malloc(sizeof *group);
    assert_non_null(group);
    fixture_group_init(group, operation ? P11PROF_OPERATION_SIGN : P11PROF_C_Sign, place->start_ns);
    group->group.operation = operation;
    group->group.mechanism = CKM_ECDSA;
    group->group.part = part;
    group->group.window_ns = 0;
    return group;
}

static void group_add(struct fixture_group *group, uint64_t duration_ns, uint64_t rv)
{
    if (rv == CKR_OK) {
        fixture_group_add(group, duration_ns);
        return;
    }
    group->group.count++;
    group->group.error_count++;
    group->group.error_sum_ns += duration_ns;
}

void bench_operation(const struct bench_place *place, uint64_t duration_ns, uint64_t rv)
{
    assert_in_range(row_count, 0, ROWS_MOST - 1);
    rows[row_count++] = (struct p11prof_row){
        .known = P11PROF_ROW_RV | P11PROF_ROW_MECHANISM | P11PROF_ROW_OPERATION,
        .function = P11PROF_C_Sign,
        .mechanism = CKM_ECDSA,
        .operation = P11PROF_OPERATION_SIGN,
        .operation_call_count = 2,
        .operation_start_ns = place->start_ns,
        .operation_duration_ns = duration_ns,
        .thread_id = place->thread_id,
        .start_ns = place->start_ns + duration_ns / 2,
        .duration_ns = duration_ns / 2,
        .part = p11prof_part(place->load, place->phase),
        .rv = rv,
    };
    group_add(group_of(place, true), duration_ns, rv);
    group_add(group_of(place, false), duration_ns / 2, rv);
}

void bench_write(bool with_rows)
{
    struct p11prof_group all[GROUPS_MOST];
    for (size_t i = 0; i < group_count; i++)
        all[i] = groups[i]->group;
    struct p11prof_batch batch = {.rows = rows,
                                  .row_count = with_rows ? row_count : 0,
                                  .groups = all,
                                  .group_count = group_count,
                                  .call_count = row_count};
    fixture_write(fixture_store, fixture_spool, &batch);
}

static struct p11prof_load_row load_row(uint32_t load, const char *test, unsigned threads)
{
    return (struct p11prof_load_row){.load = load,
                                     .test = test,
                                     .name = test,
                                     .operation = P11PROF_OPERATION_SIGN,
                                     .mechanism = CKM_ECDSA,
                                     .key_type = CKK_EC,
                                     .key_bits = 256,
                                     .data_bytes = -1,
                                     .threads = threads,
                                     .processes = 1,
                                     .step = 1};
}

void bench_load(uint32_t load, const char *test, int64_t data_bytes, unsigned threads,
                unsigned processes)
{
    struct p11prof_error error = {0};
    struct p11prof_load_row row = load_row(load, test, threads);
    row.data_bytes = data_bytes;
    row.processes = processes;
    ok(p11prof_store_load_add(fixture_store, 1, &row, &error), &error);
}

void bench_mix_load(uint32_t load, const char *test, unsigned mix, double weight, unsigned threads)
{
    struct p11prof_error error = {0};
    struct p11prof_load_row row = load_row(load, test, threads);
    row.mix = mix;
    row.weight = weight;
    ok(p11prof_store_load_add(fixture_store, 1, &row, &error), &error);
}

void bench_slice(uint32_t load, unsigned slice, uint64_t start_ns, uint64_t duration_ns)
{
    struct p11prof_error error = {0};
    struct p11prof_slice_row row = {load, slice, start_ns, duration_ns, -1, -1, -1};
    ok(p11prof_store_slice_add(fixture_store, 1, &row, &error), &error);
}

void bench_thread(const struct p11prof_thread_row *thread)
{
    struct p11prof_error error = {0};
    ok(p11prof_store_thread_set(fixture_store, 1, thread, &error), &error);
}

void bench_skip(const char *test, const char *reason)
{
    struct p11prof_error error = {0};
    ok(p11prof_store_skip_add(fixture_store, 1, test, reason, &error), &error);
}

const struct p11prof_table *bench_results(void)
{
    struct p11prof_report_options options = {.sort = NULL};
    struct p11prof_error error = {0};
    ok(p11prof_run_report_load_one(&bench_report, p11prof_store_sqlite(fixture_store), 1, &options,
                                   &error),
       &error);
    return &bench_report.results.loads;
}

static const struct p11prof_cell *cell(size_t row, const char *column)
{
    return p11prof_table_get(&bench_report.results.loads, row, column);
}

void bench_check(size_t row, const char *column, int64_t value)
{
    const struct p11prof_cell *found = cell(row, column);
    if (found->kind != P11PROF_CELL_INTEGER || found->integer != value) {
        fail_msg("%s is %lld, not %lld", column, (long long)found->integer, (long long)value);
    }
}

void bench_check_real(size_t row, const char *column, double value)
{
    const struct p11prof_cell *found = cell(row, column);
    if (found->kind != P11PROF_CELL_REAL || fabs(found->real - value) > 1e-9 * (1 + fabs(value))) {
        fail_msg("%s is %.9f, not %.9f", column, found->real, value);
    }
}

void bench_check_text(size_t row, const char *column, const char *value)
{
    const char *found = p11prof_table_text(&bench_report.results.loads, row, column, "(unknown)");
    assert_string_equal(found, value);
}

void bench_check_unknown(size_t row, const char *column)
{
    assert_int_equal(cell(row, column)->kind, P11PROF_CELL_NULL);
}
