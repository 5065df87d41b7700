/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "callers.h"

#include <errno.h>
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
    for (size_t i = 0; i < callers->path_count; i++)
        free(callers->paths[i]);
    free(callers->ranges);
    free(callers->paths);
    memset(callers, 0, sizeof *callers);
}

static bool range_add(struct callers *callers, uint64_t start, uint64_t end, const char *path)
{
    if (callers->range_count == callers->range_capacity) {
        size_t larger = callers->range_capacity ? callers->range_capacity * 2 : 64;
        void *moved = realloc(callers->ranges, larger * sizeof *callers->ranges);
        if (!moved)
            return false;
        callers->ranges = moved;
        callers->range_capacity = larger;
    }
    char *copy = strdup(path);
    if (!copy)
        return false;
    callers->ranges[callers->range_count++] = (struct caller_range){start, end, copy, 0};
    return true;
}

/* A line of the map, "start-end path", or of /proc/PID/maps, "start-end r-xp … path". */
static void line_take(struct callers *callers, char *line)
{
    unsigned long long start, end;
    char *path = strchr(line, '/');
    if (path && sscanf(line, "%llx-%llx", &start, &end) == 2 && start < end)
        range_add(callers, start, end, path);
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
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    ranges_clear(callers);
    for (ssize_t got; (got = read(fd, window + held, sizeof window - 1 - held)) > 0;) {
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
    close(fd);
    ranges_sort(callers);
}

static struct caller_range *range_of(const struct callers *callers, uint64_t address)
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

static bool path_add(struct callers *callers, const char *path)
{
    if (callers->path_count == callers->path_capacity) {
        size_t larger = callers->path_capacity ? callers->path_capacity * 2 : 16;
        void *moved = realloc(callers->paths, larger * sizeof *callers->paths);
        if (!moved)
            return false;
        callers->paths = moved;
        callers->path_capacity = larger;
    }
    char *copy = strdup(path);
    if (copy)
        callers->paths[callers->path_count++] = copy;
    return copy != NULL;
}

void callers_load(struct callers *callers, uint32_t caller_id, const char *path)
{
    if (caller_id == callers->path_count + 1)
        path_add(callers, path);
}

static uint32_t id_of(struct callers *callers, struct batch *batch, const char *path)
{
    for (size_t i = 0; i < callers->path_count; i++)
        if (strcmp(callers->paths[i], path) == 0)
            return (uint32_t)i + 1;
    if (!path_add(callers, path))
        return 0;
    struct p11prof_caller_row *row = batch_caller(batch);
    if (row) {
        row->caller_id = (uint32_t)callers->path_count;
        row->path = batch_keep(batch, path, strlen(path) + 1);
    }
    return (uint32_t)callers->path_count;
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
    struct caller_range *range = range_of(callers, address);
    if (!range && !reader->source.gone && !callers->live_read) {
        live_read(callers, reader);
        callers->live_read = true;
        range = range_of(callers, address);
    }
    uint32_t *caller_id = range ? &range->caller_id : &callers->anonymous_id;
    if (*caller_id == 0)
        *caller_id = id_of(callers, batch, range ? range->path : "[anonymous]");
    if (range ||
        reader->source.gone) { /* what is unknown now may be known when /proc is asked again */
        callers->cache[slot].address = address;
        callers->cache[slot].caller_id = *caller_id;
    }
    return *caller_id;
}
