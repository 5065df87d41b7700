/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Spools made by hand: valid ones to begin with, for tests and fuzzers to damage. */
#ifndef P11PROF_TESTS_SPOOL_IMAGE_H
#define P11PROF_TESTS_SPOOL_IMAGE_H

#include "p11prof/drain.h"

enum { SPOOL_IMAGE_RINGS = 8 };

/* A spool in memory. Every call takes 100 ns, starts 1 us after the one before, and is in
 * CLOCK_MONOTONIC, from one second after the machine's start. */
struct spool_image {
    struct p11prof_spool_layout layout;
    char *bytes;
    uint32_t next_chunk;
    uint64_t now_ns;
    struct {
        uint64_t position;
        uint32_t chunk;
        uint32_t clock;
    } rings[SPOOL_IMAGE_RINGS];
};

/* An empty spool; `number` makes its ids. Aborts without memory. */
void spool_image_make(struct spool_image *image, uint64_t file_bytes, uint64_t number);
void spool_image_free(struct spool_image *image);

/* Appends to a ring, in a new chunk where one is due. False if the spool is full. */
bool spool_image_record(struct spool_image *image, uint32_t ring, uint64_t head,
                        const uint64_t words[7]);
bool spool_image_call(struct spool_image *image, uint32_t ring, unsigned function, uint64_t rv,
                      uint64_t session, const uint64_t facts[3]);

/* Some of everything that a spool can hold, in four rings. Returns the number of calls. */
unsigned spool_image_sample(struct spool_image *image);

struct p11prof_spool_header *spool_image_header(const struct spool_image *image);
struct p11prof_chunk *spool_image_chunk(const struct spool_image *image, uint32_t chunk);
uint32_t *spool_image_state(const struct spool_image *image, uint32_t chunk);
struct p11prof_ring *spool_image_ring(const struct spool_image *image, uint32_t ring);
struct p11prof_record *spool_image_records(const struct spool_image *image, uint32_t chunk);

/* Makes the file what the image is. */
void spool_image_write(const struct spool_image *image, int fd);
/* A nameless file of it in shared memory. */
int spool_image_open(const struct spool_image *image);

/* Drains a descriptor as a collector would. */
enum p11prof_status spool_image_drain(int fd, uint64_t file_bytes, struct p11prof_store *store,
                                      bool gone, unsigned flags,
                                      struct p11prof_drain_result *result,
                                      struct p11prof_error *error);

#endif
