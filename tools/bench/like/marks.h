/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Threads of a script that wait for each other: what came after another thread's call in the
 * recording comes after it here. Threads that wait for each other for ever, as a file may say, go
 * on after a second. */
#ifndef P11PROF_BENCH_LIKE_MARKS_H
#define P11PROF_BENCH_LIKE_MARKS_H

#include "player.h"

/* Of a thread of a process, both from 1; NULL: there is no such thread. */
struct like_mark *like_mark_of(const struct like_player *player, uint64_t process, uint64_t thread);

/* Lets the thread of `own` wait until another one has made so many calls, or has ended, and so many
 * threads of this process have; returns when it had (CLOCK_MONOTONIC). */
uint64_t like_mark_wait(const struct like_player *player, struct like_mark *own,
                        struct like_mark *mark, uint64_t call_count, uint64_t ended_count);

/* When something begins that is anchored so; otherwise_ns: it is not. */
uint64_t like_anchor_wait(const struct like_player *player, struct like_mark *own,
                          const struct like_anchor *anchor, uint64_t otherwise_ns);

#endif
