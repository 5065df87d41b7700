/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The spool: the shared-memory file of one process that its calls are recorded in, and that
 * outlives it.
 *
 *   header | object map | chunk states | chunk descriptors | rings | chunks
 *
 * One producer, the process that made it, and one drain at a time. Whoever can take flock() on the
 * file knows that the producer is gone. A reader from outside never maps the file: it reads with
 * pread(), takes the layout from p11prof_spool_layout() and believes nothing that does not agree
 * with it. All times are ns unless a name says ticks. The layout is fixed by P11PROF_SPOOL_VERSION.
 */
#ifndef P11PROF_SPOOL_H
#define P11PROF_SPOOL_H

#include "p11prof/calls.h"
#include "p11prof/load.h"
#include "p11prof/record.h"

#include <stdbool.h>
#include <stddef.h>

#define P11PROF_SPOOL_MAGIC  "P11PSPOO"
#define P11PROF_SPOOL_SUFFIX ".spool"

enum {
    P11PROF_SPOOL_VERSION = 2,
    P11PROF_CHUNK_RECORDS = 1024,
    P11PROF_CHUNK_BYTES = P11PROF_CHUNK_RECORDS * 64,
    P11PROF_CHUNK_STEP_BYTES = 16384, /* what a producer without a drain thread makes at once */
    P11PROF_RING_BYTES = 4096,
    P11PROF_RINGS_MAX = 512,
    P11PROF_OBJECT_MAP_BYTES = 65536,
    P11PROF_SPOOL_TOKENS = 32,
    P11PROF_SPOOL_PATH_BYTES = 4096,
    P11PROF_SPOOL_ANCHORS = 64,
    P11PROF_SPOOL_MIN_BYTES = 1 << 20,
    P11PROF_SPOOL_MAX_BYTES = 1 << 30,
    P11PROF_SPOOL_DEFAULT_BYTES = 64 << 20,
};

enum p11prof_clock { P11PROF_CLOCK_MONOTONIC = 1, P11PROF_CLOCK_TSC = 2 };

/* One moment in all clocks. */
struct p11prof_anchor {
    uint64_t ticks;        /* TSC; equal to monotonic_ns where there is none */
    uint64_t monotonic_ns; /* CLOCK_MONOTONIC */
    uint64_t wall_ns;      /* CLOCK_REALTIME */
};

enum p11prof_loss {
    P11PROF_LOSS_LIMIT,      /* the spool was full */
    P11PROF_LOSS_NO_DRAINER, /* the spool was full and nobody drains it */
    P11PROF_LOSS_NO_MEMORY,  /* no ring, or /dev/shm had no page left */
    P11PROF_LOSS_TORN,       /* found by a drain: a record or chunk that makes no sense */
    P11PROF_LOSSES,
};
enum { P11PROF_RING_LOSSES = P11PROF_LOSS_TORN };

enum p11prof_chunk_state {
    P11PROF_CHUNK_EMPTY = 0, /* no memory behind it yet */
    P11PROF_CHUNK_READY = 1, /* all its pages exist and are zero */
    P11PROF_CHUNK_TAKEN = 2, /* of a ring */
    P11PROF_CHUNK_MAKING = 3,
};

struct p11prof_chunk {
    uint32_t ring;                /* index of its ring */
    uint32_t thread_id;           /* of the thread that took it */
    uint64_t sequence;            /* its first record is number sequence * 1024 of its ring */
    uint32_t clock;               /* enum p11prof_clock of its ticks */
    _Atomic(uint32_t) made_bytes; /* pages that exist, from its start */
    struct p11prof_anchor anchor; /* when it was taken */
    _Atomic(uint64_t) taken;      /* 1 once the members above are valid */
};
_Static_assert(sizeof(struct p11prof_chunk) == 56, "layout of a chunk descriptor");

enum p11prof_ring_state {
    P11PROF_RING_FREE = 0,
    P11PROF_RING_LIVE = 1,
    P11PROF_RING_MAKING = 3,
    P11PROF_RING_RETIRED = 2, /* its thread ended: the next thread may go on with it */
};

/* The ring of one thread: the producer's own words, and what a reader wants to know of a call in
 * flight. */
struct p11prof_ring {
    struct p11prof_record *next;  /* producer only */
    struct p11prof_record *end;   /* producer only: end of the made part of the chunk */
    uint32_t clock;               /* producer only: enum p11prof_clock of the chunk */
    volatile uint32_t busy;       /* producer only: an append is under way on this thread */
    _Atomic(uint64_t) mark;       /* call in flight: p11prof_mark(); 0: none */
    _Atomic(uint64_t) mark_ticks; /* its start */
    _Atomic(uint64_t) mark_frame; /* producer only: address of its frame */
    uint32_t chunk;               /* producer only: index of the current chunk, plus one */
    uint32_t second; /* producer only: index of the ring for signal handlers, plus one */
    uint32_t ahead;  /* producer only: index of the chunk claimed as the next one, plus one */
    uint32_t ahead_made_bytes;
    uint64_t sequence;             /* producer only: of the current chunk */
    _Atomic(uint32_t) thread_id;   /* kernel thread id */
    uint32_t reset;                /* producer only: a thread note is due before the next record */
    struct p11prof_load_note load; /* producer only: what its calls are a load of */
    uint32_t load_due;             /* producer only: a load note is due before the next record */
    uint32_t reserved;
    uint64_t caller[P11PROF_CALLS +
                    1]; /* producer only: last return address of each function in this chunk */
    _Atomic(uint64_t) lost[P11PROF_RING_LOSSES][P11PROF_CALLS + 1];
};
/* The word of a call in flight. */
static inline uint64_t p11prof_mark(unsigned function, unsigned depth, uint32_t clock)
{
    return (uint64_t)function | (uint64_t)clock << 16 | (uint64_t)depth << 32;
}
static inline unsigned p11prof_mark_function(uint64_t mark)
{
    return (uint16_t)mark;
}
static inline uint32_t p11prof_mark_clock(uint64_t mark)
{
    return (uint16_t)(mark >> 16);
}
static inline unsigned p11prof_mark_depth(uint64_t mark)
{
    return (unsigned)(mark >> 32);
}

_Static_assert(sizeof(struct p11prof_ring) <= P11PROF_RING_BYTES, "a ring fits its page");

/* The text fields of CK_TOKEN_INFO that the application itself asked for, blank-padded as the
 * module gave them. */
struct p11prof_spool_token {
    _Atomic(uint32_t) version; /* odd while it is written, 0: none */
    uint32_t reserved;
    uint64_t slot_id;
    uint8_t label[32], manufacturer[32], model[16], serial[16];
    uint8_t hardware_major, hardware_minor, firmware_major, firmware_minor;
    uint8_t padding[4];
};

/* The same of CK_INFO. */
struct p11prof_spool_library {
    _Atomic(uint32_t) version; /* odd while it is written, 0: none */
    uint8_t manufacturer[32], description[32];
    uint8_t cryptoki_major, cryptoki_minor, library_major, library_minor;
};

enum p11prof_process_state {
    P11PROF_PROCESS_RUNNING = 1,
    P11PROF_PROCESS_ENDED = 2, /* its destructor ran */
};

/* Who drains this spool. */
enum p11prof_drain_mode {
    P11PROF_DRAIN_AUTO = 0,
    P11PROF_DRAIN_THREAD = 1,
    P11PROF_DRAIN_EXIT = 2,     /* the callers themselves, when it fills and at the end */
    P11PROF_DRAIN_EXTERNAL = 3, /* p11prof record or collect */
};

enum p11prof_record_mode {
    P11PROF_RECORDING_CALLS = 0,
    P11PROF_RECORDING_SUMMARY = 1,
    P11PROF_RECORDING_OFF = 2
};

struct p11prof_spool_header {
    char magic[8];
    uint32_t version;
    uint32_t header_bytes;
    uint32_t ring_count;
    uint32_t chunk_count;
    uint64_t file_bytes;
    uint8_t spool_id[16];   /* random */
    uint8_t process_id[16]; /* UUID of the process image: several spools may bear it, one after the
                               other */
    uint8_t parent_id[16];  /* of the process that forked it, all 0: none */
    uint8_t run_id[16];     /* UUID of the run */
    _Atomic(uint64_t)
        database_id[2]; /* of the database that has the first part of it; 0: none yet */
    int32_t pid;
    int32_t parent_pid;
    uint32_t user_id;
    uint32_t record_mode;         /* enum p11prof_record_mode */
    _Atomic(uint32_t) drain_mode; /* enum p11prof_drain_mode in force */
    _Atomic(uint32_t) state;      /* enum p11prof_process_state */
    struct p11prof_anchor start;  /* of the process, as far as p11prof saw it */
    struct p11prof_anchor
        run_start;             /* of the run, handed down by fork; start where it began here */
    uint64_t ticks_per_second; /* first estimate; 0: ticks are ns */
    uint64_t overhead_ns;      /* clock reads inside a recorded duration, measured at start */
    char boot_id[40];
    char program[64];                             /* file name of the program */
    char module_path[512];                        /* the real module */
    char run_name[128];                           /* setting `name` */
    char database_path[P11PROF_SPOOL_PATH_BYTES]; /* setting `db`: the database that the calls are
                                                     meant for; "": none could be derived */
    _Atomic(uint64_t) lost[P11PROF_RING_LOSSES]
                          [P11PROF_CALLS + 1]; /* calls of threads without a ring */
    _Atomic(uint64_t) clock_step_count;
    _Atomic(uint64_t) clamped_count;
    _Atomic(uint32_t) anchor_count; /* anchors written so far; the last 64 stay */
    _Atomic(uint32_t) object_map_bytes;
    struct p11prof_anchor anchors[P11PROF_SPOOL_ANCHORS];
    _Atomic(uint32_t) ring_states[P11PROF_RINGS_MAX]; /* enum p11prof_ring_state */
    _Atomic(uint32_t) rings_used;                     /* rings from here on were never taken */
    _Atomic(uint32_t) fork_count;                     /* of the process, since the spool was made */
    struct p11prof_spool_library library;
    struct p11prof_spool_token tokens[P11PROF_SPOOL_TOKENS];
};
_Static_assert(offsetof(struct p11prof_spool_header, database_path) == 944 &&
                   sizeof(struct p11prof_spool_header) == 15088,
               "layout of the header");

/* Where the parts of a spool of `file_bytes` stand. */
struct p11prof_spool_layout {
    uint64_t file_bytes;
    uint32_t ring_count, chunk_count;
    uint64_t object_map_offset; /* P11PROF_OBJECT_MAP_BYTES: lines "start-end offset path\n" in hex,
                                   executable parts; older shims wrote no offset */
    uint64_t states_offset;     /* _Atomic(uint32_t)[chunk_count] */
    uint64_t descriptors_offset;
    uint64_t rings_offset;
    uint64_t chunks_offset;
};

/* Returns false if file_bytes is outside [P11PROF_SPOOL_MIN_BYTES, P11PROF_SPOOL_MAX_BYTES]. */
bool p11prof_spool_layout(struct p11prof_spool_layout *out, uint64_t file_bytes);

/* The database that a spool is meant for: its absolute path as the process that made it would open
 * it. "" if it does not say, or says what is no such path. Borrowed from the header. */
const char *p11prof_spool_database(const struct p11prof_spool_header *header);

/* The clocks of this machine. */
struct p11prof_anchor p11prof_anchor_now(void);

/* Whether the kernel trusts the TSC and this process may read it. Reads one file in /sys. */
bool p11prof_clock_has_tsc(void);

#endif
