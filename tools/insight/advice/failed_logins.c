/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Wrong PINs in a row: the token locks. */
#include "detectors.h"
#include "pattern.h"

#include <inttypes.h>

/* Many tokens lock after three, and a right PIN in between starts their count anew. Who mistypes
 * twice is no finding. */
enum { WRONG_MIN = 3 };

/* Of a slot: processes see one token there, so that its count is of all of them. */
struct slot {
    int64_t in_a_row, worst, wrong_count, locked_count;
    struct p11prof_evidence evidence;
};

struct state {
    struct p11prof_advice_map slots;
};

static void take_wrong(struct slot *slot, const struct p11prof_event *event)
{
    slot->locked_count += event->rv == CKR_PIN_LOCKED;
    slot->wrong_count += event->rv == CKR_PIN_INCORRECT;
    slot->in_a_row += event->rv == CKR_PIN_INCORRECT;
    if (slot->in_a_row > slot->worst)
        slot->worst = slot->in_a_row;
    slot->evidence.count++;
    p11prof_evidence_add(&slot->evidence, event);
    p11prof_evidence_example(&slot->evidence, event->call_id, event);
}

static void take(void *payload, const struct p11prof_event *event)
{
    struct state *state = payload;
    const struct p11prof_advice_key key = {0, event->slot_id, 0};
    struct slot *slot = p11prof_pattern_is_login(event)
                            ? p11prof_advice_map_take(&state->slots, &key, sizeof(struct slot))
                            : NULL;
    if (!slot)
        return;
    if (event->rv == CKR_OK)
        slot->in_a_row = 0;
    if (event->rv == CKR_PIN_INCORRECT || event->rv == CKR_PIN_LOCKED)
        take_wrong(slot, event);
}

static void tell(const struct slot *slot, int64_t slot_id, struct p11prof_findings *out)
{
    struct p11prof_finding *finding =
        p11prof_evidence_find(&slot->evidence, &p11prof_detect_failed_logins, out);
    if (slot_id != P11PROF_EVENT_UNKNOWN)
        finding->subject = p11prof_finding_text("slot %" PRId64, slot_id);
    finding->cost_ns = -1; /* it is not their time that hurts */
    finding->evidence =
        p11prof_finding_text("%" PRId64 " logins answered CKR_PIN_INCORRECT, %" PRId64
                             " of them in a row, and %" PRId64 " CKR_PIN_LOCKED.",
                             slot->wrong_count, slot->worst, slot->locked_count);
}

static void finish(void *payload, const struct p11prof_advice_run *run,
                   struct p11prof_findings *out)
{
    struct state *state = payload;
    (void)run;
    for (size_t i = 0; i < state->slots.count; i++) {
        const struct slot *slot = p11prof_advice_map_value(&state->slots, i);
        if (slot->worst >= WRONG_MIN || slot->locked_count > 0)
            tell(slot, p11prof_advice_map_key(&state->slots, i)->first, out);
    }
}

static void clear(void *payload)
{
    struct state *state = payload;
    for (size_t i = 0; i < state->slots.count; i++) {
        struct slot *slot = p11prof_advice_map_value(&state->slots, i);
        p11prof_evidence_clear(&slot->evidence);
    }
    p11prof_advice_map_clear(&state->slots);
}

const struct p11prof_detector p11prof_detect_failed_logins = {
    .id = "failed-logins",
    .title = "Logins fail for their PIN",
    .why = "A token counts wrong PINs and locks, often after three: then nobody works with it.",
    .state_bytes = sizeof(struct state),
    .take = take,
    .finish = finish,
    .clear = clear,
};
