/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#ifndef P11PROF_INSIGHT_ADVICE_PAGE_H
#define P11PROF_INSIGHT_ADVICE_PAGE_H

#include "advice.h"

/* What was found in a run as a page: each finding with its evidence, cost, saving, remedy, and
 * calls of an example. */
enum p11prof_status p11prof_advice_page(struct p11prof_page *page,
                                        const struct p11prof_findings *findings,
                                        const struct p11prof_advice_run *run,
                                        struct p11prof_error *error);

#endif
