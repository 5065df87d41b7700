/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What a script needs before it can be played, and what its players leave behind: in memory that
 * the command, the maker of objects and all players share. */
#ifndef P11PROF_BENCH_LIKE_STAGE_H
#define P11PROF_BENCH_LIKE_STAGE_H

#include "mechanisms.h"
#include "script.h"

#include <stdatomic.h>

enum {
    LIKE_PARTS_MOST = 8,
    LIKE_INPUTS_MOST = 4096,
    LIKE_DIFFERENCES_MOST = 128,
    LIKE_LABEL_BYTES = 48,
    LIKE_SIGNATURE_MOST = 8192
};

/* Bytes of one call or operation. */
#define LIKE_DATA_MOST (INT64_C(1) << 30)

/* Parts of data that are equally long, one after the other. */
struct like_part {
    uint64_t bytes, count;
};

/* What a call gets that only a key can make: a signature to verify, a ciphertext to decrypt, a
 * wrapped key, a peer's public point. */
struct like_input {
    uint32_t object;    /* the key that works on it */
    unsigned operation; /* enum p11prof_operation: VERIFY, DECRYPT, UNWRAP, DERIVE */
    int64_t mechanism;
    struct like_part parts[LIKE_PARTS_MOST]; /* of what is verified; of the others: one of all */
    unsigned part_count;
    uint64_t out_bytes; /* of a decryption, as recorded; 0: unknown */
    CK_BYTE iv[LIKE_IV_BYTES];
    size_t offset; /* of its value */
    uint32_t capacity;
    uint32_t bytes; /* of the value; 0: it could not be made */
};

/* What an object is, once nothing is unknown any more. */
struct like_wish {
    CK_OBJECT_CLASS class;
    CK_KEY_TYPE key_type; /* CK_UNAVAILABLE_INFORMATION: no key */
    uint32_t bits;
    uint32_t uses;  /* of it and of its other half */
    bool wide;      /* made by a call, and used in another session than that one's */
    uint32_t owner; /* object whose label it shares: its pair's lower number */
};

/* Calls of a function that were answered in another way than in the recording. */
struct like_difference {
    unsigned function;
    CK_RV recorded, played;
    uint64_t count;
};

/* What the threads of one process did. */
struct like_tally {
    uint64_t counts[P11PROF_CALLS + 1], error_counts[P11PROF_CALLS + 1];
    uint64_t sums_ns[P11PROF_CALLS + 1];  /* of calls that did not fail */
    uint64_t left_out[P11PROF_CALLS + 1]; /* that could not be played */
    struct like_difference differences[LIKE_DIFFERENCES_MOST];
    unsigned difference_count;
    uint64_t end_ns;       /* CLOCK_MONOTONIC: of its last call */
    uint64_t expected_ns;  /* of its slowest thread: start, thinking, and the module's own time */
    uint64_t token_ns;     /* in the module, all threads */
    uint64_t failed_count; /* calls that succeeded when they were recorded */
};

/* How far a thread is, for those that come after it. */
struct like_mark {
    _Atomic(uint64_t) call_count; /* that were answered, or could not be played */
    _Atomic(uint64_t) end_ns;     /* CLOCK_MONOTONIC: of the last of them */
    _Atomic(uint32_t) over;
    _Atomic(uint32_t) waits_for; /* place of the mark that it waits for, + 1; 0: for none */
};

struct like_shared {
    CK_SLOT_ID slot_id;
    bool logged_in;                /* the maker is */
    _Atomic(uint32_t) pin_refused; /* none tries again */
    CK_OBJECT_HANDLE wrapped;      /* key to wrap, of label "…-wrapped"; as the maker has it */
};

struct like_stage {
    const struct like_script *script;
    char label[32]; /* what the labels of our objects start with */
    struct like_wish *wishes;
    unsigned threads_most; /* of a process */
    uint32_t sessions_most;
    uint32_t wrapped_bits; /* of the key to wrap; 0: none is wrapped */
    bool logs_in;          /* the script does */
    /* Shared memory. */
    struct like_shared *shared;
    struct like_tally *tallies; /* of each process */
    CK_OBJECT_HANDLE *handles;  /* of each object, as the maker has them */
    struct like_mark *marks;    /* of each thread: first_marks[process] + thread */
    size_t *first_marks;        /* owned; thread_count: of all processes */
    size_t thread_count;
    CK_BYTE *data; /* random */
    size_t data_bytes;
    struct like_input *inputs;
    size_t input_count;
    CK_BYTE *values;
    size_t value_bytes;
    size_t out_bytes; /* that a call may answer, at most */
};

/* Finds out what the script needs. P11PROF_BAD_INPUT: it cannot be played (described). Inputs of
 * keys that the script itself makes are made while it is played. */
enum p11prof_status like_stage_open(struct like_stage *stage, const struct like_script *script,
                                    uint64_t seed, const char *label, struct p11prof_error *error);
void like_stage_close(struct like_stage *stage);

/* --- ahead.c --- */

/* What an operation that begins with `call` will be given: looks ahead of it. */
struct like_ahead {
    struct like_part parts[LIKE_PARTS_MOST];
    unsigned part_count;
    bool too_many; /* parts of lengths that change */
    uint64_t total_bytes, out_bytes;
    uint64_t walked_count; /* calls that were looked at */
};
void like_look_ahead(const struct like_walk *walk, const struct like_call *call,
                     struct like_ahead *ahead);

/* The input that a call needs, as a new one; false: it needs none. *ahead is what was looked at. */
bool like_input_of(const struct like_walk *walk, const struct like_call *call,
                   struct like_input *input, struct like_ahead *ahead);
struct like_input *like_input_find(struct like_input *inputs, size_t count,
                                   const struct like_input *wanted);

/* --- stage.c --- */

/* "p11prof-1234abcd-7" */
void like_label(const struct like_stage *stage, uint32_t object, char label[LIKE_LABEL_BYTES]);

/* How many objects that are there before a search finds by its template. */
struct like_filter {
    uint32_t object;       /* > 0: by its label */
    CK_OBJECT_CLASS class; /* CK_UNAVAILABLE_INFORMATION: any */
    bool nothing;          /* by a label that none has */
};
struct like_filter like_filter_choose(const struct like_stage *stage, uint64_t count);

#endif
