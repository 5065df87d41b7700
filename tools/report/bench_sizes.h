/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What sizes of data cost: a table for each test that was measured with several. */
#ifndef P11PROF_REPORT_BENCH_SIZES_H
#define P11PROF_REPORT_BENCH_SIZES_H

#include "page.h"

void p11prof_bench_sizes_page(struct p11prof_page *page, const struct p11prof_table *loads);

#endif
