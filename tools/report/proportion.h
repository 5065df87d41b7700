/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Intervals of shares and of their difference, which hold where nothing, or all, failed. Pure
 * functions. Counts need not be whole: they are effective ones where failures come in groups. */
#ifndef P11PROF_REPORT_PROPORTION_H
#define P11PROF_REPORT_PROPORTION_H

struct p11prof_proportion {
    double part, whole; /* 0 <= part <= whole, whole > 0 */
};

/* The interval of Wilson's score, z standard errors wide. */
void p11prof_wilson(const struct p11prof_proportion *share, double z, double *low, double *high);

/* The interval of `second` less `first`: Newcombe's hybrid score (his method 10). */
void p11prof_newcombe(const struct p11prof_proportion *first,
                      const struct p11prof_proportion *second, double z, double *low, double *high);

#endif
