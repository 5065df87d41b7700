/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "allocate.h"
#include "compare_grid.h"
#include "compare_report.h"
#include "xml.h"

#include <stdlib.h>
#include <string.h>

/* "ops_per_s 1234 -> 1100, time +12.2 % (+9.9 % to +14.6 %), threshold 5.0 %: regressed" */
static void write_metrics(FILE *stream, const struct p11prof_row_result *row)
{
    for (int i = 0; i < P11PROF_METRICS; i++) {
        const struct p11prof_metric_result *result = &row->metrics[i];
        char base[64], current[64];
        if (!result->gated)
            continue;
        fprintf(stream, "%s", p11prof_metric_name(i));
        if (result->known) {
            p11prof_metric_format(base, i, result->base_value);
            p11prof_metric_format(current, i, result->current_value);
            fprintf(stream, " %s to %s", base, current);
        }
        if (result->tested)
            fprintf(stream, ", %s %+.1f %% (%+.1f to %+.1f), threshold %.1f %%",
                    i == P11PROF_METRIC_ERRORS ? "share" : "time", 100 * result->effect,
                    100 * result->corrected_low, 100 * result->corrected_high,
                    100 * result->threshold);
        if (result->lack != P11PROF_LACK_NOTHING)
            fprintf(stream, ", %s", p11prof_lack_text(result->lack));
        fprintf(stream, ": %s\n", p11prof_verdict_name(result->verdict));
    }
}

/* word: NULL where the element takes no message. */
static void write_result(FILE *stream, const char *element, const char *word, const char *text)
{
    fprintf(stream, "      <%s", element);
    if (word)
        p11prof_xml_attribute(stream, "message", word);
    fputs(">", stream);
    p11prof_xml_text(stream, text);
    fprintf(stream, "</%s>\n", element);
}

static const char *element_of(const struct p11prof_compare_report *report,
                              const struct p11prof_row_result *row, bool matched)
{
    if (matched ? report->fails[row->verdict] : report->fails_unmatched)
        return "failure";
    bool open =
        row->verdict == P11PROF_VERDICT_UNCLEAR || row->verdict == P11PROF_VERDICT_INSUFFICIENT;
    return !matched || open ? "skipped" : NULL;
}

static void write_case(FILE *stream, const struct p11prof_compare_report *report, size_t index,
                       const struct p11prof_row_result *row, bool matched)
{
    char *name = p11prof_sample_key_text(row->base ? &row->base->key : &row->current->key), *text;
    const char *element = element_of(report, row, matched);
    size_t bytes;
    FILE *metrics = p11prof_text_open(&text, &bytes);
    if (matched)
        write_metrics(metrics, row);
    fclose(metrics);
    fputs("    <testcase", stream);
    p11prof_xml_attribute(stream, "classname", report->currents[index].text);
    p11prof_xml_attribute(stream, "name", name);
    fputs(">\n", stream);
    if (element)
        write_result(stream, element,
                     matched     ? p11prof_verdict_name(row->verdict)
                     : row->base ? "only in the baseline"
                                 : "only in the current side",
                     text);
    else
        write_result(stream, "system-out", NULL, text);
    fputs("    </testcase>\n", stream);
    free(text);
    free(name);
}

static void write_suite(FILE *stream, const struct p11prof_compare_report *report, size_t index)
{
    const struct p11prof_comparison *comparison = &report->comparisons[index];
    size_t failures = 0, skipped = 0;
    for (size_t i = 0; i < comparison->row_count; i++) {
        const char *element =
            element_of(report, &comparison->rows[i], i < comparison->matched_count);
        failures += element && strcmp(element, "failure") == 0;
        skipped += element && strcmp(element, "skipped") == 0;
    }
    fputs("  <testsuite", stream);
    p11prof_xml_attribute(stream, "name", report->currents[index].text);
    fprintf(stream, " tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"%zu\">\n",
            comparison->row_count, failures, skipped);
    for (size_t i = 0; i < comparison->row_count; i++)
        write_case(stream, report, index, &comparison->rows[i], i < comparison->matched_count);
    fputs("  </testsuite>\n", stream);
}

void p11prof_compare_junit(FILE *stream, const struct p11prof_compare_report *report)
{
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites", stream);
    p11prof_xml_attribute(stream, "name", "p11prof compare");
    fputs(">\n", stream);
    for (size_t i = 0; i < report->count; i++)
        write_suite(stream, report, i);
    fputs("</testsuites>\n", stream);
}
