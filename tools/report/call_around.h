/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What a thread did before and after a moment, and what others had in flight at it. One thread. */
#ifndef P11PROF_REPORT_CALL_AROUND_H
#define P11PROF_REPORT_CALL_AROUND_H

#include "call_list.h"

/* What a list is around. */
struct p11prof_call_anchor {
    enum p11prof_call_anchor_kind {
        P11PROF_AROUND_NOTHING,
        P11PROF_AROUND_SLOWEST,
        P11PROF_AROUND_CALL,   /* of that id */
        P11PROF_AROUND_MOMENT, /* the call under way then, the longest of several; else the nearest
                                */
        P11PROF_AROUND_CLOCK,  /* the same at a time of day (UTC), the first in the run */
    } kind;
    int64_t id;
    struct p11prof_moment moment; /* of AROUND_CLOCK: ns of the day */
};

/* Reads "slowest", "call:17", "12.5s", "-30s", "2026-11-24T10:15:30.25", "10:15:30.25". False: it
 * is none. */
bool p11prof_call_anchor_read(const char *text, struct p11prof_call_anchor *out);

/* Lists the selected call that is meant, with up to `before` and `after` calls of its thread,
 * selected or not, in the order in which they began; all_threads: and what other threads had in
 * flight when it began, or at the moment given. P11PROF_BAD_INPUT if there is no such call or
 * moment in the run. An empty list: nothing is selected. */
enum p11prof_status p11prof_call_list_around(struct p11prof_call_list *out,
                                             const struct p11prof_call_scope *scope,
                                             const struct p11prof_call_anchor *anchor,
                                             uint64_t before, uint64_t after, bool all_threads,
                                             struct p11prof_error *error);

#endif
