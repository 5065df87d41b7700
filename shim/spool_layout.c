/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "p11prof/spool.h"

#include <string.h>

static uint64_t page_round(uint64_t bytes)
{
    return (bytes + 4095) & ~UINT64_C(4095);
}

bool p11prof_spool_layout(struct p11prof_spool_layout *out, uint64_t file_bytes)
{
    if (file_bytes < P11PROF_SPOOL_MIN_BYTES || file_bytes > P11PROF_SPOOL_MAX_BYTES)
        return false;
    uint64_t rings = file_bytes / (16 * P11PROF_RING_BYTES);
    out->file_bytes = file_bytes;
    out->ring_count = rings > P11PROF_RINGS_MAX ? P11PROF_RINGS_MAX : (uint32_t)rings;
    uint32_t chunks_most = (uint32_t)(file_bytes / P11PROF_CHUNK_BYTES);
    out->object_map_offset = page_round(sizeof(struct p11prof_spool_header));
    out->states_offset = out->object_map_offset + P11PROF_OBJECT_MAP_BYTES;
    out->descriptors_offset = out->states_offset + page_round(chunks_most * sizeof(uint32_t));
    out->rings_offset =
        out->descriptors_offset + page_round(chunks_most * sizeof(struct p11prof_chunk));
    out->chunks_offset = out->rings_offset + (uint64_t)out->ring_count * P11PROF_RING_BYTES;
    out->chunk_count = (uint32_t)((file_bytes - out->chunks_offset) / P11PROF_CHUNK_BYTES);
    return true;
}

const char *p11prof_spool_database(const struct p11prof_spool_header *header)
{
    const char *path = header->database_path;
    return path[0] == '/' && memchr(path, '\0', sizeof header->database_path) ? path : "";
}
