/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What a forked process knows from the one that forked it: handles mean the same in both. */
#include "attribution.h"

#include <string.h>

static bool leave(struct attribution *attribution, struct batch *batch,
                  enum p11prof_state_kind kind, uint64_t handle, const void *data, size_t bytes)
{
    if (!attribution->forked || attribution->counters.left_count >= HANDLE_MAP_LIMIT)
        return true;
    attribution->counters.left_count++;
    attribution->counters_dirty = true;
    const void *kept = batch_keep(batch, data, bytes);
    return kept && batch_state_set(batch, kind, handle, kept, bytes);
}

/* Without its operations: a call of one belongs to the process that makes it. */
bool attribution_session_leave(struct attribution *attribution, struct batch *batch,
                               uint64_t handle, const struct session *session)
{
    return !session->facts.slot_known ||
           leave(attribution, batch, P11PROF_STATE_LEFT_SESSION, handle, &session->facts,
                 offsetof(struct session_facts, operations));
}

bool attribution_object_leave(struct attribution *attribution, struct batch *batch, uint64_t handle,
                              const struct object *object)
{
    return object->facts.known == 0 || leave(attribution, batch, P11PROF_STATE_LEFT_OBJECT, handle,
                                             &object->facts, sizeof object->facts);
}

static void session_inherit(struct attribution *attribution, uint64_t handle, const void *data,
                            size_t data_bytes)
{
    struct session_facts facts = {.slot_known = false};
    if (handle_map_find(&attribution->sessions, handle) ||
        !attribution_session_unpack(&facts, data, data_bytes) || !facts.slot_known)
        return;
    struct session *session = handle_map_make(&attribution->sessions, handle);
    if (!session)
        return;
    session->facts.slot_known = session->dirty = true;
    session->facts.slot_id = facts.slot_id;
}

/* Objects keep their numbers; those that this process learns come after them. */
static void object_inherit(struct attribution *attribution, uint64_t handle, const void *data,
                           size_t data_bytes)
{
    struct object_facts facts;
    if (handle_map_find(&attribution->objects, handle) || data_bytes != sizeof facts)
        return;
    memcpy(&facts, data, sizeof facts);
    struct object *object =
        facts.key_id < UINT32_MAX ? handle_map_make(&attribution->objects, handle) : NULL;
    if (!object)
        return;
    object->facts = facts;
    object->dirty = attribution->counters_dirty = true;
    if (attribution->counters.next_key_id <= facts.key_id)
        attribution->counters.next_key_id = facts.key_id + 1;
}

void attribution_inherit(struct attribution *attribution, enum p11prof_state_kind kind,
                         uint64_t key, const void *data, size_t data_bytes)
{
    if (kind == P11PROF_STATE_SESSION || kind == P11PROF_STATE_LEFT_SESSION)
        session_inherit(attribution, key, data, data_bytes);
    else if (kind == P11PROF_STATE_OBJECT || kind == P11PROF_STATE_LEFT_OBJECT)
        object_inherit(attribution, key, data, data_bytes);
}
