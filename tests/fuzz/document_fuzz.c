/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Reads any text as a document, and compares what it says with itself: it is refused with a reason,
 * or gives results that are in their bounds. */
#include "fuzz.h"
#include "report/compare_report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool read_side(struct p11prof_compare_side *side, const uint8_t *data, size_t size)
{
    struct p11prof_error error = {.text = ""};
    enum p11prof_status status = p11prof_samples_add_document(&side->samples, (const char *)data,
                                                              size, "a.json", NULL, &error);
    check(status == P11PROF_OK || (status == P11PROF_BAD_INPUT && error.text[0]), "no reason");
    p11prof_samples_complete(&side->samples);
    return status == P11PROF_OK;
}

static void check_row(const struct p11prof_row_result *row)
{
    for (int i = 0; i < P11PROF_METRICS; i++) {
        const struct p11prof_metric_result *result = &row->metrics[i];
        if (!result->known)
            continue;
        check(result->p_value <= 1, "a probability above 1");
        check(!isnan(result->effect) && !isnan(result->low) && !isnan(result->high), "no number");
        check(result->low <= result->high, "an interval that is none");
        check(result->effect == 0, "a side differs from itself");
    }
    check(row->verdict != P11PROF_VERDICT_REGRESSED && row->verdict != P11PROF_VERDICT_IMPROVED,
          "a side is another than itself");
}

static void write_all(const struct p11prof_compare_report *report)
{
    char *text;
    size_t bytes;
    FILE *stream = open_memstream(&text, &bytes);
    p11prof_compare_page(stream, report, P11PROF_FORMAT_TEXT, true);
    p11prof_compare_page(stream, report, P11PROF_FORMAT_MARKDOWN, false);
    fflush(stream);
    check(!memchr(text, '\b', bytes), "a control character for a terminal");
    p11prof_compare_json(stream, report);
    p11prof_compare_csv(stream, report);
    p11prof_compare_junit(stream, report);
    fclose(stream);
    free(text);
}

static void try_document(const uint8_t *data, size_t size)
{
    struct p11prof_compare_side sides[2] = {{.text = "a"}, {.text = "b"}};
    struct p11prof_comparison comparison = {.rows = NULL};
    struct p11prof_thresholds thresholds = {.threshold = {0}};
    struct p11prof_compare_report report = {
        .base = &sides[0], .currents = &sides[1], .comparisons = &comparison, .count = 1};
    bool good = read_side(&sides[0], data, size);
    check(read_side(&sides[1], data, size) == good, "not the same twice");
    if (good) {
        p11prof_comparison_make(&comparison, &sides[0].samples, &sides[1].samples, false,
                                &thresholds);
        check(comparison.matched_count == comparison.row_count, "a row is not its own");
        for (size_t i = 0; i < comparison.matched_count; i++)
            check_row(&comparison.rows[i]);
        write_all(&report);
    }
    p11prof_comparison_clear(&comparison);
    p11prof_samples_clear(&sides[0].samples);
    p11prof_samples_clear(&sides[1].samples);
}

/* As it is; and with digits for what is no text, so that a change is a number more often than no
 * JSON. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *digits = malloc(size + 1);
    check(digits, "no memory");
    for (size_t i = 0; i < size; i++)
        digits[i] = data[i] < ' ' || data[i] > '~' ? '0' + data[i] % 10 : data[i];
    try_document(data, size);
    try_document(digits, size);
    free(digits);
    return 0;
}
