/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "p11prof/drain.h"

#include "clocks.h"
#include "folders.h"
#include "held.h"
#include "lineage.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* --- draining --- */

struct collecting {
    struct p11prof_store *store;
    const struct p11prof_collect_options *options;
    struct p11prof_collect_result *result;
    struct p11prof_error *error; /* the first failure */
    enum p11prof_status status;
    struct lineage *lineage;
    unsigned depth; /* of the spools that are taken now */
};

/* Whether it is a spool of the run that is collected. */
static bool chosen(const struct p11prof_collect_options *options, const struct spool_file *file)
{
    return file->problem.status == P11PROF_OK &&
           (!options->run_id || memcmp(options->run_id, file->header.run_id, 16) == 0);
}

static bool note_file(void *payload, const struct spool_file *file)
{
    struct collecting *collecting = payload;
    if (chosen(collecting->options, file))
        lineage_add(collecting->lineage, &file->header);
    return true;
}

static void collect_failed(struct collecting *collecting, const char *path,
                           enum p11prof_status status, const struct p11prof_error *error)
{
    collecting->result->waiting_count++;
    if (collecting->status != P11PROF_OK)
        return;
    collecting->status = status;
    p11prof_error_set(collecting->error, status, "%s: %s", path, error->text);
}

static enum p11prof_status drain_file(struct collecting *collecting, const struct spool_file *file,
                                      struct p11prof_drain_result *result,
                                      struct p11prof_error *error)
{
    const struct p11prof_spool_source source = {
        .fd = file->fd, .file_bytes = file->file_bytes, .gone = file->gone};
    struct p11prof_drain *drain;
    unsigned flags = (file->gone ? P11PROF_DRAIN_ALL | P11PROF_DRAIN_LAST : 0u) |
                     (collecting->options->adopt ? (unsigned)P11PROF_DRAIN_ADOPT : 0u);
    enum p11prof_status status = p11prof_drain_open(&drain, &source, error);
    if (status != P11PROF_OK)
        return status;
    status = p11prof_drain_run(drain, collecting->store, flags, 0, collecting->options->wait_ms,
                               result, error);
    p11prof_drain_close(drain);
    return status;
}

static void describe(struct p11prof_found_spool *found, const struct spool_file *file)
{
    memset(found, 0, sizeof *found);
    snprintf(found->path, sizeof found->path, "%s", file->path);
    found->problem = file->problem;
    found->user_id = file->user_id;
    found->gone = file->gone;
    found->file_bytes = file->file_bytes;
    found->used_bytes = file->used_bytes;
    if (file->problem.status != P11PROF_OK)
        return;
    memcpy(found->run_id, file->header.run_id, 16);
    memcpy(found->database_id, (const void *)file->header.database_id, 16);
    snprintf(found->database_path, sizeof found->database_path, "%s",
             p11prof_spool_database(&file->header));
    found->pid = file->header.pid;
    found->drain_mode = file->header.drain_mode;
    snprintf(found->program, sizeof found->program, "%.63s", file->header.program);
}

static bool wanted(const struct p11prof_collect_options *options, const struct spool_file *file)
{
    struct p11prof_found_spool found;
    if (!options->wants)
        return true;
    describe(&found, file);
    return options->wants(options->payload, &found);
}

/* Nobody else drains it. */
static bool to_be_taken(const struct p11prof_collect_options *options,
                        const struct spool_file *file)
{
    return (file->gone || file->header.drain_mode == P11PROF_DRAIN_EXTERNAL) &&
           wanted(options, file);
}

static void file_failed(struct collecting *collecting, const struct spool_file *file,
                        enum p11prof_status status, const struct p11prof_error *error)
{
    bool hopeless = status == P11PROF_BAD_INPUT || status == P11PROF_REFUSED;
    collect_failed(collecting, file->path, status, error);
    if (file->folder < 0 && hopeless) /* nobody can look at it later: its memory is let go */
        held_spools_drop(collecting->options->held, file);
}

static void file_taken(struct collecting *collecting, const struct spool_file *file)
{
    collecting->result->spool_count++;
    if (!file->gone)
        return;
    if (file->folder >= 0)
        unlinkat(file->folder, file->name, 0);
    held_spools_drop(collecting->options->held, file);
}

static bool collect_file(void *payload, const struct spool_file *file)
{
    struct collecting *collecting = payload;
    const uint8_t *run_id = collecting->options->run_id;
    struct p11prof_drain_result result = {0};
    struct p11prof_error error = {0};
    if (file->problem.status != P11PROF_OK && collecting->depth == 0 && !run_id &&
        wanted(collecting->options, file))
        file_failed(collecting, file, file->problem.status, &file->problem);
    if (!chosen(collecting->options, file) ||
        lineage_depth(collecting->lineage, &file->header) != collecting->depth)
        return true;
    collecting->result->live_count += !file->gone;
    if (!to_be_taken(collecting->options, file))
        return true;
    if (!file->gone)
        held_spools_add(collecting->options->held, file);
    enum p11prof_status status = drain_file(collecting, file, &result, &error);
    collecting->result->call_count += result.call_count;
    if (status == P11PROF_OK)
        file_taken(collecting, file);
    else
        file_failed(collecting, file, status, &error);
    return true;
}

static void visit_all(const struct p11prof_collect_options *options,
                      bool (*visit)(void *payload, const struct spool_file *file), void *payload)
{
    spool_files_visit(options->folder, visit, payload);
    held_spools_visit(options->held, visit, payload);
}

enum p11prof_status p11prof_collect(struct p11prof_store *store,
                                    const struct p11prof_collect_options *options,
                                    struct p11prof_collect_result *result,
                                    struct p11prof_error *error)
{
    struct collecting collecting = {.store = store,
                                    .options = options,
                                    .result = result,
                                    .error = error,
                                    .lineage = calloc(1, sizeof *collecting.lineage)};
    *result = (struct p11prof_collect_result){0};
    if (!collecting.lineage)
        return p11prof_error_set(error, P11PROF_FAILED, "no memory to look into spools");
    visit_all(options, note_file, &collecting);
    lineage_finish(collecting.lineage);
    for (; collecting.depth <= collecting.lineage->deepest; collecting.depth++)
        visit_all(options, collect_file, &collecting);
    free(collecting.lineage);
    return collecting.status;
}

static bool hold_file(void *payload, const struct spool_file *file)
{
    const struct p11prof_collect_options *options = payload;
    if (!chosen(options, file) || !to_be_taken(options, file))
        return true;
    held_spools_add(options->held, file);
    if (file->gone) /* what is held shares the lock, and whoever takes it wants that */
        flock(file->fd, LOCK_UN);
    return true;
}

void p11prof_held_spools_look(const struct p11prof_collect_options *options)
{
    struct p11prof_collect_options looking = *options;
    spool_files_visit(options->folder, hold_file, &looking);
}

/* --- looking --- */

struct looking {
    bool (*visit)(void *payload, const struct p11prof_found_spool *spool);
    void *payload;
};

static bool found_file(void *payload, const struct spool_file *file)
{
    const struct looking *looking = payload;
    struct p11prof_found_spool found;
    describe(&found, file);
    return looking->visit(looking->payload, &found);
}

void p11prof_spools_visit(const char *folder,
                          bool (*visit)(void *payload, const struct p11prof_found_spool *spool),
                          void *payload)
{
    struct looking looking = {visit, payload};
    spool_files_visit(folder, found_file, &looking);
}

/* --- calls in flight --- */

struct watching {
    void (*visit)(void *payload, const struct p11prof_live_call *call);
    void *payload;
};

static void ring_watch(const struct watching *watching, const struct spool_file *file,
                       const struct p11prof_ring *ring, struct clocks *clocks, uint64_t now_ns)
{
    uint64_t ticks = atomic_load_explicit(&ring->mark_ticks, memory_order_relaxed);
    uint64_t mark = atomic_load_explicit(&ring->mark, memory_order_relaxed);
    unsigned function = p11prof_mark_function(mark);
    if (function == 0 || function > P11PROF_CALLS)
        return;
    uint64_t start_ns = clocks_monotonic_ns(clocks, p11prof_mark_clock(mark), ticks);
    struct p11prof_live_call call = {
        .pid = file->header.pid,
        .thread_id = atomic_load_explicit(&ring->thread_id, memory_order_relaxed),
        .function = (uint16_t)function,
        .age_ns = now_ns > start_ns ? now_ns - start_ns : 0};
    memcpy(call.run_id, file->header.run_id, 16);
    snprintf(call.program, sizeof call.program, "%.63s", file->header.program);
    watching->visit(watching->payload, &call);
}

static bool watch_file(void *payload, const struct spool_file *file)
{
    struct p11prof_spool_layout layout;
    struct p11prof_ring ring;
    struct clocks clocks = {0};
    struct p11prof_anchor now = p11prof_anchor_now();
    if (file->problem.status != P11PROF_OK || file->gone ||
        !p11prof_spool_layout(&layout, file->file_bytes))
        return true;
    clocks_add(&clocks, &file->header.start);
    clocks_add(&clocks, &now);
    clocks_finish(&clocks, file->header.ticks_per_second);
    uint32_t used = atomic_load_explicit(&file->header.rings_used, memory_order_relaxed);
    for (uint32_t i = 0; i < used && i < layout.ring_count; i++) {
        off_t offset = (off_t)(layout.rings_offset + (uint64_t)i * P11PROF_RING_BYTES);
        if (pread(file->fd, &ring, sizeof ring, offset) != (ssize_t)sizeof ring)
            break;
        ring_watch(payload, file, &ring, &clocks, now.monotonic_ns);
    }
    free(clocks.anchors);
    return true;
}

void p11prof_in_flight_visit(const char *folder,
                             void (*visit)(void *payload, const struct p11prof_live_call *call),
                             void *payload)
{
    struct watching watching = {visit, payload};
    spool_files_visit(folder, watch_file, &watching);
}
