/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* First calls after a rest that take much longer than others: a connection has been dropped, and is
 * made anew. One slow call is none: of several rests most must have it, and it must be more than
 * what a cold cache or a sleeping processor costs. */
#include "detectors.h"
#include "pattern.h"
#include "report/allocate.h"
#include "report/units.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    GAPS_MIN = 5,     /* rests of which a function was the first call, or among the first ones */
    STEADY_MIN = 20,  /* calls of it that followed no rest */
    TIMES_MIN = 5,    /* its median after a rest is so many medians of the others */
    GAPS_MAX = 4096,  /* of a function: later ones are counted as nothing */
    BUCKETS = 64 * 4, /* of durations: four for each power of two */
};
static const int64_t rest_ns = 1000000000; /* nobody calls for so long */
static const int64_t excess_ns =
    2000000; /* more than cold caches cost, less than a TLS handshake */

struct process {
    int64_t end_ns;                   /* of its last call; 0: it has made none */
    uint32_t gap;                     /* number of its last rest */
    uint32_t seen[P11PROF_CALLS + 1]; /* the rest that a function's last call followed */
};

struct function {
    int64_t *gap_ns; /* durations after rests */
    size_t gap_count, gap_capacity;
    int64_t steady_count;
    int64_t steady[BUCKETS];
    struct p11prof_evidence evidence; /* calls after rests */
};

struct state {
    struct p11prof_advice_map processes;
    struct function functions[P11PROF_CALLS + 1];
};

static unsigned bucket_of(int64_t ns)
{
    uint64_t value = ns > 0 ? (uint64_t)ns : 1;
    unsigned power = 63 - (unsigned)__builtin_clzll(value);
    unsigned quarter = power >= 2 ? (unsigned)(value >> (power - 2)) & 3 : 0;
    return 4 * power + quarter;
}

/* Its upper end. */
static int64_t bucket_ns(unsigned bucket)
{
    return (int64_t)((UINT64_C(1) << bucket / 4) / 4 * (bucket % 4 + 5));
}

static void take_gap(struct function *function, const struct p11prof_event *event)
{
    if (function->gap_count == GAPS_MAX)
        return;
    function->gap_ns = p11prof_grow(function->gap_ns, &function->gap_capacity,
                                    function->gap_count + 1, sizeof *function->gap_ns);
    function->gap_ns[function->gap_count++] = event->duration_ns;
    p11prof_evidence_add(&function->evidence, event);
    p11prof_evidence_example(&function->evidence, event->call_id, event);
}

static void take(void *payload, const struct p11prof_event *event)
{
    struct state *state = payload;
    const struct p11prof_advice_key key = {event->process_id, 0, 0};
    if (event->duration_ns < 0 || event->function > P11PROF_CALLS || event->part != 0 ||
        event->flags & P11PROF_ROW_NESTED || event->kind == P11PROF_KIND_BLOCKING)
        return;
    struct process *process = p11prof_advice_map_take(&state->processes, &key, sizeof *process);
    if (!process)
        return;
    struct function *function = &state->functions[event->function];
    if (process->end_ns > 0 && event->start_ns - process->end_ns >= rest_ns)
        process->gap++;
    if (process->gap > process->seen[event->function] && !p11prof_event_failed(event)) {
        process->seen[event->function] = process->gap;
        take_gap(function, event);
    } else if (!p11prof_event_failed(event)) {
        function->steady_count++;
        function->steady[bucket_of(event->duration_ns)]++;
    }
    if (p11prof_event_end_ns(event) > process->end_ns)
        process->end_ns = p11prof_event_end_ns(event);
}

/* At most: the end of the median's bucket. */
static int64_t steady_median_ns(const struct function *function)
{
    int64_t count = 0;
    unsigned bucket = 0;
    while (bucket < BUCKETS - 1 && 2 * (count += function->steady[bucket]) < function->steady_count)
        bucket++;
    return bucket_ns(bucket);
}

static int by_ns(const void *a, const void *b)
{
    int64_t one = *(const int64_t *)a, other = *(const int64_t *)b;
    return (one > other) - (one < other);
}

static void tell(const struct function *function, unsigned number, int64_t median_ns,
                 int64_t steady_ns, struct p11prof_findings *out)
{
    char rest[P11PROF_UNIT_TEXT_BYTES], after[P11PROF_UNIT_TEXT_BYTES],
        steady[P11PROF_UNIT_TEXT_BYTES];
    int64_t over_ns = 0;
    struct p11prof_finding *finding =
        p11prof_evidence_find(&function->evidence, &p11prof_detect_bursts_after_idle, out);
    for (size_t i = 0; i < function->gap_count; i++)
        if (function->gap_ns[i] > steady_ns)
            over_ns += function->gap_ns[i] - steady_ns;
    p11prof_format_ns(rest, (uint64_t)rest_ns);
    p11prof_format_ns(after, (uint64_t)median_ns);
    p11prof_format_ns(steady, (uint64_t)steady_ns);
    finding->count = (int64_t)function->gap_count;
    finding->subject = p11prof_finding_text("%s", p11prof_calls[number].name);
    finding->evidence = p11prof_finding_text(
        "The first %s after each of %zu rests of %s or more took %s (median), the %" PRId64
        " others %s.",
        p11prof_calls[number].name, function->gap_count, rest, after, function->steady_count,
        steady);
    p11prof_finding_save(finding, over_ns, "what these calls took beyond the median of the others");
}

static void finish(void *payload, const struct p11prof_advice_run *run,
                   struct p11prof_findings *out)
{
    struct state *state = payload;
    (void)run;
    for (unsigned i = 1; i <= P11PROF_CALLS; i++) {
        struct function *function = &state->functions[i];
        if (function->gap_count < GAPS_MIN || function->steady_count < STEADY_MIN)
            continue;
        qsort(function->gap_ns, function->gap_count, sizeof *function->gap_ns, by_ns);
        int64_t median_ns = function->gap_ns[(function->gap_count - 1) / 2];
        int64_t steady_ns = steady_median_ns(function);
        if (median_ns >= TIMES_MIN * steady_ns && median_ns - steady_ns >= excess_ns)
            tell(function, i, median_ns, steady_ns, out);
    }
}

static void clear(void *payload)
{
    struct state *state = payload;
    for (unsigned i = 0; i <= P11PROF_CALLS; i++) {
        free(state->functions[i].gap_ns);
        p11prof_evidence_clear(&state->functions[i].evidence);
    }
    p11prof_advice_map_clear(&state->processes);
}

const struct p11prof_detector p11prof_detect_bursts_after_idle = {
    .id = "bursts-after-idle",
    .title = "The first calls after a rest are slow",
    .why = "A connection to the token, or its login, has ended meanwhile and is made anew while "
           "the application waits.",
    .state_bytes = sizeof(struct state),
    .take = take,
    .finish = finish,
    .clear = clear,
};
