/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "step.h"

const enum operation_slot operation_slots[P11PROF_OPERATIONS] = {
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
    [P11PROF_OPERATION_GENERATE_KEY... P11PROF_OPERATIONS - 1] = SLOT_NONE,
};

struct operation *step_operation_of(struct step *step, unsigned operation)
{
    enum operation_slot slot = operation_slots[operation];
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
        step_row_key(row, &operation->key);
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
    bool verify = operation_slots[operation->operation] == SLOT_VERIFY &&
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

/* Bytes count for both operations, time for the first. */
static void role_dual(struct step *step, struct operation *operation)
{
    struct operation *second = step_operation_of(step, step->call->second_operation);
    role_update(step, operation);
    if (!second || second->operation == 0 || step->rv != CKR_OK)
        return;
    second->call_count++;
    second->in_bytes += step->row->known & P11PROF_ROW_IN_BYTES ? step->row->in_bytes : 0;
    second->in_known = true;
}

/* The key of a call that is an operation by itself: its type as the mechanism tells it. */
static void shot_key_learn(struct step *step)
{
    struct object *object = handle_map_find(&step->attribution->objects, step->object);
    int64_t key_type = step->row->known & P11PROF_ROW_MECHANISM
                           ? mechanism_key_type(step->row->mechanism)
                           : P11PROF_UNKNOWN;
    if (!object || key_type == P11PROF_UNKNOWN || step->rv != CKR_OK || step->undisclosed ||
        object->facts.known & P11PROF_OBJECT_KEY_TYPE)
        return;
    object_learn(object, P11PROF_OBJECT_KEY_TYPE, 0, (uint64_t)key_type, 0);
    step_row_key(step->row, &object->facts);
}

static void role_shot(struct step *step)
{
    shot_key_learn(step);
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

void step_operation(struct step *step)
{
    unsigned kind = step->call->operation;
    struct operation *operation = step_operation_of(step, kind);
    if (step->call->role == P11PROF_ROLE_SHOT)
        role_shot(step);
    if (!operation)
        return;
    if (step->overlap) { /* whose it is cannot be known until the next Init */
        operation->operation = 0;
        return;
    }
    struct operation *process = &step->session->facts.processes[operation_slots[kind]];
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
