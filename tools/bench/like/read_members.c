/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "read.h"

#include "words.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* Which member a key is; the count: none. */
static size_t key_find(const char *const *keys, size_t count, const char *key)
{
    size_t i = 0;
    while (i < count && strcmp(keys[i], key) != 0)
        i++;
    return i;
}

static bool take_count(const struct like_reading *reading, const struct suite_member *member,
                       int64_t most, uint64_t *out)
{
    int64_t number = 0;
    if (!like_take_number(reading, member, 0, most, &number))
        return false;
    *out = (uint64_t)number;
    return true;
}

static bool take_truth(const struct like_reading *reading, const struct suite_member *member,
                       bool *out)
{
    *out = member->number == 1;
    return member->type == SUITE_TRUTH ||
           like_refuse(reading, member->place, "%.60s wants true or false", member->key);
}

static bool take_version(struct like_reading *reading, const struct suite_member *member)
{
    reading->versioned = true;
    return (member->type == SUITE_NUMBER && member->number == 1) ||
           like_refuse(reading, member->place, "script wants 1: this p11prof knows no other");
}

bool like_read_root(struct like_reading *reading, const struct suite_member *member)
{
    static const char *const keys[] = {"script",  "name",    "run",      "origin",  "duration",
                                       "untimed", "missing", "left_out", "objects", "processes"};
    struct like_script *script = reading->script;
    switch (key_find(keys, COUNT(keys), member->key)) {
    case 0:
        return take_version(reading, member);
    case 1:
        return like_take_text(reading, member, script->name, sizeof script->name);
    case 2:
        return like_take_text(reading, member, script->uuid, sizeof script->uuid);
    case 3:
        return like_take_text(reading, member, script->origin, sizeof script->origin);
    case 4:
        return like_take_time(reading, member, &script->duration_ns);
    case 5:
        return take_truth(reading, member, &script->untimed);
    case 6:
        return take_count(reading, member, INT64_MAX, &script->missing_count);
    case COUNT(keys):
        return like_refuse_key(reading, member, "a script", keys, COUNT(keys));
    default:
        return like_refuse(reading, member->place, "%.60s wants a table or a list", member->key);
    }
}

static bool take_object(const struct like_reading *reading, const struct suite_member *member,
                        uint32_t *out)
{
    int64_t number = 0;
    if (!like_take_number(reading, member, 1, LIKE_OBJECTS_MOST, &number))
        return false;
    *out = (uint32_t)number;
    return true;
}

bool like_read_object(struct like_reading *reading, struct like_object *object,
                      const struct suite_member *member)
{
    static const char *const keys[] = {"number", "class", "key_type", "key_bits",
                                       "pair",   "made",  "uses"};
    uint32_t number = 0;
    switch (key_find(keys, COUNT(keys), member->key)) {
    case 0:
        if (!take_object(reading, member, &number))
            return false;
        return number == object->number ||
               like_refuse(reading, member->place, "this is object number %u", object->number);
    case 1:
        return like_take_word(reading, member, &like_classes, &object->class);
    case 2:
        return like_take_word(reading, member, &like_key_types, &object->key_type);
    case 3:
        return like_take_number(reading, member, 0, UINT32_MAX, &object->key_bits);
    case 4:
        return take_object(reading, member, &object->pair);
    case 5:
        return take_truth(reading, member, &object->made);
    case 6:
        return like_refuse(reading, member->place, "uses wants a list");
    default:
        return like_refuse_key(reading, member, "an object", keys, COUNT(keys));
    }
}

/* An object that there is. */
static bool take_known(const struct like_reading *reading, const struct suite_member *member,
                       bool made, uint32_t *out)
{
    if (!take_object(reading, member, out))
        return false;
    if (*out > reading->script->object_count)
        return like_refuse(reading, member->place, "there is no object %u", *out);
    return !made || reading->script->objects[*out - 1].made ||
           like_refuse(reading, member->place, "object %u has no 'made = true'", *out);
}

static bool take_function(struct like_reading *reading, struct like_frame *frame,
                          const struct suite_member *member)
{
    int64_t function = 0;
    if (!like_take_word(reading, member, &like_functions, &function))
        return false;
    frame->said = true;
    frame->node.call.function = (unsigned)function;
    return true;
}

/* What is a part of the call itself. */
static bool read_amount(struct like_reading *reading, struct like_call *call, size_t key,
                        const struct suite_member *member)
{
    switch (key) {
    case 7:
        return like_take_size(reading, member, &call->in_bytes);
    case 8:
        return like_take_size(reading, member, &call->out_bytes);
    case 9:
        return like_take_number(reading, member, 0, INT64_MAX, &call->item_count);
    case 10:
        return like_take_word(reading, member, &like_users, &call->user);
    case 11:
        return like_take_number(reading, member, 0, INT64_MAX, &call->flags);
    case 12:
        return like_take_time(reading, member, &call->think_ns);
    default:
        return like_take_time(reading, member, &call->join_gap_ns);
    }
}

static bool take_join(struct like_reading *reading, struct like_call *call,
                      const struct suite_member *member)
{
    int64_t number = 0;
    if (!like_take_number(reading, member, 1, LIKE_THREADS_MOST, &number))
        return false;
    const struct like_script *script = reading->script;
    if ((size_t)number == script->processes[script->process_count - 1].thread_count)
        return like_refuse(reading, member->place, "a thread cannot wait for its own end");
    call->join_thread = (uint64_t)number;
    call->join_count = call->join_count ? call->join_count : 1;
    if (call->join_thread > reading->join_most) {
        reading->join_most = call->join_thread;
        reading->join_place = member->place;
    }
    return true;
}

bool like_read_call(struct like_reading *reading, struct like_frame *frame,
                    const struct suite_member *member)
{
    static const char *const keys[] = {"call",   "repeat",   "kind",      "session", "mechanism",
                                       "object", "made",     "in",        "out",     "items",
                                       "user",   "flags",    "think",     "rv",      "calls",
                                       "join",   "join_gap", "join_count"};
    struct like_call *call = &frame->node.call;
    int64_t number = 0;
    bool taken = true;
    size_t key = key_find(keys, COUNT(keys), member->key);
    switch (key) {
    case 0:
        return take_function(reading, frame, member);
    case 1:
        taken = like_take_number(reading, member, 1, (int64_t)LIKE_CALLS_MOST, &number);
        frame->node.times = (uint64_t)number;
        return taken;
    case 2:
        taken = like_take_word(reading, member, &like_kinds, &number);
        call->kind = (unsigned)number;
        return taken;
    case 3:
        taken = like_take_number(reading, member, 1, LIKE_PLACES_MOST, &number);
        call->session = (uint32_t)number;
        return taken;
    case 4:
        return like_take_word(reading, member, &like_mechanisms, &call->mechanism);
    case 5:
        return take_known(reading, member, false, &call->object);
    case 6:
        return take_known(reading, member, true, &call->made[0]);
    case 13:
        taken = like_take_word(reading, member, &like_results, &number);
        call->rv = (CK_RV)number;
        return taken;
    case 14:
        return like_refuse(reading, member->place, "calls wants a list");
    case 15:
        return take_join(reading, call, member);
    case 17:
        taken = like_take_number(reading, member, 1, LIKE_THREADS_MOST, &number);
        call->join_count = (uint64_t)number;
        return taken;
    case COUNT(keys):
        return like_refuse_key(reading, member, "a call", keys, COUNT(keys));
    default:
        return read_amount(reading, call, key, member);
    }
}
