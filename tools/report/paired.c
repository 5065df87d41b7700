/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "paired.h"
#include "allocate.h"

#include <math.h>
#include <stdlib.h>

enum { PAIRS_LEAST = 10, OPERATIONS_LEAST = 30 };
static const double error_all = 0.05; /* of all tests together */

const char *const p11prof_paired_verdicts[P11PROF_PAIRED_VERDICTS] = {
    [P11PROF_PAIRED_INSUFFICIENT] = "insufficient", [P11PROF_PAIRED_REGRESSED] = "regressed",
    [P11PROF_PAIRED_IMPROVED] = "improved",         [P11PROF_PAIRED_SAME] = "same",
    [P11PROF_PAIRED_UNCLEAR] = "unclear",
};

/* --- Holm --- */

/* How many p-values are below this one. */
static size_t below(const double *p_values, size_t count, double p_value)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++)
        found += p_values[i] < p_value;
    return found;
}

void p11prof_holm_levels(const double *p_values, size_t count, double alpha, double *levels)
{
    double first_kept = INFINITY; /* the smallest p-value that is not rejected */
    for (size_t i = 0; i < count; i++) {
        levels[i] = alpha / (double)(count - below(p_values, count, p_values[i]));
        if (p_values[i] > levels[i] && p_values[i] < first_kept)
            first_kept = p_values[i];
    }
    for (size_t i = 0; i < count; i++)
        if (p_values[i] > first_kept)
            levels[i] = alpha / (double)(count - below(p_values, count, first_kept));
}

/* --- a comparison --- */

static bool pair_counts(const struct p11prof_pair *pair)
{
    return pair->base_count && pair->base_ns && pair->current_count && pair->current_ns;
}

/* Logarithms of time an operation, current by base; the caller frees them. Fills in what is summed
 * up, and whether it is enough. */
static double *differences_make(struct p11prof_paired_test *test)
{
    struct p11prof_pair sum = {0};
    double *differences = p11prof_zalloc(test->pair_count + 1, sizeof *differences);
    test->used_count = 0;
    for (size_t i = 0; i < test->pair_count; i++) {
        const struct p11prof_pair *pair = &test->pairs[i];
        if (!pair_counts(pair))
            continue;
        differences[test->used_count++] =
            log((double)pair->current_ns / (double)pair->current_count) -
            log((double)pair->base_ns / (double)pair->base_count);
        sum.base_count += pair->base_count;
        sum.base_ns += pair->base_ns;
        sum.current_count += pair->current_count;
        sum.current_ns += pair->current_ns;
    }
    test->base_count = sum.base_count;
    test->current_count = sum.current_count;
    test->base_per_s = sum.base_ns ? (double)sum.base_count * 1e9 / (double)sum.base_ns : 0;
    test->current_per_s =
        sum.current_ns ? (double)sum.current_count * 1e9 / (double)sum.current_ns : 0;
    bool enough = test->used_count >= PAIRS_LEAST && sum.base_count >= OPERATIONS_LEAST &&
                  sum.current_count >= OPERATIONS_LEAST;
    test->verdict = enough ? P11PROF_PAIRED_UNCLEAR : P11PROF_PAIRED_INSUFFICIENT;
    return differences;
}

static enum p11prof_paired_verdict judge(const struct p11prof_paired_test *test, double threshold)
{
    if (test->effect > threshold && test->range.low > 0)
        return P11PROF_PAIRED_REGRESSED;
    if (test->effect < -threshold && test->range.high < 0)
        return P11PROF_PAIRED_IMPROVED;
    if (test->range.low >= -threshold && test->range.high <= threshold)
        return P11PROF_PAIRED_SAME;
    return P11PROF_PAIRED_UNCLEAR;
}

/* The interval of all that had enough pairs, at the levels that Holm gives them. */
static void ranges_fill(struct p11prof_paired_test *tests, size_t count, double **differences)
{
    double *p_values = p11prof_zalloc(2 * count + 1, sizeof *p_values);
    double *levels = p_values + count;
    size_t enough = 0;
    for (size_t i = 0; i < count; i++)
        if (tests[i].verdict != P11PROF_PAIRED_INSUFFICIENT)
            p_values[enough++] = tests[i].p_value;
    p11prof_holm_levels(p_values, enough, error_all, levels);
    enough = 0;
    for (size_t i = 0; i < count; i++) {
        bool in_holm = tests[i].verdict != P11PROF_PAIRED_INSUFFICIENT;
        tests[i].range = p11prof_signed_rank_interval(differences[i], tests[i].used_count,
                                                      in_holm ? levels[enough++] : error_all);
        if (isfinite(tests[i].range.low)) {
            tests[i].range.low = expm1(tests[i].range.low);
            tests[i].range.high = expm1(tests[i].range.high);
        }
    }
    free(p_values);
}

void p11prof_paired_compare(struct p11prof_paired_test *tests, size_t count, double threshold)
{
    double **differences = p11prof_zalloc(count + 1, sizeof *differences);
    for (size_t i = 0; i < count; i++) {
        differences[i] = differences_make(&tests[i]);
        tests[i].effect = expm1(p11prof_hodges_lehmann(differences[i], tests[i].used_count));
        tests[i].p_value = p11prof_signed_rank_p(differences[i], tests[i].used_count);
    }
    ranges_fill(tests, count, differences);
    for (size_t i = 0; i < count; i++) {
        if (tests[i].verdict != P11PROF_PAIRED_INSUFFICIENT)
            tests[i].verdict = judge(&tests[i], threshold);
        free(differences[i]);
    }
    free(differences);
}

bool p11prof_paired_mean(const struct p11prof_paired_test *tests, size_t count, double *effect)
{
    double sum = 0;
    size_t enough = 0;
    for (size_t i = 0; i < count; i++) {
        if (tests[i].verdict == P11PROF_PAIRED_INSUFFICIENT)
            continue;
        sum += log1p(tests[i].effect);
        enough++;
    }
    *effect = enough ? expm1(sum / (double)enough) : 0;
    return enough > 0;
}
