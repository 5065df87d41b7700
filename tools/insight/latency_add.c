/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What one call adds. */
#include "latency_gather.h"
#include "report/allocate.h"

/* A call, and what it is part of; SIZE_MAX: of nothing that is kept. */
struct adding {
    struct p11prof_latency_gather *gather;
    const struct p11prof_event *event;
    size_t shape, group;
    int64_t session;            /* P11PROF_FACTOR_SESSION */
    bool first[P11PROF_SCOPES]; /* of its group */
    bool known[P11PROF_SCOPES]; /* whether that is known */
    int64_t idle_ns;
};

static bool has_data(const struct p11prof_event *event)
{
    return p11prof_calls[event->function].operation != P11PROF_OPERATION_FIND;
}

static int64_t bytes_of(const struct p11prof_event *event)
{
    if (!has_data(event))
        return P11PROF_EVENT_UNKNOWN;
    return event->in_bytes != P11PROF_EVENT_UNKNOWN ? event->in_bytes : event->out_bytes;
}

static int64_t in_process(const struct p11prof_event *event, int64_t number)
{
    return number == P11PROF_EVENT_UNKNOWN ? number : event->process_id << 32 | number;
}

static int64_t place_of(const struct adding *adding)
{
    int64_t code = in_process(adding->event, adding->event->caller);
    const struct p11prof_latency_caller *caller =
        p11prof_latency_callers_find(adding->gather->callers, code);
    return caller ? caller->place : code;
}

static void find_shape(struct adding *adding)
{
    struct p11prof_latency_gather *gather = adding->gather;
    const struct p11prof_event *event = adding->event;
    bool added;
    adding->shape = p11prof_latency_map_find(
        &gather->shape_map, (struct p11prof_latency_key){{event->function, event->mechanism}},
        &added);
    if (!added)
        return;
    gather->shapes = p11prof_grow(gather->shapes, &gather->shape_capacity, adding->shape + 1,
                                  sizeof *gather->shapes);
    gather->shapes[adding->shape] =
        (struct p11prof_latency_shape){.function = event->function, .mechanism = event->mechanism};
}

static void find_group(struct adding *adding)
{
    struct p11prof_latency_gather *gather = adding->gather;
    const struct p11prof_event *event = adding->event;
    bool added;
    adding->group = p11prof_latency_map_find(
        &gather->group_map,
        (struct p11prof_latency_key){{(int64_t)adding->shape, event->key_type, event->key_bits}},
        &added);
    if (!added)
        return;
    gather->groups = p11prof_grow(gather->groups, &gather->group_capacity, adding->group + 1,
                                  sizeof *gather->groups);
    gather->groups[adding->group] =
        (struct p11prof_latency_group){.shape = adding->shape,
                                       .key_type = event->key_type,
                                       .key_bits = event->key_bits,
                                       .lead_process = event->process_id};
}

/* A handle that C_OpenSession gives again is another session. */
static void find_session(struct adding *adding)
{
    struct p11prof_latency_gather *gather = adding->gather;
    const struct p11prof_event *event = adding->event;
    bool added;
    adding->session = P11PROF_EVENT_UNKNOWN;
    if (event->session == P11PROF_EVENT_UNKNOWN)
        return;
    size_t number = p11prof_latency_map_find(
        &gather->session_map, (struct p11prof_latency_key){{event->process_id, event->session}},
        &added);
    if (number == SIZE_MAX)
        return;
    if (added) {
        gather->openings = p11prof_grow(gather->openings, &gather->opening_capacity, number + 1,
                                        sizeof *gather->openings);
        gather->openings[number] = 0;
    }
    gather->openings[number] += event->function == P11PROF_C_OpenSession;
    adding->session = (int64_t)number << 24 | (gather->openings[number] & 0xFFFFFF);
}

/* Of its own thread: calls of others that end while it lasts would make long calls look busy. */
static void find_idle(struct adding *adding)
{
    struct p11prof_latency_gather *gather = adding->gather;
    const struct p11prof_event *event = adding->event;
    bool added;
    int64_t end_ns = p11prof_event_end_ns(event);
    size_t number = p11prof_latency_map_find(
        &gather->end_map,
        (struct p11prof_latency_key){{(int64_t)adding->shape, event->process_id, event->thread_id}},
        &added);
    adding->idle_ns = P11PROF_EVENT_UNKNOWN;
    if (number == SIZE_MAX)
        return;
    if (added) {
        gather->ends_ns = p11prof_grow(gather->ends_ns, &gather->end_capacity, number + 1,
                                       sizeof *gather->ends_ns);
        gather->ends_ns[number] = end_ns;
        return;
    }
    adding->idle_ns =
        event->start_ns > gather->ends_ns[number] ? event->start_ns - gather->ends_ns[number] : 0;
    if (end_ns > gather->ends_ns[number])
        gather->ends_ns[number] = end_ns;
}

static struct p11prof_latency_unit *find_unit(struct adding *adding,
                                              enum p11prof_latency_scope scope, int64_t id)
{
    struct p11prof_latency_gather *gather = adding->gather;
    bool added;
    size_t number = p11prof_latency_map_find(
        &gather->unit_map,
        (struct p11prof_latency_key){
            {(int64_t)scope, (int64_t)adding->group, adding->event->process_id, id}},
        &added);
    if (number == SIZE_MAX)
        return NULL;
    if (added) {
        gather->units =
            p11prof_grow(gather->units, &gather->unit_capacity, number + 1, sizeof *gather->units);
        gather->units[number] =
            (struct p11prof_latency_unit){.scope = scope, .group = adding->group};
    }
    return &gather->units[number];
}

static void add_to_unit(struct p11prof_latency_unit *unit, uint64_t duration_ns, uint64_t *seed)
{
    if (unit->count < P11PROF_LATENCY_EARLY_MOST)
        unit->early_ns[unit->count] = duration_ns;
    if (unit->count++ == 0)
        return;
    size_t place = p11prof_latency_reservoir(seed, unit->count - 1, P11PROF_LATENCY_REST_MOST);
    if (place < P11PROF_LATENCY_REST_MOST)
        unit->rest_ns[place] = duration_ns;
}

static void add_to_units(struct adding *adding)
{
    const int64_t ids[P11PROF_SCOPES] = {
        [P11PROF_SCOPE_KEY] = adding->event->key_id, [P11PROF_SCOPE_SESSION] = adding->session};
    bool within = false;
    for (unsigned i = 0; i < P11PROF_SCOPES; i++) {
        if (ids[i] == P11PROF_EVENT_UNKNOWN)
            continue;
        struct p11prof_latency_unit *unit =
            find_unit(adding, (enum p11prof_latency_scope)i, ids[i]);
        if (!unit)
            continue;
        adding->known[i] = true;
        adding->first[i] = unit->count == 0;
        unit->within |= adding->first[i] && within;
        within |= adding->first[i];
        add_to_unit(unit, (uint64_t)adding->event->duration_ns, &adding->gather->seed);
    }
}

static void add_to_group(struct adding *adding)
{
    struct p11prof_latency_group *group = &adding->gather->groups[adding->group];
    uint64_t duration_ns = (uint64_t)adding->event->duration_ns;
    group->count++;
    group->total_ns += duration_ns;
    if (!adding->first[P11PROF_SCOPE_PROCESS])
        p11prof_buckets_add(&group->buckets, duration_ns, 1);
    if (adding->event->process_id != group->lead_process ||
        group->lead_count == P11PROF_LATENCY_LEAD_MOST)
        return;
    group->lead_ns = p11prof_grow(group->lead_ns, &group->lead_capacity, group->lead_count + 1,
                                  sizeof *group->lead_ns);
    group->lead_ns[group->lead_count++] = duration_ns;
}

/* Its six highest bits: 3 % or less. */
static int64_t about(int64_t bytes)
{
    int shift = bytes < 64 ? 0 : 63 - __builtin_clzll((unsigned long long)bytes) - 5;
    return bytes >> shift << shift;
}

static void add_to_size(struct adding *adding)
{
    struct p11prof_latency_gather *gather = adding->gather;
    int64_t bytes = bytes_of(adding->event);
    bool added;
    if (bytes < 0 || p11prof_calls[adding->event->function].operation == P11PROF_OPERATION_NONE)
        return;
    size_t number = p11prof_latency_map_find(
        &gather->size_map, (struct p11prof_latency_key){{(int64_t)adding->group, about(bytes)}},
        &added);
    if (number == SIZE_MAX)
        return;
    if (added) {
        gather->sizes =
            p11prof_grow(gather->sizes, &gather->size_capacity, number + 1, sizeof *gather->sizes);
        gather->sizes[number] = (struct p11prof_latency_size){
            .group = adding->group,
            .sample_ns = p11prof_zalloc(P11PROF_LATENCY_SIZE_SAMPLE_MOST, sizeof(uint64_t))};
    }
    struct p11prof_latency_size *size = &gather->sizes[number];
    size->count++;
    size->bytes += (double)bytes;
    size_t place =
        p11prof_latency_reservoir(&gather->seed, size->count, P11PROF_LATENCY_SIZE_SAMPLE_MOST);
    if (place < P11PROF_LATENCY_SIZE_SAMPLE_MOST)
        size->sample_ns[place] = (uint64_t)adding->event->duration_ns;
}

static int64_t is_first(const struct adding *adding, enum p11prof_latency_scope scope)
{
    return adding->known[scope] ? adding->first[scope] : P11PROF_EVENT_UNKNOWN;
}

static void fill(struct p11prof_latency_sample *sample, const struct adding *adding)
{
    const struct p11prof_event *event = adding->event;
    *sample = (struct p11prof_latency_sample){
        .duration_ns = (uint64_t)event->duration_ns,
        .values = {
            [P11PROF_FACTOR_RV] = event->rv,
            [P11PROF_FACTOR_KEY_KIND] =
                event->key_type == P11PROF_EVENT_UNKNOWN ? event->key_type : (int64_t)adding->group,
            [P11PROF_FACTOR_BYTES] = bytes_of(event),
            [P11PROF_FACTOR_ITEMS] = event->item_count,
            [P11PROF_FACTOR_KEY] = in_process(event, event->key_id),
            [P11PROF_FACTOR_FIRST_PROCESS] = is_first(adding, P11PROF_SCOPE_PROCESS),
            [P11PROF_FACTOR_FIRST_KEY] = is_first(adding, P11PROF_SCOPE_KEY),
            [P11PROF_FACTOR_FIRST_SESSION] = is_first(adding, P11PROF_SCOPE_SESSION),
            [P11PROF_FACTOR_IDLE] = adding->idle_ns,
            [P11PROF_FACTOR_LEVEL] = p11prof_latency_level(adding->gather, event),
            [P11PROF_FACTOR_SLOT] = event->slot_id,
            [P11PROF_FACTOR_CALLER] = place_of(adding),
            [P11PROF_FACTOR_PROCESS] = event->process_id,
            [P11PROF_FACTOR_THREAD] = event->thread_id ? event->thread_id : P11PROF_EVENT_UNKNOWN,
            [P11PROF_FACTOR_SESSION] = adding->session,
            [P11PROF_FACTOR_TIME] = event->start_ns,
        }};
}

static void add_to_shape(struct adding *adding)
{
    struct p11prof_latency_shape *shape = &adding->gather->shapes[adding->shape];
    shape->count++;
    shape->total_ns += (uint64_t)adding->event->duration_ns;
    p11prof_buckets_add(&shape->buckets, (uint64_t)adding->event->duration_ns, 1);
    if (shape->moment_count < P11PROF_LATENCY_SAMPLE_MOST) {
        shape->moments = p11prof_grow(shape->moments, &shape->moment_capacity,
                                      shape->moment_count + 1, sizeof *shape->moments);
        shape->moments[shape->moment_count++] = (struct p11prof_latency_moment){
            adding->event->start_ns, (uint64_t)adding->event->duration_ns};
    }
    size_t place =
        p11prof_latency_reservoir(&adding->gather->seed, shape->count, P11PROF_LATENCY_SAMPLE_MOST);
    if (place >= P11PROF_LATENCY_SAMPLE_MOST)
        return;
    if (place == shape->sample_count)
        shape->samples = p11prof_grow(shape->samples, &shape->sample_capacity,
                                      ++shape->sample_count, sizeof *shape->samples);
    fill(&shape->samples[place], adding);
}

void p11prof_latency_add(struct p11prof_latency_gather *gather, const struct p11prof_event *event)
{
    struct adding adding = {.gather = gather, .event = event};
    gather->total_ns += (uint64_t)event->duration_ns;
    if (gather->first_process == 0)
        gather->first_process = event->process_id;
    gather->several_processes |= event->process_id != gather->first_process;
    find_session(&adding);
    find_shape(&adding);
    if (adding.shape == SIZE_MAX)
        return;
    find_group(&adding);
    if (adding.group == SIZE_MAX)
        return;
    find_idle(&adding);
    if (!p11prof_event_failed(event)) {
        add_to_units(&adding);
        add_to_group(&adding);
        add_to_size(&adding);
    }
    add_to_shape(&adding);
}
