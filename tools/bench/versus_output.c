/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "versus.h"

#include "../message.h"
#include "../report/allocate.h"
#include "../report/page.h"
#include "../report/units.h"
#include "output_file.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#define COLUMNS                                                                                    \
    "test data_bytes threads processes pair_count base_count current_count base_ops_per_s "        \
    "current_ops_per_s effect effect_low effect_high p_value verdict"

/* What is printed. */
struct findings {
    const struct versus *versus;
    const struct bench_load **loads; /* of `tests`, of the base side */
    struct p11prof_paired_test *tests;
    size_t count;
    struct p11prof_table table; /* COLUMNS, arrow and pairs; a row each */
};

/* --- what was found --- */

static void findings_make(struct findings *findings, const struct versus *versus)
{
    const struct schedule *schedule = &versus->sides[VERSUS_BASE].schedule;
    *findings =
        (struct findings){.versus = versus,
                          .loads = p11prof_zalloc(schedule->load_count, sizeof *findings->loads),
                          .tests = p11prof_zalloc(schedule->load_count, sizeof *findings->tests)};
    for (size_t i = 0; i < schedule->load_count; i++) {
        if (!schedule->loads[i].ready)
            continue;
        findings->loads[findings->count] = &schedule->loads[i];
        findings->tests[findings->count++] = (struct p11prof_paired_test){
            .pairs = versus->loads[i].pairs, .pair_count = versus->loads[i].pair_count};
    }
    p11prof_paired_compare(findings->tests, findings->count,
                           versus->settings[VERSUS_BASE].vs.threshold);
}

static void findings_clear(struct findings *findings)
{
    p11prof_table_clear(&findings->table);
    free(findings->tests);
    free(findings->loads);
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

static void row_add(struct p11prof_table *table, const struct bench_load *load,
                    const struct p11prof_paired_test *test)
{
    struct p11prof_cell *row = p11prof_table_add_row(table);
    p11prof_table_set_text(table, row, "test", load->test.id);
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

static void table_make(struct findings *findings, const char *columns)
{
    p11prof_table_add_columns(&findings->table, columns);
    for (size_t i = 0; i < findings->count; i++)
        row_add(&findings->table, findings->loads[i], &findings->tests[i]);
}

/* --- for people --- */

static void side_print(struct p11prof_page *page, const struct bench_run *run)
{
    const struct bench_token_facts *token = &run->token;
    char key[600] = "", number[64] = "";
    if (run->worker.own_key.wanted)
        snprintf(key, sizeof key, ", key \"%s\"", run->worker.own_key.label);
    if (run->settings->record != BENCH_RECORD_OFF)
        snprintf(number, sizeof number, ", run %" PRId64, run->recording.run_id);
    p11prof_page_fact(page, run->settings->side, "%s, token \"%s\" (%s, serial %s)%s%s",
                      run->target->module, token->label, token->model, token->serial, key, number);
}

static bool several(const struct findings *findings)
{
    const struct bench_settings *settings = findings->versus->sides[VERSUS_BASE].settings;
    return settings->threads.count > 1 || settings->processes.count > 1 ||
           settings->data_sizes.count > 1;
}

static void counts_print(struct p11prof_page *page, const struct findings *findings)
{
    char text[P11PROF_UNIT_TEXT_BYTES], words[200] = "";
    double effect;
    size_t counts[P11PROF_PAIRED_VERDICTS] = {0}, used = 0;
    for (size_t i = 0; i < findings->count; i++)
        counts[findings->tests[i].verdict]++;
    for (size_t verdict = 0; verdict < P11PROF_PAIRED_VERDICTS; verdict++)
        if (counts[verdict])
            used +=
                (size_t)snprintf(words + used, sizeof words - used, "%s%zu %s", used ? ", " : "",
                                 counts[verdict], p11prof_paired_verdicts[verdict]);
    if (!p11prof_paired_mean(findings->tests, findings->count, &effect)) {
        p11prof_page_paragraph(page, "%s", words);
        return;
    }
    p11prof_format_change(text, effect);
    p11prof_page_paragraph(page, "%s; geometric mean of the slowdowns: %s", words, text);
}

static void skipped_print(struct p11prof_page *page, const struct versus *versus)
{
    const struct schedule *schedule = &versus->sides[VERSUS_BASE].schedule;
    for (size_t i = 0; i < schedule->load_count; i++)
        if (schedule->loads[i].skipped[0])
            p11prof_page_note(page, "%s is skipped: %s", schedule->loads[i].test.id,
                              schedule->loads[i].skipped);
}

static void page_print(FILE *stream, const struct findings *findings, enum p11prof_format format)
{
    const struct versus *versus = findings->versus;
    char threshold[P11PROF_UNIT_TEXT_BYTES];
    struct p11prof_page page = {.stream = stream, .format = format};
    p11prof_page_title(&page, "Two sides in pairs of slices");
    for (unsigned side = 0; side < VERSUS_SIDES; side++)
        side_print(&page, &versus->sides[side]);
    p11prof_page_section(&page, "Results");
    p11prof_page_table(&page, &findings->table,
                       several(findings) ? "test data_bytes threads processes base_ops_per_s "
                                           "current_ops_per_s effect effect_low effect_high "
                                           "verdict arrow"
                                         : "test base_ops_per_s current_ops_per_s effect "
                                           "effect_low effect_high verdict arrow");
    skipped_print(&page, versus);
    counts_print(&page, findings);
    p11prof_format_share(threshold, versus->settings[VERSUS_BASE].vs.threshold);
    p11prof_page_note(&page,
                      "slowdown: time of an operation, current against base; from, to: where it is "
                      "with 95 %% for all tests; threshold %s",
                      threshold);
}

/* --- for programs --- */

static void side_add(cJSON *document, const struct bench_run *run)
{
    const struct bench_token_facts *token = &run->token;
    bool kept = run->settings->record != BENCH_RECORD_OFF;
    cJSON *side = cJSON_AddObjectToObject(document, run->settings->side);
    cJSON_AddStringToObject(side, "module", run->target->module);
    cJSON_AddStringToObject(side, "token_label", token->label);
    cJSON_AddStringToObject(side, "token_model", token->model);
    cJSON_AddStringToObject(side, "token_serial", token->serial);
    cJSON_AddItemToObject(side, "key_label",
                          run->worker.own_key.wanted ? cJSON_CreateString(run->worker.own_key.label)
                                                     : cJSON_CreateNull());
    cJSON_AddItemToObject(side, "run_id",
                          kept ? cJSON_CreateNumber((double)run->recording.run_id)
                               : cJSON_CreateNull());
    cJSON_AddItemToObject(side, "run_uuid",
                          kept ? cJSON_CreateString(run->recording.uuid_text) : cJSON_CreateNull());
}

static void skipped_add(cJSON *document, const struct versus *versus)
{
    const struct schedule *schedule = &versus->sides[VERSUS_BASE].schedule;
    cJSON *array = cJSON_AddArrayToObject(document, "skipped");
    for (size_t i = 0; i < schedule->load_count; i++) {
        if (!schedule->loads[i].skipped[0])
            continue;
        cJSON *test = cJSON_CreateObject();
        cJSON_AddStringToObject(test, "test", schedule->loads[i].test.id);
        cJSON_AddStringToObject(test, "reason", schedule->loads[i].skipped);
        cJSON_AddItemToArray(array, test);
    }
}

static void json_print(FILE *stream, const struct findings *findings)
{
    double effect;
    bool known = p11prof_paired_mean(findings->tests, findings->count, &effect);
    cJSON *document = cJSON_CreateObject();
    cJSON_AddStringToObject(document, "schema", "p11prof/bench-vs/v1");
    for (unsigned side = 0; side < VERSUS_SIDES; side++)
        side_add(document, &findings->versus->sides[side]);
    cJSON_AddNumberToObject(document, "threshold",
                            findings->versus->settings[VERSUS_BASE].vs.threshold);
    cJSON_AddItemToObject(document, "mean_effect",
                          known ? cJSON_CreateNumber(effect) : cJSON_CreateNull());
    cJSON_AddItemToObject(document, "results", p11prof_json_rows(&findings->table));
    skipped_add(document, findings->versus);
    char *text = cJSON_Print(document);
    fprintf(stream, "%s\n", text ? text : "null");
    cJSON_free(text);
    cJSON_Delete(document);
}

/* --- all --- */

static void print(FILE *stream, struct findings *findings, enum p11prof_format format)
{
    switch (format) {
    case P11PROF_FORMAT_JSON:
        table_make(findings, COLUMNS " pairs");
        json_print(stream, findings);
        break;
    case P11PROF_FORMAT_CSV:
        table_make(findings, COLUMNS);
        p11prof_write_table(stream, &findings->table, format);
        break;
    default:
        table_make(findings, COLUMNS " arrow");
        page_print(stream, findings, format);
    }
}

int versus_output(const struct versus *versus, bool *regressed)
{
    const struct bench_settings *settings = &versus->settings[VERSUS_BASE];
    struct findings findings;
    struct output_file file;
    int code = output_file_open(&file, settings->output);
    if (code)
        return code;
    findings_make(&findings, versus);
    print(file.stream, &findings, settings->format);
    for (size_t i = 0; i < findings.count; i++)
        *regressed = *regressed || findings.tests[i].verdict == P11PROF_PAIRED_REGRESSED;
    findings_clear(&findings);
    return output_file_close(&file);
}

void versus_estimate(const struct versus *versus)
{
    const struct bench_run *base = &versus->sides[VERSUS_BASE];
    double seconds = 2 * (double)base->schedule.planned_ns / 1e9;
    if (base->settings->quiet)
        return;
    p11prof_note("%zu test%s in %zu pair%s of slices, about %.0f %s", base->ready_count,
                 base->ready_count == 1 ? "" : "s", base->schedule.slice_count,
                 base->schedule.slice_count == 1 ? "" : "s", seconds < 120 ? seconds : seconds / 60,
                 seconds < 120 ? "s" : "minutes");
}
