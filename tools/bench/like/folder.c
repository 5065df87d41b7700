/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Finds tandem repeats from left to right: whenever what ends here is twice the same, or once more
 * the body of the repeat before it, it becomes one. Hashes of all stretches that end here are at
 * hand, from sums over all items before; what they say is checked before it is believed. Each item
 * is merged once, so the time is linear. */
#include "items.h"

#include "report/allocate.h"

#include <stdlib.h>
#include <string.h>

enum {
    BODY_MOST = 4096, /* items */
    TRIES = 64,       /* places that are looked at for one item */
    NONE = -1,
};
static const uint64_t base = UINT64_C(0xD6E8FEB86659FD93);

struct like_folder {
    struct like_item *items;
    size_t count, capacity;
    /* Of each item: the hash of all before it, the last one before that is the same, the last
     * repeat before it. */
    struct place {
        uint64_t hash_before;
        int64_t same_before, repeat_before;
        uint32_t number; /* of its hash */
    } * places;
    size_t place_capacity;
    struct like_intern hashes;
    int64_t *last; /* item of each hash */
    size_t last_capacity;
    uint64_t powers[BODY_MOST + 1]; /* of base */
    unsigned depth;
};

struct like_folder *like_folder_new(unsigned depth)
{
    struct like_folder *folder = p11prof_zalloc(1, sizeof *folder);
    folder->hashes.bytes = sizeof(uint64_t);
    folder->depth = depth;
    folder->powers[0] = 1;
    for (size_t i = 1; i <= BODY_MOST; i++)
        folder->powers[i] = folder->powers[i - 1] * base;
    return folder;
}

/* --- what ends here --- */

static uint64_t hash_up_to(const struct like_folder *folder, size_t end)
{
    return end < folder->count
               ? folder->places[end].hash_before
               : folder->places[end - 1].hash_before * base + folder->items[end - 1].hash;
}

/* Of items [start, end), at most BODY_MOST. */
static uint64_t hash_of(const struct like_folder *folder, size_t start, size_t end)
{
    return hash_up_to(folder, end) -
           folder->places[start].hash_before * folder->powers[end - start];
}

static void append(struct like_folder *folder, const struct like_item *item)
{
    size_t at = folder->count, known = folder->hashes.count;
    struct place place = {.hash_before = at == 0 ? 0 : hash_up_to(folder, at),
                          .repeat_before = at == 0 ? NONE
                                           : folder->items[at - 1].body
                                               ? (int64_t)at - 1
                                               : folder->places[at - 1].repeat_before,
                          .number = like_intern_put(&folder->hashes, &item->hash)};
    folder->last = p11prof_grow(folder->last, &folder->last_capacity, folder->hashes.count,
                                sizeof *folder->last);
    if (folder->hashes.count > known)
        folder->last[place.number] = NONE;
    place.same_before = folder->last[place.number];
    folder->last[place.number] = (int64_t)at;
    folder->items = p11prof_grow(folder->items, &folder->capacity, at + 1, sizeof *folder->items);
    folder->places =
        p11prof_grow(folder->places, &folder->place_capacity, at + 1, sizeof *folder->places);
    folder->items[at] = *item;
    folder->places[at] = place;
    folder->count++;
}

/* Takes items off the end; whoever calls has what is in them. */
static void cut(struct like_folder *folder, size_t count)
{
    while (folder->count > count) {
        const struct place *place = &folder->places[--folder->count];
        folder->last[place->number] = place->same_before;
    }
}

/* --- folding --- */

static void repeat_append(struct like_folder *folder, struct like_item *repeat)
{
    repeat->hash = (repeat->body_hash ^ repeat->times * UINT64_C(0xC2B2AE3D27D4EB4F)) *
                   UINT64_C(0x9E3779B97F4A7C15);
    append(folder, repeat);
}

/* The last items are once more what the repeat before them repeats. */
static bool take_into(struct like_folder *folder, size_t at)
{
    struct like_item repeat = folder->items[at];
    size_t length = folder->count - 1 - at;
    struct like_item *tail = &folder->items[at + 1];
    if (length != repeat.body_count || hash_of(folder, at + 1, folder->count) != repeat.body_hash ||
        !like_items_same(repeat.body, tail, length))
        return false;
    like_items_merge(repeat.body, tail, length);
    cut(folder, at);
    repeat.times++;
    repeat_append(folder, &repeat);
    return true;
}

static bool take_into_one(struct like_folder *folder)
{
    int64_t at = folder->places[folder->count - 1].repeat_before;
    for (int tries = 0; tries < TRIES && at != NONE; tries++) {
        if (folder->count - (size_t)at > BODY_MOST)
            return false;
        if (take_into(folder, (size_t)at))
            return true;
        at = folder->places[at].repeat_before;
    }
    return false;
}

/* Two repeats of the same, one behind the other. */
static bool join(struct like_folder *folder)
{
    if (folder->count < 2)
        return false;
    struct like_item *last = &folder->items[folder->count - 1];
    struct like_item repeat = last[-1];
    if (!last->body || !repeat.body || last->body_hash != repeat.body_hash ||
        last->body_count != repeat.body_count ||
        !like_items_same(repeat.body, last->body, repeat.body_count))
        return false;
    like_items_merge(repeat.body, last->body, repeat.body_count);
    free(last->body);
    repeat.times += last->times;
    cut(folder, folder->count - 2);
    repeat_append(folder, &repeat);
    return true;
}

static unsigned depth_of(const struct like_item *items, size_t count)
{
    unsigned depth = 0;
    for (size_t i = 0; i < count; i++)
        if (items[i].depth > depth)
            depth = items[i].depth;
    return depth;
}

static bool double_fold(struct like_folder *folder, size_t length)
{
    size_t middle = folder->count - length, start = middle - length;
    struct like_item *first = &folder->items[start], *second = &folder->items[middle];
    if (hash_of(folder, start, middle) != hash_of(folder, middle, folder->count) ||
        depth_of(first, length) >= folder->depth || !like_items_same(first, second, length))
        return false;
    struct like_item repeat = {.times = 2, .body_count = length, .count = 1};
    repeat.depth = depth_of(first, length) + 1;
    repeat.body_hash = hash_of(folder, start, middle);
    like_items_merge(first, second, length);
    repeat.body = p11prof_zalloc(length, sizeof *repeat.body);
    memcpy(repeat.body, first, length * sizeof *first);
    cut(folder, start);
    repeat_append(folder, &repeat);
    return true;
}

static bool double_one(struct like_folder *folder)
{
    int64_t at = folder->places[folder->count - 1].same_before;
    for (int tries = 0; tries < TRIES && at != NONE; tries++) {
        size_t length = folder->count - 1 - (size_t)at;
        if (length > BODY_MOST || 2 * length > folder->count)
            return false;
        if (double_fold(folder, length))
            return true;
        at = folder->places[at].same_before;
    }
    return false;
}

void like_folder_put(struct like_folder *folder, const struct like_item *item)
{
    append(folder, item);
    while (join(folder) || take_into_one(folder) || double_one(folder))
        continue;
}

struct like_item *like_folder_end(struct like_folder *folder, size_t *count)
{
    struct like_item *items = folder->items;
    *count = folder->count;
    free(folder->places);
    free(folder->last);
    like_intern_clear(&folder->hashes);
    free(folder);
    return items;
}
