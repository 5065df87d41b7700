/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* How long a thread was away from the module before a call: the time since its previous call ended.
 * Calls made inside another call or by a signal handler have no such time, and end none.
 *
 * The rows of a thread are stored in the order in which its calls ended. */
#ifndef P11PROF_REPORT_CALL_GAPS_H
#define P11PROF_REPORT_CALL_GAPS_H

#include "call_list.h"

/* When the last call of each thread ended. Starts as {0}. One thread. */
struct p11prof_thread_ends {
    struct p11prof_thread_end {
        int64_t process_id, thread_id, end_ns; /* thread_id -1: free */
        bool known;                            /* end_ns is: the call had a duration */
    } * slots;
    size_t count, slot_count;
};
void p11prof_thread_ends_clear(struct p11prof_thread_ends *ends);

/* The gap before a call; calls are given in the order of their ids, none left out. */
int64_t p11prof_thread_ends_gap(struct p11prof_thread_ends *ends,
                                const struct p11prof_call_ref *call);

/* Sets gap_ns of the calls of a list; the scope's selection does not matter. */
enum p11prof_status p11prof_call_gaps(struct p11prof_call_list *list,
                                      const struct p11prof_call_scope *scope,
                                      struct p11prof_error *error);

#endif
