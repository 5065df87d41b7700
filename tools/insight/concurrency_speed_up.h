/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Whether calls that are in flight together are served together: docs/statistics.md, Concurrency.
 * Pure functions. */
#ifndef P11PROF_INSIGHT_CONCURRENCY_SPEED_UP_H
#define P11PROF_INSIGHT_CONCURRENCY_SPEED_UP_H

#include "concurrency_levels.h"
#include "concurrency_spacing.h"

enum {
    P11PROF_SPEED_UP_ALONE = 10, /* calls that were served at once, at least */
    P11PROF_SPEED_UP_BLOCKS = 8,
};

enum p11prof_served {
    P11PROF_SERVED_UNKNOWN,  /* too little says something: lack */
    P11PROF_SERVED_UNCLEAR,  /* enough does, and it does not decide */
    P11PROF_SERVED_IN_TURN,  /* one after another */
    P11PROF_SERVED_SOME,     /* so many at a time, though more were in flight: parallel */
    P11PROF_SERVED_ALL,      /* as many as were in flight */
    P11PROF_SERVED_TOGETHER, /* more than one at a time; how many is not known */
};

enum p11prof_served_lack {
    P11PROF_LACK_NONE,
    P11PROF_LACK_OVERLAP, /* hardly ever two in flight */
    P11PROF_LACK_ALONE,   /* too few began alone: what one takes by itself is not known */
    P11PROF_LACK_OTHERS,  /* a kind: too few began without others, or these take less long */
    P11PROF_LACK_CALLS,   /* too few calls */
    P11PROF_LACK_SURE,    /* the interval is so wide that it says nothing */
};

struct p11prof_range {
    double value, low, high; /* 95 % */
};

struct p11prof_speed_up {
    enum p11prof_served served;
    enum p11prof_served_lack lack;
    bool by_spacing;               /* the verdict is from the spacing of ends */
    double busy_ns, overlapped_ns; /* time with one or more, with two or more in flight */
    double in_flight;              /* mean while two or more are; 0: never */
    unsigned most;
    uint64_t call_count, alone_count; /* all; those that began alone */
    unsigned at_once; /* calls that began with fewer in flight were served at once */
    bool slows;       /* they took longer than those that began alone */
    double lateness;  /* duration of calls that began with as many in flight as are served at a
                         time, by that of those that were served at once */
    bool known;       /* the ranges are */
    struct p11prof_range times; /* as fast as one after another, while two or more are in flight */
    struct p11prof_range parallel; /* served at a time at most: 1 to most */
    double mean_ns, service_ns; /* duration of a call; of one that was served at once, same kinds */
};

/* spacing: of the same calls; NULL: unknown. */
void p11prof_speed_up_estimate(struct p11prof_speed_up *out, const struct p11prof_levels *levels,
                               const struct p11prof_spacing *spacing);

/* Times as fast as one after another while about `level` are in flight: of the blocks whose mean
 * is nearest to it. at_once: of an estimate that is known. False: there are no such blocks. */
struct p11prof_speed_up_step {
    double busy_ns, speed_up, in_flight;
    uint64_t call_count;
};
bool p11prof_speed_up_step(struct p11prof_speed_up_step *out, const struct p11prof_levels *levels,
                           unsigned level, unsigned at_once);

#endif
