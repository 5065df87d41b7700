/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "callers.h"

#include "descriptor.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void ranges_clear(struct callers *callers)
{
    for (size_t i = 0; i < callers->range_count; i++)
        free(callers->ranges[i].path);
    callers->range_count = 0;
    memset(callers->cache, 0, sizeof callers->cache);
}

void callers_clear(struct callers *callers)
{
    ranges_clear(callers);
    for (size_t i = 0; i < callers->site_count; i++)
        free(callers->sites[i].path);
    free(callers->ranges);
    free(callers->sites);
    free(callers->index);
    memset(callers, 0, sizeof *callers);
}

static bool range_add(struct callers *callers, const struct caller_range *range)
{
    if (callers->range_count == callers->range_capacity) {
        size_t larger = callers->range_capacity ? callers->range_capacity * 2 : 64;
        void *moved = realloc(callers->ranges, larger * sizeof *callers->ranges);
        if (!moved)
            return false;
        callers->ranges = moved;
        callers->range_capacity = larger;
    }
    char *copy = strdup(range->path);
    if (!copy)
        return false;
    callers->ranges[callers->range_count] = *range;
    callers->ranges[callers->range_count++].path = copy;
    return true;
}

/* A line of the map, "start-end offset path", of an older shim's, "start-end path", or of
 * /proc/PID/maps, "start-end r-xp offset … path". */
static void line_take(struct callers *callers, char *line)
{
    unsigned long long start, end, offset;
    struct caller_range range = {.path = strchr(line, '/')};
    if (!range.path || sscanf(line, "%llx-%llx", &start, &end) != 2 || start >= end)
        return;
    range.start = start;
    range.end = end;
    range.has_offset = sscanf(line, "%*x-%*x %llx ", &offset) == 1 ||
                       sscanf(line, "%*x-%*x %*4[rwxps-] %llx ", &offset) == 1;
    range.offset_bytes = range.has_offset ? offset : 0;
    range_add(callers, &range);
}

static void lines_take(struct callers *callers, char *text)
{
    char *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        line_take(callers, line);
}

static int by_start(const void *left, const void *right)
{
    const struct caller_range *a = left, *b = right;
    return a->start < b->start ? -1 : a->start > b->start;
}

static void ranges_sort(struct callers *callers)
{
    if (callers->range_count > 0)
        qsort(callers->ranges, callers->range_count, sizeof *callers->ranges, by_start);
}

static void map_read(struct callers *callers, struct reader *reader)
{
    uint32_t bytes = atomic_load_explicit(&reader->header.object_map_bytes, memory_order_relaxed);
    if (bytes > P11PROF_OBJECT_MAP_BYTES)
        bytes = P11PROF_OBJECT_MAP_BYTES;
    char *text = malloc((size_t)bytes + 1);
    if (text && reader_bytes(reader, reader->layout.object_map_offset, text, bytes)) {
        text[bytes] = '\0';
        ranges_clear(callers);
        lines_take(callers, text);
        ranges_sort(callers);
    }
    callers->map_bytes = bytes;
    free(text);
}

/* The file of a live process may name what was loaded after the spool was made. */
static void live_read(struct callers *callers, const struct reader *reader)
{
    char path[64], window[16384];
    size_t held = 0;
    snprintf(path, sizeof path, "/proc/%d/maps", reader->header.pid);
    struct p11prof_descriptor file;
    if (!p11prof_descriptor_open(&file, AT_FDCWD, path, O_RDONLY, 0))
        return;
    ranges_clear(callers);
    for (ssize_t got;
         (got = p11prof_descriptor_read(&file, window + held, sizeof window - 1 - held)) > 0;) {
        held += (size_t)got;
        window[held] = '\0';
        char *last = strrchr(window, '\n');
        if (!last) {
            held = 0; /* a line longer than any path */
            continue;
        }
        *last = '\0';
        size_t rest = held - (size_t)(last + 1 - window);
        lines_take(callers, window);
        memmove(window, last + 1, rest);
        held = rest;
    }
    p11prof_descriptor_close(&file);
    ranges_sort(callers);
}

static const struct caller_range *range_of(const struct callers *callers, uint64_t address)
{
    size_t low = 0, high = callers->range_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (callers->ranges[middle].start <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 && address < callers->ranges[low - 1].end ? &callers->ranges[low - 1] : NULL;
}

/* The place in the index where a site is, or could be put. */
static size_t place_of(const struct callers *callers, const char *path, uint64_t offset_bytes)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ offset_bytes; /* FNV-1a */
    for (const char *byte = path; *byte; byte++)
        hash = (hash ^ (unsigned char)*byte) * UINT64_C(0x100000001b3);
    size_t place = (size_t)((hash * UINT64_C(0x9e3779b97f4a7c15)) >> 20) % callers->index_size;
    for (uint32_t id; (id = callers->index[place]); place = (place + 1) % callers->index_size) {
        const struct caller_site *site = &callers->sites[id - 1];
        if (site->offset_bytes == offset_bytes && strcmp(site->path, path) == 0)
            break;
    }
    return place;
}

/* Room for one more site: the index is never more than half full. */
static bool room_make(struct callers *callers)
{
    if (callers->site_count < callers->site_capacity)
        return true;
    size_t larger = callers->site_capacity ? callers->site_capacity * 2 : 64;
    void *moved = realloc(callers->sites, larger * sizeof *callers->sites);
    if (!moved)
        return false;
    callers->sites = moved;
    uint32_t *index = calloc(larger * 2, sizeof *index);
    if (!index)
        return false;
    free(callers->index);
    callers->index = index;
    callers->index_size = larger * 2;
    callers->site_capacity = larger;
    for (size_t i = 0; i < callers->site_count; i++)
        index[place_of(callers, callers->sites[i].path, callers->sites[i].offset_bytes)] =
            (uint32_t)i + 1;
    return true;
}

static bool site_add(struct callers *callers, const char *path, uint64_t offset_bytes)
{
    char *copy = room_make(callers) ? strdup(path) : NULL;
    if (!copy)
        return false;
    size_t place = place_of(callers, path, offset_bytes);
    callers->sites[callers->site_count++] = (struct caller_site){copy, offset_bytes};
    callers->index[place] = (uint32_t)callers->site_count;
    callers->offset_count += offset_bytes != 0;
    return true;
}

void callers_load(struct callers *callers, uint32_t caller_id, const char *path,
                  uint64_t offset_bytes)
{
    if (caller_id == callers->site_count + 1)
        site_add(callers, path, offset_bytes);
}

static uint32_t id_of(struct callers *callers, struct batch *batch, const char *path,
                      uint64_t offset_bytes)
{
    uint32_t known =
        callers->site_count > 0 ? callers->index[place_of(callers, path, offset_bytes)] : 0;
    if (known)
        return known;
    if (offset_bytes && callers->offset_count >= CALLER_SITES_MAX)
        return id_of(callers, batch, path, 0);
    if (!site_add(callers, path, offset_bytes))
        return 0;
    struct p11prof_caller_row *row = batch_caller(batch);
    if (row) {
        row->caller_id = (uint32_t)callers->site_count;
        row->path = batch_keep(batch, path, strlen(path) + 1);
        row->offset_bytes = offset_bytes;
    }
    return (uint32_t)callers->site_count;
}

static uint32_t id_of_address(struct callers *callers, struct batch *batch,
                              const struct caller_range *range, uint64_t address)
{
    if (!range)
        return id_of(callers, batch, "[anonymous]", 0);
    uint64_t offset_bytes = address - range->start + range->offset_bytes;
    bool told = range->has_offset && offset_bytes <= INT64_MAX;
    return id_of(callers, batch, range->path, told ? offset_bytes : 0);
}

uint32_t callers_find(struct callers *callers, struct reader *reader, struct batch *batch,
                      uint64_t address)
{
    if (address == 0)
        return 0;
    size_t slot = (size_t)((address * 0x9e3779b97f4a7c15u) >> 40) % CALLER_CACHE;
    if (callers->cache[slot].address == address)
        return callers->cache[slot].caller_id;
    if (callers->map_bytes == 0)
        map_read(callers, reader);
    const struct caller_range *range = range_of(callers, address);
    if (!range && !reader->source.gone && !callers->live_read) {
        live_read(callers, reader);
        callers->live_read = true;
        range = range_of(callers, address);
    }
    uint32_t caller_id = id_of_address(callers, batch, range, address);
    if (range ||
        reader->source.gone) { /* what is unknown now may be known when /proc is asked again */
        callers->cache[slot].address = address;
        callers->cache[slot].caller_id = caller_id;
    }
    return caller_id;
}
