/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* A comparison for people: who, what is different about them, the rows, and what it comes to. */
#include "allocate.h"
#include "compare_advice.h"
#include "compare_facts.h"
#include "compare_grid.h"
#include "compare_report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *const signs[P11PROF_VERDICTS] = {
    [P11PROF_VERDICT_SAME] = "= ",      [P11PROF_VERDICT_INSUFFICIENT] = "? ",
    [P11PROF_VERDICT_UNCLEAR] = "? ",   [P11PROF_VERDICT_IMPROVED] = "▲ ",
    [P11PROF_VERDICT_REGRESSED] = "▼ ",
};

const char *p11prof_compare_sign(enum p11prof_verdict verdict)
{
    return signs[verdict];
}

/* "Current", or "Current 2" where there are several. */
static const char *current_name(const struct p11prof_compare_report *report, size_t index,
                                char name[32])
{
    if (report->count == 1)
        return "Current";
    snprintf(name, 32, "Current %zu", index + 1);
    return name;
}

static void write_head(struct p11prof_page *page, const struct p11prof_compare_report *report)
{
    char *runs = p11prof_compare_runs_text(&report->base->samples), name[32];
    p11prof_page_title(page, "Comparison");
    p11prof_page_fact(page, "Baseline", "%s: %s", report->base->text, runs);
    free(runs);
    for (size_t i = 0; i < report->count; i++) {
        runs = p11prof_compare_runs_text(&report->currents[i].samples);
        p11prof_page_fact(page, current_name(report, i, name), "%s: %s", report->currents[i].text,
                          runs);
        free(runs);
    }
}

static void write_facts(struct p11prof_page *page, const struct p11prof_compare_report *report)
{
    for (size_t i = 0; i < report->count; i++) {
        struct p11prof_table facts = {.columns = NULL};
        char name[32];
        p11prof_compare_facts(&facts, &report->base->samples, &report->currents[i].samples);
        if (facts.row_count > 0 && report->count > 1)
            p11prof_page_section(page, "What else is different: %s", current_name(report, i, name));
        else if (facts.row_count > 0)
            p11prof_page_section(page, "What else is different");
        if (facts.row_count > 0)
            p11prof_page_table(page, &facts, "what in_baseline in_current");
        p11prof_table_clear(&facts);
    }
}

static void write_unmatched(struct p11prof_page *page, const struct p11prof_compare_report *report,
                            size_t index)
{
    const struct p11prof_comparison *comparison = &report->comparisons[index];
    char name[32];
    for (size_t i = comparison->matched_count; i < comparison->row_count; i++) {
        const struct p11prof_row_result *row = &comparison->rows[i];
        char *text = p11prof_sample_key_text(row->base ? &row->base->key : &row->current->key);
        p11prof_page_note(page, "only in %s: %s",
                          row->base ? "Baseline" : current_name(report, index, name), text);
        free(text);
    }
}

static void write_mean(FILE *stream, const struct p11prof_comparison *comparison)
{
    static const char *const of[2] = {"ops/s", "p50"};
    for (int i = 0; i < 2; i++)
        if (comparison->mean_count[i] > 0)
            fprintf(stream, "; geometric mean of %s %+.1f %%", of[i],
                    100 * comparison->mean_change[i]);
}

static void write_summary(struct p11prof_page *page, const struct p11prof_compare_report *report,
                          size_t index)
{
    static const enum p11prof_verdict order[] = {
        P11PROF_VERDICT_IMPROVED, P11PROF_VERDICT_REGRESSED, P11PROF_VERDICT_SAME,
        P11PROF_VERDICT_UNCLEAR, P11PROF_VERDICT_INSUFFICIENT};
    const struct p11prof_comparison *comparison = &report->comparisons[index];
    char *text, name[32];
    const char *comma = "";
    size_t bytes;
    FILE *stream = p11prof_text_open(&text, &bytes);
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        if (comparison->verdict_count[order[i]] == 0)
            continue;
        fprintf(stream, "%s%zu %s", comma, comparison->verdict_count[order[i]],
                p11prof_verdict_name(order[i]));
        comma = ", ";
    }
    if (comparison->row_count > comparison->matched_count)
        fprintf(stream, "%s%zu unmatched", comma,
                comparison->row_count - comparison->matched_count);
    write_mean(stream, comparison);
    fclose(stream);
    if (report->count > 1)
        p11prof_page_paragraph(page, "%s: %s", current_name(report, index, name), text);
    else
        p11prof_page_paragraph(page, "%s", text);
    free(text);
}

static void write_page(struct p11prof_page *page, const struct p11prof_compare_report *report)
{
    struct p11prof_table grid = {.columns = NULL};
    write_head(page, report);
    write_facts(page, report);
    p11prof_compare_grid(&grid, report);
    p11prof_page_section(page, "Rows");
    p11prof_page_whole_table(page, &grid);
    p11prof_table_clear(&grid);
    for (size_t i = 0; i < report->count; i++)
        write_unmatched(page, report, i);
    p11prof_compare_loss_notes(page, report);
    p11prof_compare_method_notes(page, report);
    for (size_t i = 0; i < report->count; i++)
        write_summary(page, report, i);
    for (size_t i = 0; i < report->count; i++)
        p11prof_compare_advice(page, report, i);
}

/* Verdicts in colour: red and green, and bold where it is bad. */
static void paint(FILE *stream, const char *text)
{
    static const struct {
        const char *word, *colour;
    } words[] = {{"▼ regressed", "\033[1;31m"}, {"▲ improved", "\033[32m"}};
    while (*text) {
        size_t i = 0, count = sizeof words / sizeof words[0];
        while (i < count && strncmp(text, words[i].word, strlen(words[i].word)) != 0)
            i++;
        if (i == count) {
            putc(*text++, stream);
            continue;
        }
        fprintf(stream, "%s%s\033[0m", words[i].colour, words[i].word);
        text += strlen(words[i].word);
    }
}

void p11prof_compare_page(FILE *stream, const struct p11prof_compare_report *report,
                          enum p11prof_format format, bool colour)
{
    char *text;
    size_t bytes;
    struct p11prof_page page = {.stream = p11prof_text_open(&text, &bytes), .format = format};
    write_page(&page, report);
    fclose(page.stream);
    if (colour)
        paint(stream, text);
    else
        fputs(text, stream);
    free(text);
}

bool p11prof_compare_fails(const struct p11prof_compare_report *report)
{
    for (size_t i = 0; i < report->count; i++) {
        const struct p11prof_comparison *comparison = &report->comparisons[i];
        if (report->fails_unmatched && comparison->row_count > comparison->matched_count)
            return true;
        for (int j = 0; j < P11PROF_VERDICTS; j++)
            if (report->fails[j] && comparison->verdict_count[j] > 0)
                return true;
    }
    return false;
}
