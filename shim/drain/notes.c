/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "step.h"

#include <string.h>

void object_learn(struct object *object, uint32_t known, uint64_t class, uint64_t key_type,
                  uint64_t key_bits)
{
    struct object_facts before = object->facts, *facts = &object->facts;
    if (known & P11PROF_OBJECT_CLASS)
        facts->class = class;
    if (known & P11PROF_OBJECT_KEY_TYPE)
        facts->key_type = key_type;
    if (known & P11PROF_OBJECT_KEY_BITS)
        facts->key_bits = key_bits > UINT32_MAX ? UINT32_MAX : (uint32_t)key_bits;
    facts->known |=
        known & (P11PROF_OBJECT_CLASS | P11PROF_OBJECT_KEY_TYPE | P11PROF_OBJECT_KEY_BITS);
    object->dirty = object->dirty || memcmp(&before, facts, sizeof before) != 0;
}

/* Templates of generated keys need not say their type: the generator does. */
static void generated_learn(const struct step *step, struct object *object)
{
    unsigned operation = step->call->operation;
    bool generates = operation == P11PROF_OPERATION_GENERATE_KEY ||
                     operation == P11PROF_OPERATION_GENERATE_KEY_PAIR;
    int64_t key_type = generates && step->row->known & P11PROF_ROW_MECHANISM
                           ? mechanism_key_type(step->row->mechanism)
                           : P11PROF_UNKNOWN;
    if (key_type != P11PROF_UNKNOWN && !(object->facts.known & P11PROF_OBJECT_KEY_TYPE))
        object_learn(object, P11PROF_OBJECT_KEY_TYPE, 0, (uint64_t)key_type, 0);
}

static void note_object(struct step *step, const struct p11prof_record *record)
{
    struct p11prof_object_note note;
    uint32_t known = p11prof_head_flags(record->head);
    memcpy(&note, record->note, sizeof note);
    if (note.handle == 0)
        return;
    if (known & P11PROF_OBJECT_MADE) {
        const struct object *old = handle_map_find(&step->attribution->objects, note.handle);
        if (old && old->stored)
            batch_state_set(step->batch, P11PROF_STATE_OBJECT, note.handle, NULL, 0);
        handle_map_remove(&step->attribution->objects, note.handle);
    }
    const struct object *source = known & P11PROF_OBJECT_COPY
                                      ? handle_map_find(&step->attribution->objects, note.source)
                                      : NULL;
    struct object_facts inherited = source ? source->facts : (struct object_facts){0};
    struct object *object = attribution_object(step->attribution, note.handle);
    if (!object)
        return;
    if ((known & P11PROF_OBJECT_MADE) && !(step->row->known & P11PROF_ROW_DETAIL))
        row_set(step->row, P11PROF_ROW_DETAIL, &step->row->detail, object->facts.key_id);
    object_learn(object, inherited.known, inherited.class, inherited.key_type, inherited.key_bits);
    object_learn(object, known, note.class, note.key_type, note.key_bits);
    generated_learn(step, object);
}

static void note_template(struct step *step, const struct p11prof_record *record)
{
    struct p11prof_object_note note;
    memcpy(&note, record->note, sizeof note);
    if (!step->session)
        return;
    step->session->facts.find_known = p11prof_head_flags(record->head);
    step->session->facts.find_class = note.class;
    step->session->facts.find_key_type = note.key_type;
}

/* The row has the first that was found. */
static void row_found(struct step *step, uint64_t handle)
{
    const struct object *object = handle ? attribution_object(step->attribution, handle) : NULL;
    if (!object || step->row->known & P11PROF_ROW_KEY)
        return;
    step->row->key_id = object->facts.key_id;
    step->row->known |= P11PROF_ROW_KEY;
}

/* Handles that a search found are what its template says; without one the others are not worth a
 * number yet. */
static void note_handles(struct step *step, const struct p11prof_record *record)
{
    const struct session *session = step->session;
    unsigned count = p11prof_head_depth(record->head);
    uint32_t known = P11PROF_OBJECT_CLASS | P11PROF_OBJECT_KEY_TYPE;
    known &= session ? session->facts.find_known : 0;
    if (count > 0)
        row_found(step, record->note[0]);
    for (unsigned i = 0; known && i < count && i < 7; i++) {
        struct object *object = attribution_object(step->attribution, record->note[i]);
        if (object)
            object_learn(object, known, session->facts.find_class, session->facts.find_key_type, 0);
    }
}

void step_notes(struct step *step)
{
    if (step->function == P11PROF_C_FindObjectsInit && step->session && step->rv == CKR_OK)
        step->session->facts.find_known = 0;
    for (uint32_t i = 0; i < step->event->note_count; i++) {
        const struct p11prof_record *note = &step->event->notes[i];
        switch (p11prof_head_kind(note->head)) {
        case P11PROF_RECORD_OBJECT:
            note_object(step, note);
            break;
        case P11PROF_RECORD_TEMPLATE:
            note_template(step, note);
            break;
        case P11PROF_RECORD_HANDLES:
            note_handles(step, note);
            break;
        default:
            break;
        }
    }
}
