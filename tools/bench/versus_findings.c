/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "versus_findings.h"

#include "../report/allocate.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- what was found --- */

void versus_findings_make(struct versus_findings *findings, const struct versus *versus)
{
    const struct schedule *schedule = &versus->sides[VERSUS_BASE].schedule;
    *findings = (struct versus_findings){
        .versus = versus,
        .loads = p11prof_zalloc(schedule->load_count, sizeof *findings->loads),
        .current_tests = p11prof_zalloc(schedule->load_count, sizeof *findings->current_tests),
        .tests = p11prof_zalloc(schedule->load_count, sizeof *findings->tests)};
    for (size_t i = 0; i < schedule->load_count; i++) {
        if (!schedule->loads[i].ready)
            continue;
        const char *current_test = versus->sides[VERSUS_CURRENT].schedule.loads[i].test.id;
        if (strcmp(current_test, schedule->loads[i].test.id) != 0) {
            findings->current_tests[findings->count] = current_test;
            findings->other_tests = true;
        }
        findings->loads[findings->count] = &schedule->loads[i];
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
                       const struct p11prof_paired_test *test)
{
    p11prof_table_set_integer(table, row, "pair_count", (int64_t)test->used_count);
    p11prof_table_set_integer(table, row, "base_count", (int64_t)test->base_count);
    p11prof_table_set_integer(table, row, "current_count", (int64_t)test->current_count);
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
    counts_set(table, row, test);
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
