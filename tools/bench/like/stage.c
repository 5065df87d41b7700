/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "stage.h"

#include "../../report/allocate.h"
#include "../child.h"
#include "../draw.h"
#include "p11prof/batch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXTRA_BYTES = 32768 };
#define WALKS_MOST UINT64_C(20000000)

/* --- what all calls need --- */

/* While the script is gone through. */
struct survey {
    struct like_stage *stage;
    uint32_t *made_session; /* of each object: where it was made, + 1; 0: nowhere yet */
    int64_t *mechanisms;    /* of each object: the first that it is used with */
    uint64_t walked_count;
    struct p11prof_error *error;
};

static bool input_add(struct like_stage *stage, const struct like_input *input, uint64_t *seed)
{
    if (like_input_find(stage->inputs, stage->input_count, input))
        return true;
    if (stage->input_count == LIKE_INPUTS_MOST)
        return false;
    struct like_input *added = &stage->inputs[stage->input_count++];
    *added = *input;
    added->offset = stage->value_bytes;
    stage->value_bytes += input->capacity;
    for (unsigned i = 0; i < LIKE_IV_BYTES; i++)
        added->iv[i] = (CK_BYTE)(draw_next(seed) >> 32);
    return true;
}

static enum p11prof_status call_check(const struct like_call *call, struct p11prof_error *error)
{
    const char *name = p11prof_calls[call->function <= P11PROF_CALLS ? call->function : 0].name;
    if (call->function == 0 || call->function > P11PROF_CALLS)
        return p11prof_error_set(error, P11PROF_BAD_INPUT,
                                 "the script calls a function that PKCS#11 3.2 does not have (%u)",
                                 call->function);
    if (call->in_bytes > LIKE_DATA_MOST || call->out_bytes > LIKE_DATA_MOST ||
        call->item_count > 1 << 20)
        return p11prof_error_set(error, P11PROF_BAD_INPUT,
                                 "the script gives %s more than can be played: 1 GiB of data, "
                                 "1 048 576 items",
                                 name);
    if (!like_mechanism_is_known(call->mechanism) && call->function != P11PROF_C_GetMechanismInfo)
        return p11prof_error_set(error, P11PROF_BAD_INPUT,
                                 "%s with the mechanism 0x%08llX cannot be played: it is a "
                                 "vendor's own, and what parameters it takes is not known; take "
                                 "its calls out of a script (--suite-from)",
                                 name, (unsigned long long)call->mechanism);
    return P11PROF_OK;
}

static void object_use(struct survey *survey, const struct like_call *call, uint32_t number)
{
    if (number == 0 || number > survey->stage->script->object_count)
        return;
    struct like_wish *wish = &survey->stage->wishes[number - 1];
    uint32_t made = survey->made_session[number - 1];
    wish->wide = wish->wide || (made > 0 && made != call->session + 1);
    if (survey->mechanisms[number - 1] == LIKE_UNKNOWN)
        survey->mechanisms[number - 1] = call->mechanism;
}

static void sizes_take(struct like_stage *stage, const struct like_call *call)
{
    if (call->in_bytes > (int64_t)stage->data_bytes)
        stage->data_bytes = (size_t)call->in_bytes;
    if (call->out_bytes > (int64_t)stage->out_bytes)
        stage->out_bytes = (size_t)call->out_bytes;
    if (call->session > stage->sessions_most)
        stage->sessions_most = call->session;
    if (call->function == P11PROF_C_Login || call->function == P11PROF_C_LoginUser)
        stage->logs_in = true;
    if (call->function == P11PROF_C_WrapKey || call->function == P11PROF_C_WrapKeyAuthenticated)
        stage->wrapped_bits = call->out_bytes == 24 ? 128 : 256;
}

/* Every line, however rarely it is played: what is not seen here would not fit later. */
static enum p11prof_status nodes_survey(struct survey *survey, const struct like_node *nodes,
                                        size_t count)
{
    enum p11prof_status status = P11PROF_OK;
    for (size_t i = 0; status == P11PROF_OK && i < count; i++) {
        if (nodes[i].count > 0) {
            status = nodes_survey(survey, nodes[i].nodes, nodes[i].count);
            continue;
        }
        status = call_check(&nodes[i].call, survey->error);
        sizes_take(survey->stage, &nodes[i].call);
    }
    return status;
}

static void call_survey(struct survey *survey, const struct like_walk *walk,
                        const struct like_call *call, uint64_t *seed)
{
    struct like_input input;
    struct like_ahead ahead;
    struct like_stage *stage = survey->stage;
    object_use(survey, call, call->object);
    for (unsigned i = 0; i < 2; i++)
        if (call->made[i] > 0 && call->made[i] <= stage->script->object_count)
            survey->made_session[call->made[i] - 1] = call->session + 1;
    if (call->object == 0 || call->object > stage->script->object_count ||
        stage->script->objects[call->object - 1].made)
        return;
    if (like_input_of(walk, call, &input, &ahead))
        input_add(stage, &input, seed);
    survey->walked_count += ahead.walked_count;
}

/* The rest of a script that goes on for ever is like its begin. */
static void thread_survey(struct survey *survey, const struct like_thread *thread, uint64_t *seed)
{
    struct like_walk walk;
    const struct like_call *call;
    like_walk_start(&walk, thread);
    while (survey->walked_count < WALKS_MOST && (call = like_walk_next(&walk))) {
        survey->walked_count++;
        call_survey(survey, &walk, call, seed);
    }
}

/* --- what objects are --- */

static CK_OBJECT_CLASS class_guess(const struct like_object *object, CK_KEY_TYPE key_type)
{
    const uint32_t public_uses = 1u << P11PROF_OPERATION_VERIFY | 1u << P11PROF_OPERATION_ENCRYPT |
                                 1u << P11PROF_OPERATION_WRAP;
    if (object->class != LIKE_UNKNOWN)
        return (CK_OBJECT_CLASS)object->class;
    switch (key_type) {
    case CK_UNAVAILABLE_INFORMATION:
        return CKO_DATA;
    case CKK_RSA:
    case CKK_EC:
    case CKK_EC_EDWARDS:
        return object->uses & public_uses ? CKO_PUBLIC_KEY : CKO_PRIVATE_KEY;
    default:
        return CKO_SECRET_KEY;
    }
}

static uint32_t usual_bits(CK_KEY_TYPE key_type)
{
    return key_type == CKK_RSA ? 2048 : key_type == CKK_EC_EDWARDS ? 255 : 256;
}

static void wish_complete(struct like_stage *stage, uint32_t index, int64_t mechanism)
{
    const struct like_object *object = &stage->script->objects[index];
    struct like_wish *wish = &stage->wishes[index];
    uint32_t bits = 0, pair = object->pair;
    wish->key_type = object->key_type != LIKE_UNKNOWN ? (CK_KEY_TYPE)object->key_type
                                                      : like_mechanism_usual_key(mechanism, &bits);
    wish->class = class_guess(object, wish->key_type);
    wish->bits = object->key_bits > 0 && object->key_bits <= 1 << 20 ? (uint32_t)object->key_bits
                 : bits                                              ? bits
                                                                     : usual_bits(wish->key_type);
    if (wish->key_type == CKK_EC_EDWARDS)
        wish->bits = 255;
    wish->uses = object->uses;
    wish->owner = object->number;
    if (pair == 0 || pair > stage->script->object_count)
        return;
    wish->uses |= stage->script->objects[pair - 1].uses;
    wish->owner = pair < object->number ? pair : object->number;
}

/* --- memory --- */

static bool shared_make(struct like_stage *stage)
{
    const struct like_script *script = stage->script;
    stage->shared = p11prof_bench_shared_new(sizeof *stage->shared);
    stage->tallies = p11prof_bench_shared_new((script->process_count + 1) * sizeof *stage->tallies);
    stage->handles = p11prof_bench_shared_new((script->object_count + 1) * sizeof *stage->handles);
    stage->inputs = p11prof_bench_shared_new(LIKE_INPUTS_MOST * sizeof *stage->inputs);
    stage->first_marks = p11prof_zalloc(script->process_count, sizeof *stage->first_marks);
    for (size_t i = 0; i < script->process_count; i++) {
        stage->first_marks[i] = stage->thread_count;
        stage->thread_count += script->processes[i].thread_count;
    }
    stage->marks = p11prof_bench_shared_new((stage->thread_count + 1) * sizeof *stage->marks);
    return stage->shared && stage->marks && stage->tallies && stage->handles && stage->inputs;
}

static bool data_make(struct like_stage *stage, uint64_t seed)
{
    stage->data_bytes = (stage->data_bytes + EXTRA_BYTES + 7) / 8 * 8;
    stage->out_bytes += stage->data_bytes + EXTRA_BYTES;
    stage->data = p11prof_bench_shared_new(stage->data_bytes);
    stage->values = p11prof_bench_shared_new(stage->value_bytes + 1);
    for (size_t at = 0; stage->data && at < stage->data_bytes; at += sizeof(uint64_t)) {
        uint64_t drawn = draw_next(&seed);
        memcpy(stage->data + at, &drawn, sizeof drawn);
    }
    return stage->data && stage->values;
}

static enum p11prof_status processes_survey(struct survey *survey, uint64_t *seed)
{
    enum p11prof_status status = P11PROF_OK;
    struct like_stage *stage = survey->stage;
    for (size_t p = 0; status == P11PROF_OK && p < stage->script->process_count; p++) {
        const struct like_process *process = &stage->script->processes[p];
        if (process->thread_count > stage->threads_most)
            stage->threads_most = (unsigned)process->thread_count;
        for (size_t t = 0; status == P11PROF_OK && t < process->thread_count; t++)
            status = nodes_survey(survey, process->threads[t].nodes, process->threads[t].count);
    }
    for (size_t p = 0; status == P11PROF_OK && p < stage->script->process_count; p++)
        for (size_t t = 0; t < stage->script->processes[p].thread_count; t++)
            thread_survey(survey, &stage->script->processes[p].threads[t], seed);
    return status;
}

enum p11prof_status like_stage_open(struct like_stage *stage, const struct like_script *script,
                                    uint64_t seed, const char *label, struct p11prof_error *error)
{
    struct survey survey = {.stage = stage, .error = error};
    enum p11prof_status status;
    *stage = (struct like_stage){.script = script, .threads_most = 1};
    snprintf(stage->label, sizeof stage->label, "%s", label);
    if (script->process_count == 0 || script->process_count > LIKE_PROCESSES_MOST)
        return p11prof_error_set(error, P11PROF_BAD_INPUT,
                                 "%s has %zu processes: 1 to %d can be played", script->name,
                                 script->process_count, LIKE_PROCESSES_MOST);
    stage->wishes = p11prof_zalloc(script->object_count + 1, sizeof *stage->wishes);
    survey.made_session = p11prof_zalloc(script->object_count + 1, sizeof *survey.made_session);
    survey.mechanisms = p11prof_zalloc(script->object_count + 1, sizeof *survey.mechanisms);
    for (size_t i = 0; i < script->object_count; i++)
        survey.mechanisms[i] = LIKE_UNKNOWN;
    status = shared_make(stage) ? processes_survey(&survey, &seed)
                                : p11prof_error_set(error, P11PROF_FAILED, "no memory: %m");
    for (uint32_t i = 0; i < script->object_count; i++)
        wish_complete(stage, i, survey.mechanisms[i]);
    if (status == P11PROF_OK && !data_make(stage, seed))
        status = p11prof_error_set(error, P11PROF_FAILED, "no memory: %m");
    free(survey.made_session);
    free(survey.mechanisms);
    return status;
}

void like_stage_close(struct like_stage *stage)
{
    const struct like_script *script = stage->script;
    if (!script)
        return;
    free(stage->wishes);
    free(stage->first_marks);
    p11prof_bench_shared_free(stage->marks, (stage->thread_count + 1) * sizeof *stage->marks);
    p11prof_bench_shared_free(stage->shared, sizeof *stage->shared);
    p11prof_bench_shared_free(stage->tallies, (script->process_count + 1) * sizeof *stage->tallies);
    p11prof_bench_shared_free(stage->handles, (script->object_count + 1) * sizeof *stage->handles);
    p11prof_bench_shared_free(stage->inputs, LIKE_INPUTS_MOST * sizeof *stage->inputs);
    p11prof_bench_shared_free(stage->data, stage->data_bytes);
    p11prof_bench_shared_free(stage->values, stage->value_bytes + 1);
    *stage = (struct like_stage){.script = NULL};
}

/* --- searches --- */

void like_label(const struct like_stage *stage, uint32_t object, char label[LIKE_LABEL_BYTES])
{
    snprintf(label, LIKE_LABEL_BYTES, "%s-%u", stage->label,
             object ? stage->wishes[object - 1].owner : 0);
}

static uint64_t distance(uint64_t one, uint64_t other)
{
    return one > other ? one - other : other - one;
}

struct like_filter like_filter_choose(const struct like_stage *stage, uint64_t count)
{
    static const CK_OBJECT_CLASS classes[] = {CKO_DATA,       CKO_CERTIFICATE,
                                              CKO_PUBLIC_KEY, CKO_PRIVATE_KEY,
                                              CKO_SECRET_KEY, CK_UNAVAILABLE_INFORMATION};
    struct like_filter best = {.class = CK_UNAVAILABLE_INFORMATION};
    uint64_t least = UINT64_MAX;
    uint32_t first = 0;
    if (count == 0)
        return (struct like_filter){.nothing = true, .class = CK_UNAVAILABLE_INFORMATION};
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
        uint64_t found = 0;
        for (uint32_t object = 1; object <= stage->script->object_count; object++) {
            const struct like_wish *wish = &stage->wishes[object - 1];
            if (stage->script->objects[object - 1].made)
                continue;
            first = first ? first : object;
            found += classes[i] == CK_UNAVAILABLE_INFORMATION || wish->class == classes[i];
        }
        if (distance(found, count) < least) {
            least = distance(found, count);
            best.class = classes[i];
        }
    }
    if (count == 1 && first > 0)
        return (struct like_filter){.object = first, .class = stage->wishes[first - 1].class};
    return best;
}
