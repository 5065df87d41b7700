/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Student's t and the normal distribution, both sides of zero taken together. Pure functions. */
#ifndef P11PROF_REPORT_STUDENT_H
#define P11PROF_REPORT_STUDENT_H

/* P(|T| > t) of Student's t with `freedom` degrees of freedom (> 0, need not be whole). 1 for t
 * that is no number. */
double p11prof_student_tail(double t, double freedom);

/* The t that |T| exceeds with probability `tail`: 0 < tail < 1. Infinite where it does not fit a
 * double or there is no freedom. */
double p11prof_student_quantile(double tail, double freedom);

/* The z that the absolute value of a standard normal variable exceeds with probability `tail`. */
double p11prof_normal_quantile(double tail);

#endif
