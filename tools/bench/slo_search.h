/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The search for the highest rate that keeps an objective: first up or down from a part of what the
 * token does at most, then by halves between a rate that keeps it and one that does not. Pure
 * functions. */
#ifndef P11PROF_BENCH_SLO_SEARCH_H
#define P11PROF_BENCH_SLO_SEARCH_H

#include <stdbool.h>

struct slo_search {
    double most;  /* about what the token does as fast as it goes: operations/s */
    double met;   /* the highest rate that kept it; 0: none yet */
    double above; /* the lowest rate that did not; 0: none yet */
    unsigned probe_count;
};

/* The rate to try next; 0: the search is over. */
double slo_search_next(const struct slo_search *search);

/* What came of a rate that slo_search_next() gave. */
void slo_search_take(struct slo_search *search, double rate, bool met);

#endif
