/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Searches that name no object, of which many are found, read and never used. A process that uses
 * no key at all lists them on purpose. */
#include "detectors.h"
#include "report/units.h"
#include "search.h"
#include "use.h"

#include <inttypes.h>

/* Of a process: found by one search; and that many times the keys that it uses. */
enum { LISTED_MIN = 10, LISTED_OF_USED = 4 };

struct state {
    struct p11prof_searches searches;
    struct p11prof_advice_map objects;   /* struct object, by process and number */
    struct p11prof_advice_map processes; /* struct lister, by process */
};

struct object {
    bool used;
    struct p11prof_calls_sum reads;
};

struct lister {
    int64_t search_count, found_count, most_found_count, single_count;
    struct p11prof_calls_sum searches;
    int64_t finds_ns;                                     /* C_FindObjects of them */
    int64_t used_count, read_count;                       /* keys; objects that were read only */
    struct p11prof_calls_sum reads;                       /* of these */
    int64_t example_first_id, example_last_id, thread_id; /* its largest search */
};

static struct lister *lister_of(struct state *state, int64_t process_id)
{
    const struct p11prof_advice_key key = {process_id, 0, 0};
    return p11prof_advice_map_take(&state->processes, &key, sizeof(struct lister));
}

static struct object *object_of(struct state *state, const struct p11prof_event *event)
{
    const struct p11prof_advice_key key = {event->process_id, event->key_id, 0};
    return p11prof_advice_map_take(&state->objects, &key, sizeof(struct object));
}

static void take_search(struct state *state, const struct p11prof_search *search,
                        const struct p11prof_event *last)
{
    struct lister *lister = p11prof_search_is_general(search) && search->found_count > 0
                                ? lister_of(state, last->process_id)
                                : NULL;
    if (!lister)
        return;
    lister->search_count++;
    lister->found_count += search->found_count;
    lister->single_count += search->single_count;
    lister->finds_ns += search->finds.cost_ns;
    p11prof_calls_sum_merge(&lister->searches, &search->calls);
    if (search->found_count <= lister->most_found_count)
        return;
    lister->most_found_count = search->found_count;
    lister->example_first_id = search->calls.first_call_id;
    lister->example_last_id = last->call_id;
    lister->thread_id = last->thread_id;
}

static void take(void *payload, const struct p11prof_event *event)
{
    struct p11prof_search search;
    struct state *state = payload;
    struct object *object;
    if (p11prof_searches_take(&state->searches, event, &search)) {
        take_search(state, &search, event);
    } else if (p11prof_event_uses_key(event)) {
        object = object_of(state, event);
        if (object)
            object->used = true;
    } else if (event->function == P11PROF_C_GetAttributeValue && event->key_id > 0) {
        object = object_of(state, event);
        if (object)
            p11prof_calls_sum_add(&object->reads, event);
    }
}

/* What each process used, and what it read of other objects. */
static void add_objects(struct state *state)
{
    for (size_t i = 0; i < state->objects.count; i++) {
        const struct object *object = p11prof_advice_map_value(&state->objects, i);
        const struct p11prof_advice_key key = {
            p11prof_advice_map_key(&state->objects, i)->process_id, 0, 0};
        struct lister *lister = p11prof_advice_map_find(&state->processes, &key);
        if (!lister)
            continue;
        if (object->used) {
            lister->used_count++;
        } else if (object->reads.call_count > 0) {
            lister->read_count++;
            p11prof_calls_sum_merge(&lister->reads, &object->reads);
        }
    }
}

static bool lists_too_much(const struct lister *lister)
{
    return lister->used_count > 0 && lister->most_found_count >= LISTED_MIN &&
           lister->most_found_count >= LISTED_OF_USED * lister->used_count;
}

/* All processes that list too much. */
struct total {
    struct p11prof_evidence evidence;
    int64_t found_count, single_count, used_count, read_count, read_call_count;
    int64_t saved_reads_ns, saved_finds_ns;
};

static void add_process(struct total *total, int64_t process_id, const struct lister *lister)
{
    /* A key in use has a public key or certificate that is read besides; its search finds it. */
    int64_t others =
        lister->read_count > lister->used_count ? lister->read_count - lister->used_count : 0;
    if (lister->read_count > 0)
        total->saved_reads_ns +=
            (int64_t)((double)lister->reads.cost_ns * (double)others / (double)lister->read_count);
    total->saved_finds_ns +=
        (int64_t)((double)lister->finds_ns *
                  (1 - (double)lister->used_count / (double)lister->most_found_count));
    total->evidence.count += lister->search_count;
    total->found_count += lister->found_count;
    total->single_count += lister->single_count;
    total->used_count += lister->used_count;
    total->read_count += lister->read_count;
    total->read_call_count += lister->reads.call_count;
    p11prof_evidence_add_sum(&total->evidence, process_id, &lister->searches);
    p11prof_evidence_add_sum(&total->evidence, process_id, &lister->reads);
    p11prof_evidence_example(&total->evidence, lister->example_first_id,
                             &(struct p11prof_event){.process_id = process_id,
                                                     .thread_id = lister->thread_id,
                                                     .call_id = lister->example_last_id});
}

static void describe(struct p11prof_finding *finding, const struct total *total)
{
    char reads[P11PROF_UNIT_TEXT_BYTES], finds[P11PROF_UNIT_TEXT_BYTES];
    finding->evidence =
        p11prof_finding_text("%" PRId64 " search%s without label or ID found %" PRId64
                             " objects%s. %" PRId64 " calls read attributes of %" PRId64
                             " objects that were not used; %" PRId64 " key%s used.%s",
                             finding->count, finding->count == 1 ? "" : "es", total->found_count,
                             2 * total->single_count > total->found_count ? ", one at a time" : "",
                             total->read_call_count, total->read_count, total->used_count,
                             total->used_count == 1 ? " was" : "s were",
                             p11prof_evidence_objects_note(&total->evidence));
    p11prof_format_ns(reads, (uint64_t)total->saved_reads_ns);
    p11prof_format_ns(finds, (uint64_t)total->saved_finds_ns);
    p11prof_finding_save(finding, total->saved_reads_ns + total->saved_finds_ns,
                         "%s for attributes of objects that are not used, but for one beside each "
                         "key, and %s for finding them; the searches themselves stay",
                         reads, finds);
}

static void finish(void *payload, const struct p11prof_advice_run *run,
                   struct p11prof_findings *out)
{
    struct state *state = payload;
    struct total total = {.found_count = 0};
    (void)run;
    add_objects(state);
    for (size_t i = 0; i < state->processes.count; i++) {
        const struct lister *lister = p11prof_advice_map_value(&state->processes, i);
        if (lists_too_much(lister))
            add_process(&total, p11prof_advice_map_key(&state->processes, i)->process_id, lister);
    }
    if (total.evidence.count > 0)
        describe(p11prof_evidence_find(&total.evidence, &p11prof_detect_key_enumeration, out),
                 &total);
    p11prof_evidence_clear(&total.evidence);
}

static void clear(void *payload)
{
    struct state *state = payload;
    p11prof_searches_clear(&state->searches);
    p11prof_advice_map_clear(&state->objects);
    p11prof_advice_map_clear(&state->processes);
}

const struct p11prof_detector p11prof_detect_key_enumeration = {
    .id = "key-enumeration",
    .title = "All objects are listed and read, few are used",
    .why = "The time grows with every object on the token, whether it is needed or not.",
    .state_bytes = sizeof(struct state),
    .take = take,
    .finish = finish,
    .clear = clear,
};
