/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "compare_advice.h"
#include "allocate.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double times_most = 1000;

double p11prof_compare_times_needed(const struct p11prof_metric_result *result)
{
    if (!result->gated || !result->tested || result->verdict != P11PROF_VERDICT_UNCLEAR)
        return 0;
    double size = fabs(result->effect), threshold = result->threshold;
    /* An effect at the threshold itself is never decided: a tenth of it is near enough. */
    double wanted = size > threshold ? size : threshold - size;
    wanted = fmax(wanted, fmax(threshold, size) / 10);
    double half = (result->corrected_high - result->corrected_low) / 2;
    double times = wanted > 0 ? half * half / (wanted * wanted) : times_most;
    return times > times_most || !isfinite(times) ? times_most : fmax(times, 1.5);
}

static size_t most_runs(const struct p11prof_samples *samples)
{
    size_t most = 0;
    for (size_t i = 0; i < samples->row_count; i++)
        if (samples->rows[i].sample_count > most)
            most = samples->rows[i].sample_count;
    return most;
}

void p11prof_compare_method_notes(struct p11prof_page *page,
                                  const struct p11prof_compare_report *report)
{
    size_t base_runs = most_runs(&report->base->samples), least = base_runs, most = base_runs;
    size_t tested = 0;
    for (size_t i = 0; i < report->count; i++) {
        size_t runs = most_runs(&report->currents[i].samples);
        least = runs < least ? runs : least;
        most = runs > most ? runs : most;
        if (report->comparisons[i].tested_count > tested)
            tested = report->comparisons[i].tested_count;
    }
    const char *they = tested > 0 ? "They" : "Intervals";
    if (tested > 0)
        p11prof_page_note(page,
                          "Intervals of what has a verdict are corrected for %zu comparison%s "
                          "(Holm); a threshold is of time.",
                          tested, tested == 1 ? "" : "s");
    if (least >= P11PROF_RUNS_RESAMPLED)
        p11prof_page_note(page, "%s are from how much runs differ from each other.", they);
    else if (most >= P11PROF_RUNS_RESAMPLED)
        p11prof_page_note(page,
                          "%s are from how much the runs of one side differ from each other; the "
                          "other side has too few to tell.",
                          they);
    else
        p11prof_page_note(page,
                          "%s are from windows of time in %s: how much runs differ from "
                          "each other was not measured. Three runs a side would tell.",
                          they, most == 1 ? "one run a side" : "fewer than three runs a side");
}

static void note_losses(struct p11prof_page *page, const struct p11prof_compare_side *side)
{
    const struct p11prof_table *runs = &side->samples.runs;
    for (size_t i = 0; i < runs->row_count; i++) {
        int64_t lost = p11prof_table_integer(runs, i, "lost_count", 0);
        if (lost > 0)
            p11prof_page_note(page,
                              "Run %" PRId64 " (%s) lost %" PRId64 " of its %" PRId64
                              " calls: what they took, and whether they failed, is in no row.",
                              p11prof_table_integer(runs, i, "run_id", 0), side->text, lost,
                              p11prof_table_integer(runs, i, "call_count", lost));
    }
}

/* A run that hung, or goes on, is no whole run. */
static void note_states(struct p11prof_page *page, const struct p11prof_compare_side *side)
{
    const struct p11prof_table *runs = &side->samples.runs;
    for (size_t i = 0; i < runs->row_count; i++) {
        const char *state = p11prof_table_text(runs, i, "state", "");
        int64_t run_id = p11prof_table_integer(runs, i, "run_id", 0);
        if (strcmp(state, "running") == 0)
            p11prof_page_note(page, "Run %" PRId64 " (%s) goes on: the rest of it is in no row.",
                              run_id, side->text);
        else if (strcmp(state, "interrupted") == 0 || strcmp(state, "failed") == 0)
            p11prof_page_note(page,
                              "Run %" PRId64 " (%s) %s: what it had not ended, or a call that "
                              "hung, is in no row ('p11prof report %" PRId64 "' has it).",
                              run_id, side->text,
                              strcmp(state, "failed") == 0 ? "failed" : "was interrupted", run_id);
    }
}

void p11prof_compare_loss_notes(struct p11prof_page *page,
                                const struct p11prof_compare_report *report)
{
    note_losses(page, report->base);
    note_states(page, report->base);
    for (size_t i = 0; i < report->count; i++) {
        note_losses(page, &report->currents[i]);
        note_states(page, &report->currents[i]);
    }
}

/* What one row needs. */
struct need {
    double times;
    size_t runs; /* of the side that has fewer; those it has, where they are what is resampled */
};

static struct need need_of(const struct p11prof_row_result *row)
{
    struct need need = {.times = 0};
    for (int i = 0; i < P11PROF_METRICS; i++) {
        double times = p11prof_compare_times_needed(&row->metrics[i]);
        need.times = fmax(need.times, times);
    }
    size_t base = row->base->sample_count, current = row->current->sample_count;
    need.runs = base < current ? base : current;
    return need;
}

/* The time that a side measured the row, in one run. */
static uint64_t duration_of(const struct p11prof_sample_row *row)
{
    uint64_t most_ns = 0;
    for (size_t i = 0; i < row->sample_count; i++) {
        uint64_t sum_ns = 0;
        for (size_t j = 0; j < row->samples[i].window_count; j++)
            sum_ns += row->samples[i].windows[j].duration_ns;
        most_ns = sum_ns > most_ns ? sum_ns : most_ns;
    }
    return most_ns;
}

/* "p11prof bench --test rsa-2048-sign --threads 4 --duration 24s" */
static char *bench_command(const struct p11prof_row_result *row, double times)
{
    const struct p11prof_sample_key *key = &row->base->key;
    uint64_t base_ns = duration_of(row->base), current_ns = duration_of(row->current);
    double seconds = ceil(times * (double)(base_ns < current_ns ? base_ns : current_ns) / 1e9);
    char *text;
    size_t bytes;
    FILE *stream = p11prof_text_open(&text, &bytes);
    if (key->weight > 0 || key->suite)
        fprintf(stream, "the same p11prof bench --%s", key->suite ? "suite" : "mix");
    else
        fprintf(stream, "p11prof bench --test %s", key->what);
    if (key->threads > 1)
        fprintf(stream, " --threads %" PRId64, key->threads);
    if (key->processes > 1)
        fprintf(stream, " --processes %" PRId64, key->processes);
    if (key->data_bytes >= 0 && key->weight == 0 && !key->suite)
        fprintf(stream, " --data-sizes %" PRId64, key->data_bytes);
    if (key->rate > 0 && key->weight == 0 && !key->suite)
        fprintf(stream, " --rate %.6g/s%s", (double)key->rate / 1e6,
                key->poisson ? " --arrivals poisson" : "");
    fprintf(stream, " --duration %.0fs", fmax(seconds, 1));
    fclose(stream);
    return text;
}

static void advise_row(struct p11prof_page *page, const struct p11prof_row_result *row)
{
    struct need need = need_of(row);
    char *name = p11prof_sample_key_text(&row->base->key);
    bool test = row->base->key.kind == P11PROF_SAMPLE_TEST;
    double runs = ceil(need.times * (double)need.runs);
    if (need.times >= times_most)
        p11prof_page_note(page, "%s: its intervals are far too wide; see what makes it vary", name);
    else if (need.runs >= P11PROF_RUNS_RESAMPLED)
        p11prof_page_note(page, "%s: about %.0f runs a side", name, runs);
    else if (test) {
        char *command = bench_command(row, need.times);
        p11prof_page_note(page, "%s: about %.1f times as long, on each side: %s", name, need.times,
                          command);
        free(command);
    } else {
        p11prof_page_note(page, "%s: recordings about %.1f times as long, or three runs a side",
                          name, need.times);
    }
    free(name);
}

static bool has_test(const struct p11prof_comparison *comparison, enum p11prof_verdict verdict)
{
    for (size_t i = 0; i < comparison->matched_count; i++)
        if (comparison->rows[i].verdict == verdict &&
            comparison->rows[i].base->key.kind == P11PROF_SAMPLE_TEST)
            return true;
    return false;
}

/* The first metric that says too little of an insufficient row. */
static bool first_lack(const struct p11prof_row_result *row, enum p11prof_metric *metric)
{
    for (int i = 0; i < P11PROF_METRICS && row->verdict == P11PROF_VERDICT_INSUFFICIENT; i++) {
        *metric = i;
        if (row->metrics[i].gated && row->metrics[i].verdict == P11PROF_VERDICT_INSUFFICIENT)
            return true;
    }
    return false;
}

/* The rows that lack the same of the same metric, in one sentence. */
static void explain_lack(struct p11prof_page *page, const struct p11prof_comparison *comparison,
                         enum p11prof_metric metric, enum p11prof_lack lack)
{
    char *names;
    const char *comma = "";
    size_t bytes;
    FILE *stream = p11prof_text_open(&names, &bytes);
    for (size_t i = 0; i < comparison->matched_count; i++) {
        enum p11prof_metric of;
        const struct p11prof_row_result *row = &comparison->rows[i];
        if (!first_lack(row, &of) || of != metric || row->metrics[of].lack != lack)
            continue;
        char *name = p11prof_sample_key_text(&row->base->key);
        fprintf(stream, "%s%s", comma, name);
        comma = ", ";
        free(name);
    }
    fclose(stream);
    if (*names)
        p11prof_page_note(page, "%s, %s: %s", p11prof_metric_name(metric),
                          lack != P11PROF_LACK_NOTHING ? p11prof_lack_text(lack)
                                                       : "nothing that succeeded",
                          names);
    free(names);
}

static void explain_lacks(struct p11prof_page *page, const struct p11prof_comparison *comparison)
{
    p11prof_page_paragraph(page, "Too little was measured:");
    for (int metric = 0; metric < P11PROF_METRICS; metric++)
        for (int lack = 0; lack < P11PROF_LACKS; lack++)
            explain_lack(page, comparison, metric, lack);
}

void p11prof_compare_advice(struct p11prof_page *page, const struct p11prof_compare_report *report,
                            size_t index)
{
    const struct p11prof_comparison *comparison = &report->comparisons[index];
    if (comparison->verdict_count[P11PROF_VERDICT_INSUFFICIENT] > 0)
        explain_lacks(page, comparison);
    if (comparison->verdict_count[P11PROF_VERDICT_UNCLEAR] == 0)
        return;
    p11prof_page_paragraph(page, "What would settle the unclear ones:");
    for (size_t i = 0; i < comparison->matched_count; i++)
        if (comparison->rows[i].verdict == P11PROF_VERDICT_UNCLEAR)
            advise_row(page, &comparison->rows[i]);
    if (has_test(comparison, P11PROF_VERDICT_UNCLEAR))
        p11prof_page_note(page, "--repeat 3 makes three runs; 'p11prof bench --vs' measures both "
                                "sides in turn, so that what the machine does meanwhile falls on "
                                "both");
}
