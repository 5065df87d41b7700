/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Two sides that were measured in pairs, one right after the other: how far they differ, and how
 * sure that is. Nothing is assumed of the differences but that, without a true one, each is as
 * likely to be positive as negative. Pure functions; out of memory ends the process.
 *
 * The signed-rank statistic W+ of n differences is the number of positive Walsh averages, the means
 * of two differences or of one with itself; those that are zero count as half. That is Wilcoxon's
 * sum of ranks, with mean ranks for ties and zeros ranked with the others. Ties and zeros make
 * p-values larger than need be, never smaller. */
#ifndef P11PROF_REPORT_PAIRED_H
#define P11PROF_REPORT_PAIRED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* --- of any differences; finite, in any order --- */

/* Up to so many differences the distribution of W+ is exact; beyond, normal with a correction for
 * continuity. */
enum { P11PROF_SIGNED_RANK_EXACT_MOST = 100 };

/* Hodges and Lehmann's estimate of the centre: the median of the Walsh averages. 0 without any. */
double p11prof_hodges_lehmann(const double *differences, size_t count);

/* Two-sided p-value of the centre being 0; 1 without any. */
double p11prof_signed_rank_p(const double *differences, size_t count);

/* The interval of the centre with an error of at most `alpha` (0.05: 95 %); it leaves 0 out where
 * the p-value is below alpha. Infinite ends where there are too few differences for that. */
struct p11prof_interval {
    double low, high;
};
struct p11prof_interval p11prof_signed_rank_interval(const double *differences, size_t count,
                                                     double alpha);

/* Holm's step-down procedure: the error that each of several tests may have, so that all together
 * have one of `alpha`. Test i is rejected where p_values[i] <= levels[i]. The smallest p-value gets
 * alpha / count, the next one alpha / (count - 1), …; those behind the first that is not rejected,
 * and p-values that are equal, share a level. */
void p11prof_holm_levels(const double *p_values, size_t count, double alpha, double *levels);

/* --- of a comparison --- */

/* Operations that succeeded on each side, and the time that they took. */
struct p11prof_pair {
    uint64_t base_count, base_ns, current_count, current_ns;
};

enum p11prof_paired_verdict {
    P11PROF_PAIRED_INSUFFICIENT, /* fewer than 10 pairs, or 30 operations on a side */
    P11PROF_PAIRED_REGRESSED,    /* slower by more than the threshold, and that is sure */
    P11PROF_PAIRED_IMPROVED,     /* faster likewise */
    P11PROF_PAIRED_SAME,         /* surely within the threshold */
    P11PROF_PAIRED_UNCLEAR,
    P11PROF_PAIRED_VERDICTS
};
extern const char *const p11prof_paired_verdicts[P11PROF_PAIRED_VERDICTS]; /* "regressed" … */

/* One test. */
struct p11prof_paired_test {
    const struct p11prof_pair *pairs; /* those without an operation on a side are passed over */
    size_t pair_count;
    /* What p11prof_paired_compare() finds. */
    size_t used_count;                  /* pairs */
    uint64_t base_count, current_count; /* operations in them */
    double base_per_s, current_per_s;
    double effect; /* time of an operation, current / base - 1: 0.1 is 10 % slower */
    struct p11prof_interval range; /* of the effect, with all tests 95 %; infinite: unknown */
    double p_value;                /* not corrected */
    enum p11prof_paired_verdict verdict;
};

/* Compares all tests of a bench. threshold: 0.05 is 5 %; >= 0. Tests with too few pairs take no
 * part in the correction for the number of tests. */
void p11prof_paired_compare(struct p11prof_paired_test *tests, size_t count, double threshold);

/* The geometric mean of 1 + effect of the tests that had enough pairs, less 1. False: none had. */
bool p11prof_paired_mean(const struct p11prof_paired_test *tests, size_t count, double *effect);

#endif
