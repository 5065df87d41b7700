/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What the calls of one process mean: which mechanism and key a C_Sign belongs to, in which slot,
 * as part of which operation. Plain C, no SQLite; learns only from the application's own calls.
 *
 * Calls come in the order of their ends. The state survives in the database as state rows, so a new
 * drain goes on where the old one stopped. One thread. */
#ifndef P11PROF_DRAIN_ATTRIBUTION_H
#define P11PROF_DRAIN_ATTRIBUTION_H

#include "batch.h"
#include "handle_map.h"
#include "load.h"

/* What is known of an object. */
struct object_facts {
    uint32_t key_id;
    uint32_t key_bits;
    uint64_t class, key_type;
    uint32_t known; /* enum p11prof_object_known */
};

struct object {
    struct object_facts facts;
    bool dirty, stored;
};

/* An operation under way. */
struct operation {
    uint8_t operation; /* enum p11prof_operation; 0: none */
    bool mechanism_known, key_known;
    bool in_known, out_known;
    uint32_t call_count;
    uint64_t mechanism, key_handle;
    struct object_facts key;
    uint64_t start_ns, duration_ns, in_bytes, out_bytes;
};

/* The operations that one session can have at once (2.40 section 5.2; one message process each
 * since 3.0). */
enum operation_slot {
    SLOT_ENCRYPT,
    SLOT_DECRYPT,
    SLOT_DIGEST,
    SLOT_SIGN,
    SLOT_VERIFY,
    SLOT_FIND,
    SLOT_MESSAGE_ENCRYPT,
    SLOT_MESSAGE_DECRYPT,
    SLOT_MESSAGE_SIGN,
    SLOT_MESSAGE_VERIFY,
    SLOTS,
    SLOT_NONE = SLOTS,
};

/* What is stored of a session. */
struct session_facts {
    uint64_t slot_id, opened_ns, call_count, last_end_ns;
    uint64_t find_class, find_key_type; /* of the search under way */
    uint32_t find_known;                /* enum p11prof_object_known */
    uint32_t last_thread_id;
    bool slot_known, opened; /* opened: we saw its C_OpenSession */
    struct operation operations[SLOTS];
    struct operation processes[SLOTS]; /* message processes: mechanism and key of their messages */
};

struct session {
    struct session_facts facts;
    bool dirty, stored;
};

/* Sessions opened per slot, and the next number of an object. */
struct counters {
    uint32_t next_key_id;
    uint32_t slot_count;
    uint32_t left_count; /* sessions and objects left to children */
    struct {
        uint64_t slot_id, session_count;
    } slots[P11PROF_SPOOL_TOKENS];
};

struct attribution {
    struct handle_map sessions, objects;
    struct counters counters;
    bool counters_dirty, tokens_dirty;
    bool forked;          /* what is given up is left to children */
    struct batch *batch;  /* of the call in hand */
    uint64_t sweep_count; /* entries looked at by calls that close or clear many, in this batch */
};

/* One call with its notes; times in ns since the run's start. */
struct call_event {
    const struct p11prof_record *record;
    const struct p11prof_record *notes;
    uint32_t note_count;
    uint32_t thread_id;
    uint32_t caller_id; /* 0: unknown */
    uint64_t start_ns, duration_ns;
    struct call_load *load; /* NULL: of none */
};

void attribution_init(struct attribution *attribution);
void attribution_clear(struct attribution *attribution);

/* Adds the call's row, operation and groups to the batch. False only without memory. */
bool attribution_call(struct attribution *attribution, struct batch *batch,
                      const struct call_event *event);

/* Adds the state that changed to the batch; last: the process ended, its open sessions become rows
 * and its state goes. */
bool attribution_finish(struct attribution *attribution, struct batch *batch, bool last);

/* The batch is in the database. */
void attribution_stored(struct attribution *attribution);

/* Takes in a stored state row; what does not fit this version is ignored. */
void attribution_load(struct attribution *attribution, enum p11prof_state_kind kind, uint64_t key,
                      const void *data, size_t data_bytes);

/* Takes in a state row of the process that forked this one: slots of sessions, and objects, unless
 * this process knows better already. It becomes this one's own. */
void attribution_inherit(struct attribution *attribution, enum p11prof_state_kind kind,
                         uint64_t key, const void *data, size_t data_bytes);

/* --- among the files of attribution --- */

/* Stored session; false if it does not fit this version. */
bool attribution_session_unpack(struct session_facts *facts, const void *bytes, size_t count);

/* Leaves it to children, if there may be some. */
bool attribution_session_leave(struct attribution *attribution, struct batch *batch,
                               uint64_t handle, const struct session *session);
bool attribution_object_leave(struct attribution *attribution, struct batch *batch, uint64_t handle,
                              const struct object *object);

struct session *attribution_session(struct attribution *attribution, uint64_t handle);
struct object *attribution_object(struct attribution *attribution, uint64_t handle);
void attribution_objects_clear(struct attribution *attribution, struct batch *batch,
                               bool private_only);
bool attribution_session_close(struct attribution *attribution, struct batch *batch,
                               uint64_t handle, uint64_t end_ns);
bool attribution_sessions_close(struct attribution *attribution, struct batch *batch,
                                const uint64_t *slot_id, uint64_t end_ns);

/* Key type that a mechanism implies, P11PROF_UNKNOWN if it implies none; and the key's size from
 * the length of what came out, 0 if that does not tell. */
int64_t mechanism_key_type(uint64_t mechanism);
uint32_t mechanism_key_bits(uint64_t mechanism, unsigned operation, uint64_t out_bytes);

/* Whether result and length of a call must not be kept: it could be asked as a padding oracle. */
bool disclosure_forbidden(unsigned operation, bool mechanism_known, uint64_t mechanism);

/* Whether this answer of such a call says nothing of the plaintext. */
bool rv_discloses_nothing(uint64_t rv);

#endif
