/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Rings and chunks, as the producer takes them. No locks and no allocation; all of it is
 * async-signal-safe. */
#ifndef P11PROF_SHIM_RECORDER_H
#define P11PROF_SHIM_RECORDER_H

#include "frame.h"
#include "spool.h"

/* The spool that this process records into; valid while the thread's and the process's generation
 * agree. */
extern struct p11prof_spool p11prof_spool;

/* Takes a ring for the calling thread. NULL: there is none, or no memory for one. */
struct p11prof_ring *p11prof_ring_take(void);

/* Gives a ring back: the next thread may go on with it. */
void p11prof_ring_retire(struct p11prof_ring *ring);

/* Retires the rings of threads that ended without notice. */
void p11prof_rings_reap(void);

/* Whether a thread other than the caller has a ring. */
bool p11prof_others_record(void);

/* Whether a call of any thread has begun and not returned. */
bool p11prof_call_is_in_flight(void);

/* Counts a call that no record is kept of. ring may be NULL. */
void p11prof_loss_count(struct p11prof_ring *ring, unsigned function, enum p11prof_loss cause);

/* Makes EMPTY chunks READY until `count` of them are; returns how many are. For the drain thread.
 */
unsigned p11prof_chunks_make(unsigned count);

/* Gives an emptied chunk back: zeroed and READY while fewer than `reserve` are, else without
 * memory. For drains. */
void p11prof_chunk_release(uint32_t chunk, unsigned reserve);

/* New chunks use this clock. */
extern _Atomic(uint32_t) p11prof_recorder_clock;

/* Chunks that are READY; the producer wakes the drain when fewer than half of its reserve are left.
 */
extern _Atomic(uint32_t) p11prof_chunks_ready;

/* Chunks that are TAKEN. */
extern _Atomic(uint32_t) p11prof_chunks_taken;

/* Called by the producer after it took a chunk, or found none and lost the call, outside any
 * recorded duration: drain_callers.c. */
void p11prof_drain_chunk_taken(const struct p11prof_frame *frame, bool written);

/* Called by the producer when it finds the spool full. Where callers drain, this one waits until
 * something is old enough to be taken, or for the thread that drains: 250 ms at most, not while the
 * database is not ours to write, and after a wait in vain not for 1, 2, 4 … 60 s. *end_ns is 0
 * the first time, and when the wait of this call is over from then on. Returns whether there is
 * room now. */
bool p11prof_drain_make_room(const struct p11prof_frame *frame, uint64_t *end_ns);

#endif
