/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "attribution.h"

#include <string.h>

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

/* --- facts --- */

static const enum operation_slot slots[P11PROF_OPERATIONS] = {
    [P11PROF_OPERATION_NONE] = SLOT_NONE,
    [P11PROF_OPERATION_ENCRYPT] = SLOT_ENCRYPT,
    [P11PROF_OPERATION_DECRYPT] = SLOT_DECRYPT,
    [P11PROF_OPERATION_DIGEST] = SLOT_DIGEST,
    [P11PROF_OPERATION_SIGN] = SLOT_SIGN,
    [P11PROF_OPERATION_SIGN_RECOVER] = SLOT_SIGN,
    [P11PROF_OPERATION_VERIFY] = SLOT_VERIFY,
    [P11PROF_OPERATION_VERIFY_RECOVER] = SLOT_VERIFY,
    [P11PROF_OPERATION_FIND] = SLOT_FIND,
    [P11PROF_OPERATION_MESSAGE_ENCRYPT] = SLOT_MESSAGE_ENCRYPT,
    [P11PROF_OPERATION_MESSAGE_DECRYPT] = SLOT_MESSAGE_DECRYPT,
    [P11PROF_OPERATION_MESSAGE_SIGN] = SLOT_MESSAGE_SIGN,
    [P11PROF_OPERATION_MESSAGE_VERIFY] = SLOT_MESSAGE_VERIFY,
    [P11PROF_OPERATION_GENERATE_KEY... P11PROF_OPERATION_DECAPSULATE] = SLOT_NONE,
};

static void row_set(struct p11prof_row *row, enum p11prof_row_column column, uint64_t *member,
                    uint64_t value)
{
    if (value == UINT64_MAX)
        return;
    *member = value;
    row->known |= column;
}

static void fact_take(struct step *step, unsigned fact, uint64_t value)
{
    struct p11prof_row *row = step->row;
    switch (fact) {
    case P11PROF_FACT_SLOT:
        row_set(row, P11PROF_ROW_SLOT, &row->slot_id, value);
        break;
    case P11PROF_FACT_MECHANISM:
        if (!(step->record_flags & P11PROF_RECORD_NO_MECHANISM))
            row_set(row, P11PROF_ROW_MECHANISM, &row->mechanism, value);
        break;
    case P11PROF_FACT_OBJECT:
        step->object = value;
        break;
    case P11PROF_FACT_IN_BYTES:
        row_set(row, P11PROF_ROW_IN_BYTES, &row->in_bytes, value);
        break;
    case P11PROF_FACT_OUT_BYTES:
        row_set(row, P11PROF_ROW_OUT_BYTES, &row->out_bytes, value);
        break;
    case P11PROF_FACT_FLAGS:
        step->value = value;
        break;
    default:
        break;
    }
}

static void row_key(struct p11prof_row *row, const struct object_facts *key)
{
    row->key_id = key->key_id;
    row->known |= P11PROF_ROW_KEY;
    if (key->known & P11PROF_OBJECT_KEY_TYPE)
        row_set(row, P11PROF_ROW_KEY_TYPE, &row->key_type, key->key_type);
    if (key->known & P11PROF_OBJECT_KEY_BITS) {
        row->key_bits = key->key_bits;
        row->known |= P11PROF_ROW_KEY_BITS;
    }
}

static void row_key_of_handle(struct step *step, uint64_t handle)
{
    struct object *object =
        handle && handle != UINT64_MAX ? attribution_object(step->attribution, handle) : NULL;
    if (object)
        row_key(step->row, &object->facts);
}

/* --- notes --- */

static void object_learn(struct object *object, uint32_t known, uint64_t class, uint64_t key_type,
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
    object_learn(object, inherited.known, inherited.class, inherited.key_type, inherited.key_bits);
    object_learn(object, known, note.class, note.key_type, note.key_bits);
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

/* Handles that a search found are what its template says; without one they are not worth a number
 * yet. */
static void note_handles(struct step *step, const struct p11prof_record *record)
{
    const struct session *session = step->session;
    unsigned count = p11prof_head_depth(record->head);
    uint32_t known = P11PROF_OBJECT_CLASS | P11PROF_OBJECT_KEY_TYPE;
    known &= session ? session->facts.find_known : 0;
    for (unsigned i = 0; known && i < count && i < 7; i++) {
        struct object *object = attribution_object(step->attribution, record->note[i]);
        if (object)
            object_learn(object, known, session->facts.find_class, session->facts.find_key_type, 0);
    }
}

static void notes_take(struct step *step)
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

/* --- operations --- */

static struct operation *operation_of(struct step *step, unsigned operation)
{
    enum operation_slot slot = slots[operation];
    return step->session && slot != SLOT_NONE ? &step->session->facts.operations[slot] : NULL;
}

/* What the row of a call says of its key and mechanism comes from its operation. */
static void row_from_operation(struct step *step, const struct operation *operation)
{
    struct p11prof_row *row = step->row;
    if (!operation || operation->operation == 0)
        return;
    if (operation->mechanism_known)
        row_set(row, P11PROF_ROW_MECHANISM, &row->mechanism, operation->mechanism);
    if (operation->key_known)
        row_key(row, &operation->key);
}

static void operation_open(struct step *step, struct operation *operation)
{
    const struct p11prof_row *row = step->row;
    const struct object *key =
        step->object ? handle_map_find(&step->attribution->objects, step->object) : NULL;
    *operation =
        (struct operation){.operation = step->call->operation, .start_ns = step->event->start_ns};
    operation->mechanism_known = (row->known & P11PROF_ROW_MECHANISM) != 0;
    operation->mechanism = row->mechanism;
    operation->key_handle = step->object;
    operation->key_known = key != NULL;
    if (key)
        operation->key = key->facts;
}

static void operation_carry(struct step *step, struct operation *operation, bool bytes_count)
{
    const struct p11prof_row *row = step->row;
    operation->call_count++;
    operation->duration_ns += step->event->duration_ns;
    if (!bytes_count)
        return;
    if (row->known & P11PROF_ROW_IN_BYTES) {
        operation->in_bytes += row->in_bytes;
        operation->in_known = true;
    }
    if ((row->known & P11PROF_ROW_OUT_BYTES) && row->kind == P11PROF_KIND_CALL) {
        operation->out_bytes += row->out_bytes;
        operation->out_known = true;
    }
}

/* The key's type and size as the mechanism and the length of what came out tell them. */
static void key_learn(struct step *step, struct operation *operation)
{
    int64_t key_type = operation->mechanism_known && operation->key_known
                           ? mechanism_key_type(operation->mechanism)
                           : P11PROF_UNKNOWN;
    if (key_type == P11PROF_UNKNOWN || step->rv != CKR_OK || step->undisclosed)
        return;
    uint32_t bits =
        operation->out_known && operation->call_count == 2
            ? mechanism_key_bits(operation->mechanism, operation->operation, operation->out_bytes)
            : 0;
    uint32_t known = P11PROF_OBJECT_KEY_TYPE | (bits ? P11PROF_OBJECT_KEY_BITS : 0);
    known &= ~operation->key.known;
    struct object *object = handle_map_find(&step->attribution->objects, operation->key_handle);
    if (!known || !object)
        return;
    object_learn(object, known, 0, (uint64_t)key_type, bits);
    operation->key = object->facts;
}

static void operation_end(struct step *step, struct operation *operation)
{
    struct p11prof_row *row = step->row;
    key_learn(step, operation);
    row_from_operation(step, operation);
    row->operation = operation->operation;
    row->operation_start_ns = operation->start_ns;
    row->operation_duration_ns = operation->duration_ns;
    row->operation_call_count = operation->call_count;
    row->known |= P11PROF_ROW_OPERATION;
    if (operation->in_known)
        row_set(row, P11PROF_ROW_OPERATION_IN, &row->operation_in_bytes, operation->in_bytes);
    if (operation->out_known)
        row_set(row, P11PROF_ROW_OPERATION_OUT, &row->operation_out_bytes, operation->out_bytes);
    operation->operation = 0;
}

static void role_init(struct step *step, struct operation *operation)
{
    if (step->record_flags & P11PROF_RECORD_NO_MECHANISM) {
        if (step->rv == CKR_OK)
            operation->operation = 0;
        return;
    }
    if (step->rv == CKR_PENDING)
        return;
    struct operation failed;
    struct operation *target = step->rv == CKR_OK ? operation : &failed;
    operation_open(step, target);
    operation_carry(step, target, false);
    if (target == &failed)
        operation_end(step, target);
}

/* Whether the operation is over after this call (2.40 section 5.2). */
static bool ends(const struct step *step, bool always)
{
    if (step->rv == CKR_PENDING || step->rv == CKR_OPERATION_NOT_INITIALIZED)
        return false;
    return always || step->row->kind == P11PROF_KIND_CALL;
}

static void role_one(struct step *step, struct operation *operation)
{
    if (operation->operation == 0)
        return;
    bool verify = slots[operation->operation] == SLOT_VERIFY &&
                  operation->operation == P11PROF_OPERATION_VERIFY;
    operation_carry(step, operation, ends(step, verify));
    row_from_operation(step, operation);
    if (ends(step, verify))
        operation_end(step, operation);
}

static void role_update(struct step *step, struct operation *operation)
{
    if (operation->operation == 0)
        return;
    bool real = step->row->kind == P11PROF_KIND_CALL;
    operation_carry(step, operation, real && step->rv == CKR_OK);
    row_from_operation(step, operation);
    bool find = operation->operation == P11PROF_OPERATION_FIND;
    if (real && step->rv != CKR_OK && !step->undisclosed && !find && ends(step, false))
        operation_end(step, operation);
}

static const uint8_t dual_seconds[P11PROF_CALLS + 1] = {
    [P11PROF_C_DigestEncryptUpdate] = P11PROF_OPERATION_DIGEST,
    [P11PROF_C_DecryptDigestUpdate] = P11PROF_OPERATION_DIGEST,
    [P11PROF_C_SignEncryptUpdate] = P11PROF_OPERATION_SIGN,
    [P11PROF_C_DecryptVerifyUpdate] = P11PROF_OPERATION_VERIFY,
};

/* Bytes count for both operations, time for the first. */
static void role_dual(struct step *step, struct operation *operation)
{
    struct operation *second = operation_of(step, dual_seconds[step->function]);
    role_update(step, operation);
    if (!second || second->operation == 0 || step->rv != CKR_OK)
        return;
    second->call_count++;
    second->in_bytes += step->row->known & P11PROF_ROW_IN_BYTES ? step->row->in_bytes : 0;
    second->in_known = true;
}

static void role_shot(struct step *step)
{
    if (step->row->kind != P11PROF_KIND_CALL || step->rv == CKR_PENDING)
        return;
    step->row->operation = step->call->operation;
    step->row->operation_start_ns = step->event->start_ns;
    step->row->operation_call_count = 1;
    step->row->operation_duration_ns = step->event->duration_ns;
    step->row->known |= P11PROF_ROW_OPERATION;
}

/* Messages take mechanism and key from their process. */
static void role_message(struct step *step, struct operation *operation,
                         const struct operation *process)
{
    unsigned role = step->call->role;
    if (role != P11PROF_ROLE_NEXT) {
        *operation = *process;
        operation->operation = step->call->operation;
        operation->start_ns = step->event->start_ns;
        operation->call_count = 0;
        operation->duration_ns = operation->in_bytes = operation->out_bytes = 0;
        operation->in_known = operation->out_known = false;
    } else if (operation->operation == 0) {
        row_from_operation(step, process);
        return;
    }
    bool last = role == P11PROF_ROLE_MESSAGE ||
                (role == P11PROF_ROLE_NEXT && (step->record_flags & P11PROF_RECORD_LAST));
    bool failed = step->rv != CKR_OK && !step->undisclosed;
    operation_carry(step, operation, ends(step, false));
    row_from_operation(step, operation);
    if ((last || failed) && ends(step, false))
        operation_end(step, operation);
}

static void operation_take(struct step *step)
{
    unsigned kind = step->call->operation;
    struct operation *operation = operation_of(step, kind);
    if (step->call->role == P11PROF_ROLE_SHOT)
        role_shot(step);
    if (!operation)
        return;
    if (step->overlap) { /* whose it is cannot be known until the next Init */
        operation->operation = 0;
        return;
    }
    struct operation *process = &step->session->facts.processes[slots[kind]];
    switch (step->call->role) {
    case P11PROF_ROLE_INIT:
        role_init(step, operation);
        break;
    case P11PROF_ROLE_ONE:
    case P11PROF_ROLE_FINAL:
        role_one(step, operation);
        break;
    case P11PROF_ROLE_UPDATE:
        role_update(step, operation);
        break;
    case P11PROF_ROLE_DUAL:
        role_dual(step, operation);
        break;
    case P11PROF_ROLE_OPEN:
        if (step->rv == CKR_OK)
            operation_open(step, process);
        break;
    case P11PROF_ROLE_MESSAGE:
    case P11PROF_ROLE_BEGIN:
    case P11PROF_ROLE_NEXT:
        role_message(step, operation, process);
        break;
    case P11PROF_ROLE_CLOSE:
        row_from_operation(step, process);
        if (step->rv == CKR_OK)
            process->operation = operation->operation = 0;
        break;
    default:
        break;
    }
}

/* --- sessions --- */

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
static void session_enter(struct step *step)
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
static struct session *session_of(struct step *step, uint64_t handle)
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
static bool handles_change(struct step *step)
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

/* --- the row --- */

static void kind_find(struct step *step)
{
    if (step->record_flags & P11PROF_RECORD_BLOCKING)
        step->row->kind = P11PROF_KIND_BLOCKING;
    else if (step->record_flags & P11PROF_RECORD_NO_BUFFER)
        step->row->kind = P11PROF_KIND_SIZE_QUERY;
    else if (step->rv == CKR_BUFFER_TOO_SMALL)
        step->row->kind = P11PROF_KIND_TOO_SMALL;
}

/* Before anything else looks at result and length: the database must be no log of a padding oracle.
 */
static void disclosure_check(struct step *step, const struct operation *operation)
{
    bool process = step->call->role >= P11PROF_ROLE_OPEN && step->session;
    const struct operation *source =
        process ? &step->session->facts.processes[slots[step->call->operation]] : operation;
    bool known = (step->row->known & P11PROF_ROW_MECHANISM) != 0;
    uint64_t mechanism = step->row->mechanism;
    if (!known && source && source->operation && !step->overlap) {
        known = source->mechanism_known;
        mechanism = source->mechanism;
    }
    unsigned role = step->call->role;
    bool answers = role != P11PROF_ROLE_NONE && role != P11PROF_ROLE_INIT &&
                   role != P11PROF_ROLE_OPEN && role != P11PROF_ROLE_CLOSE;
    if (!answers || !disclosure_forbidden(step->call->operation, known, mechanism))
        return;
    step->row->known &= ~(uint32_t)P11PROF_ROW_OUT_BYTES;
    if (rv_discloses_nothing(step->rv))
        return;
    step->undisclosed = true;
    if (step->row->kind == P11PROF_KIND_TOO_SMALL)
        step->row->kind = P11PROF_KIND_CALL;
}

static void row_fill(struct step *step)
{
    const struct call_event *event = step->event;
    struct p11prof_row *row = step->row;
    row->function = (uint16_t)step->function;
    row->thread_id = event->thread_id;
    row->start_ns = event->start_ns;
    row->duration_ns = event->duration_ns;
    row->flags = (uint8_t)((p11prof_head_depth(event->record->head) ? P11PROF_ROW_NESTED : 0) |
                           (step->record_flags & P11PROF_RECORD_SIGNAL ? P11PROF_ROW_SIGNAL : 0) |
                           (step->record_flags & P11PROF_RECORD_CLAMPED ? P11PROF_ROW_CLAMPED : 0));
    if (event->caller_id) {
        row->caller_id = event->caller_id;
        row->known |= P11PROF_ROW_CALLER;
    }
    for (int i = 0; i < 3; i++)
        fact_take(step, step->call->fact[i], event->record->fact[i]);
}

static bool failed(const struct step *step)
{
    return step->rv != CKR_OK && !step->undisclosed && step->row->kind != P11PROF_KIND_TOO_SMALL;
}

static bool groups_add(struct step *step)
{
    const struct p11prof_row *row = step->row;
    struct group_key key = {
        .kind = row->kind,
        .code = row->function,
        .mechanism = row->known & P11PROF_ROW_MECHANISM ? (int64_t)row->mechanism : P11PROF_UNKNOWN,
        .key_type = row->known & P11PROF_ROW_KEY_TYPE ? (int64_t)row->key_type : P11PROF_UNKNOWN,
        .key_bits = row->known & P11PROF_ROW_KEY_BITS ? (int64_t)row->key_bits : P11PROF_UNKNOWN};
    struct group_addition addition = {
        .start_ns = row->start_ns,
        .duration_ns = row->duration_ns,
        .in_bytes = row->known & P11PROF_ROW_IN_BYTES ? row->in_bytes : 0,
        .out_bytes = row->known & P11PROF_ROW_OUT_BYTES ? row->out_bytes : 0,
        .failed = failed(step),
        .undisclosed = step->undisclosed};
    if (!batch_group_add(step->batch, &key, &addition))
        return false;
    if (!(row->known & P11PROF_ROW_OPERATION))
        return true;
    bool shot = row->operation_call_count == 1 && step->call->role == P11PROF_ROLE_SHOT;
    key.operation = true;
    key.code = row->operation;
    key.kind = P11PROF_KIND_CALL;
    addition.start_ns = row->operation_start_ns;
    addition.duration_ns = row->operation_duration_ns;
    if (!shot) {
        addition.in_bytes = row->operation_in_bytes;
        addition.out_bytes = row->operation_out_bytes;
    }
    return batch_group_add(step->batch, &key, &addition);
}

bool attribution_call(struct attribution *attribution, struct batch *batch,
                      const struct call_event *event)
{
    const struct p11prof_record *record = event->record;
    struct step step = {.attribution = attribution,
                        .batch = batch,
                        .event = event,
                        .function = p11prof_head_function(record->head),
                        .record_flags = p11prof_head_flags(record->head),
                        .rv = record->rv,
                        .end_ns = event->start_ns + event->duration_ns};
    step.call = &p11prof_calls[step.function];
    step.row = batch_row(batch);
    if (!step.row)
        return false;
    row_fill(&step);
    bool in_session = step.call->in_session && record->session != P11PROF_NO_SESSION &&
                      (record->session != 0 || step.function != P11PROF_C_OpenSession);
    if (in_session) {
        row_set(step.row, P11PROF_ROW_SESSION, &step.row->session, record->session);
        step.session = session_of(&step, record->session);
    }
    if (step.session)
        session_enter(&step);
    kind_find(&step);
    disclosure_check(&step, operation_of(&step, step.call->operation));
    notes_take(&step);
    row_key_of_handle(&step, step.object);
    operation_take(&step);
    if (!step.undisclosed)
        row_set(step.row, P11PROF_ROW_RV, &step.row->rv, step.rv);
    if (step.rv == UINT64_MAX && !step.undisclosed)
        step.row->rv = step.rv, step.row->known |= P11PROF_ROW_RV;
    bool done = groups_add(&step);
    if (failed(&step))
        done = batch_error_add(batch, step.function, step.rv, event->duration_ns) && done;
    batch->out.call_count++;
    if (step.end_ns > batch->out.last_end_ns)
        batch->out.last_end_ns = step.end_ns;
    return handles_change(&step) && done;
}
