/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "../../report/allocate.h"
#include "../draw.h"
#include "inputs.h"
#include "p11prof/batch.h"
#include "player.h"

#include <stdlib.h>
#include <string.h>

enum { AHEAD_MOST = 4096, SIGNATURE_BYTES = 256, VALUE_ROOM = 1024, SLOTS_ROOM = 256 };

static CK_BBOOL yes = CK_TRUE;

/* --- inputs that a key makes --- */

static bool is_made(const struct like_player *player, uint32_t object)
{
    return player->stage->script->objects[object - 1].made;
}

/* Makes one for a key that the script made. */
static void fresh_fill(struct like_actor *actor, struct like_fresh *fresh)
{
    struct like_player *player = actor->player;
    CK_FUNCTION_LIST *module = like_list(&player->raw);
    uint32_t pair = player->stage->script->objects[fresh->input.object - 1].pair;
    struct like_input_place place = {.stage = player->stage, .module = module, .key = fresh->key};
    place.other = pair ? like_object_get(actor, pair) : fresh->key;
    for (unsigned i = 0; i < LIKE_IV_BYTES; i++)
        fresh->input.iv[i] = (CK_BYTE)(draw_next(&actor->seed) >> 32);
    if (module->C_OpenSession(player->stage->shared->slot_id, CKF_SERIAL_SESSION | CKF_RW_SESSION,
                              NULL, NULL, &place.session) != CKR_OK)
        return;
    like_input_make(&fresh->input, fresh->value, &place);
    module->C_CloseSession(place.session);
}

/* An operation of another session may have been given what makes room now. */
static void takings_forget(struct like_actor *actor, const struct like_fresh *fresh)
{
    for (uint32_t i = 0; fresh->value && i < actor->player->stage->sessions_most; i++)
        if (actor->takings[i].value == fresh->value)
            actor->takings[i] = (struct like_taking){.input = NULL};
}

static struct like_fresh *fresh_of(struct like_actor *actor, const struct like_input *wanted)
{
    struct like_fresh *fresh = actor->fresh;
    CK_OBJECT_HANDLE key = like_object_get(actor, wanted->object);
    while (fresh < actor->fresh + actor->fresh_count && !like_input_find(&fresh->input, 1, wanted))
        fresh++;
    if (fresh < actor->fresh + actor->fresh_count && fresh->key == key)
        return fresh;
    if (fresh == actor->fresh + LIKE_FRESH_MOST)
        fresh = actor->fresh;
    else if (fresh == actor->fresh + actor->fresh_count)
        actor->fresh_count++;
    takings_forget(actor, fresh);
    free(fresh->value);
    *fresh = (struct like_fresh){
        .input = *wanted, .key = key, .value = p11prof_zalloc(1, wanted->capacity + 1)};
    fresh_fill(actor, fresh);
    return fresh;
}

/* What the call is given of it; an operation that it opens is given it from here on. */
static struct like_taking input_take(struct like_actor *actor, const struct like_call *call)
{
    const struct like_stage *stage = actor->player->stage;
    struct like_input wanted;
    struct like_taking taking = {.input = NULL};
    struct like_ahead ahead;
    if (!like_input_of(&actor->walk, call, &wanted, &ahead) ||
        call->object > stage->script->object_count)
        return taking;
    if (is_made(actor->player, call->object)) {
        const struct like_fresh *fresh = fresh_of(actor, &wanted);
        taking = (struct like_taking){.input = &fresh->input, .value = fresh->value};
    } else {
        const struct like_input *input =
            like_input_find(stage->inputs, stage->input_count, &wanted);
        if (input)
            taking = (struct like_taking){.input = input, .value = stage->values + input->offset};
    }
    if (taking.input && taking.input->bytes == 0)
        taking.input = NULL;
    return taking;
}

void like_fresh_clear(struct like_actor *actor)
{
    for (unsigned i = 0; i < actor->fresh_count; i++)
        free(actor->fresh[i].value);
}

/* --- mechanism --- */

static void mechanism_set(struct like_actor *actor, const struct like_call *call)
{
    struct like_arguments *a = &actor->arguments;
    const struct p11prof_call *facts = &p11prof_calls[call->function];
    struct like_ahead ahead = {.total_bytes = (uint64_t)(call->in_bytes > 0 ? call->in_bytes : 0)};
    struct like_taking taking = input_take(actor, call);
    CK_BYTE iv[LIKE_IV_BYTES];
    for (unsigned i = 0; i < LIKE_IV_BYTES; i++)
        iv[i] = (CK_BYTE)(draw_next(&actor->seed) >> 32);
    if (facts->role == P11PROF_ROLE_INIT)
        like_look_ahead(&actor->walk, call, &ahead);
    like_mechanism_make(&a->mechanism, call->mechanism == LIKE_UNKNOWN ? 0 : call->mechanism,
                        taking.input ? taking.input->iv : iv, ahead.total_bytes,
                        (CK_BYTE *)(uintptr_t)taking.value, taking.input ? taking.input->bytes : 0);
    if (facts->role == P11PROF_ROLE_INIT && call->session > 0)
        actor->takings[call->session - 1] = taking;
    if (taking.input && facts->operation == P11PROF_OPERATION_UNWRAP) {
        a->in = (CK_BYTE *)(uintptr_t)taking.value;
        a->in_bytes = taking.input->bytes;
    }
    if (taking.input && call->function == P11PROF_C_VerifySignatureInit) {
        a->signature = (CK_BYTE *)(uintptr_t)taking.value;
        a->signature_bytes = taking.input->bytes;
    }
}

/* --- what carries an operation on --- */

static void operation_data_set(struct like_actor *actor, const struct like_call *call)
{
    struct like_arguments *a = &actor->arguments;
    unsigned operation = p11prof_calls[call->function].operation;
    struct like_taking *taking = call->session ? &actor->takings[call->session - 1] : NULL;
    if (!taking || !taking->input || taking->input->operation != operation)
        return;
    if (operation == P11PROF_OPERATION_VERIFY) {
        a->signature = (CK_BYTE *)(uintptr_t)taking->value;
        a->signature_bytes = taking->input->bytes;
    } else if (taking->used + a->in_bytes <= taking->input->bytes) {
        a->in = (CK_BYTE *)(uintptr_t)taking->value + taking->used;
        if (call->kind == P11PROF_KIND_CALL)
            taking->used += a->in_bytes;
    }
}

static void out_set(struct like_actor *actor, const struct like_call *call)
{
    struct like_arguments *a = &actor->arguments;
    a->out = call->kind == P11PROF_KIND_SIZE_QUERY ? NULL : actor->out;
    a->out_bytes = call->kind == P11PROF_KIND_SIZE_QUERY  ? 0
                   : call->kind == P11PROF_KIND_TOO_SMALL ? 1
                                                          : actor->out_bytes;
    a->count = call->kind == P11PROF_KIND_CALL ? SLOTS_ROOM : 0;
    if (call->function == P11PROF_C_GetMechanismList && call->kind == P11PROF_KIND_CALL)
        a->count = actor->out_bytes / sizeof(CK_MECHANISM_TYPE);
    if (call->function == P11PROF_C_GenerateRandom)
        a->out_bytes = call->out_bytes > 0 ? (CK_ULONG)call->out_bytes : 0;
    if (call->function == P11PROF_C_FindObjects)
        a->count = call->item_count > 0 ? (CK_ULONG)call->item_count : 1;
    if (call->function == P11PROF_C_FindObjects && call->flags > 0 && call->flags < 1 << 20)
        a->count = (CK_ULONG)call->flags;
    if (a->count > actor->out_bytes / sizeof(CK_ULONG))
        a->count = actor->out_bytes / sizeof(CK_ULONG);
}

/* --- templates --- */

static void attribute_add(struct like_arguments *a, CK_ATTRIBUTE_TYPE type, void *value,
                          CK_ULONG bytes)
{
    if (a->attribute_count < LIKE_ATTRIBUTES_MOST)
        a->attributes[a->attribute_count++] = (CK_ATTRIBUTE){type, value, bytes};
}

static uint64_t found_ahead(const struct like_walk *walk, const struct like_call *call)
{
    struct like_walk ahead = *walk;
    const struct like_call *next;
    uint64_t count = 0;
    for (unsigned i = 0; i < AHEAD_MOST && (next = like_walk_next(&ahead)); i++) {
        if (next->session != call->session)
            continue;
        if (next->function != P11PROF_C_FindObjects)
            break;
        count += next->item_count > 0 ? (uint64_t)next->item_count : 0;
    }
    return count;
}

/* A template that finds about as many as were found. */
static void search_set(struct like_actor *actor, const struct like_call *call)
{
    struct like_arguments *a = &actor->arguments;
    struct like_template *t = &a->template;
    struct like_filter filter =
        like_filter_choose(actor->player->stage, found_ahead(&actor->walk, call));
    uint64_t wanted = call->item_count >= 0 ? (uint64_t)call->item_count : 2;
    t->class = filter.class;
    like_label(actor->player->stage, filter.object, t->label);
    if (filter.nothing)
        t->label[0] = 'P';
    if (filter.object > 0 || filter.nothing)
        attribute_add(a, CKA_LABEL, t->label, strlen(t->label));
    if (filter.class != CK_UNAVAILABLE_INFORMATION && a->attribute_count < wanted)
        attribute_add(a, CKA_CLASS, &t->class, sizeof t->class);
    if (a->attribute_count < wanted)
        attribute_add(a, CKA_TOKEN, &yes, sizeof yes);
}

/* What tells the size of a key. */
static CK_ATTRIBUTE_TYPE size_attribute(const struct like_wish *wish)
{
    if (wish->key_type == CKK_RSA)
        return CKA_MODULUS;
    return wish->class == CKO_SECRET_KEY ? CKA_VALUE_LEN : CKA_EC_PARAMS;
}

/* What applications ask: all of what they want in one call, or one after the other. First what
 * tells of a key as much as the recorded answers told, and no more. */
static CK_ATTRIBUTE_TYPE attribute_type(const struct like_stage *stage, uint32_t object,
                                        uint64_t index)
{
    static const CK_ATTRIBUTE_TYPE of_all[] = {CKA_CLASS, CKA_LABEL, CKA_TOKEN, CKA_PRIVATE,
                                               CKA_MODIFIABLE};
    static const CK_ATTRIBUTE_TYPE of_keys[] = {CKA_CLASS,   CKA_LABEL, CKA_ID,    CKA_TOKEN,
                                                CKA_PRIVATE, CKA_LOCAL, CKA_DERIVE};
    enum { ALL = sizeof of_all / sizeof of_all[0], KEYS = sizeof of_keys / sizeof of_keys[0] };
    const struct like_object *known = object > 0 && object <= stage->script->object_count
                                          ? &stage->script->objects[object - 1]
                                          : NULL;
    if (!known || stage->wishes[object - 1].key_type == CK_UNAVAILABLE_INFORMATION)
        return of_all[index % ALL];
    const uint64_t head = (known->key_type != LIKE_UNKNOWN) + (known->key_bits != LIKE_UNKNOWN);
    index %= head + KEYS;
    if (index >= head)
        return of_keys[index - head];
    return index == 0 && known->key_bits != LIKE_UNKNOWN
               ? size_attribute(&stage->wishes[object - 1])
               : CKA_KEY_TYPE;
}

/* Which attribute is next; who asks for a size asks for the value next. */
static uint64_t reading_index(struct like_actor *actor, const struct like_call *call)
{
    const struct like_stage *stage = actor->player->stage;
    uint32_t object = call->object <= stage->script->object_count ? call->object : 0;
    _Atomic(uint32_t) *count = &actor->player->reading_counts[object];
    if (call->item_count > 1)
        return 0;
    return call->kind == P11PROF_KIND_CALL ? atomic_fetch_add(count, 1) : atomic_load(count);
}

static void reading_set(struct like_actor *actor, const struct like_call *call)
{
    struct like_arguments *a = &actor->arguments;
    const struct like_stage *stage = actor->player->stage;
    uint64_t wanted = call->item_count > 0 ? (uint64_t)call->item_count : 1;
    uint64_t first = reading_index(actor, call);
    for (uint64_t i = 0; i < wanted && i < LIKE_ATTRIBUTES_MOST; i++) {
        CK_ATTRIBUTE_TYPE type = attribute_type(stage, call->object, first + i);
        if (i == 0 && call->rv == CKR_ATTRIBUTE_TYPE_INVALID)
            type = CKA_VENDOR_DEFINED | 1;
        if (i == 0 && call->rv == CKR_ATTRIBUTE_SENSITIVE)
            type = CKA_VALUE;
        if (call->kind == P11PROF_KIND_SIZE_QUERY)
            attribute_add(a, type, NULL, 0);
        else
            attribute_add(a, type, actor->out + i * VALUE_ROOM, VALUE_ROOM);
    }
    if (call->kind == P11PROF_KIND_TOO_SMALL)
        a->attributes[0] = (CK_ATTRIBUTE){CKA_LABEL, actor->out, 1};
}

/* A label that lets it be found again. */
static void label_set(struct like_actor *actor, uint32_t object)
{
    struct like_arguments *a = &actor->arguments;
    like_label(actor->player->stage,
               object <= actor->player->stage->script->object_count ? object : 0,
               a->template.label);
    attribute_add(a, CKA_LABEL, a->template.label, strlen(a->template.label));
}

/* In a session for reading, what was made was of the session. */
static bool is_for_writing(const struct like_actor *actor)
{
    CK_SESSION_INFO info = {.flags = 0};
    return like_list(&actor->player->raw)->C_GetSessionInfo(actor->arguments.session, &info) ==
               CKR_OK &&
           info.flags & CKF_RW_SESSION;
}

static void template_set(struct like_actor *actor, const struct like_call *call)
{
    const struct like_stage *stage = actor->player->stage;
    struct like_template *template = &actor->arguments.template;
    uint32_t object = call->made[0] ? call->made[0] : call->made[1];
    if (object == 0 || object > stage->script->object_count)
        return;
    bool wide = stage->wishes[object - 1].wide && is_for_writing(actor);
    switch (call->function) {
    case P11PROF_C_CreateObject:
        like_template_create(template, stage, object, wide, stage->data);
        break;
    case P11PROF_C_GenerateKey:
    case P11PROF_C_GenerateKeyPair:
        like_template_generate(template, stage, object, wide, stage->logs_in);
        break;
    default:
        like_template_secret(template, stage, object, wide);
    }
}

/* --- logins --- */

/* One wrong PIN is enough; the security officer's is not known. */
static bool login_set(struct like_actor *actor, const struct like_call *call)
{
    struct like_arguments *a = &actor->arguments;
    const struct p11prof_bench_target *target = actor->player->target;
    a->user = call->user == LIKE_UNKNOWN ? CKU_USER : (CK_USER_TYPE)call->user;
    a->pin = target->has_pin ? (CK_UTF8CHAR *)(uintptr_t)target->pin : NULL;
    a->pin_bytes = target->has_pin ? target->pin_bytes : 0;
    return a->user != CKU_SO && (call->rv == CKR_OK || call->rv == CKR_USER_ALREADY_LOGGED_IN) &&
           !atomic_load(&actor->player->stage->shared->pin_refused);
}

bool like_arguments_make(struct like_actor *actor, const struct like_call *call)
{
    struct like_arguments *a = &actor->arguments;
    const struct like_stage *stage = actor->player->stage;
    memset(a, 0, sizeof *a);
    a->slot = stage->shared->slot_id;
    a->in = a->signature = stage->data;
    a->in_bytes = call->in_bytes > 0 ? (CK_ULONG)call->in_bytes : 0;
    a->signature_bytes = SIGNATURE_BYTES;
    a->flags = call->flags > 0 ? (CK_FLAGS)call->flags : 0;
    a->session = like_session_get(actor, call);
    a->object = like_object_get(actor, call->object);
    out_set(actor, call);
    mechanism_set(actor, call);
    operation_data_set(actor, call);
    template_set(actor, call);
    switch (call->function) {
    case P11PROF_C_OpenSession:
        a->flags = call->flags > 0 ? (CK_FLAGS)call->flags : CKF_SERIAL_SESSION | CKF_RW_SESSION;
        return true;
    case P11PROF_C_Login:
    case P11PROF_C_LoginUser:
        return login_set(actor, call);
    case P11PROF_C_FindObjectsInit:
        search_set(actor, call);
        return true;
    case P11PROF_C_GetAttributeValue:
        reading_set(actor, call);
        return true;
    case P11PROF_C_SetAttributeValue:
    case P11PROF_C_CopyObject:
        label_set(actor, call->object);
        return true;
    case P11PROF_C_WrapKey:
    case P11PROF_C_WrapKeyAuthenticated:
        a->other = like_wrapped_get(actor);
        return true;
    default:
        return like_call_is_played(call->function);
    }
}
