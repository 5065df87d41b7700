/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "p11prof/parameter_sets.h"
#include "step.h"

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
    case P11PROF_FACT_COUNT:
        row_set(row, P11PROF_ROW_ITEM_COUNT, &row->item_count, value);
        break;
    case P11PROF_FACT_FLAGS:
        step->value = value;
        row_set(row, P11PROF_ROW_DETAIL, &row->detail, value);
        break;
    case P11PROF_FACT_USER:
    case P11PROF_FACT_MAX_COUNT:
        row_set(row, P11PROF_ROW_DETAIL, &row->detail, value);
        break;
    case P11PROF_FACT_ATTRIBUTE:
    case P11PROF_FACT_TEMPLATE:
        if (value & P11PROF_TYPES_KNOWN && value != UINT64_MAX)
            row_set(row, P11PROF_ROW_DETAIL, &row->detail, value & ~P11PROF_TYPES_KNOWN);
        break;
    default:
        break;
    }
}

/* A parameter set is a number of its key type's, whatever is learned first of the key. */
static uint32_t key_bits_of(const struct object_facts *key)
{
    const struct p11prof_parameter_set *set =
        key->known & P11PROF_OBJECT_KEY_TYPE
            ? p11prof_parameter_set_of_value(key->key_type, key->key_bits)
            : NULL;
    return set ? set->number : key->key_bits;
}

void step_row_key(struct p11prof_row *row, const struct object_facts *key)
{
    row->key_id = key->key_id;
    row->known |= P11PROF_ROW_KEY;
    if (key->known & P11PROF_OBJECT_KEY_TYPE)
        row_set(row, P11PROF_ROW_KEY_TYPE, &row->key_type, key->key_type);
    if (key->known & P11PROF_OBJECT_KEY_BITS) {
        row->key_bits = key_bits_of(key);
        row->known |= P11PROF_ROW_KEY_BITS;
    }
}

static void row_key_of_handle(struct step *step, uint64_t handle)
{
    struct object *object =
        handle && handle != UINT64_MAX ? attribution_object(step->attribution, handle) : NULL;
    if (object)
        step_row_key(step->row, &object->facts);
}

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
        process ? &step->session->facts.processes[operation_slots[step->call->operation]]
                : operation;
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
    row->part = event->load ? event->load->part : 0;
    for (int i = 0; i < 3; i++)
        fact_take(step, step->call->fact[i], event->record->fact[i]);
}

static bool failed(const struct step *step)
{
    return step->rv != CKR_OK && !step->undisclosed && step->row->kind != P11PROF_KIND_TOO_SMALL;
}

/* Where a schedule wanted the operation to start, its load has its latency from then on, and its
 * time in the module beside it as that of the service. */
static bool operation_add(struct step *step, struct group_key *key, struct group_addition *addition)
{
    const struct p11prof_row *row = step->row;
    if (!(row->known & P11PROF_ROW_INTENDED))
        return batch_group_add(step->batch, key, addition);
    if (p11prof_part_phase(row->part) == P11PROF_PHASE_MEASURED) {
        key->part = p11prof_service_part(row->part);
        if (!batch_group_add(step->batch, key, addition))
            return false;
        key->part = row->part;
    }
    addition->duration_ns = step->end_ns - row->intended_start_ns;
    return batch_group_add(step->batch, key, addition);
}

static bool groups_add(struct step *step)
{
    const struct p11prof_row *row = step->row;
    struct group_key key = {
        .kind = row->kind,
        .code = row->function,
        .mechanism = row->known & P11PROF_ROW_MECHANISM ? (int64_t)row->mechanism : P11PROF_UNKNOWN,
        .key_type = row->known & P11PROF_ROW_KEY_TYPE ? (int64_t)row->key_type : P11PROF_UNKNOWN,
        .key_bits = row->known & P11PROF_ROW_KEY_BITS ? (int64_t)row->key_bits : P11PROF_UNKNOWN,
        .part = row->part,
        .window_start_ns = row->part ? step->event->load->window_start_ns : 0};
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
    return operation_add(step, &key, &addition);
}

bool attribution_call(struct attribution *attribution, struct batch *batch,
                      const struct call_event *event)
{
    const struct p11prof_record *record = event->record;
    attribution->batch = batch;
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
        step.session = step_session(&step, record->session);
    }
    if (step.session)
        step_session_enter(&step);
    kind_find(&step);
    disclosure_check(&step, step_operation_of(&step, step.call->operation));
    step_notes(&step);
    row_key_of_handle(&step, step.object);
    step_operation(&step);
    step_iteration(&step);
    step_intended(&step);
    if (!step.undisclosed)
        row_set(step.row, P11PROF_ROW_RV, &step.row->rv, step.rv);
    if (step.rv == UINT64_MAX && !step.undisclosed)
        step.row->rv = step.rv, step.row->known |= P11PROF_ROW_RV;
    bool done = groups_add(&step);
    if (failed(&step))
        done = batch_error_add(batch, step.function, step.rv, event->duration_ns) && done;
    done = batch_thread_add(batch, step.row) && done;
    batch->out.call_count++;
    if (step.end_ns > batch->out.last_end_ns)
        batch->out.last_end_ns = step.end_ns;
    return step_handles(&step) && done;
}
