/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Reads a script that somebody may have written by hand. */
#include "read.h"

#include "words.h"

#include <stdlib.h>
#include <string.h>

/* --- what begins --- */

/* Which tables and lists may stand in which, by what key; NULL: as an element. */
static const struct inside {
    enum like_frame_kind outer;
    const char *key;
    enum suite_type type;
    enum like_frame_kind inner;
} insides[] = {
    {LIKE_ROOT, "left_out", SUITE_TABLE, LIKE_LEFT_OUT},
    {LIKE_ROOT, "objects", SUITE_LIST, LIKE_OBJECTS},
    {LIKE_OBJECTS, NULL, SUITE_TABLE, LIKE_OBJECT},
    {LIKE_OBJECT, "uses", SUITE_LIST, LIKE_USES},
    {LIKE_ROOT, "processes", SUITE_LIST, LIKE_PROCESSES},
    {LIKE_PROCESSES, NULL, SUITE_TABLE, LIKE_PROCESS},
    {LIKE_PROCESS, "threads", SUITE_LIST, LIKE_THREADS},
    {LIKE_THREADS, NULL, SUITE_TABLE, LIKE_THREAD},
    {LIKE_THREAD, "calls", SUITE_LIST, LIKE_CALLS},
    {LIKE_CALLS, NULL, SUITE_TABLE, LIKE_CALL},
    {LIKE_CALL, "calls", SUITE_LIST, LIKE_CALLS},
    {LIKE_CALL, "made", SUITE_LIST, LIKE_MADE},
    {LIKE_PROCESS, "after", SUITE_TABLE, LIKE_AFTER},
    {LIKE_THREAD, "after", SUITE_TABLE, LIKE_AFTER},
};

static const struct inside *inside_find(const struct like_reading *reading,
                                        const struct suite_member *member)
{
    enum like_frame_kind outer = reading->frames[reading->depth - 1].kind;
    for (size_t i = 0; i < sizeof insides / sizeof insides[0]; i++) {
        const struct inside *inside = &insides[i];
        bool named = inside->key && member->key ? strcmp(inside->key, member->key) == 0
                                                : inside->key == member->key;
        if (inside->outer == outer && named && inside->type == member->type)
            return inside;
    }
    return NULL;
}

static bool on_value(void *payload, const struct suite_member *member);

static bool on_begin(void *payload, const struct suite_member *member)
{
    struct like_reading *reading = payload;
    enum like_frame_kind kind = LIKE_ROOT;
    if (reading->depth > 0) {
        const struct inside *inside = inside_find(reading, member);
        if (!inside)
            return on_value(payload, member);
        kind = inside->inner;
    }
    if (reading->depth == LIKE_FRAMES_MOST)
        return like_refuse(reading, member->place, "this is too deep");
    reading->depth++;
    *like_top(reading) = (struct like_frame){.kind = kind, .place = member->place};
    return like_frame_begin(reading, like_top(reading));
}

/* --- what ends --- */

static bool on_end(void *payload)
{
    struct like_reading *reading = payload;
    bool good = like_frame_end(reading, like_top(reading));
    if (good)
        reading->depth--;
    return good;
}

/* --- values --- */

static bool take_start(struct like_reading *reading, const struct suite_member *member,
                       const char *of, const char *list, uint64_t *out_ns)
{
    const char *const keys[] = {"start", "after", list};
    if (strcmp(member->key, "start") == 0)
        return like_take_time(reading, member, out_ns);
    if (strcmp(member->key, "after") == 0)
        return like_refuse(reading, member->place, "after wants a table");
    return strcmp(member->key, list) == 0
               ? like_refuse(reading, member->place, "%s wants a list of tables", list)
               : like_refuse_key(reading, member, of, keys, 3);
}

static bool take_left_out(struct like_reading *reading, const struct suite_member *member)
{
    int64_t reason = 0, count = 0;
    if (!like_word_read(&like_reasons, member->key, &reason))
        return like_refuse_key(reading, member, "left_out", like_reasons.names, LIKE_REASONS);
    if (!like_take_number(reading, member, 0, (int64_t)LIKE_CALLS_MOST, &count))
        return false;
    reading->script->left_out[reason] = (uint64_t)count;
    reading->script->left_out_count += (uint64_t)count;
    return true;
}

static bool take_use(struct like_reading *reading, const struct suite_member *member)
{
    struct like_script *script = reading->script;
    int64_t operation = 0;
    if (!like_take_word(reading, member, &like_operations, &operation))
        return false;
    script->objects[script->object_count - 1].uses |= UINT32_C(1) << operation;
    return true;
}

static bool take_made(struct like_reading *reading, const struct suite_member *member)
{
    struct like_frame *frame = like_top(reading), *call = frame - 1;
    const struct suite_member named = {"made",         member->type,      member->text,
                                       member->number, member->key_place, member->place};
    struct like_frame one = {.node.times = 1};
    if (frame->made_count == 2)
        return like_refuse(reading, member->place, "made has more than two objects");
    if (!like_read_call(reading, &one, &named))
        return false;
    call->node.call.made[frame->made_count++] = one.node.call.made[0];
    return true;
}

static bool on_value(void *payload, const struct suite_member *member)
{
    struct like_reading *reading = payload;
    struct like_frame *frame = like_top(reading);
    switch (frame->kind) {
    case LIKE_ROOT:
        return like_read_root(reading, member);
    case LIKE_LEFT_OUT:
        return take_left_out(reading, member);
    case LIKE_OBJECT:
        return like_read_object(
            reading, &reading->script->objects[reading->script->object_count - 1], member);
    case LIKE_USES:
        return take_use(reading, member);
    case LIKE_PROCESS:
        return take_start(reading, member, "a process", "threads",
                          &like_last_process(reading)->start_ns);
    case LIKE_THREAD:
        return take_start(reading, member, "a thread", "calls",
                          &like_last_thread(reading)->start_ns);
    case LIKE_AFTER:
        return like_read_after(reading, like_anchor_of(reading, frame),
                               frame[-1].kind == LIKE_PROCESS, member);
    case LIKE_CALL:
        return like_read_call(reading, frame, member);
    case LIKE_MADE:
        return take_made(reading, member);
    default:
        return like_refuse(reading, member->place, "here stand tables only");
    }
}

/* --- all of it --- */

/* What tables that are not complete hold. */
static void frames_clear(struct like_reading *reading)
{
    for (unsigned i = 0; i < reading->depth; i++) {
        struct like_frame *frame = &reading->frames[i];
        like_nodes_free(frame->nodes, frame->count);
        like_nodes_free(frame->node.nodes, frame->node.count);
    }
}

enum p11prof_status like_script_parse(struct like_script *script, const char *text, size_t bytes,
                                      const char *path, struct p11prof_error *error)
{
    static const struct suite_visitor visitor = {"script", on_begin, on_end, on_value};
    struct like_reading reading = {.script = script, .path = path, .error = error};
    *script = (struct like_script){.objects = NULL};
    if (bytes > LIKE_FILE_BYTES_MOST)
        return p11prof_error_set(error, P11PROF_BAD_INPUT, "%.300s is larger than 64 MB", path);
    enum p11prof_status status = suite_toml_visit(text, bytes, path, &visitor, &reading, error);
    if (status != P11PROF_OK) {
        frames_clear(&reading);
        like_script_clear(script);
    }
    return status == P11PROF_CHANGED ? error->status : status;
}

/* Before the first table. */
bool like_script_is(const char *text, size_t bytes)
{
    for (const char *line = text, *end = text + bytes; line < end;) {
        const char *next = memchr(line, '\n', (size_t)(end - line));
        size_t length = (size_t)((next ? next : end) - line);
        size_t at = 0;
        while (at < length && (line[at] == ' ' || line[at] == '\t'))
            at++;
        if (at < length && line[at] == '[')
            return false;
        if (length - at > 6 && memcmp(line + at, "script", 6) == 0 &&
            (line[at + 6] == ' ' || line[at + 6] == '\t' || line[at + 6] == '='))
            return true;
        line += length + 1;
    }
    return false;
}
