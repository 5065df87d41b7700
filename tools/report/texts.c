/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "texts.h"
#include "allocate.h"
#include "query.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

bool p11prof_dimension_has_texts(enum p11prof_dimension_id id)
{
    return p11prof_dimensions[id].kind == P11PROF_DIMENSION_OF_PROCESS ||
           p11prof_dimensions[id].kind == P11PROF_DIMENSION_OF_RUN;
}

/* The place in the index where a text is, or could be put. */
static size_t place_of(const struct p11prof_texts *texts, const char *text)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
    for (const char *byte = text; *byte; byte++)
        hash = (hash ^ (unsigned char)*byte) * UINT64_C(0x100000001b3);
    size_t place = (size_t)hash % texts->index_size;
    for (size_t number; (number = texts->index[place]); place = (place + 1) % texts->index_size)
        if (strcmp(texts->texts[number - 1], text) == 0)
            break;
    return place;
}

/* The index is never more than half full. */
static void index_grow(struct p11prof_texts *texts)
{
    if (texts->count * 2 < texts->index_size)
        return;
    free(texts->index);
    texts->index_size = texts->index_size ? texts->index_size * 2 : 64;
    texts->index = p11prof_zalloc(texts->index_size, sizeof *texts->index);
    for (size_t i = 0; i < texts->count; i++)
        texts->index[place_of(texts, texts->texts[i])] = i + 1;
}

static int64_t number_of(struct p11prof_texts *texts, const char *text)
{
    if (!text)
        return -1;
    index_grow(texts);
    size_t *number = &texts->index[place_of(texts, text)];
    if (*number == 0) {
        texts->texts =
            p11prof_grow(texts->texts, &texts->capacity, texts->count + 1, sizeof *texts->texts);
        texts->texts[texts->count++] = p11prof_copy(text);
        *number = texts->count;
    }
    return (int64_t)*number - 1;
}

static int compare(const void *a, const void *b)
{
    const struct p11prof_text_entry *first = a, *second = b;
    if (first->owner != second->owner)
        return first->owner < second->owner ? -1 : 1;
    return (first->code > second->code) - (first->code < second->code);
}

static void add_entry(struct p11prof_texts *texts, struct p11prof_text_map *map, sqlite3_stmt *row)
{
    map->entries = p11prof_grow(map->entries, &map->capacity, map->count + 1, sizeof *map->entries);
    map->entries[map->count++] =
        (struct p11prof_text_entry){sqlite3_column_int64(row, 0), sqlite3_column_int64(row, 1),
                                    number_of(texts, (const char *)sqlite3_column_text(row, 2))};
}

enum p11prof_status p11prof_texts_load(struct p11prof_texts *texts, enum p11prof_dimension_id id,
                                       struct sqlite3 *db, int64_t run_id,
                                       struct p11prof_error *error)
{
    struct p11prof_text_map *map = &texts->maps[id];
    sqlite3_stmt *statement;
    int result;
    if (p11prof_query_prepare(db, p11prof_dimensions[id].names, run_id, &statement, error) !=
        P11PROF_OK)
        return error->status;
    while ((result = sqlite3_step(statement)) == SQLITE_ROW)
        add_entry(texts, map, statement);
    if (map->count > 1)
        qsort(map->entries, map->count, sizeof *map->entries, compare);
    return p11prof_query_end(statement, result, error);
}

enum p11prof_status p11prof_texts_load_grouping(struct p11prof_texts *texts,
                                                const struct p11prof_grouping *grouping,
                                                struct sqlite3 *db, int64_t run_id,
                                                struct p11prof_error *error)
{
    for (size_t i = 0; i < grouping->count; i++)
        if (p11prof_dimension_has_texts(grouping->ids[i]) &&
            p11prof_texts_load(texts, grouping->ids[i], db, run_id, error) != P11PROF_OK)
            return error->status;
    return P11PROF_OK;
}

void p11prof_texts_clear(struct p11prof_texts *texts)
{
    for (size_t i = 0; i < texts->count; i++)
        free(texts->texts[i]);
    for (size_t i = 0; i < P11PROF_DIMENSIONS; i++)
        free(texts->maps[i].entries);
    free(texts->texts);
    free(texts->index);
    *texts = (struct p11prof_texts){.count = 0};
}

int64_t p11prof_texts_find(const struct p11prof_texts *texts, enum p11prof_dimension_id id,
                           int64_t owner, int64_t code)
{
    const struct p11prof_text_map *map = &texts->maps[id];
    struct p11prof_text_entry key = {.owner = owner, .code = code};
    const struct p11prof_text_entry *found =
        map->count ? bsearch(&key, map->entries, map->count, sizeof key, compare) : NULL;
    return found ? found->text : -1;
}
