/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* All that was found out about latency, and its tables. */
#ifndef P11PROF_INSIGHT_LATENCY_TABLES_H
#define P11PROF_INSIGHT_LATENCY_TABLES_H

#include "latency_words.h"
#include "section.h"

struct p11prof_latency_findings {
    struct p11prof_latency_first *firsts; /* costliest first, as modes */
    size_t first_count;
    struct p11prof_latency_mode *modes;
    size_t mode_count;
    struct p11prof_latency_line *lines;
    size_t line_count;
    struct p11prof_latency_floor floor;
};
void p11prof_latency_findings_make(struct p11prof_latency_findings *out,
                                   const struct p11prof_latency_gather *gather);
void p11prof_latency_findings_clear(struct p11prof_latency_findings *findings);

/* What a group's median has on top of the floor; false where it is no crypto, there is no floor, or
 * it takes less: the library does it without the token. */
bool p11prof_latency_on_top(uint64_t *out_ns, const struct p11prof_latency_findings *findings,
                            const struct p11prof_latency_gather *gather, size_t group);

/* Adds "first_calls", "modes", "sizes", "floor" and "on_top". */
void p11prof_latency_tables(struct p11prof_section *out, const struct p11prof_latency_told *told,
                            const struct p11prof_latency_findings *findings);

#endif
