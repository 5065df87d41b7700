/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What is kept of a run's calls to take their latency apart, in bounded memory: histograms by
 * function, mechanism and kind of key; samples with all that is known of a call, by function and
 * mechanism; first calls of processes, keys and sessions; medians by size of data. One thread.
 *
 * Calls count that are calls of their own (no size query, none that waits, none inside another)
 * and whose time is known. Failed ones are in samples only. What passes a limit is left out. */
#ifndef P11PROF_INSIGHT_LATENCY_GATHER_H
#define P11PROF_INSIGHT_LATENCY_GATHER_H

#include "event.h"
#include "latency_callers.h"
#include "latency_map.h"
#include "report/buckets.h"

enum {
    P11PROF_LATENCY_GROUPS_MOST = 512,
    P11PROF_LATENCY_SHAPES_MOST = 128,
    P11PROF_LATENCY_UNITS_MOST = 65536,
    P11PROF_LATENCY_SESSIONS_MOST = 65536,
    P11PROF_LATENCY_SIZES_MOST = 4096,
    P11PROF_LATENCY_SAMPLE_MOST = 8192, /* of a shape */
    P11PROF_LATENCY_LEAD_MOST = 512,
    P11PROF_LATENCY_EARLY_MOST = 8,
    P11PROF_LATENCY_REST_MOST = 15,
    P11PROF_LATENCY_SIZE_SAMPLE_MOST = 127,
    P11PROF_LATENCY_PART = 16384, /* calls that are looked at together */
};

/* What may tell the modes of a distribution apart, the likelier cause first. */
enum p11prof_latency_factor {
    P11PROF_FACTOR_RV,
    P11PROF_FACTOR_KEY_KIND, /* number of the group */
    P11PROF_FACTOR_BYTES,    /* in, or out where nothing goes in */
    P11PROF_FACTOR_ITEMS,
    P11PROF_FACTOR_KEY,           /* process << 32 | key */
    P11PROF_FACTOR_FIRST_PROCESS, /* 1: the first of the group in its process */
    P11PROF_FACTOR_FIRST_KEY,
    P11PROF_FACTOR_FIRST_SESSION,
    P11PROF_FACTOR_IDLE,  /* ns since the thread's call of the shape before ended */
    P11PROF_FACTOR_LEVEL, /* other calls in flight when it began */
    P11PROF_FACTOR_SLOT,
    P11PROF_FACTOR_CALLER, /* process << 32 | caller, of the first process that has the place */
    P11PROF_FACTOR_PROCESS,
    P11PROF_FACTOR_THREAD,
    P11PROF_FACTOR_SESSION, /* number in `sessions` << 24 | how often the handle was opened */
    P11PROF_FACTOR_TIME,    /* its start */
    P11PROF_FACTORS
};

/* A call; P11PROF_EVENT_UNKNOWN where a value is not known. */
struct p11prof_latency_sample {
    uint64_t duration_ns;
    int64_t values[P11PROF_FACTORS];
};

/* A call in the order of calls. */
struct p11prof_latency_moment {
    int64_t start_ns;
    uint64_t duration_ns;
};

/* A function with a mechanism: what has modes. */
struct p11prof_latency_shape {
    unsigned function;
    int64_t mechanism; /* may be unknown */
    uint64_t count, total_ns;
    struct p11prof_buckets buckets;
    struct p11prof_latency_sample *samples; /* a reservoir */
    size_t sample_count, sample_capacity;
    struct p11prof_latency_moment *moments; /* of its first calls, up to as many */
    size_t moment_count, moment_capacity;
};

/* A function with a mechanism and a kind of key. */
struct p11prof_latency_group {
    size_t shape;
    int64_t key_type, key_bits;     /* may be unknown */
    uint64_t count, total_ns;       /* of those that did not fail, as all below */
    struct p11prof_buckets buckets; /* but the first one of each process */
    int64_t lead_process;           /* the process that `lead` is of: the first one */
    uint64_t *lead_ns;              /* its first calls, in their order */
    size_t lead_count, lead_capacity;
};

/* Whose first calls may be slow, the widest first. */
enum p11prof_latency_scope {
    P11PROF_SCOPE_PROCESS,
    P11PROF_SCOPE_KEY,
    P11PROF_SCOPE_SESSION,
    P11PROF_SCOPES
};

/* The calls of a group in one process, with one key, or in one session. */
struct p11prof_latency_unit {
    enum p11prof_latency_scope scope;
    size_t group;
    bool within; /* its first call was also the first one of something wider */
    uint64_t count;
    uint64_t early_ns[P11PROF_LATENCY_EARLY_MOST]; /* the first ones */
    uint64_t rest_ns[P11PROF_LATENCY_REST_MOST];   /* a reservoir of those behind the first */
};

/* The calls of a group with about the same size of data: within 3 %. */
struct p11prof_latency_size {
    size_t group;
    uint64_t count;
    double bytes;        /* sum */
    uint64_t *sample_ns; /* a reservoir */
};

struct p11prof_latency_gather {
    struct p11prof_latency_map group_map, shape_map, unit_map, session_map, size_map, end_map;
    struct p11prof_latency_group *groups;
    struct p11prof_latency_shape *shapes;
    struct p11prof_latency_unit *units;
    struct p11prof_latency_size *sizes;
    uint32_t *openings; /* by session: how often its handle was opened */
    int64_t *ends_ns;   /* by shape and thread: when the last call ended */
    size_t group_capacity, shape_capacity, unit_capacity, size_capacity, opening_capacity,
        end_capacity;
    uint64_t total_ns;     /* in the module */
    int64_t first_process; /* that had a call; 0: none yet */
    bool several_processes;
    uint64_t seed;
    const struct p11prof_latency_callers *callers; /* borrowed; NULL: each number is a place */
    struct p11prof_event *part;                    /* calls that are not looked at yet */
    size_t part_count;
    int64_t *starts_ns, *ends_of_part_ns; /* ascending */
    int64_t part_since_ns;                /* before it levels are not known */
};

void p11prof_latency_gather_init(struct p11prof_latency_gather *gather);
void p11prof_latency_gather_clear(struct p11prof_latency_gather *gather);

/* Takes a call; they come in the order of event.h. */
void p11prof_latency_gather_take(void *gather, const struct p11prof_event *event);

/* The last call was taken: looks at what is left. */
void p11prof_latency_gather_end(struct p11prof_latency_gather *gather);

/* Private to latency_*.c: a call that counts, its group, and how many others were in flight. */
void p11prof_latency_add(struct p11prof_latency_gather *gather, const struct p11prof_event *event);

/* How many other calls of its part were in flight when it began. */
int64_t p11prof_latency_level(const struct p11prof_latency_gather *gather,
                              const struct p11prof_event *event);

/* The place of the n-th value (from 1) in a reservoir of `most`; `most` or more: it has none. */
size_t p11prof_latency_reservoir(uint64_t *seed, uint64_t n, size_t most);

#endif
