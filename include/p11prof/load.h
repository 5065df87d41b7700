/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What the calls of a thread are a load of: said by `p11prof bench` to the recorder, kept in the
 * spool as notes, and stored with calls and groups.
 *
 * Loads are numbered from 1 in their run; what stands in records and rows is a *part*, the load and
 * its phase in one number, with no phase for service times. Stored on disk: the layout is fixed. */
#ifndef P11PROF_LOAD_H
#define P11PROF_LOAD_H

#include <stdbool.h>
#include <stdint.h>

enum p11prof_phase {
    P11PROF_PHASE_NONE = 0,
    P11PROF_PHASE_WARMUP = 1,
    P11PROF_PHASE_MEASURED = 2,
    P11PROF_PHASE_COOLDOWN = 3,
};

enum { P11PROF_LOADS_MAX = 1 << 28 };

/* 0 is "of no load". */
static inline uint32_t p11prof_part(uint32_t load, enum p11prof_phase phase)
{
    return load << 2 | (uint32_t)phase;
}

static inline enum p11prof_phase p11prof_part_phase(uint32_t part)
{
    return (enum p11prof_phase)(part & 3);
}

/* Where operations of a measured part followed a schedule, their durations are latencies from the
 * intended start on; their times in the module are those of this part. */
static inline uint32_t p11prof_service_part(uint32_t part)
{
    return part & ~UINT32_C(3);
}

/* In note[] of a record P11PROF_RECORD_LOAD. */
struct p11prof_load_note {
    uint64_t part;            /* 0: the calls that follow are of no load */
    uint64_t window_start_ns; /* CLOCK_MONOTONIC: start of the slice, the same in all its threads */
    uint64_t iteration_calls; /* an iteration is that many calls; 0: it is what PKCS#11 calls an
                                 operation */
    uint64_t iteration_operation; /* enum p11prof_operation of such an iteration */
    uint64_t intended_start_ns;   /* CLOCK_MONOTONIC: when a schedule wanted the iteration that
                                     follows to begin; 0: there is none */
    uint64_t reserved[2];
};
_Static_assert(sizeof(struct p11prof_load_note) == 7 * sizeof(uint64_t),
               "a load note fills a record");

/* The shim exports this for `p11prof bench`: what the calling thread does from here on. It holds
 * until the next one and costs one record. False: this thread records nothing (yet): it has made no
 * call. Not for signal handlers. */
__attribute__((visibility("default"))) bool p11prof_load_mark(const struct p11prof_load_note *note);
#define P11PROF_LOAD_MARK_NAME "p11prof_load_mark"

/* How many records the spool of this process has room for, about; all of them if it records
 * nothing. Looks at every chunk: not for every call. Any thread. */
__attribute__((visibility("default"))) uint64_t p11prof_load_room(void);
#define P11PROF_LOAD_ROOM_NAME "p11prof_load_room"

/* From here on only windows and histograms are kept of the calls of this process. Any thread. */
__attribute__((visibility("default"))) void p11prof_load_summary(void);
#define P11PROF_LOAD_SUMMARY_NAME "p11prof_load_summary"

#endif
