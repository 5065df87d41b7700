/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What is asked twice where once would do: lengths of outputs that were asked for before, lengths
 * of attributes before their values, attributes that were read before, or one by one. */
#include "detectors.h"
#include "evidence.h"
#include "report/units.h"

#include <inttypes.h>

/* Each of a run. Fewer are those of a start; a template of three is a line of code. */
enum { CALLS_MIN = 20, ONE_BY_ONE_MIN = 4 };

enum asked { LENGTHS, ATTRIBUTE_LENGTHS, AGAIN, ONE_BY_ONE, ASKED };

static const struct {
    const char *subject, *evidence, *estimate;
} words[ASKED] = {
    [LENGTHS] = {"lengths of outputs",
                 "calls asked how long an output is, or gave too small a buffer, after the same "
                 "had been answered for the same function, mechanism and key",
                 "the first answer of each kind is not among them, and holds"},
    [ATTRIBUTE_LENGTHS] = {"lengths of attributes",
                           "calls asked for lengths of attributes right before the same were read",
                           "a buffer that is large enough from the start needs none of them"},
    [AGAIN] = {"attributes again", "calls read an attribute of an object that was read before",
               "the first reading of each is not among them, and holds until it is set"},
    [ONE_BY_ONE] = {"attributes one by one",
                    "calls read attributes of an object one after another, four or more in a row",
                    "one call takes all that stood in a row"},
};

struct state {
    struct p11prof_advice_map answers; /* lengths that are known: by function, mechanism, key */
    struct p11prof_advice_map known;   /* struct attribute, by object and type */
    struct p11prof_advice_map changes; /* int64_t: how often objects of a process changed */
    struct p11prof_advice_map readers; /* struct reader, by thread */
    struct p11prof_evidence of[ASKED];
    int64_t row_count;             /* of ONE_BY_ONE: sequences */
    struct p11prof_calls_sum kept; /* one call of each */
};

struct attribute {
    int64_t change_count, read_count, item_count;
};

/* What a thread reads. */
struct reader {
    int64_t key_id, length_detail, length_item_count;
    struct p11prof_calls_sum lengths; /* one call, until what it asked for is read */
    struct p11prof_calls_sum row;     /* one attribute each, of one object */
    int64_t last_call_id, longest_ns;
};

static void take_length(struct state *state, const struct p11prof_event *event)
{
    const struct p11prof_advice_key key = {
        event->process_id, (int64_t)((uint64_t)event->function << 48 ^ (uint64_t)event->mechanism),
        event->key_id};
    bool answered = p11prof_advice_map_find(&state->answers, &key) != NULL;
    if (!p11prof_advice_map_take(&state->answers, &key, sizeof(int64_t)) || !answered)
        return;
    state->of[LENGTHS].count++;
    p11prof_evidence_add(&state->of[LENGTHS], event);
    p11prof_evidence_example(&state->of[LENGTHS], event->call_id, event);
}

static int64_t *changes_of(struct state *state, int64_t process_id)
{
    const struct p11prof_advice_key key = {process_id, 0, 0};
    return p11prof_advice_map_take(&state->changes, &key, sizeof(int64_t));
}

/* Whether the same was read before. A template is known by its first type and how many it has: only
 * one of a single attribute is surely the same, others when they come a third time. */
static bool is_again(struct state *state, const struct p11prof_event *event)
{
    const struct p11prof_advice_key key = {
        event->process_id, event->key_id,
        (int64_t)((uint64_t)event->detail ^ (uint64_t)event->item_count << 48)};
    struct attribute *known = p11prof_advice_map_take(&state->known, &key, sizeof *known);
    const int64_t *changes = changes_of(state, event->process_id);
    if (!known || !changes)
        return false;
    if (known->change_count != *changes)
        *known = (struct attribute){.change_count = *changes};
    known->read_count++;
    return known->read_count > (event->item_count == 1 ? 1 : 2);
}

/* A row of reads is over. */
static void end_row(struct state *state, struct reader *reader, int64_t process_id)
{
    struct p11prof_evidence *evidence = &state->of[ONE_BY_ONE];
    if (reader->row.call_count >= ONE_BY_ONE_MIN) {
        evidence->count += reader->row.call_count;
        p11prof_evidence_add_sum(evidence, process_id, &reader->row);
        p11prof_evidence_example(evidence, reader->row.first_call_id,
                                 &(struct p11prof_event){.process_id = process_id,
                                                         .thread_id = reader->row.thread_id,
                                                         .call_id = reader->last_call_id});
        state->row_count++;
        state->kept.cost_ns += reader->longest_ns;
    }
    reader->row = (struct p11prof_calls_sum){.call_count = 0};
    reader->longest_ns = 0;
}

static void take_lengths_before(struct state *state, struct reader *reader,
                                const struct p11prof_event *event)
{
    struct p11prof_evidence *evidence = &state->of[ATTRIBUTE_LENGTHS];
    bool same = reader->lengths.call_count > 0 && reader->key_id == event->key_id &&
                reader->length_detail == event->detail &&
                reader->length_item_count == event->item_count;
    if (same) {
        evidence->count++;
        p11prof_evidence_add_sum(evidence, event->process_id, &reader->lengths);
        p11prof_evidence_example(evidence, reader->lengths.first_call_id, event);
    }
    reader->lengths = (struct p11prof_calls_sum){.call_count = 0};
}

static void take_single(struct reader *reader, const struct p11prof_event *event)
{
    p11prof_calls_sum_add(&reader->row, event);
    reader->last_call_id = event->call_id;
    if (event->duration_ns > reader->longest_ns)
        reader->longest_ns = event->duration_ns;
}

static void take_read(struct state *state, struct reader *reader, const struct p11prof_event *event)
{
    if (reader->key_id != event->key_id)
        end_row(state, reader, event->process_id);
    take_lengths_before(state, reader, event);
    reader->key_id = event->key_id;
    if (p11prof_event_failed(event))
        return;
    if (is_again(state, event)) {
        state->of[AGAIN].count++;
        p11prof_evidence_add(&state->of[AGAIN], event);
        p11prof_evidence_example(&state->of[AGAIN], event->call_id, event);
    } else if (event->item_count == 1) {
        take_single(reader, event);
    } else {
        end_row(state, reader, event->process_id);
    }
}

static void take_attributes(struct state *state, struct reader *reader,
                            const struct p11prof_event *event)
{
    if (event->kind != P11PROF_KIND_SIZE_QUERY) {
        take_read(state, reader, event);
        return;
    }
    if (reader->key_id != event->key_id)
        end_row(state, reader, event->process_id);
    reader->key_id = event->key_id;
    reader->length_detail = event->detail;
    reader->length_item_count = event->item_count;
    reader->lengths = (struct p11prof_calls_sum){.call_count = 0};
    p11prof_calls_sum_add(&reader->lengths, event);
}

static bool changes_objects(unsigned function)
{
    return function == P11PROF_C_SetAttributeValue || function == P11PROF_C_DestroyObject ||
           function == P11PROF_C_Login || function == P11PROF_C_Logout ||
           function == P11PROF_C_Finalize;
}

static bool asks_length(const struct p11prof_event *event)
{
    return (event->kind == P11PROF_KIND_SIZE_QUERY || event->kind == P11PROF_KIND_TOO_SMALL) &&
           event->mechanism != P11PROF_EVENT_UNKNOWN;
}

static void take(void *payload, const struct p11prof_event *event)
{
    struct state *state = payload;
    const struct p11prof_advice_key thread = {event->process_id, event->thread_id, 0};
    bool reads = event->function == P11PROF_C_GetAttributeValue && event->key_id > 0 &&
                 event->detail != P11PROF_EVENT_UNKNOWN;
    struct reader *reader = reads
                                ? p11prof_advice_map_take(&state->readers, &thread, sizeof *reader)
                                : p11prof_advice_map_find(&state->readers, &thread);
    if (reads && reader) {
        take_attributes(state, reader, event);
        return;
    }
    if (reader && reader->row.call_count > 0)
        end_row(state, reader, event->process_id);
    if (changes_objects(event->function)) {
        int64_t *changes = changes_of(state, event->process_id);
        if (changes)
            ++*changes;
    } else if (asks_length(event)) {
        take_length(state, event);
    }
}

static void describe(struct p11prof_finding *finding, const struct state *state, enum asked asked)
{
    char cost[P11PROF_UNIT_TEXT_BYTES];
    bool one_by_one = asked == ONE_BY_ONE;
    int64_t saving_ns = finding->cost_ns - (one_by_one ? state->kept.cost_ns : 0);
    finding->subject = p11prof_finding_text("%s", words[asked].subject);
    finding->evidence =
        p11prof_finding_text("%" PRId64 " %s.", finding->count, words[asked].evidence);
    p11prof_format_ns(cost, (uint64_t)(finding->cost_ns / finding->count));
    if (one_by_one)
        p11prof_finding_save(finding, saving_ns,
                             "%" PRId64 " calls x %s, less the longest call of each of %" PRId64
                             " rows: %s",
                             finding->count, cost, state->row_count, words[asked].estimate);
    else
        p11prof_finding_save(finding, saving_ns, "%" PRId64 " calls x %s; %s", finding->count, cost,
                             words[asked].estimate);
}

static void finish(void *payload, const struct p11prof_advice_run *run,
                   struct p11prof_findings *out)
{
    struct state *state = payload;
    (void)run;
    for (size_t i = 0; i < state->readers.count; i++)
        end_row(state, p11prof_advice_map_value(&state->readers, i),
                p11prof_advice_map_key(&state->readers, i)->process_id);
    for (unsigned asked = 0; asked < ASKED; asked++)
        if (state->of[asked].count >= CALLS_MIN)
            describe(p11prof_evidence_find(&state->of[asked], &p11prof_detect_double_queries, out),
                     state, (enum asked)asked);
}

static void clear(void *payload)
{
    struct state *state = payload;
    p11prof_advice_map_clear(&state->answers);
    p11prof_advice_map_clear(&state->known);
    p11prof_advice_map_clear(&state->changes);
    p11prof_advice_map_clear(&state->readers);
    for (unsigned asked = 0; asked < ASKED; asked++)
        p11prof_evidence_clear(&state->of[asked]);
}

const struct p11prof_detector p11prof_detect_double_queries = {
    .id = "double-queries",
    .title = "More is asked than needed",
    .why = "Each call is a round trip where the token is remote, and reads the object again where "
           "it is not.",
    .state_bytes = sizeof(struct state),
    .take = take,
    .finish = finish,
    .clear = clear,
};
