/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* A search that finds an object whose handle the process has and has worked with since it was last
 * found. */
#include "detectors.h"
#include "report/units.h"
#include "search.h"
#include "use.h"

#include <inttypes.h>

/* Of a process: fewer may be threads, each of which has to find its objects once. */
enum { REPEATS_MIN = 10 };

struct state {
    struct p11prof_searches searches;
    struct p11prof_advice_map objects;   /* struct object, by process and number */
    struct p11prof_advice_map processes; /* int64_t: repeats */
};

struct object {
    int64_t use_count, repeat_count;
    bool worked_with; /* used or read since it was last found */
    struct p11prof_calls_sum repeats;
    int64_t example_first_id, example_last_id, thread_id; /* the last repeat and what followed */
};

static struct object *object_of(struct state *state, int64_t process_id, int64_t key_id)
{
    const struct p11prof_advice_key key = {process_id, key_id, 0};
    return p11prof_advice_map_take(&state->objects, &key, sizeof(struct object));
}

static void take_search(struct state *state, const struct p11prof_search *search,
                        const struct p11prof_event *last)
{
    struct object *object = search->key_id > 0 && !p11prof_search_is_general(search)
                                ? object_of(state, last->process_id, search->key_id)
                                : NULL;
    if (!object)
        return;
    if (object->worked_with) {
        object->repeat_count++;
        p11prof_calls_sum_merge(&object->repeats, &search->calls);
        object->example_first_id = search->calls.first_call_id;
        object->example_last_id = last->call_id;
        object->thread_id = last->thread_id;
    }
    object->worked_with = false;
}

static void take_work(struct state *state, const struct p11prof_event *event, bool use)
{
    struct object *object = object_of(state, event->process_id, event->key_id);
    if (!object)
        return;
    if (!object->worked_with && object->thread_id == event->thread_id)
        object->example_last_id = event->call_id;
    object->use_count += use;
    object->worked_with = true;
}

static void take(void *payload, const struct p11prof_event *event)
{
    struct p11prof_search search;
    struct state *state = payload;
    if (p11prof_searches_take(&state->searches, event, &search))
        take_search(state, &search, event);
    else if (p11prof_event_uses_key(event))
        take_work(state, event, true);
    else if (event->function == P11PROF_C_GetAttributeValue && event->key_id > 0)
        take_work(state, event, false);
}

/* Not where threads or hours lie between them: there are many more uses then. */
static bool is_repeated(const struct object *object)
{
    return object->repeat_count > 0 && 2 * object->repeat_count >= object->use_count;
}

static void count_repeats(struct state *state)
{
    for (size_t i = 0; i < state->objects.count; i++) {
        const struct object *object = p11prof_advice_map_value(&state->objects, i);
        const struct p11prof_advice_key key = {
            p11prof_advice_map_key(&state->objects, i)->process_id, 0, 0};
        int64_t *repeats = is_repeated(object)
                               ? p11prof_advice_map_take(&state->processes, &key, sizeof *repeats)
                               : NULL;
        if (repeats)
            *repeats += object->repeat_count;
    }
}

static bool repeats_much(const struct state *state, int64_t process_id)
{
    const struct p11prof_advice_key key = {process_id, 0, 0};
    const int64_t *repeats = p11prof_advice_map_find(&state->processes, &key);
    return repeats && *repeats >= REPEATS_MIN;
}

struct total {
    struct p11prof_evidence evidence;
    int64_t object_count, use_count;
};

static void add_object(struct total *total, int64_t process_id, const struct object *object)
{
    total->object_count++;
    total->use_count += object->use_count;
    total->evidence.count += object->repeat_count;
    p11prof_evidence_add_sum(&total->evidence, process_id, &object->repeats);
    p11prof_evidence_example(&total->evidence, object->example_first_id,
                             &(struct p11prof_event){.process_id = process_id,
                                                     .thread_id = object->thread_id,
                                                     .call_id = object->example_last_id});
}

static void describe(struct p11prof_finding *finding, const struct total *total)
{
    char mean[P11PROF_UNIT_TEXT_BYTES];
    finding->evidence = p11prof_finding_text(
        "%" PRId64 " searches found an object whose handle the process had and had worked with: "
        "%" PRId64 " object%s, %" PRId64 " operations.%s",
        finding->count, total->object_count, total->object_count == 1 ? "" : "s", total->use_count,
        p11prof_evidence_objects_note(&total->evidence));
    p11prof_format_ns(mean, (uint64_t)(finding->cost_ns / finding->count));
    p11prof_finding_save(finding, finding->cost_ns,
                         "%" PRId64 " searches x %s; the first one of each object is not among "
                         "them, and is enough",
                         finding->count, mean);
}

static void finish(void *payload, const struct p11prof_advice_run *run,
                   struct p11prof_findings *out)
{
    struct state *state = payload;
    struct total total = {.object_count = 0};
    (void)run;
    count_repeats(state);
    for (size_t i = 0; i < state->objects.count; i++) {
        const struct object *object = p11prof_advice_map_value(&state->objects, i);
        int64_t process_id = p11prof_advice_map_key(&state->objects, i)->process_id;
        if (is_repeated(object) && repeats_much(state, process_id))
            add_object(&total, process_id, object);
    }
    if (total.object_count > 0)
        describe(p11prof_evidence_find(&total.evidence, &p11prof_detect_search_per_operation, out),
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

const struct p11prof_detector p11prof_detect_search_per_operation = {
    .id = "search-per-operation",
    .title = "The same object is searched again before it is used",
    .why = "A search is work for the token, and three round trips where it is remote; the handle "
           "that the first one found stays valid.",
    .state_bytes = sizeof(struct state),
    .take = take,
    .finish = finish,
    .clear = clear,
};
