/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "intern.h"

#include "report/allocate.h"

#include <stdlib.h>
#include <string.h>

static uint64_t hash_of(const char *record, size_t bytes)
{
    uint64_t hash = bytes, word;
    for (size_t at = 0; at < bytes; at += sizeof word) {
        word = 0;
        memcpy(&word, record + at, bytes - at < sizeof word ? bytes - at : sizeof word);
        hash = (hash ^ word) * UINT64_C(0x9E3779B97F4A7C15);
        hash ^= hash >> 29;
    }
    return hash;
}

const void *like_intern_at(const struct like_intern *intern, size_t number)
{
    return intern->records + number * intern->bytes;
}

/* The slot of the record, or the free one where it belongs. */
static uint32_t *slot_of(const struct like_intern *intern, const void *record)
{
    size_t at = (size_t)hash_of(record, intern->bytes) & (intern->slot_count - 1);
    while (intern->slots[at] &&
           memcmp(like_intern_at(intern, intern->slots[at] - 1), record, intern->bytes) != 0)
        at = (at + 1) & (intern->slot_count - 1);
    return &intern->slots[at];
}

static void grow(struct like_intern *intern)
{
    intern->slot_count = intern->slot_count ? 2 * intern->slot_count : 64;
    free(intern->slots);
    intern->slots = p11prof_zalloc(intern->slot_count, sizeof *intern->slots);
    for (size_t i = 0; i < intern->count; i++)
        *slot_of(intern, like_intern_at(intern, i)) = (uint32_t)i + 1;
}

uint32_t like_intern_find(const struct like_intern *intern, const void *record)
{
    uint32_t slot = intern->slot_count ? *slot_of(intern, record) : 0;
    return slot - 1;
}

uint32_t like_intern_put(struct like_intern *intern, const void *record)
{
    if (2 * (intern->count + 1) > intern->slot_count)
        grow(intern);
    uint32_t *slot = slot_of(intern, record);
    if (*slot == 0) {
        intern->records =
            p11prof_grow(intern->records, &intern->capacity, intern->count + 1, intern->bytes);
        memcpy(intern->records + intern->count * intern->bytes, record, intern->bytes);
        *slot = (uint32_t)++intern->count;
    }
    return *slot - 1;
}

void like_intern_clear(struct like_intern *intern)
{
    free(intern->records);
    free(intern->slots);
    *intern = (struct like_intern){.bytes = intern->bytes};
}
