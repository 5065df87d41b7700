/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "exports.h"

#include <stddef.h>
#include <stdint.h>

struct tables {
    const ElfW(Sym) * symbols;
    const char *names;
    const uint32_t *gnu_hash, *hash;
};

static ElfW(Addr) distance(ElfW(Addr) a, ElfW(Addr) b)
{
    return a < b ? b - a : a - b;
}

/* The loader has made addresses of most of these offsets, but not of all: what is meant is near. A
 * library that was linked for an address above its own has an l_addr below zero. */
static const void *address(const struct link_map *map, const ElfW(Dyn) * entry)
{
    ElfW(Addr) here = (ElfW(Addr))map->l_ld, place = entry->d_un.d_ptr;
    ElfW(Addr) moved = place + map->l_addr;
    return (const void *)(distance(moved, here) < distance(place, here) ? moved : place);
}

static void find_tables(struct tables *out, const struct link_map *map)
{
    *out = (struct tables){NULL, NULL, NULL, NULL};
    for (const ElfW(Dyn) *entry = map->l_ld; entry && entry->d_tag != DT_NULL; entry++)
        switch (entry->d_tag) {
        case DT_SYMTAB:
            out->symbols = address(map, entry);
            break;
        case DT_STRTAB:
            out->names = address(map, entry);
            break;
        case DT_GNU_HASH:
            out->gnu_hash = address(map, entry);
            break;
        case DT_HASH:
            out->hash = address(map, entry);
            break;
        }
}

static bool equal(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}

static bool defines(const struct tables *tables, uint32_t i, const char *name)
{
    const ElfW(Sym) *symbol = &tables->symbols[i];
    return symbol->st_shndx != SHN_UNDEF && equal(tables->names + symbol->st_name, name);
}

/* What the filter of a library does not know, the loader does not look for in its chains. */
static bool passes_bloom(const uint32_t *table, uint32_t hash)
{
    const ElfW(Addr) *words = (const ElfW(Addr) *)(table + 4);
    const uint32_t bits = 8 * sizeof *words;
    ElfW(Addr) word = words[hash / bits & (table[2] - 1)];
    return word >> hash % bits & word >> (hash >> table[3]) % bits & 1;
}

/* The table: bucket_count, first symbol, bloom words, shift; bloom filter; buckets; chains, whose
 * last entry has its lowest bit set. */
static bool in_gnu_hash(const struct tables *tables, const char *name)
{
    const uint32_t *table = tables->gnu_hash, bucket_count = table[0], first = table[1];
    const uint32_t *buckets = table + 4 + table[2] * (sizeof(ElfW(Addr)) / sizeof(uint32_t));
    const uint32_t *chains = buckets + bucket_count;
    uint32_t hash = 5381;
    for (const char *c = name; *c; c++)
        hash = hash * 33 + (unsigned char)*c;
    if (bucket_count == 0 || !passes_bloom(table, hash))
        return false;
    uint32_t i = buckets[hash % bucket_count];
    if (i < first)
        return false;
    for (;; i++) {
        uint32_t found = chains[i - first];
        if ((found | 1) == (hash | 1) && defines(tables, i, name))
            return true;
        if (found & 1)
            return false;
    }
}

/* The table: bucket_count, symbol_count, buckets, chains. The loader does not read the second one,
 * so it may be anything. */
static bool in_hash(const struct tables *tables, const char *name)
{
    const uint32_t *table = tables->hash, bucket_count = table[0];
    const uint32_t *buckets = table + 2, *chains = buckets + bucket_count;
    uint32_t hash = 0;
    for (const char *c = name; *c; c++) {
        hash = (hash << 4) + (unsigned char)*c;
        hash = (hash ^ (hash >> 24 & 0xF0)) & 0x0FFFFFFF;
    }
    uint32_t i = bucket_count > 0 ? buckets[hash % bucket_count] : STN_UNDEF;
    for (; i != STN_UNDEF; i = chains[i])
        if (defines(tables, i, name))
            return true;
    return false;
}

bool p11prof_exports(const struct link_map *map, const char *name)
{
    struct tables tables;
    find_tables(&tables, map);
    if (!tables.symbols || !tables.names)
        return false;
    if (tables.gnu_hash)
        return in_gnu_hash(&tables, name);
    return tables.hash && in_hash(&tables, name);
}
