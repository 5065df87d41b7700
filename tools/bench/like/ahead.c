/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What an operation will be given, seen from the call that begins it. */
#include "stage.h"

#include "p11prof/batch.h"

#include <string.h>

enum { AHEAD_MOST = 4096, PARTS_MOST = 1 << 20, POINT_MOST = 256 };

static bool is_unlike(const struct like_call *call, const struct like_call *other)
{
    return other->session != call->session ||
           p11prof_calls[other->function].operation != p11prof_calls[call->function].operation;
}

static void part_add(struct like_ahead *ahead, const struct like_call *call)
{
    uint64_t bytes = call->in_bytes > 0 ? (uint64_t)call->in_bytes : 0;
    if (call->out_bytes > 0)
        ahead->out_bytes += (uint64_t)call->out_bytes;
    if (p11prof_calls[call->function].role == P11PROF_ROLE_FINAL)
        return;
    ahead->total_bytes += bytes;
    if (ahead->part_count > 0 && ahead->parts[ahead->part_count - 1].bytes == bytes)
        ahead->parts[ahead->part_count - 1].count++;
    else if (ahead->part_count < LIKE_PARTS_MOST)
        ahead->parts[ahead->part_count++] = (struct like_part){bytes, 1};
    else
        ahead->too_many = true;
}

void like_look_ahead(const struct like_walk *walk, const struct like_call *call,
                     struct like_ahead *ahead)
{
    struct like_walk ahead_walk = *walk;
    const struct like_call *next;
    unsigned unlike_count = 0;
    *ahead = (struct like_ahead){.part_count = 0};
    while (unlike_count < AHEAD_MOST && ahead->walked_count < PARTS_MOST &&
           (next = like_walk_next(&ahead_walk))) {
        unsigned role = p11prof_calls[next->function].role;
        ahead->walked_count++;
        if (is_unlike(call, next)) {
            unlike_count++;
            continue;
        }
        if (role == P11PROF_ROLE_INIT)
            return;
        if (next->kind != P11PROF_KIND_CALL)
            continue;
        part_add(ahead, next);
        if (role == P11PROF_ROLE_ONE || role == P11PROF_ROLE_FINAL)
            return;
    }
}

static bool input_ahead(const struct like_walk *walk, const struct like_call *call,
                        struct like_input *input, struct like_ahead *ahead)
{
    like_look_ahead(walk, call, ahead);
    if (ahead->total_bytes > LIKE_DATA_MOST)
        return false;
    if (input->operation == P11PROF_OPERATION_VERIFY) {
        memcpy(input->parts, ahead->parts, sizeof input->parts);
        input->part_count = ahead->part_count;
        input->capacity = LIKE_SIGNATURE_MOST;
        return !ahead->too_many;
    }
    input->parts[0] = (struct like_part){ahead->total_bytes, 1};
    input->part_count = 1;
    input->out_bytes = ahead->out_bytes;
    input->capacity = (uint32_t)ahead->total_bytes;
    return ahead->total_bytes > 0;
}

bool like_input_of(const struct like_walk *walk, const struct like_call *call,
                   struct like_input *input, struct like_ahead *ahead)
{
    const struct p11prof_call *facts = &p11prof_calls[call->function];
    *ahead = (struct like_ahead){.part_count = 0};
    *input = (struct like_input){
        .object = call->object, .operation = facts->operation, .mechanism = call->mechanism};
    if (call->object == 0 || call->mechanism == LIKE_UNKNOWN)
        return false;
    switch (facts->operation) {
    case P11PROF_OPERATION_VERIFY:
    case P11PROF_OPERATION_DECRYPT:
        return facts->role == P11PROF_ROLE_INIT && input_ahead(walk, call, input, ahead);
    case P11PROF_OPERATION_UNWRAP:
        input->capacity = call->in_bytes > 0 ? (uint32_t)call->in_bytes : 0;
        input->parts[0] = (struct like_part){input->capacity, 1};
        input->part_count = 1;
        return input->capacity > 0;
    case P11PROF_OPERATION_DERIVE:
        input->capacity = POINT_MOST;
        return like_mechanism_is_ecdh(call->mechanism);
    default:
        return false;
    }
}

static bool inputs_equal(const struct like_input *one, const struct like_input *other)
{
    return one->object == other->object && one->operation == other->operation &&
           one->mechanism == other->mechanism && one->part_count == other->part_count &&
           memcmp(one->parts, other->parts, sizeof one->parts) == 0;
}

struct like_input *like_input_find(struct like_input *inputs, size_t count,
                                   const struct like_input *wanted)
{
    for (size_t i = 0; i < count; i++)
        if (inputs_equal(&inputs[i], wanted))
            return &inputs[i];
    return NULL;
}
