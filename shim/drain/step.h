/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Among the files of attribution: one call on its way through them.
 *
 *   attribute.c   its row: facts, kind, what must not be disclosed, groups
 *   handles.c     sessions, and what handles mean before and after it
 *   notes.c       what it says of objects
 *   operations.c  which operation it is a part of
 *   load.c        which iteration of a load it is a part of */
#ifndef P11PROF_DRAIN_STEP_H
#define P11PROF_DRAIN_STEP_H

#include "attribution.h"

/* A call on its way through attribution. */
struct step {
    struct attribution *attribution;
    struct batch *batch;
    const struct call_event *event;
    const struct p11prof_call *call;
    unsigned function;
    uint32_t record_flags;
    uint64_t rv, end_ns;
    uint64_t object; /* handle of the fact, 0: none */
    uint64_t value;  /* CK_FLAGS of the call */
    struct session *session;
    struct p11prof_row *row;
    bool overlap;
    bool undisclosed;
};

/* Which operation slot of a session an operation uses; SLOT_NONE for those of one call. */
extern const enum operation_slot operation_slots[P11PROF_OPERATIONS];

/* Sets a member of the row and marks it known; all ones are "unknown". */
static inline void row_set(struct p11prof_row *row, enum p11prof_row_column column,
                           uint64_t *member, uint64_t value)
{
    if (value == UINT64_MAX)
        return;
    *member = value;
    row->known |= column;
}

/* Puts what is known of a key into the row. */
void step_row_key(struct p11prof_row *row, const struct object_facts *key);

/* The operation slot that belongs to `operation` in the call's session, NULL if there is none. */
struct operation *step_operation_of(struct step *step, unsigned operation);

/* Adds what was learned of an object; bits of `known` say which values count. */
void object_learn(struct object *object, uint32_t known, uint64_t class, uint64_t key_type,
                  uint64_t key_bits);

/* In this order: the session (known and counted), the notes, the operation, and what the handles
 * mean afterwards. */
struct session *step_session(struct step *step, uint64_t handle);
void step_session_enter(struct step *step);
void step_notes(struct step *step);
void step_operation(struct step *step);
void step_iteration(struct step *step);
void step_intended(struct step *step);
bool step_handles(struct step *step);

#endif
