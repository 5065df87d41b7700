/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* One record: 64 bytes of plain facts about one call, or a note that goes before it.
 *
 * The head is written last, with release order, and is the commit mark: 0 means "not written". A
 * reader loads it with acquire order first and believes the rest only when it is not 0. Notes stand
 * directly before the record of the call they belong to, in the same ring, and bear its function
 * number. Stored in spools: the layout is fixed. */
#ifndef P11PROF_RECORD_H
#define P11PROF_RECORD_H

#include <stdatomic.h>
#include <stdint.h>

enum p11prof_record_kind {
    P11PROF_RECORD_CALL = 1,
    P11PROF_RECORD_CALLER = 2, /* note[0]: return address of the caller; holds until the next one of
                                  this function in this chunk */
    P11PROF_RECORD_OBJECT = 3, /* struct p11prof_object_note */
    P11PROF_RECORD_TEMPLATE =
        4, /* struct p11prof_object_note without a handle: what is searched for */
    P11PROF_RECORD_HANDLES =
        5, /* note[0..depth-1]: handles that a search returned; depth is their count */
    P11PROF_RECORD_THREAD =
        6, /* note[0]: kernel thread id that the following records of this ring belong to */
    P11PROF_RECORD_LOAD = 7, /* struct p11prof_load_note: holds until the next one of this ring */
};

enum p11prof_record_flag {
    P11PROF_RECORD_NO_BUFFER = 1,    /* asks for the length only */
    P11PROF_RECORD_BLOCKING = 2,     /* waits for a slot event or a person */
    P11PROF_RECORD_LAST = 4,         /* last part of a message */
    P11PROF_RECORD_NO_MECHANISM = 8, /* pMechanism was NULL: cancels */
    P11PROF_RECORD_SIGNAL = 16,      /* made by a signal handler that interrupted the recorder */
    P11PROF_RECORD_CLAMPED = 32,     /* the clock went backwards; duration is 0 */
};

struct p11prof_record {
    _Atomic(uint64_t) head; /* function | kind << 16 | depth << 24 | flags << 32 */
    union {
        struct {
            uint64_t start_ticks;    /* in the clock of the chunk */
            uint64_t duration_ticks; /* in the clock of the chunk */
            uint64_t session;        /* CK_SESSION_HANDLE or P11PROF_NO_SESSION */
            uint64_t rv;             /* CK_RV */
            uint64_t fact[3];        /* calls.def says what */
        };
        uint64_t note[7];
    };
};
_Static_assert(sizeof(struct p11prof_record) == 64, "a record is one cache line");

#define P11PROF_NO_SESSION (~UINT64_C(0))

/* Which members of an object note are known. */
enum p11prof_object_known {
    P11PROF_OBJECT_CLASS = 1,
    P11PROF_OBJECT_KEY_TYPE = 2,
    P11PROF_OBJECT_KEY_BITS = 4,
    P11PROF_OBJECT_COPY = 8, /* made by C_CopyObject from `source` */
    P11PROF_OBJECT_MADE = 16 /* the handle is new: what was known of it is void */
};

/* The note of an object, in note[]. The record's flags are its enum p11prof_object_known. */
struct p11prof_object_note {
    uint64_t handle;
    uint64_t class;
    uint64_t key_type;
    uint64_t key_bits; /* of the modulus, prime, curve or secret; ML-KEM, ML-DSA, SLH-DSA: the
                          parameter set's number */
    uint64_t source;
    uint64_t reserved[2];
};
_Static_assert(sizeof(struct p11prof_object_note) == 7 * sizeof(uint64_t),
               "an object note fills a record");

static inline uint64_t p11prof_record_head(unsigned function, unsigned kind, unsigned depth,
                                           uint32_t flags)
{
    return (uint64_t)function | (uint64_t)kind << 16 | (uint64_t)depth << 24 |
           (uint64_t)flags << 32;
}
static inline unsigned p11prof_head_function(uint64_t head)
{
    return (uint16_t)head;
}
static inline unsigned p11prof_head_kind(uint64_t head)
{
    return (uint8_t)(head >> 16);
}
static inline unsigned p11prof_head_depth(uint64_t head)
{
    return (uint8_t)(head >> 24);
}
static inline uint32_t p11prof_head_flags(uint64_t head)
{
    return (uint32_t)(head >> 32);
}

#endif
