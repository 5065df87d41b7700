/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* How long how many calls were in flight, and what was done meanwhile, in blocks of time: what a
 * speed-up is estimated from. Memory is bounded. One thread. */
#ifndef P11PROF_INSIGHT_CONCURRENCY_LEVELS_H
#define P11PROF_INSIGHT_CONCURRENCY_LEVELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    P11PROF_LEVEL_MAX = 64,         /* more in flight count as so many */
    P11PROF_LEVEL_GROUPS = 16,      /* kinds of calls; more are one */
    P11PROF_LEVEL_BEGUN = 4,        /* levels at their begin that are told apart */
    P11PROF_LEVEL_BLOCKS = 64,      /* neighbours are joined where there are more */
    P11PROF_LEVEL_BLOCK_CALLS = 16, /* of a block, at first */
};

/* Calls of one kind: their time in the module is of one distribution. */
struct p11prof_level_calls {
    uint64_t count; /* that ended */
    double total_ns;
    /* Those of them that began with 0, 1 … others in flight. */
    uint64_t begun_count[P11PROF_LEVEL_BEGUN];
    double begun_ns[P11PROF_LEVEL_BEGUN];
    double alone_squares; /* of the durations of those with none */
};

struct p11prof_level_block {
    double level_ns[P11PROF_LEVEL_MAX + 1]; /* time with so many in flight */
    uint64_t count;
    struct p11prof_level_calls calls[]; /* of each group */
};

/* Starts with group_count, 1 to P11PROF_LEVEL_GROUPS. */
struct p11prof_levels {
    size_t group_count;
    unsigned level;        /* in flight now */
    int64_t since_ns;      /* since then */
    unsigned most;         /* in flight at once */
    double in_flight_ns;   /* integral of the level */
    char *blocks;          /* private: p11prof_levels_block() */
    size_t block_count;    /* the last one is going on */
    size_t block_capacity; /* private */
    uint64_t block_calls;  /* private */
};

void p11prof_levels_clear(struct p11prof_levels *levels);

/* The time up to now passed with the level at hand; then it is `level`. The first call says when
 * time begins. */
void p11prof_levels_move(struct p11prof_levels *levels, int64_t now_ns, unsigned level);

/* Adds time with so many in flight to the block that is going on. */
void p11prof_levels_spend(struct p11prof_levels *levels, unsigned level, double ns);

/* The block may end here if it has calls enough: where nothing is in flight, or at last anywhere.
 * p11prof_levels_move() does so. */
void p11prof_levels_cut(struct p11prof_levels *levels, bool idle);

/* A call of that group ended, which had begun with so many others in flight. */
void p11prof_levels_done(struct p11prof_levels *levels, size_t group, double duration_ns,
                         unsigned others);

struct p11prof_level_block *p11prof_levels_block(const struct p11prof_levels *levels, size_t index);

/* The sum of the blocks that are left in (NULL: all), but for that one (block_count: none). The
 * caller frees it. */
struct p11prof_level_block *p11prof_levels_sum(const struct p11prof_levels *levels,
                                               const bool *left_in, size_t but);

#endif
