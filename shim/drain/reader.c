/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "reader.h"

#include "descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- bytes --- */

/* Other threads write meanwhile: who needs what belongs together looks at commit marks first. */
static void snapshot(void *bytes, const void *live, size_t count)
{
#ifdef __SANITIZE_THREAD__
    void AnnotateIgnoreReadsBegin(const char *, int), AnnotateIgnoreReadsEnd(const char *, int);
    AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
#endif
    memcpy(bytes, live, count);
#ifdef __SANITIZE_THREAD__
    AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
#endif
}

bool reader_bytes(struct reader *reader, uint64_t offset, void *bytes, size_t count)
{
    if (offset > reader->source.file_bytes || count > reader->source.file_bytes - offset)
        return false;
    if (reader->source.map) {
        snapshot(bytes, (const char *)reader->source.map + offset, count);
        return true;
    }
    for (size_t done = 0; done < count;) {
        ssize_t got =
            pread(reader->source.fd, (char *)bytes + done, count - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            reader->cut = true;
            return false;
        }
        done += (size_t)got;
    }
    return true;
}

bool reader_write(struct reader *reader, uint64_t offset, const void *bytes, size_t count)
{
    if (reader->source.map) {
        memcpy((char *)reader->source.map + offset, bytes, count);
        return true;
    }
    return pwrite(reader->source.fd, bytes, count, (off_t)offset) == (ssize_t)count;
}

/* --- header and directory --- */

#define TERMINATE(text) ((text)[sizeof(text) - 1] = '\0')

/* Whose a file is says its owner, and it keeps its size. */
static bool file_agrees(struct reader *reader)
{
    struct stat facts;
    if (reader->source.map)
        return true;
    if (fstat(reader->source.fd, &facts) != 0)
        return false;
    reader->header.user_id = facts.st_uid;
    return (uint64_t)facts.st_size == reader->source.file_bytes;
}

static enum p11prof_status header_read(struct reader *reader, struct p11prof_error *error)
{
    struct p11prof_spool_header *header = &reader->header;
    if (!reader_bytes(reader, 0, header, sizeof *header) ||
        memcmp(header->magic, P11PROF_SPOOL_MAGIC, sizeof header->magic) != 0)
        return p11prof_error_set(error, P11PROF_BAD_INPUT, "this is no spool of p11prof");
    if (header->version != P11PROF_SPOOL_VERSION || header->header_bytes != sizeof *header)
        return p11prof_error_set(error, P11PROF_REFUSED,
                                 "a spool of version %u; this p11prof reads version %d",
                                 header->version, P11PROF_SPOOL_VERSION);
    if (!p11prof_spool_layout(&reader->layout, reader->source.file_bytes) || !file_agrees(reader) ||
        header->file_bytes != reader->source.file_bytes ||
        header->ring_count != reader->layout.ring_count ||
        header->chunk_count != reader->layout.chunk_count)
        return p11prof_error_set(error, P11PROF_BAD_INPUT,
                                 "a damaged spool: its size does not fit");
    TERMINATE(header->boot_id);
    TERMINATE(header->program);
    TERMINATE(header->module_path);
    TERMINATE(header->run_name);
    return P11PROF_OK;
}

static int by_ring_and_sequence(const void *left, const void *right)
{
    const struct reader_chunk *a = left, *b = right;
    if (a->ring != b->ring)
        return a->ring < b->ring ? -1 : 1;
    return a->sequence < b->sequence ? -1 : a->sequence > b->sequence;
}

static bool chunk_read(struct reader *reader, uint32_t index, struct reader_chunk *out)
{
    struct p11prof_chunk chunk;
    uint64_t offset = reader->layout.descriptors_offset + (uint64_t)index * sizeof chunk;
    if (!reader_bytes(reader, offset, &chunk, sizeof chunk) || chunk.taken != 1)
        return false;
    if (chunk.ring >= reader->layout.ring_count || chunk.made_bytes > P11PROF_CHUNK_BYTES ||
        chunk.sequence > INT64_MAX / P11PROF_CHUNK_RECORDS - 2) {
        reader->torn_count++;
        return false;
    }
    *out = (struct reader_chunk){.index = index,
                                 .ring = chunk.ring,
                                 .thread_id = chunk.thread_id,
                                 .clock = chunk.clock,
                                 .sequence = chunk.sequence,
                                 .made_bytes = chunk.made_bytes,
                                 .anchor = chunk.anchor};
    return true;
}

/* What was written before the state of a chunk is read after it. */
static bool chunk_is_taken(const struct reader *reader, uint32_t index, uint32_t state)
{
    if (reader->source.map) {
        uint64_t offset = reader->layout.states_offset + index * sizeof(uint32_t);
        const void *live = (const char *)reader->source.map + offset;
        state = atomic_load_explicit((const _Atomic(uint32_t) *)live, memory_order_acquire);
    }
    return state == P11PROF_CHUNK_TAKEN;
}

/* The descriptors of all TAKEN chunks. Two with one ring and sequence cannot be: the second is not
 * believed. */
static void directory_read(struct reader *reader)
{
    uint32_t count = reader->layout.chunk_count, states[1024];
    reader->chunk_count = 0;
    reader->torn_count = 0;
    for (uint32_t first = 0; first < count; first += 1024) {
        uint32_t some = count - first < 1024 ? count - first : 1024;
        if (!reader_bytes(reader, reader->layout.states_offset + first * sizeof *states, states,
                          some * sizeof *states))
            return;
        for (uint32_t i = 0; i < some; i++)
            if (states[i] == P11PROF_CHUNK_TAKEN && chunk_is_taken(reader, first + i, states[i]) &&
                chunk_read(reader, first + i, &reader->chunks[reader->chunk_count]))
                reader->chunk_count++;
    }
    qsort(reader->chunks, reader->chunk_count, sizeof *reader->chunks, by_ring_and_sequence);
    size_t kept = 0;
    for (size_t i = 0; i < reader->chunk_count; i++) {
        bool twice =
            kept > 0 && by_ring_and_sequence(&reader->chunks[kept - 1], &reader->chunks[i]) == 0;
        reader->torn_count += twice;
        if (!twice)
            reader->chunks[kept++] = reader->chunks[i];
    }
    reader->chunk_count = kept;
}

/* Anchors of another boot say nothing of this one's clocks. */
static bool same_boot(const struct reader *reader)
{
    char id[sizeof reader->header.boot_id] = "";
    struct p11prof_descriptor file;
    if (!p11prof_descriptor_open(&file, AT_FDCWD, "/proc/sys/kernel/random/boot_id", O_RDONLY, 0))
        return false;
    ssize_t length = p11prof_descriptor_read(&file, id, sizeof id - 1);
    p11prof_descriptor_close(&file);
    id[length > 0 ? strcspn(id, "\n") : 0] = '\0';
    return strcmp(id, reader->header.boot_id) == 0;
}

static bool clocks_read(struct reader *reader)
{
    struct clocks *clocks = &reader->clocks;
    const struct p11prof_spool_header *header = &reader->header;
    clocks->count = 0;
    bool added = clocks_add(clocks, &header->start);
    uint32_t anchors =
        header->anchor_count < P11PROF_SPOOL_ANCHORS ? header->anchor_count : P11PROF_SPOOL_ANCHORS;
    for (uint32_t i = 0; i < anchors; i++)
        added = added && clocks_add(clocks, &header->anchors[i]);
    for (size_t i = 0; i < reader->chunk_count; i++)
        if (reader->chunks[i].clock == P11PROF_CLOCK_TSC)
            added = added && clocks_add(clocks, &reader->chunks[i].anchor);
    if (reader->source.map || same_boot(reader)) {
        struct p11prof_anchor now = p11prof_anchor_now();
        if (p11prof_clock_has_tsc())
            added = added && clocks_add(clocks, &now);
    }
    clocks_finish(clocks, header->ticks_per_second);
    return added;
}

static void cursors_point(struct reader *reader)
{
    for (uint32_t ring = 0; ring < reader->layout.ring_count; ring++)
        if (reader->cursors[ring])
            reader->cursors[ring]->chunk_count = 0;
    for (size_t first = 0, next; first < reader->chunk_count; first = next) {
        uint32_t ring = reader->chunks[first].ring;
        for (next = first + 1; next < reader->chunk_count && reader->chunks[next].ring == ring;)
            next++;
        struct reader_cursor *cursor = reader_cursor(reader, ring);
        if (!cursor)
            continue;
        cursor->chunks = &reader->chunks[first];
        cursor->chunk_count = next - first;
    }
}

enum p11prof_status reader_refresh(struct reader *reader, struct p11prof_error *error)
{
    enum p11prof_status status = header_read(reader, error);
    if (status != P11PROF_OK)
        return status;
    reader->cut = false;
    directory_read(reader);
    if (!clocks_read(reader))
        return p11prof_error_set(error, P11PROF_FAILED, "no memory to read a spool");
    cursors_point(reader);
    return P11PROF_OK;
}

enum p11prof_status reader_open(struct reader *reader, const struct p11prof_spool_source *source,
                                struct p11prof_error *error)
{
    memset(reader, 0, sizeof *reader);
    reader->source = *source;
    enum p11prof_status status = header_read(reader, error);
    if (status != P11PROF_OK)
        return status;
    reader->chunks = calloc(reader->layout.chunk_count, sizeof *reader->chunks);
    reader->cursors = calloc(reader->layout.ring_count, sizeof *reader->cursors);
    if (reader->chunks && reader->cursors)
        return P11PROF_OK;
    reader_close(reader);
    return p11prof_error_set(error, P11PROF_FAILED, "no memory to read a spool");
}

void reader_close(struct reader *reader)
{
    for (uint32_t i = 0; reader->cursors && i < reader->layout.ring_count; i++)
        free(reader->cursors[i]);
    free(reader->cursors);
    free(reader->chunks);
    free(reader->clocks.anchors);
    memset(reader, 0, sizeof *reader);
}

struct reader_cursor *reader_cursor(struct reader *reader, uint32_t ring)
{
    if (ring >= reader->layout.ring_count)
        return NULL;
    if (!reader->cursors[ring]) {
        reader->cursors[ring] = calloc(1, sizeof **reader->cursors);
        if (reader->cursors[ring])
            reader->cursors[ring]->ring = ring;
    }
    return reader->cursors[ring];
}

/* --- releasing --- */

static void chunk_release(struct reader *reader, const struct reader_chunk *chunk)
{
    const uint64_t not_taken = 0;
    const uint32_t empty = P11PROF_CHUNK_EMPTY;
    const struct p11prof_spool_layout *layout = &reader->layout;
    if (reader->source.map) {
        reader->source.release(chunk->index);
        return;
    }
    reader_write(reader,
                 layout->descriptors_offset + chunk->index * sizeof(struct p11prof_chunk) +
                     offsetof(struct p11prof_chunk, taken),
                 &not_taken, sizeof not_taken);
    fallocate(reader->source.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
              (off_t)(layout->chunks_offset + (uint64_t)chunk->index * P11PROF_CHUNK_BYTES),
              P11PROF_CHUNK_BYTES);
    reader_write(reader, layout->states_offset + chunk->index * sizeof empty, &empty, sizeof empty);
}

void reader_release(struct reader *reader)
{
    for (uint32_t ring = 0; ring < reader->layout.ring_count; ring++)
        if (reader->cursors[ring])
            reader->cursors[ring]->position = reader->cursors[ring]->taken;
    if (reader->source.gone)
        return; /* the file goes as a whole */
    for (size_t i = 0; i < reader->chunk_count; i++) {
        const struct reader_chunk *chunk = &reader->chunks[i];
        const struct reader_cursor *cursor = reader->cursors[chunk->ring];
        if (cursor && cursor->position >= (chunk->sequence + 1) * P11PROF_CHUNK_RECORDS)
            chunk_release(reader, chunk);
    }
}
