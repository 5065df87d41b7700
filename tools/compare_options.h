/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What decides in a comparison: --threshold and --fail-on. False if a value is bad, after it was
 * said. */
#ifndef P11PROF_TOOLS_COMPARE_OPTIONS_H
#define P11PROF_TOOLS_COMPARE_OPTIONS_H

#include "report/compare_report.h"

/* "10%", "p99=20%,errors=1%": a threshold without a metric is of all times, not of errors. */
bool p11prof_option_thresholds(struct p11prof_thresholds *out, const char *value);

/* "regressed,unclear": those alone. "unmatched" and "none" are words of it too. */
bool p11prof_option_fail_on(struct p11prof_compare_report *out, const char *value);

#endif
