/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "attribution.h"

#include <string.h>

enum { SWEEP_MOST = 1 << 23 };

void attribution_init(struct attribution *attribution)
{
    memset(attribution, 0, sizeof *attribution);
    handle_map_init(&attribution->sessions, sizeof(struct session));
    handle_map_init(&attribution->objects, sizeof(struct object));
    attribution->counters.next_key_id = 1;
}

void attribution_clear(struct attribution *attribution)
{
    handle_map_clear(&attribution->sessions);
    handle_map_clear(&attribution->objects);
    attribution_init(attribution);
}

struct session *attribution_session(struct attribution *attribution, uint64_t handle)
{
    uint64_t victim;
    const struct session *oldest = handle_map_victim(&attribution->sessions, handle, &victim);
    if (oldest && oldest->stored)
        batch_state_set(attribution->batch, P11PROF_STATE_SESSION, victim, NULL, 0);
    struct session *session = handle_map_make(&attribution->sessions, handle);
    if (session)
        session->dirty = true;
    return session;
}

struct object *attribution_object(struct attribution *attribution, uint64_t handle)
{
    uint64_t victim;
    const struct object *oldest = handle_map_victim(&attribution->objects, handle, &victim);
    if (oldest && oldest->stored)
        batch_state_set(attribution->batch, P11PROF_STATE_OBJECT, victim, NULL, 0);
    struct object *object = handle_map_make(&attribution->objects, handle);
    if (object && object->facts.key_id == 0) {
        object->facts.key_id = attribution->counters.next_key_id++;
        object->dirty = true;
        attribution->counters_dirty = true;
    }
    return object;
}

/* --- closing --- */

static bool session_row(struct batch *batch, uint64_t handle, const struct session *session,
                        uint64_t end_ns)
{
    struct p11prof_session_row *row = batch_session(batch);
    if (row)
        *row = (struct p11prof_session_row){.session = handle,
                                            .slot_id = session->facts.slot_id,
                                            .slot_known = session->facts.slot_known,
                                            .opened_ns = session->facts.opened_ns,
                                            .closed_ns = end_ns,
                                            .call_count = session->facts.call_count};
    return row != NULL;
}

bool attribution_session_close(struct attribution *attribution, struct batch *batch,
                               uint64_t handle, uint64_t end_ns)
{
    struct session *session = handle_map_find(&attribution->sessions, handle);
    if (!session)
        return true;
    bool done = !session->facts.opened || session_row(batch, handle, session, end_ns);
    if (session->stored)
        done = batch_state_set(batch, P11PROF_STATE_SESSION, handle, NULL, 0) && done;
    handle_map_remove(&attribution->sessions, handle);
    return done;
}

/* What a visit of all sessions or objects needs. */
struct sweep {
    struct attribution *attribution;
    struct batch *batch;
    const uint64_t *slot_id; /* NULL: every slot */
    uint64_t end_ns;
    bool private_only, last, done;
};

/* Who looks through very many again and again, and finds nothing to close, gets rid of all. */
static bool sweep_may_choose(struct attribution *attribution, const struct handle_map *map)
{
    attribution->sweep_count += map->count;
    return attribution->sweep_count <= SWEEP_MOST;
}

static void session_sweep(void *payload, uint64_t handle, void *entry)
{
    struct sweep *sweep = payload;
    const struct session *session = entry;
    if (sweep->slot_id && (!session->facts.slot_known || session->facts.slot_id != *sweep->slot_id))
        return;
    sweep->done =
        attribution_session_leave(sweep->attribution, sweep->batch, handle, session) &&
        attribution_session_close(sweep->attribution, sweep->batch, handle, sweep->end_ns) &&
        sweep->done;
}

bool attribution_sessions_close(struct attribution *attribution, struct batch *batch,
                                const uint64_t *slot_id, uint64_t end_ns)
{
    struct sweep sweep = {attribution, batch, slot_id, end_ns, false, false, true};
    if (!sweep_may_choose(attribution, &attribution->sessions))
        sweep.slot_id = NULL;
    handle_map_visit(&attribution->sessions, session_sweep, &sweep);
    return sweep.done;
}

static void object_sweep(void *payload, uint64_t handle, void *entry)
{
    struct sweep *sweep = payload;
    const struct object *object = entry;
    bool public = (object->facts.known & P11PROF_OBJECT_CLASS) != 0 &&
                  object->facts.class != CKO_PRIVATE_KEY && object->facts.class != CKO_SECRET_KEY;
    if (sweep->private_only && public)
        return;
    attribution_object_leave(sweep->attribution, sweep->batch, handle, object);
    if (object->stored)
        batch_state_set(sweep->batch, P11PROF_STATE_OBJECT, handle, NULL, 0);
    handle_map_remove(&sweep->attribution->objects, handle);
}

void attribution_objects_clear(struct attribution *attribution, struct batch *batch,
                               bool private_only)
{
    struct sweep sweep = {attribution, batch, NULL, 0, private_only, false, true};
    if (!sweep_may_choose(attribution, &attribution->objects))
        sweep.private_only = false;
    handle_map_visit(&attribution->objects, object_sweep, &sweep);
}

/* --- state rows --- */

/* A session as it is stored: what stands before its operations, and those of them that are under
 * way. */
struct stored_operation {
    uint64_t place; /* among operations, then processes */
    struct operation operation;
};
enum {
    SESSION_HEAD_BYTES = offsetof(struct session_facts, operations),
    SESSION_MOST_BYTES = SESSION_HEAD_BYTES + 2 * SLOTS * sizeof(struct stored_operation),
};

static struct operation *operation_at(struct session_facts *facts, uint64_t place)
{
    return place < SLOTS ? &facts->operations[place] : &facts->processes[place - SLOTS];
}

static size_t session_pack(struct session_facts *facts, char bytes[SESSION_MOST_BYTES])
{
    size_t used = SESSION_HEAD_BYTES;
    memcpy(bytes, facts, SESSION_HEAD_BYTES);
    for (uint64_t place = 0; place < 2 * SLOTS; place++) {
        struct stored_operation stored = {place, *operation_at(facts, place)};
        if (stored.operation.operation == 0)
            continue;
        memcpy(bytes + used, &stored, sizeof stored);
        used += sizeof stored;
    }
    return used;
}

bool attribution_session_unpack(struct session_facts *facts, const void *bytes, size_t count)
{
    struct stored_operation stored;
    if (count < SESSION_HEAD_BYTES || count > SESSION_MOST_BYTES ||
        (count - SESSION_HEAD_BYTES) % sizeof stored != 0)
        return false;
    memcpy(facts, bytes, SESSION_HEAD_BYTES);
    for (size_t at = SESSION_HEAD_BYTES; at < count; at += sizeof stored) {
        memcpy(&stored, (const char *)bytes + at, sizeof stored);
        if (stored.place < 2 * SLOTS)
            *operation_at(facts, stored.place) = stored.operation;
    }
    return true;
}

static bool session_state(struct batch *batch, uint64_t handle, struct session_facts *facts)
{
    char bytes[SESSION_MOST_BYTES];
    size_t count = session_pack(facts, bytes);
    const void *kept = batch_keep(batch, bytes, count);
    return kept && batch_state_set(batch, P11PROF_STATE_SESSION, handle, kept, count);
}

static void session_store(void *payload, uint64_t handle, void *entry)
{
    struct sweep *sweep = payload;
    struct session *session = entry;
    if (sweep->last)
        sweep->done =
            attribution_session_leave(sweep->attribution, sweep->batch, handle, session) &&
            (!session->facts.opened || session_row(sweep->batch, handle, session, 0)) &&
            sweep->done;
    else if (session->dirty)
        sweep->done = session_state(sweep->batch, handle, &session->facts) && sweep->done;
}

static void object_store(void *payload, uint64_t handle, void *entry)
{
    struct sweep *sweep = payload;
    struct object *object = entry;
    if (sweep->last)
        sweep->done = attribution_object_leave(sweep->attribution, sweep->batch, handle, object) &&
                      sweep->done;
    else if (object->dirty)
        sweep->done = batch_state_set(sweep->batch, P11PROF_STATE_OBJECT, handle, &object->facts,
                                      sizeof object->facts) &&
                      sweep->done;
}

bool attribution_finish(struct attribution *attribution, struct batch *batch, bool last)
{
    struct sweep sweep = {attribution, batch, NULL, 0, false, last, true};
    attribution->sweep_count = 0;
    handle_map_visit(&attribution->sessions, session_store, &sweep);
    handle_map_visit(&attribution->objects, object_store, &sweep);
    if (!last && attribution->counters_dirty)
        sweep.done = batch_state_set(batch, P11PROF_STATE_COUNTERS, 0, &attribution->counters,
                                     sizeof attribution->counters) &&
                     sweep.done;
    return sweep.done;
}

static void session_stored(void *payload, uint64_t handle, void *entry)
{
    struct session *session = entry;
    (void)payload, (void)handle;
    session->stored = session->stored || session->dirty;
    session->dirty = false;
}

static void object_stored(void *payload, uint64_t handle, void *entry)
{
    struct object *object = entry;
    (void)payload, (void)handle;
    object->stored = object->stored || object->dirty;
    object->dirty = false;
}

void attribution_stored(struct attribution *attribution)
{
    handle_map_visit(&attribution->sessions, session_stored, NULL);
    handle_map_visit(&attribution->objects, object_stored, NULL);
    attribution->counters_dirty = attribution->tokens_dirty = false;
}

void attribution_load(struct attribution *attribution, enum p11prof_state_kind kind, uint64_t key,
                      const void *data, size_t data_bytes)
{
    struct session *session;
    struct object *object;
    if (kind == P11PROF_STATE_SESSION && (session = handle_map_make(&attribution->sessions, key))) {
        session->stored = attribution_session_unpack(&session->facts, data, data_bytes);
    } else if (kind == P11PROF_STATE_OBJECT && data_bytes == sizeof object->facts &&
               (object = handle_map_make(&attribution->objects, key))) {
        memcpy(&object->facts, data, data_bytes);
        object->stored = true;
    } else if (kind == P11PROF_STATE_COUNTERS && data_bytes == sizeof attribution->counters) {
        memcpy(&attribution->counters, data, data_bytes);
        if (attribution->counters.slot_count > P11PROF_SPOOL_TOKENS)
            attribution->counters.slot_count = P11PROF_SPOOL_TOKENS;
    }
}
