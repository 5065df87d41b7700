/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "versus_findings.h"

#include "../message.h"
#include "../report/page.h"
#include "../report/units.h"
#include "output_file.h"

#include <cjson/cJSON.h>
#include <inttypes.h>

/* --- for people --- */

static void side_print(struct p11prof_page *page, const struct bench_run *run)
{
    const struct bench_token_facts *token = &run->token;
    char key[600] = "", number[64] = "";
    if (run->own_key.wanted)
        snprintf(key, sizeof key, ", key \"%s\"", run->own_key.label);
    if (run->settings->record != BENCH_RECORD_OFF)
        snprintf(number, sizeof number, ", run %" PRId64, run->recording.run_id);
    p11prof_page_fact(page, run->settings->side, "%s, token \"%s\" (%s, serial %s)%s%s",
                      run->target->module, token->label, token->model, token->serial, key, number);
}

static bool several(const struct versus_findings *findings)
{
    const struct bench_settings *settings = findings->versus->sides[VERSUS_BASE].settings;
    return settings->threads.count > 1 || settings->processes.count > 1 ||
           settings->data_sizes.count > 1;
}

static void counts_print(struct p11prof_page *page, const struct versus_findings *findings)
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

static void errors_print(struct p11prof_page *page, const struct versus_findings *findings)
{
    char text[256];
    for (size_t i = 0; i < findings->count; i++) {
        versus_errors_text(text, sizeof text, findings, i);
        if (text[0])
            p11prof_page_note(page, "FAILED: %s, %s", findings->loads[i]->test.id, text);
    }
}

static void page_print(FILE *stream, const struct versus_findings *findings,
                       enum p11prof_format format)
{
    const struct versus *versus = findings->versus;
    char threshold[P11PROF_UNIT_TEXT_BYTES], columns[256];
    struct p11prof_page page = {.stream = stream, .format = format};
    p11prof_page_title(&page, "Two sides in pairs of slices");
    for (unsigned side = 0; side < VERSUS_SIDES; side++)
        side_print(&page, &versus->sides[side]);
    p11prof_page_section(&page, "Results");
    snprintf(
        columns, sizeof columns,
        "test %s %s base_ops_per_s current_ops_per_s effect effect_low effect_high verdict arrow",
        findings->other_tests ? "current_test" : "",
        several(findings) ? "data_bytes threads processes" : "");
    p11prof_page_table(&page, &findings->table, columns);
    skipped_print(&page, versus);
    errors_print(&page, findings);
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
                          run->own_key.wanted ? cJSON_CreateString(run->own_key.label)
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

static void json_print(FILE *stream, const struct versus_findings *findings)
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

static void print(FILE *stream, struct versus_findings *findings,
                  const struct bench_settings *settings)
{
    if (settings->junit) {
        versus_junit(stream, findings);
        return;
    }
    switch (settings->format) {
    case P11PROF_FORMAT_JSON:
        versus_findings_table(findings, VERSUS_COLUMNS " pairs");
        json_print(stream, findings);
        break;
    case P11PROF_FORMAT_CSV:
        versus_findings_table(findings, VERSUS_COLUMNS);
        p11prof_write_table(stream, &findings->table, settings->format);
        break;
    default:
        versus_findings_table(findings, VERSUS_COLUMNS " arrow");
        page_print(stream, findings, settings->format);
    }
}

int versus_output(const struct versus *versus, bool *regressed)
{
    const struct bench_settings *settings = &versus->settings[VERSUS_BASE];
    struct versus_findings findings;
    struct output_file file;
    int code = output_file_open(&file, settings->output);
    if (code)
        return code;
    versus_findings_make(&findings, versus);
    print(file.stream, &findings, settings);
    for (size_t i = 0; i < findings.count; i++)
        *regressed = *regressed || findings.tests[i].verdict == P11PROF_PAIRED_REGRESSED;
    versus_findings_clear(&findings);
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
