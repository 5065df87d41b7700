/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Which objects the calls of a run use: what they are, and their numbers in the script.
 *
 * Rows know an object by a number in its process, which it gets anew after C_Logout or C_Finalize.
 * So objects that were there before are told apart by what they are and by their place among those
 * alike, since the last of these calls: the second RSA key of 2048 bits that signs is the same one
 * in each process and after each login. */
#ifndef P11PROF_BENCH_LIKE_OBJECTS_H
#define P11PROF_BENCH_LIKE_OBJECTS_H

#include "intern.h"
#include "pool.h"
#include "rows.h"
#include "script.h"

/* What is known of one object of a process. */
struct like_fact {
    int64_t key_type, key_bits;
    uint32_t uses;       /* bits 1 << enum p11prof_operation */
    uint32_t maker;      /* enum p11prof_function; 0: it was there before */
    bool public_half;    /* of a pair that was made */
    uint32_t number;     /* in the script; 0: none now */
    uint64_t generation; /* of its first use */
    uint64_t last_use;   /* row that uses it last, from 1 in its process */
    uint32_t pool;       /* of its number, while it has one that was made */
    size_t pool_index;
};

struct like_objects {
    struct like_object *objects; /* owned, of the script */
    size_t count, capacity;
    struct like_intern traits; /* what tells objects that were there before apart */
    uint32_t *numbers;         /* of these */
    size_t number_capacity;
    /* Of the process in hand. */
    struct like_intern ids; /* key_id */
    struct like_fact *facts;
    size_t fact_capacity;
    uint64_t row_count, generation;
    struct like_intern pool_keys;
    struct like_pool *pools; /* of numbers for what is made */
    size_t pool_count, pool_capacity;
};

void like_objects_init(struct like_objects *objects);

/* First look at a process: learns of its objects from each row, then numbers those that were there
 * before. False: there are more than LIKE_OBJECTS_MOST. */
void like_objects_learn(struct like_objects *objects, const struct like_row *row);
bool like_objects_number(struct like_objects *objects);

/* Second look, row by row: which object it works with, and which it makes. False: too many. */
bool like_objects_take(struct like_objects *objects, const struct like_row *row, uint32_t thread,
                       struct like_call *call);

/* Forgets the process. */
void like_objects_end_process(struct like_objects *objects);

/* Finds private and public keys that look like pairs. */
void like_objects_pair(struct like_objects *objects);

/* The script's objects are not freed: whoever took them owns them. */
void like_objects_clear(struct like_objects *objects);

#endif
