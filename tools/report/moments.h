/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Times as people write them. Pure functions; false: it is none. */
#ifndef P11PROF_REPORT_MOMENTS_H
#define P11PROF_REPORT_MOMENTS_H

#include <stdbool.h>
#include <stdint.h>

/* "0", "500ms", "1.5s", "100us", "2m", "1h", "7d", "2w"; without a unit: seconds. At most 100
 * years. */
bool p11prof_read_duration(const char *text, uint64_t *out_ns);

/* A moment of a run. */
struct p11prof_moment {
    enum p11prof_moment_kind {
        P11PROF_MOMENT_NONE,
        P11PROF_MOMENT_SINCE_START, /* ns after the run's start */
        P11PROF_MOMENT_BEFORE_END,  /* ns before its end */
        P11PROF_MOMENT_UTC,         /* ns since 1970 */
    } kind;
    int64_t ns;
    const char *text; /* as it was read; borrowed */
};

/* "90s": after the start. "-30s": before the end. "2026-11-24", "2026-11-24T10:15",
 * "2026-11-24 10:15:30.250Z": UTC. */
bool p11prof_read_moment(const char *text, struct p11prof_moment *out);

/* The moment in ns since the run's start, which may lie outside the run. */
int64_t p11prof_moment_in_run(const struct p11prof_moment *moment, int64_t start_wall_ns,
                              int64_t duration_ns);

/* How much of a run lies in [since, until), each of which may be none: what its rates are of. */
uint64_t p11prof_moments_overlap_ns(const struct p11prof_moment *since,
                                    const struct p11prof_moment *until, int64_t start_wall_ns,
                                    int64_t duration_ns);

/* "2026-11-24T10:15:30.250Z" of ns since 1970; out has room for P11PROF_UTC_BYTES. */
enum { P11PROF_UTC_BYTES = 40 };
void p11prof_format_utc(char *out, int64_t wall_ns);

#endif
