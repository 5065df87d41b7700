/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "versus_findings.h"

#include "../report/allocate.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- what was found --- */

static struct versus_errors errors_of(const struct bench_load *load)
{
    struct versus_errors errors = {.first_rv = load->first_rv};
    for (unsigned i = 0; i < load->threads * load->processes; i++) {
        errors.operation_count += load->threads_done[i].count;
        errors.error_count += load->threads_done[i].error_count;
    }
    return errors;
}

bool versus_has_errors(const struct versus_findings *findings, size_t index)
{
    const struct versus_errors *sides = findings->errors[index];
    return sides[VERSUS_BASE].error_count + sides[VERSUS_CURRENT].error_count > 0;
}

void versus_errors_text(char *out, size_t bytes, const struct versus_findings *findings,
                        size_t index)
{
    char rv[32];
    size_t used = 0;
    *out = '\0';
    for (unsigned side = 0; side < VERSUS_SIDES; side++) {
        const struct versus_errors *errors = &findings->errors[index][side];
        if (errors->error_count > 0)
            used += (size_t)snprintf(
                out + used, bytes - used, "%s%s: %" PRIu64 " of %" PRIu64 " failed (%s)",
                used ? ", " : "", findings->versus->sides[side].settings->side, errors->error_count,
                errors->operation_count,
                errors->first_rv == CKR_OK ? "wrong results"
                                           : p11prof_rv_text(errors->first_rv, rv));
    }
}

void versus_findings_make(struct versus_findings *findings, const struct versus *versus)
{
    const struct schedule *schedule = &versus->sides[VERSUS_BASE].schedule;
    *findings = (struct versus_findings){
        .versus = versus,
        .loads = p11prof_zalloc(schedule->load_count, sizeof *findings->loads),
        .current_tests = p11prof_zalloc(schedule->load_count, sizeof *findings->current_tests),
        .tests = p11prof_zalloc(schedule->load_count, sizeof *findings->tests),
        .errors = p11prof_zalloc(schedule->load_count, sizeof *findings->errors)};
    for (size_t i = 0; i < schedule->load_count; i++) {
        if (!schedule->loads[i].ready)
            continue;
        const char *current_test = versus->sides[VERSUS_CURRENT].schedule.loads[i].test.id;
        if (strcmp(current_test, schedule->loads[i].test.id) != 0) {
            findings->current_tests[findings->count] = current_test;
            findings->other_tests = true;
        }
        findings->loads[findings->count] = &schedule->loads[i];
        for (unsigned side = 0; side < VERSUS_SIDES; side++)
            findings->errors[findings->count][side] =
                errors_of(&versus->sides[side].schedule.loads[i]);
        findings->tests[findings->count++] = (struct p11prof_paired_test){
            .pairs = versus->loads[i].pairs, .pair_count = versus->loads[i].pair_count};
    }
    p11prof_paired_compare(findings->tests, findings->count,
                           versus->settings[VERSUS_BASE].vs.threshold);
}

void versus_findings_clear(struct versus_findings *findings)
{
    p11prof_table_clear(&findings->table);
    free(findings->tests);
    free(findings->errors);
    free(findings->loads);
    free(findings->current_tests);
}

/* --- as rows --- */

static const char *arrow(enum p11prof_paired_verdict verdict)
{
    static const char *const arrows[P11PROF_PAIRED_VERDICTS] = {
        [P11PROF_PAIRED_REGRESSED] = "\u2193", [P11PROF_PAIRED_IMPROVED] = "\u2191"};
    return arrows[verdict];
}

/* The caller frees it with cJSON_free(). */
static char *pairs_json(const struct p11prof_paired_test *test)
{
    cJSON *array = cJSON_CreateArray();
    for (size_t i = 0; i < test->pair_count; i++) {
        const struct p11prof_pair *pair = &test->pairs[i];
        const double numbers[] = {(double)pair->base_count, (double)pair->base_ns,
                                  (double)pair->current_count, (double)pair->current_ns};
        cJSON_AddItemToArray(array, cJSON_CreateDoubleArray(numbers, 4));
    }
    char *text = cJSON_PrintUnformatted(array);
    cJSON_Delete(array);
    return text;
}

static void counts_set(const struct p11prof_table *table, struct p11prof_cell *row,
                       const struct p11prof_paired_test *test,
                       const struct versus_errors errors[VERSUS_SIDES])
{
    p11prof_table_set_integer(table, row, "pair_count", (int64_t)test->used_count);
    p11prof_table_set_integer(table, row, "base_count", (int64_t)test->base_count);
    p11prof_table_set_integer(table, row, "current_count", (int64_t)test->current_count);
    p11prof_table_set_integer(table, row, "base_error_count",
                              (int64_t)errors[VERSUS_BASE].error_count);
    p11prof_table_set_integer(table, row, "current_error_count",
                              (int64_t)errors[VERSUS_CURRENT].error_count);
}

static void effect_set(const struct p11prof_table *table, struct p11prof_cell *row,
                       const struct p11prof_paired_test *test)
{
    if (test->used_count == 0)
        return;
    p11prof_table_set_real(table, row, "base_ops_per_s", test->base_per_s);
    p11prof_table_set_real(table, row, "current_ops_per_s", test->current_per_s);
    p11prof_table_set_real(table, row, "effect", test->effect);
    p11prof_table_set_real(table, row, "p_value", test->p_value);
    if (!isfinite(test->range.low))
        return;
    p11prof_table_set_real(table, row, "effect_low", test->range.low);
    p11prof_table_set_real(table, row, "effect_high", test->range.high);
}

static void row_add(struct versus_findings *findings, size_t index)
{
    const struct p11prof_table *table = &findings->table;
    const struct bench_load *load = findings->loads[index];
    const struct p11prof_paired_test *test = &findings->tests[index];
    struct p11prof_cell *row = p11prof_table_add_row(&findings->table);
    p11prof_table_set_text(table, row, "test", load->test.id);
    p11prof_table_set_text(table, row, "current_test", findings->current_tests[index]);
    if (load->data_bytes)
        p11prof_table_set_integer(table, row, "data_bytes", (int64_t)load->data_bytes);
    p11prof_table_set_integer(table, row, "threads", load->threads);
    p11prof_table_set_integer(table, row, "processes", load->processes);
    counts_set(table, row, test, findings->errors[index]);
    effect_set(table, row, test);
    p11prof_table_set_text(table, row, "verdict", p11prof_paired_verdicts[test->verdict]);
    p11prof_table_set_text(table, row, "arrow", arrow(test->verdict));
    char *pairs = pairs_json(test);
    p11prof_table_set_text(table, row, "pairs", pairs);
    cJSON_free(pairs);
}

void versus_findings_table(struct versus_findings *findings, const char *columns)
{
    p11prof_table_add_columns(&findings->table, columns);
    for (size_t i = 0; i < findings->count; i++)
        row_add(findings, i);
}
