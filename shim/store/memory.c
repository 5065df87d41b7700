/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Memory of SQLite's own in an application's process. A short process pays for each page that it
 * touches first: here they come in blocks, by one system call, where malloc would take them one
 * fault (and in a thread's arena one mprotect) after the other. */
#include "store/internal.h"

#include <sys/mman.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif

enum {
    BLOCK_BYTES = 256 * 1024,
    SMALL_BYTES = 64 * 1024, /* what is larger is mapped by itself */
    LEAST_BYTES = 16,
    STEPS = 8, /* sizes an octave: at most an eighth is wasted */
    SIZES = 10 * STEPS + 1,
};

/* Before what SQLite gets; a piece's size, this included, is one of SIZES or whole pages. */
struct piece {
    uint64_t bytes;
    struct piece *next_free[]; /* of its size, while nobody has it */
};

struct block {
    struct block *next;
};

static struct {
    struct block *blocks;
    char *rest, *rest_end; /* of the newest block */
    struct piece *free[SIZES];
    uint64_t piece_count; /* that SQLite has */
} memory;

/* The size of a piece for `bytes`, and its number among the sizes. */
static uint64_t piece_bytes(uint64_t bytes, unsigned *size)
{
    uint64_t needed = bytes + sizeof(struct piece);
    if (needed < LEAST_BYTES * STEPS) {
        *size = (unsigned)((needed + LEAST_BYTES - 1) / LEAST_BYTES);
        return *size * (uint64_t)LEAST_BYTES;
    }
    unsigned octave = 63 - (unsigned)__builtin_clzll(needed);
    uint64_t step = UINT64_C(1) << (octave - 3), steps = (needed + step - 1) / step;
    *size = (octave - 6) * STEPS + (unsigned)(steps - STEPS);
    return steps * step;
}

static void *map(uint64_t bytes)
{
    void *start = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED) {
        return NULL;
    }
    madvise(start, bytes, MADV_POPULATE_WRITE); /* an older kernel: page by page, when touched */
    return start;
}

/* From the newest block; what is left of the one before is lost until all is given back. */
static struct piece *cut(uint64_t bytes)
{
    if (!memory.rest || (uint64_t)(memory.rest_end - memory.rest) < bytes) {
        struct block *block = map(BLOCK_BYTES);
        if (!block) {
            return NULL;
        }
        block->next = memory.blocks;
        memory.blocks = block;
        memory.rest = (char *)(block + 1);
        memory.rest_end = (char *)block + BLOCK_BYTES;
    }
    struct piece *piece = (struct piece *)(void *)memory.rest;
    memory.rest += bytes;
    return piece;
}

static void *take(int bytes)
{
    unsigned size;
    uint64_t whole_bytes = piece_bytes((uint64_t)bytes, &size);
    struct piece *piece = NULL;
    if (whole_bytes > SMALL_BYTES) {
        piece = map(whole_bytes);
    } else if (memory.free[size]) {
        piece = memory.free[size];
        memory.free[size] = piece->next_free[0];
    } else {
        piece = cut(whole_bytes);
    }
    if (!piece) {
        return NULL;
    }
    piece->bytes = whole_bytes;
    memory.piece_count++;
    return piece + 1;
}

static struct piece *piece_of(void *start)
{
    return (struct piece *)start - 1;
}

static int usable_bytes(void *start)
{
    return start ? (int)(piece_of(start)->bytes - sizeof(struct piece)) : 0;
}

/* The last one closes the door: a process keeps nothing while it has no database open. */
static void give_all_back(void)
{
    struct block *block = memory.blocks;
    while (block) {
        struct block *next = block->next;
        munmap(block, BLOCK_BYTES);
        block = next;
    }
    memset(&memory, 0, sizeof memory);
}

static void give_back(void *start)
{
    unsigned size;
    struct piece *piece = piece_of(start);
    if (piece->bytes > SMALL_BYTES) {
        munmap(piece, piece->bytes);
    } else {
        piece_bytes(piece->bytes - sizeof *piece, &size);
        piece->next_free[0] = memory.free[size];
        memory.free[size] = piece;
    }
    if (--memory.piece_count == 0) {
        give_all_back();
    }
}

static void *resize(void *start, int bytes)
{
    if (bytes <= usable_bytes(start)) {
        return start;
    }
    void *larger = take(bytes);
    if (larger) {
        memcpy(larger, start, (size_t)usable_bytes(start));
        give_back(start);
    }
    return larger;
}

static int rounded_bytes(int bytes)
{
    unsigned size;
    return (int)(piece_bytes((uint64_t)bytes, &size) - sizeof(struct piece));
}

static int nothing_to_start(void *unused)
{
    (void)unused;
    return SQLITE_OK;
}

static void nothing_to_end(void *unused)
{
    (void)unused;
}

/* SQLite counts no memory then: that would take a lock for each piece. */
void p11prof_store_one_thread(void)
{
    static const sqlite3_mem_methods methods = {
        .xMalloc = take,
        .xFree = give_back,
        .xRealloc = resize,
        .xSize = usable_bytes,
        .xRoundup = rounded_bytes,
        .xInit = nothing_to_start,
        .xShutdown = nothing_to_end,
    };
    static bool done;
    if (!done) {
        sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
        sqlite3_config(SQLITE_CONFIG_MALLOC, &methods);
    }
    done = true;
}
