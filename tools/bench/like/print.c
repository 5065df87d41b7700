/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* A script as TOML: docs/like.md. */
#include "script.h"

#include "p11prof/batch.h"
#include "words.h"

#include <inttypes.h>

static void print_text(FILE *stream, const char *key, const char *text)
{
    fprintf(stream, "%s = \"", key);
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte == '"' || byte == '\\')
            fprintf(stream, "\\%c", byte);
        else if (byte < ' ' || byte == 0x7f)
            fprintf(stream, "\\u%04X", byte);
        else
            fputc(byte, stream);
    }
    fputs("\"\n", stream);
}

static void print_time(FILE *stream, const char *before, uint64_t ns, const char *after)
{
    char time[LIKE_TIME_BYTES];
    like_time(time, ns);
    fprintf(stream, "%s\"%s\"%s", before, time, after);
}

/* Members of a table in a line; what is unknown is left out. */
static void print_word(FILE *stream, const char *key, const struct like_words *words, int64_t value)
{
    char buffer[LIKE_WORD_BYTES];
    if (value != LIKE_UNKNOWN)
        fprintf(stream, ", %s = \"%s\"", key, like_word(words, value, buffer));
}

static void print_number(FILE *stream, const char *key, int64_t value, int64_t none)
{
    if (value != none)
        fprintf(stream, ", %s = %" PRId64, key, value);
}

/* --- objects --- */

static void print_uses(FILE *stream, uint32_t uses)
{
    const char *before = ", uses = [";
    char buffer[LIKE_WORD_BYTES];
    for (unsigned i = 0; i < like_operations.count; i++)
        if ((uses & UINT32_C(1) << i) && like_operations.names[i]) {
            fprintf(stream, "%s\"%s\"", before, like_word(&like_operations, i, buffer));
            before = ", ";
        }
    if (before[2] == '\0')
        fputc(']', stream);
}

static void print_object(FILE *stream, const struct like_object *object)
{
    fprintf(stream, "  { number = %u", object->number);
    print_word(stream, "class", &like_classes, object->class);
    print_word(stream, "key_type", &like_key_types, object->key_type);
    print_number(stream, "key_bits", object->key_bits, LIKE_UNKNOWN);
    print_number(stream, "pair", object->pair, 0);
    print_uses(stream, object->uses);
    fputs(object->made ? ", made = true },\n" : " },\n", stream);
}

/* --- calls --- */

static void print_made(FILE *stream, const uint32_t made[2])
{
    if (made[0] && made[1])
        fprintf(stream, ", made = [%u, %u]", made[0], made[1]);
    else
        print_number(stream, "made", made[0], 0);
}

static void print_call(FILE *stream, const struct like_call *call)
{
    char buffer[LIKE_WORD_BYTES];
    fprintf(stream, "call = \"%s\"", like_word(&like_functions, call->function, buffer));
    if (call->kind != P11PROF_KIND_CALL)
        print_word(stream, "kind", &like_kinds, call->kind);
    print_number(stream, "session", call->session, 0);
    print_word(stream, "mechanism", &like_mechanisms, call->mechanism);
    print_number(stream, "object", call->object, 0);
    print_made(stream, call->made);
    print_number(stream, "in", call->in_bytes, LIKE_UNKNOWN);
    print_number(stream, "out", call->out_bytes, LIKE_UNKNOWN);
    print_number(stream, "items", call->item_count, LIKE_UNKNOWN);
    print_word(stream, "user", &like_users, call->user);
    print_number(stream, "flags", call->flags, LIKE_UNKNOWN);
    if (call->rv != CKR_OK)
        fprintf(stream, ", rv = \"%s\"", like_word(&like_results, (int64_t)call->rv, buffer));
    if (call->think_ns > 0)
        print_time(stream, ", think = ", call->think_ns, "");
    print_number(stream, "join", (int64_t)call->join_thread, 0);
    if (call->join_gap_ns > 0)
        print_time(stream, ", join_gap = ", call->join_gap_ns, "");
    if (call->join_thread > 0)
        print_number(stream, "join_count", (int64_t)call->join_count, 1);
}

static void print_nodes(FILE *stream, const struct like_node *nodes, size_t count, int indent)
{
    for (size_t i = 0; i < count; i++) {
        fprintf(stream, "%*s{ ", indent, "");
        if (nodes[i].times > 1)
            fprintf(stream, "repeat = %" PRIu64 ", ", nodes[i].times);
        if (nodes[i].count == 0) {
            print_call(stream, &nodes[i].call);
            fputs(" },\n", stream);
            continue;
        }
        fputs("calls = [\n", stream);
        print_nodes(stream, nodes[i].nodes, nodes[i].count, indent + 2);
        fprintf(stream, "%*s] },\n", indent, "");
    }
}

/* --- all of it --- */

static size_t threads_of(const struct like_script *script)
{
    size_t count = 0;
    for (size_t i = 0; i < script->process_count; i++)
        count += script->processes[i].thread_count;
    return count;
}

static void print_head(FILE *stream, const struct like_script *script)
{
    fprintf(
        stream,
        "# A load shaped like a recorded application. It plays with fresh keys and random data:\n"
        "#   p11prof bench --module FILE --token-label T --pin-source env:PIN --suite THIS-FILE\n"
        "# Calls: %" PRIu64 ", in lines: %zu; threads: %zu, processes: %zu.\n"
        "# What stands here, and what may be changed, is in docs/like.md.\n",
        script->call_count, like_script_nodes(script), threads_of(script), script->process_count);
    fputs("script = 1\n", stream);
    print_text(stream, "name", script->name);
    print_text(stream, "run", script->uuid);
    print_text(stream, "origin", script->origin);
    if (script->duration_ns > 0)
        print_time(stream, "duration = ", script->duration_ns, " # that it took\n");
    if (script->untimed)
        fputs("untimed = true # think times are not known\n", stream);
    if (script->missing_count > 0)
        fprintf(stream, "missing = %" PRIu64 " # calls that were not kept\n",
                script->missing_count);
    const char *before = "left_out = { ";
    for (int i = 0; i < LIKE_REASONS; i++)
        if (script->left_out[i] > 0) {
            fprintf(stream, "%s%s = %" PRIu64, before, like_reasons.names[i], script->left_out[i]);
            before = ", ";
        }
    fputs(before[0] == ',' ? " } # calls that are not played\n" : "", stream);
}

/* When a process or a thread begins. */
static void print_start(FILE *stream, uint64_t start_ns, const struct like_anchor *anchor,
                        bool of_process)
{
    print_time(stream, "start = ", start_ns, "\n");
    if (anchor->process == 0)
        return;
    fputs("after = { ", stream);
    if (of_process)
        fprintf(stream, "process = %u, ", anchor->process);
    fprintf(stream, "thread = %u, calls = %" PRIu64, anchor->thread, anchor->call_count);
    print_time(stream, ", gap = ", anchor->gap_ns, " }\n");
}

void like_script_print(const struct like_script *script, FILE *stream)
{
    print_head(stream, script);
    if (script->object_count > 0)
        fputs("\nobjects = [\n", stream);
    for (size_t i = 0; i < script->object_count; i++)
        print_object(stream, &script->objects[i]);
    fputs(script->object_count > 0 ? "]\n" : "", stream);
    for (size_t i = 0; i < script->process_count; i++) {
        const struct like_process *process = &script->processes[i];
        fputs("\n[[processes]]\n", stream);
        print_start(stream, process->start_ns, &process->anchor, true);
        for (size_t j = 0; j < process->thread_count; j++) {
            const struct like_thread *thread = &process->threads[j];
            fputs("\n[[processes.threads]]\n", stream);
            print_start(stream, thread->start_ns, &thread->anchor, false);
            fputs("calls = [\n", stream);
            print_nodes(stream, thread->nodes, thread->count, 2);
            fputs("]\n", stream);
        }
    }
}
