/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "objects.h"

#include "p11prof/batch.h"
#include "report/allocate.h"
#include "traits.h"

#include <stdlib.h>
#include <string.h>

/* More objects of one kind than that are taken for the first ones again. */
enum { ALIKE_MOST = 4096 };

struct kind {
    int64_t class, key_type, key_bits;
};
/* One of a kind that was there before. */
struct trait {
    struct kind kind;
    int64_t ordinal; /* among its kind, from 0 */
};
/* Whose numbers of made objects are in one pool. */
struct pool_key {
    int64_t thread, maker;
    struct kind kind;
};

void like_objects_init(struct like_objects *objects)
{
    *objects = (struct like_objects){.traits.bytes = sizeof(struct trait),
                                     .ids.bytes = sizeof(int64_t),
                                     .pool_keys.bytes = sizeof(struct pool_key)};
}

/* --- what is known of them --- */

static bool makes(unsigned function)
{
    switch (function) {
    case P11PROF_C_CreateObject:
    case P11PROF_C_CopyObject:
    case P11PROF_C_GenerateKey:
    case P11PROF_C_GenerateKeyPair:
    case P11PROF_C_UnwrapKey:
    case P11PROF_C_UnwrapKeyAuthenticated:
    case P11PROF_C_DeriveKey:
    case P11PROF_C_EncapsulateKey:
    case P11PROF_C_DecapsulateKey:
        return true;
    default:
        return false;
    }
}

static bool made_something(const struct like_row *row)
{
    return makes((unsigned)row->function) && row->rv == CKR_OK && row->kind == P11PROF_KIND_CALL &&
           row->detail > 0;
}

static struct like_fact *fact_of(struct like_objects *objects, int64_t key_id)
{
    size_t known = objects->ids.count;
    uint32_t index = like_intern_put(&objects->ids, &key_id);
    objects->facts = p11prof_grow(objects->facts, &objects->fact_capacity, objects->ids.count,
                                  sizeof *objects->facts);
    if (objects->ids.count > known)
        objects->facts[index] = (struct like_fact){
            .key_type = LIKE_UNKNOWN, .key_bits = LIKE_UNKNOWN, .generation = objects->generation};
    objects->facts[index].last_use = objects->row_count;
    return &objects->facts[index];
}

static void learn_made(struct like_objects *objects, const struct like_row *row)
{
    bool pair = row->function == P11PROF_C_GenerateKeyPair;
    for (int64_t i = 0; i <= (int64_t)pair; i++) {
        struct like_fact *fact = fact_of(objects, row->detail + i);
        fact->maker = (uint32_t)row->function;
        fact->public_half = pair && i == 0;
        if (pair || row->function == P11PROF_C_GenerateKey)
            fact->key_type = like_mechanism_key_type(row->mechanism);
    }
}

void like_objects_learn(struct like_objects *objects, const struct like_row *row)
{
    objects->row_count++;
    if (row->key_id > 0) {
        unsigned operation = p11prof_calls[row->function].operation;
        struct like_fact *fact = fact_of(objects, row->key_id);
        if (operation != P11PROF_OPERATION_NONE)
            fact->uses |= UINT32_C(1) << operation;
        if (row->key_type != LIKE_UNKNOWN)
            fact->key_type = row->key_type;
        else if (fact->key_type == LIKE_UNKNOWN)
            fact->key_type = like_mechanism_key_type(row->mechanism);
        if (row->key_bits >= 0)
            fact->key_bits = row->key_bits;
    }
    if (made_something(row))
        learn_made(objects, row);
    if (row->rv == CKR_OK &&
        (row->function == P11PROF_C_Logout || row->function == P11PROF_C_Finalize))
        objects->generation++;
}

static struct kind kind_of(const struct like_fact *fact)
{
    struct kind kind = {like_class_of(fact->key_type, fact->uses), fact->key_type, fact->key_bits};
    if (fact->maker == P11PROF_C_GenerateKeyPair)
        kind.class = fact->public_half ? CKO_PUBLIC_KEY : CKO_PRIVATE_KEY;
    else if (fact->maker && fact->maker != P11PROF_C_CreateObject &&
             fact->maker != P11PROF_C_CopyObject && kind.class == LIKE_UNKNOWN)
        kind.class = CKO_SECRET_KEY;
    return kind;
}

/* --- numbers --- */

/* 0: there are too many. */
static uint32_t object_add(struct like_objects *objects, const struct kind *kind, bool made)
{
    if (objects->count == LIKE_OBJECTS_MOST)
        return 0;
    objects->objects = p11prof_grow(objects->objects, &objects->capacity, objects->count + 1,
                                    sizeof *objects->objects);
    struct like_object *object = &objects->objects[objects->count++];
    *object = (struct like_object){.number = (uint32_t)objects->count,
                                   .class = kind->class,
                                   .key_type = kind->key_type,
                                   .key_bits = kind->key_bits,
                                   .made = made};
    return object->number;
}

/* Finds the number of an object that was there before. */
static bool number_find(struct like_objects *objects, const struct trait *trait,
                        struct like_fact *fact)
{
    size_t known = objects->traits.count;
    uint32_t index = like_intern_put(&objects->traits, trait);
    objects->numbers = p11prof_grow(objects->numbers, &objects->number_capacity,
                                    objects->traits.count, sizeof *objects->numbers);
    if (objects->traits.count > known)
        objects->numbers[index] = object_add(objects, &trait->kind, false);
    fact->number = objects->numbers[index];
    if (fact->number)
        objects->objects[fact->number - 1].uses |= fact->uses;
    return fact->number != 0;
}

/* How many of a kind were seen since handles were last forgotten. */
struct seen {
    uint64_t generation;
    int64_t count;
};

bool like_objects_number(struct like_objects *objects)
{
    struct like_intern kinds = {.bytes = sizeof(struct kind)};
    struct seen *seen = p11prof_zalloc(objects->ids.count, sizeof *seen);
    bool done = true;
    for (size_t i = 0; done && i < objects->ids.count; i++) {
        struct like_fact *fact = &objects->facts[i];
        if (fact->maker)
            continue;
        struct trait trait = {.kind = kind_of(fact)};
        struct seen *alike = &seen[like_intern_put(&kinds, &trait.kind)];
        if (alike->generation != fact->generation)
            *alike = (struct seen){.generation = fact->generation};
        trait.ordinal = alike->count++ % ALIKE_MOST;
        done = number_find(objects, &trait, fact);
    }
    free(seen);
    like_intern_clear(&kinds);
    objects->row_count = 0;
    return done;
}

static struct like_fact *fact_find(const struct like_objects *objects, int64_t key_id)
{
    uint32_t index = key_id > 0 ? like_intern_find(&objects->ids, &key_id) : UINT32_MAX;
    return index == UINT32_MAX ? NULL : &objects->facts[index];
}

static struct like_pool *pool_of(struct like_objects *objects, const struct like_fact *fact,
                                 uint32_t thread, uint32_t *index)
{
    const struct pool_key key = {thread, fact->maker, kind_of(fact)};
    *index = like_intern_put(&objects->pool_keys, &key);
    if (*index == objects->pool_count) {
        objects->pools = p11prof_grow(objects->pools, &objects->pool_capacity, *index + 1,
                                      sizeof *objects->pools);
        objects->pools[objects->pool_count++] = (struct like_pool){.entries = NULL};
    }
    return &objects->pools[*index];
}

static void number_give(struct like_objects *objects, struct like_fact *fact)
{
    if (fact->maker && fact->number && fact->last_use <= objects->row_count) {
        like_pool_give(&objects->pools[fact->pool], fact->pool_index);
        fact->number = 0;
    }
}

static bool number_take(struct like_objects *objects, struct like_fact *fact, uint32_t thread)
{
    const struct kind kind = kind_of(fact);
    struct like_pool *pool = pool_of(objects, fact, thread, &fact->pool);
    fact->pool_index = like_pool_take(pool);
    uint32_t *number = &pool->entries[fact->pool_index].number;
    if (*number == 0)
        *number = object_add(objects, &kind, true);
    fact->number = *number;
    if (fact->number)
        objects->objects[fact->number - 1].uses |= fact->uses;
    return fact->number != 0;
}

static void halves_join(struct like_objects *objects, const uint32_t made[2])
{
    struct like_object *private = &objects->objects[made[0] - 1];
    struct like_object *public = &objects->objects[made[1] - 1];
    if (private->pair == 0 && public->pair == 0) {
        private->pair = public->number;
        public->pair = private->number;
    }
}

static bool take_made(struct like_objects *objects, const struct like_row *row, uint32_t thread,
                      struct like_call *call)
{
    bool pair = row->function == P11PROF_C_GenerateKeyPair;
    struct like_fact *first = fact_find(objects, row->detail);
    struct like_fact *private = pair ? fact_find(objects, row->detail + 1) : NULL;
    if (!first || !number_take(objects, first, thread) ||
        (private && !number_take(objects, private, thread)))
        return first == NULL;
    call->made[0] = private ? private->number : first->number;
    call->made[1] = private ? first->number : 0;
    if (private)
        halves_join(objects, call->made);
    number_give(objects, first);
    if (private)
        number_give(objects, private);
    return true;
}

bool like_objects_take(struct like_objects *objects, const struct like_row *row, uint32_t thread,
                       struct like_call *call)
{
    struct like_fact *fact = fact_find(objects, row->key_id);
    objects->row_count++;
    if (fact) {
        call->object = fact->number;
        number_give(objects, fact);
    }
    return !made_something(row) || take_made(objects, row, thread, call);
}

void like_objects_end_process(struct like_objects *objects)
{
    for (size_t i = 0; i < objects->pool_count; i++)
        like_pool_clear(&objects->pools[i]);
    objects->pool_count = 0;
    objects->row_count = objects->generation = 0;
    like_intern_clear(&objects->ids);
    like_intern_clear(&objects->pool_keys);
}

/* --- pairs --- */

/* Public keys of one type and size wait in a list for their private halves. */
void like_objects_pair(struct like_objects *objects)
{
    struct like_intern kinds = {.bytes = sizeof(struct kind)};
    uint32_t *first = p11prof_zalloc(objects->count, sizeof *first);
    uint32_t *next = p11prof_zalloc(objects->count, sizeof *next);
    for (size_t i = objects->count; i-- > 0;) {
        const struct like_object *object = &objects->objects[i];
        const struct kind kind = {CKO_PUBLIC_KEY, object->key_type, object->key_bits};
        if (object->made || object->class != CKO_PUBLIC_KEY)
            continue;
        uint32_t list = like_intern_put(&kinds, &kind);
        next[i] = first[list];
        first[list] = object->number;
    }
    for (size_t i = 0; i < objects->count; i++) {
        struct like_object *object = &objects->objects[i];
        const struct kind kind = {CKO_PUBLIC_KEY, object->key_type, object->key_bits};
        uint32_t list = like_intern_find(&kinds, &kind);
        if (object->made || object->class != CKO_PRIVATE_KEY || list == UINT32_MAX || !first[list])
            continue;
        object->pair = first[list];
        objects->objects[object->pair - 1].pair = object->number;
        first[list] = next[object->pair - 1];
    }
    like_intern_clear(&kinds);
    free(first);
    free(next);
}

void like_objects_clear(struct like_objects *objects)
{
    like_objects_end_process(objects);
    like_intern_clear(&objects->traits);
    free(objects->numbers);
    free(objects->facts);
    free(objects->pools);
}
