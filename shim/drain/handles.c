/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "step.h"

#include <string.h>

static void session_count(struct counters *counters, uint64_t slot_id)
{
    uint32_t i = 0;
    while (i < counters->slot_count && counters->slots[i].slot_id != slot_id)
        i++;
    if (i == counters->slot_count) {
        if (i == P11PROF_SPOOL_TOKENS)
            return;
        counters->slots[counters->slot_count++].slot_id = slot_id;
        counters->slots[i].session_count = 0;
    }
    counters->slots[i].session_count++;
}

/* A session's calls that overlap in time, from two threads, cannot be told apart. */
void step_session_enter(struct step *step)
{
    struct session *session = step->session;
    const struct call_event *event = step->event;
    struct session_facts *facts = &session->facts;
    step->overlap =
        facts->last_end_ns > event->start_ns && facts->last_thread_id != event->thread_id;
    if (step->overlap)
        step->row->flags |= P11PROF_ROW_OVERLAP;
    facts->last_end_ns = step->end_ns;
    facts->last_thread_id = event->thread_id;
    facts->call_count++;
    if (facts->slot_known)
        row_set(step->row, P11PROF_ROW_SLOT, &step->row->slot_id, facts->slot_id);
}

/* A handle that the module does not know makes no session; C_OpenSession makes its own when the row
 * is done. */
struct session *step_session(struct step *step, uint64_t handle)
{
    if (step->function == P11PROF_C_OpenSession)
        return NULL;
    if (step->rv != CKR_SESSION_HANDLE_INVALID && step->rv != CKR_CRYPTOKI_NOT_INITIALIZED)
        return attribution_session(step->attribution, handle);
    return handle_map_find(&step->attribution->sessions, handle);
}

static void session_opened(struct step *step)
{
    struct attribution *attribution = step->attribution;
    uint64_t handle = step->event->record->session;
    attribution_session_close(attribution, step->batch, handle, step->event->start_ns);
    struct session *session = attribution_session(attribution, handle);
    if (!session)
        return;
    session->facts.slot_known = (step->row->known & P11PROF_ROW_SLOT) != 0;
    session->facts.slot_id = step->row->slot_id;
    session->facts.opened = true;
    session->facts.opened_ns = step->end_ns;
    session_count(&attribution->counters, step->row->slot_id);
    attribution->counters_dirty = attribution->tokens_dirty = true;
}

static void session_cancelled(struct step *step)
{
    static const struct {
        CK_FLAGS flag;
        enum operation_slot slot;
    } cancels[] = {{CKF_ENCRYPT, SLOT_ENCRYPT},
                   {CKF_DECRYPT, SLOT_DECRYPT},
                   {CKF_DIGEST, SLOT_DIGEST},
                   {CKF_SIGN | CKF_SIGN_RECOVER, SLOT_SIGN},
                   {CKF_VERIFY | CKF_VERIFY_RECOVER, SLOT_VERIFY},
                   {CKF_FIND_OBJECTS, SLOT_FIND},
                   {CKF_MESSAGE_ENCRYPT, SLOT_MESSAGE_ENCRYPT},
                   {CKF_MESSAGE_DECRYPT, SLOT_MESSAGE_DECRYPT},
                   {CKF_MESSAGE_SIGN, SLOT_MESSAGE_SIGN},
                   {CKF_MESSAGE_VERIFY, SLOT_MESSAGE_VERIFY}};
    for (size_t i = 0; step->session && i < sizeof cancels / sizeof *cancels; i++)
        if (step->value & cancels[i].flag)
            step->session->facts.operations[cancels[i].slot].operation = 0;
}

/* Calls that change what handles mean; after the row was made. */
bool step_handles(struct step *step)
{
    struct attribution *attribution = step->attribution;
    struct object *object;
    if (step->rv != CKR_OK)
        return true;
    switch (step->function) {
    case P11PROF_C_OpenSession:
        session_opened(step);
        return true;
    case P11PROF_C_CloseSession:
        return attribution_session_close(attribution, step->batch, step->event->record->session,
                                         step->end_ns);
    case P11PROF_C_CloseAllSessions:
        return attribution_sessions_close(attribution, step->batch, &step->row->slot_id,
                                          step->end_ns);
    case P11PROF_C_Finalize:
        attribution_objects_clear(attribution, step->batch, false);
        return attribution_sessions_close(attribution, step->batch, NULL, step->end_ns);
    case P11PROF_C_InitToken:
        attribution_objects_clear(attribution, step->batch, false);
        return true;
    case P11PROF_C_Logout:
        attribution_objects_clear(attribution, step->batch, true);
        return true;
    case P11PROF_C_DestroyObject:
        object = handle_map_find(&attribution->objects, step->object);
        if (object && object->stored)
            batch_state_set(step->batch, P11PROF_STATE_OBJECT, step->object, NULL, 0);
        handle_map_remove(&attribution->objects, step->object);
        return true;
    case P11PROF_C_SessionCancel:
        session_cancelled(step);
        return true;
    case P11PROF_C_SetOperationState: /* whose state it is cannot be known */
        if (step->session)
            memset(step->session->facts.operations, 0, sizeof step->session->facts.operations);
        return true;
    default:
        return true;
    }
}
