/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "spool_edits.h"
#include "fuzz.h"

#include <string.h>

enum { EDITS_MOST = 400 };

struct edit {
    uint8_t region, field;
    uint8_t index[2];
    uint8_t value[8];
};

/* Where an edit goes, and how many of its bytes. */
static uint64_t place_of(const struct p11prof_spool_layout *layout, const struct edit *edit,
                         size_t *bytes)
{
    uint64_t index = edit->index[0] | (uint64_t)edit->index[1] << 8, field = edit->field;
    *bytes = 8;
    switch (edit->region % 7) {
    case 0:
        return (index << 3 | field % 8) % (sizeof(struct p11prof_spool_header) - 8);
    case 1:
        *bytes = 4;
        return layout->states_offset + index % layout->chunk_count * sizeof(uint32_t);
    case 2:
        return layout->descriptors_offset +
               index % layout->chunk_count * sizeof(struct p11prof_chunk) + field % 7 * 8;
    case 3:
        return layout->rings_offset + index % layout->ring_count * P11PROF_RING_BYTES +
               field % 256 * 8;
    case 4:
        return layout->object_map_offset + index % (P11PROF_OBJECT_MAP_BYTES - 8);
    case 5:
        return offsetof(struct p11prof_spool_header, anchors) +
               index % P11PROF_SPOOL_ANCHORS * sizeof(struct p11prof_anchor) + field % 3 * 8;
    default:
        return layout->chunks_offset + index % (layout->chunk_count * P11PROF_CHUNK_RECORDS) * 64 +
               field % 8 * 8;
    }
}

struct spool_image *spool_edits_image(void)
{
    static struct spool_image image;
    static char *original;
    static uint64_t number;
    if (!original) {
        spool_image_make(&image, P11PROF_SPOOL_MIN_BYTES, 1);
        spool_image_sample(&image);
        original = malloc(image.layout.file_bytes);
        check(original != NULL, "no memory");
        memcpy(original, image.bytes, image.layout.file_bytes);
    }
    memcpy(image.bytes, original, image.layout.file_bytes);
    struct p11prof_spool_header *header = spool_image_header(&image);
    memcpy(header->spool_id, &number, sizeof number);
    memcpy(header->process_id, &number, sizeof number);
    number++;
    return &image;
}

void spool_edits_make(struct spool_image *image, const uint8_t *data, size_t size)
{
    struct edit edit;
    for (size_t i = 0; i < EDITS_MOST && (i + 1) * sizeof edit <= size; i++) {
        size_t bytes;
        memcpy(&edit, data + i * sizeof edit, sizeof edit);
        uint64_t place = place_of(&image->layout, &edit, &bytes);
        memcpy(image->bytes + place, edit.value, bytes);
    }
}
