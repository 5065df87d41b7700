/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "spool_image.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SECOND_NS UINT64_C(1000000000)

struct p11prof_spool_header *spool_image_header(const struct spool_image *image)
{
    return (void *)image->bytes;
}
struct p11prof_chunk *spool_image_chunk(const struct spool_image *image, uint32_t chunk)
{
    return (struct p11prof_chunk *)(void *)(image->bytes + image->layout.descriptors_offset) +
           chunk;
}
uint32_t *spool_image_state(const struct spool_image *image, uint32_t chunk)
{
    return (uint32_t *)(void *)(image->bytes + image->layout.states_offset) + chunk;
}
struct p11prof_ring *spool_image_ring(const struct spool_image *image, uint32_t ring)
{
    return (void *)(image->bytes + image->layout.rings_offset +
                    (uint64_t)ring * P11PROF_RING_BYTES);
}
struct p11prof_record *spool_image_records(const struct spool_image *image, uint32_t chunk)
{
    return (void *)(image->bytes + image->layout.chunks_offset +
                    (uint64_t)chunk * P11PROF_CHUNK_BYTES);
}

static void die(const char *what)
{
    perror(what);
    abort();
}

void spool_image_make(struct spool_image *image, uint64_t file_bytes, uint64_t number)
{
    memset(image, 0, sizeof *image);
    if (!p11prof_spool_layout(&image->layout, file_bytes))
        die("no size of a spool");
    image->bytes = mmap(NULL, file_bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (image->bytes == MAP_FAILED)
        die("mmap");
    image->now_ns = SECOND_NS;
    struct p11prof_spool_header *header = spool_image_header(image);
    memcpy(header->magic, P11PROF_SPOOL_MAGIC, sizeof header->magic);
    header->version = P11PROF_SPOOL_VERSION;
    header->header_bytes = sizeof *header;
    header->ring_count = image->layout.ring_count;
    header->chunk_count = image->layout.chunk_count;
    header->file_bytes = file_bytes;
    memcpy(header->spool_id, &number, sizeof number);
    memcpy(header->process_id, &number, sizeof number);
    memcpy(header->run_id, &number, sizeof number);
    header->spool_id[15] = header->process_id[15] = header->run_id[15] = 1;
    header->pid = 1000;
    header->user_id = geteuid();
    header->drain_mode = P11PROF_DRAIN_EXTERNAL;
    header->state = P11PROF_PROCESS_RUNNING;
    header->start = (struct p11prof_anchor){SECOND_NS, SECOND_NS, UINT64_C(1700000000) * SECOND_NS};
    header->run_start = header->start;
    strcpy(header->boot_id, "6a1f0a3e-0000-4000-8000-000000000001");
    strcpy(header->program, "program");
    strcpy(header->module_path, "/usr/lib/module.so");
    strcpy(header->database_path, "/var/lib/p11prof/p11prof.db");
    header->rings_used = SPOOL_IMAGE_RINGS;
    for (uint32_t ring = 0; ring < SPOOL_IMAGE_RINGS; ring++) {
        image->rings[ring].clock = P11PROF_CLOCK_MONOTONIC;
        header->ring_states[ring] = P11PROF_RING_LIVE;
        spool_image_ring(image, ring)->thread_id = 2000 + ring;
    }
}

void spool_image_free(struct spool_image *image)
{
    munmap(image->bytes, image->layout.file_bytes);
}

static bool chunk_take(struct spool_image *image, uint32_t ring)
{
    if (image->next_chunk == image->layout.chunk_count)
        return false;
    uint32_t chunk = image->rings[ring].chunk = image->next_chunk++;
    *spool_image_chunk(image, chunk) =
        (struct p11prof_chunk){.ring = ring,
                               .thread_id = 2000 + ring,
                               .sequence = image->rings[ring].position / P11PROF_CHUNK_RECORDS,
                               .clock = image->rings[ring].clock,
                               .made_bytes = P11PROF_CHUNK_BYTES,
                               .anchor = {image->now_ns, image->now_ns, image->now_ns},
                               .taken = 1};
    *spool_image_state(image, chunk) = P11PROF_CHUNK_TAKEN;
    return true;
}

bool spool_image_record(struct spool_image *image, uint32_t ring, uint64_t head,
                        const uint64_t words[7])
{
    uint64_t place = image->rings[ring].position % P11PROF_CHUNK_RECORDS;
    if (place == 0 && !chunk_take(image, ring))
        return false;
    struct p11prof_record *record = spool_image_records(image, image->rings[ring].chunk) + place;
    memcpy(record->note, words, sizeof record->note);
    record->head = head;
    image->rings[ring].position++;
    return true;
}

bool spool_image_call(struct spool_image *image, uint32_t ring, unsigned function, uint64_t rv,
                      uint64_t session, const uint64_t facts[3])
{
    static const uint64_t none[3];
    const uint64_t *f = facts ? facts : none;
    const uint64_t words[7] = {image->now_ns, 100, session, rv, f[0], f[1], f[2]};
    image->now_ns += 1000;
    return spool_image_record(image, ring, p11prof_record_head(function, P11PROF_RECORD_CALL, 0, 0),
                              words);
}

static void note(struct spool_image *image, uint32_t ring, unsigned function, unsigned kind,
                 uint32_t flags, const uint64_t words[7])
{
    spool_image_record(image, ring, p11prof_record_head(function, kind, 3, flags), words);
}

/* One session's life: search, sign, decrypt, a message, failures. */
static unsigned session_sample(struct spool_image *image, uint32_t ring, uint64_t session)
{
    static const uint64_t open[3] = {1}, mechanism[3] = {CKM_SHA256_RSA_PKCS, 7},
                          bytes[3] = {32, 256}, oracle[3] = {CKM_RSA_PKCS, 7}, one[3] = {7};
    static const uint64_t key[7] = {7, CKO_PRIVATE_KEY, CKK_RSA, 2048}, caller[7] = {0x401234},
                          copy[7] = {8, CKO_PUBLIC_KEY, CKK_RSA, 2048, 7}, handles[7] = {7, 8, 9};
    static const struct {
        unsigned function;
        uint64_t rv;
        const uint64_t *facts;
    } calls[] = {
        {P11PROF_C_SignInit, CKR_OK, mechanism},
        {P11PROF_C_Sign, CKR_BUFFER_TOO_SMALL, bytes},
        {P11PROF_C_Sign, CKR_OK, bytes},
        {P11PROF_C_DigestInit, CKR_OK, mechanism},
        {P11PROF_C_EncryptInit, CKR_OK, mechanism},
        {P11PROF_C_DigestEncryptUpdate, CKR_OK, bytes},
        {P11PROF_C_DecryptInit, CKR_OK, oracle},
        {P11PROF_C_Decrypt, CKR_ENCRYPTED_DATA_INVALID, bytes},
        {P11PROF_C_MessageSignInit, CKR_OK, mechanism},
        {P11PROF_C_SignMessageBegin, CKR_OK, bytes},
        {P11PROF_C_SignMessageNext, CKR_OK, bytes},
        {P11PROF_C_MessageSignFinal, CKR_OK, NULL},
        {P11PROF_C_UnwrapKey, CKR_OK, oracle},
        {P11PROF_C_SessionCancel, CKR_OK, bytes},
        {P11PROF_C_GenerateRandom, CKR_DEVICE_ERROR, bytes},
        {P11PROF_C_DestroyObject, CKR_OK, one},
        {P11PROF_C_Logout, CKR_OK, NULL},
    };
    unsigned count = 2 + sizeof calls / sizeof *calls;
    note(image, ring, P11PROF_C_OpenSession, P11PROF_RECORD_THREAD, 0, handles);
    note(image, ring, P11PROF_C_OpenSession, P11PROF_RECORD_CALLER, 0, caller);
    spool_image_call(image, ring, P11PROF_C_OpenSession, CKR_OK, session, open);
    note(image, ring, P11PROF_C_FindObjectsInit, P11PROF_RECORD_TEMPLATE, 3, key);
    spool_image_call(image, ring, P11PROF_C_FindObjectsInit, CKR_OK, session, NULL);
    note(image, ring, P11PROF_C_FindObjects, P11PROF_RECORD_HANDLES, 0, handles);
    spool_image_call(image, ring, P11PROF_C_FindObjects, CKR_OK, session, bytes);
    note(image, ring, P11PROF_C_CopyObject, P11PROF_RECORD_OBJECT,
         P11PROF_OBJECT_CLASS | P11PROF_OBJECT_COPY | P11PROF_OBJECT_MADE, copy);
    spool_image_call(image, ring, P11PROF_C_CopyObject, CKR_OK, session, one);
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        spool_image_call(image, ring, calls[i].function, calls[i].rv, session, calls[i].facts);
    return count + 2;
}

static void texts_sample(struct spool_image *image)
{
    struct p11prof_spool_header *header = spool_image_header(image);
    const char map[] = "400000-402000 /usr/bin/program\n7f00000000-7f00001000 /usr/lib/libx.so\n";
    memcpy(image->bytes + image->layout.object_map_offset, map, sizeof map - 1);
    header->object_map_bytes = sizeof map - 1;
    header->tokens[0].version = header->library.version = 2;
    header->tokens[0].slot_id = 1;
    memcpy(header->tokens[0].label, "token                           ", 32);
    memcpy(header->library.description, "library                         ", 32);
    header->anchors[0] = (struct p11prof_anchor){3 * SECOND_NS, 2 * SECOND_NS, 2 * SECOND_NS};
    header->anchor_count = 1;
    header->ticks_per_second = 2 * SECOND_NS;
    header->lost[P11PROF_LOSS_LIMIT][P11PROF_C_Sign] = 2;
    spool_image_ring(image, 1)->lost[P11PROF_LOSS_NO_MEMORY][P11PROF_C_Sign] = 3;
    spool_image_ring(image, 2)->mark =
        p11prof_mark(P11PROF_C_WaitForSlotEvent, 0, P11PROF_CLOCK_MONOTONIC);
    spool_image_ring(image, 2)->mark_ticks = SECOND_NS;
}

unsigned spool_image_sample(struct spool_image *image)
{
    unsigned count = 0;
    texts_sample(image);
    image->rings[3].clock = P11PROF_CLOCK_TSC;
    for (uint64_t i = 0; i < 120; i++) /* more than one chunk in the first two rings */
        count += session_sample(image, i % 4 < 3 ? i % 2 : 2 + i / 4 % 2, 100 + i % 50);
    for (uint32_t ring = 0; ring < 4; ring++)
        count += spool_image_call(image, ring, P11PROF_C_Finalize, CKR_OK, 0, NULL);
    return count;
}

/* Pages of zeros become holes. */
void spool_image_write(const struct spool_image *image, int fd)
{
    static const char zeros[4096];
    uint64_t bytes = image->layout.file_bytes;
    if (ftruncate(fd, 0) != 0 || ftruncate(fd, (off_t)bytes) != 0)
        die("ftruncate");
    for (uint64_t at = 0; at < bytes; at += sizeof zeros) {
        size_t some = bytes - at < sizeof zeros ? bytes - at : sizeof zeros;
        if (memcmp(image->bytes + at, zeros, some) != 0 &&
            pwrite(fd, image->bytes + at, some, (off_t)at) != (ssize_t)some)
            die("pwrite");
    }
}

int spool_image_open(const struct spool_image *image)
{
    int fd = memfd_create("spool", MFD_CLOEXEC);
    if (fd < 0)
        die("memfd_create");
    spool_image_write(image, fd);
    return fd;
}

enum p11prof_status spool_image_drain(int fd, uint64_t file_bytes, struct p11prof_store *store,
                                      bool gone, unsigned flags,
                                      struct p11prof_drain_result *result,
                                      struct p11prof_error *error)
{
    const struct p11prof_spool_source source = {.fd = fd, .file_bytes = file_bytes, .gone = gone};
    struct p11prof_drain *drain;
    *result = (struct p11prof_drain_result){0};
    enum p11prof_status status = p11prof_drain_open(&drain, &source, error);
    if (status != P11PROF_OK)
        return status;
    if (gone)
        flags |= P11PROF_DRAIN_ALL | P11PROF_DRAIN_LAST;
    status = p11prof_drain_run(drain, store, flags, 0, 1000, result, error);
    p11prof_drain_close(drain);
    return status;
}
