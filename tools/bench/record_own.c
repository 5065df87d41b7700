/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "record_own.h"

#include "../report/allocate.h"
#include "../report/buckets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WAIT_MS = 2000 };

bool record_own_db(struct bench_run *run)
{
    const char *base = getenv("TMPDIR");
    if (!base || base[0] != '/' || strlen(base) > sizeof run->own_folder - 32)
        base = "/tmp";
    snprintf(run->own_folder, sizeof run->own_folder, "%s/p11prof-bench-XXXXXX", base);
    if (!mkdtemp(run->own_folder)) {
        run->own_folder[0] = '\0';
        return false;
    }
    snprintf(run->own_db, sizeof run->own_db, "%s/p.db", run->own_folder);
    run->db = run->own_db;
    return true;
}

void record_own_remove(struct bench_run *run)
{
    static const char *const endings[] = {"", "-wal", "-shm", "-writer"};
    char path[sizeof run->own_db + 16];
    if (!run->own_folder[0])
        return;
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        snprintf(path, sizeof path, "%s%s", run->own_db, endings[i]);
        unlink(path);
    }
    rmdir(run->own_folder);
    run->own_folder[0] = '\0';
}

/* --- token and library --- */

/* A process as a spool would tell of it. The caller frees it. */
static struct p11prof_spool_header *header_make(const struct bench_run *run)
{
    struct p11prof_spool_header *header = p11prof_zalloc(1, sizeof *header);
    memcpy(header->run_id, run->recording.uuid, sizeof header->run_id);
    memcpy(header->process_id, run->recording.uuid, sizeof header->process_id);
    memcpy(header->spool_id, run->recording.uuid, sizeof header->spool_id);
    header->pid = getpid();
    header->user_id = geteuid();
    header->start = header->run_start = run->recording.start;
    header->overhead_ns = run->clock_cost_ns;
    snprintf(header->program, sizeof header->program, "p11prof-bench");
    snprintf(header->module_path, sizeof header->module_path, "%.511s", run->target->module);
    return header;
}

static struct p11prof_token_row token_row(const struct bench_token_facts *facts)
{
    struct p11prof_token_row row = {
        .slot_id = facts->slot_id, .session_count = 1, .described = true};
    unsigned major = 0, minor = 0;
    sscanf(facts->firmware, "%u.%u", &major, &minor);
    row.firmware_major = (uint8_t)major;
    row.firmware_minor = (uint8_t)minor;
    snprintf(row.label, sizeof row.label, "%.32s", facts->label);
    snprintf(row.manufacturer, sizeof row.manufacturer, "%.32s", facts->manufacturer);
    snprintf(row.model, sizeof row.model, "%.16s", facts->model);
    snprintf(row.serial, sizeof row.serial, "%.16s", facts->serial);
    return row;
}

static struct p11prof_batch batch_make(const struct bench_token_facts *facts,
                                       struct p11prof_token_row *token)
{
    struct p11prof_batch batch = {
        .tokens = token, .token_count = 1, .library_known = true, .process_ended = true};
    unsigned major = 0, minor = 0;
    sscanf(facts->cryptoki, "%u.%u", &major, &minor);
    batch.cryptoki_major = (uint8_t)major;
    batch.cryptoki_minor = (uint8_t)minor;
    snprintf(batch.library, sizeof batch.library, "%.79s", facts->library);
    return batch;
}

enum p11prof_status record_own_describe(struct bench_run *run, struct p11prof_error *error)
{
    struct p11prof_store *store = run->recording.store;
    struct p11prof_token_row token = token_row(&run->token);
    const struct p11prof_batch batch = batch_make(&run->token, &token);
    struct p11prof_process_rows rows;
    struct p11prof_spool_header *header = header_make(run);
    enum p11prof_status status = p11prof_store_begin(store, WAIT_MS, error);
    if (status != P11PROF_OK)
        goto out;
    status = p11prof_store_enter(store, header, &rows, error);
    if (status == P11PROF_OK)
        status = p11prof_store_write(store, &rows, &batch, false, error);
    if (status == P11PROF_OK)
        status = p11prof_store_commit(store, error);
    else
        p11prof_store_rollback(store);
out:
    free(header);
    return status;
}

/* --- a slice --- */

/* buckets: of a thread, get the same; NULL: there is no need. */
static void octave_add(struct p11prof_group *group, unsigned octave, const uint32_t *counts,
                       struct p11prof_buckets *buckets)
{
    for (unsigned bucket = 0; bucket < P11PROF_OCTAVE_BUCKETS; bucket++) {
        if (counts[bucket] == 0)
            continue;
        if (!group->octaves[octave])
            group->octaves[octave] =
                p11prof_zalloc(P11PROF_OCTAVE_BUCKETS, sizeof *group->octaves[octave]);
        group->octaves[octave][bucket] += counts[bucket];
        if (buckets)
            p11prof_buckets_add(buckets, p11prof_bucket_low_ns(octave, bucket), counts[bucket]);
    }
}

static void own_merge(struct p11prof_group *group, const struct bench_own *own,
                      const struct bench_tally *measured, struct p11prof_buckets *buckets)
{
    group->count += own->success_count + measured->error_count - measured->wrong_count;
    group->error_count += measured->error_count - measured->wrong_count;
    group->sum_ns += own->sum_ns;
    group->error_sum_ns += own->error_sum_ns;
    group->sum_squares += own->sum_squares;
    group->min_ns = own->min_ns < group->min_ns ? own->min_ns : group->min_ns;
    group->max_ns = own->max_ns > group->max_ns ? own->max_ns : group->max_ns;
    for (unsigned octave = 0; octave < P11PROF_OCTAVES; octave++)
        octave_add(group, octave, own->octaves[octave], buckets);
}

static int64_t mechanism_of(const struct p11prof_bench_test *test)
{
    return test->mechanism == CK_UNAVAILABLE_INFORMATION ? P11PROF_UNKNOWN
                                                         : (int64_t)test->mechanism;
}

static struct p11prof_group group_make(const struct bench_load *load, uint64_t window_start_ns)
{
    return (struct p11prof_group){.operation = true,
                                  .code = (uint16_t)load->test.operation,
                                  .mechanism = mechanism_of(&load->test),
                                  .key_type = P11PROF_UNKNOWN,
                                  .key_bits = load->test.key_bits ? (int64_t)load->test.key_bits
                                                                  : P11PROF_UNKNOWN,
                                  .part = p11prof_part(load->number, P11PROF_PHASE_MEASURED),
                                  .window_start_ns = window_start_ns,
                                  .min_ns = UINT64_MAX};
}

/* Stores what it has, and frees its buckets. */
static enum p11prof_status group_store(struct bench_run *run, struct p11prof_group *group,
                                       struct p11prof_error *error)
{
    enum p11prof_status status = P11PROF_OK;
    if (group->count > 0)
        status = p11prof_store_group_add(run->recording.store, run->recording.run_id, group, error);
    for (unsigned octave = 0; octave < P11PROF_OCTAVES; octave++)
        free(group->octaves[octave]);
    return status;
}

static const struct bench_share *share_of(const struct bench_run *run,
                                          const struct bench_load *load, unsigned index,
                                          unsigned turn)
{
    return &bench_shares(run->crew.shared, index / load->threads, index % load->threads)[turn];
}

/* As the drain does where operations are recorded. */
static enum p11prof_status service_store(struct bench_run *run, const struct bench_load *load,
                                         unsigned turn, uint64_t window_start_ns,
                                         struct p11prof_error *error)
{
    struct p11prof_group group = group_make(load, window_start_ns);
    group.part = p11prof_service_part(group.part);
    for (unsigned i = 0; i < load->threads * load->processes; i++) {
        const struct bench_share *share = share_of(run, load, i, turn);
        own_merge(&group, &share->service, &share->measured, NULL);
    }
    return group_store(run, &group, error);
}

enum p11prof_status record_own_slice(struct bench_run *run, struct bench_load *load, unsigned turn,
                                     uint64_t window_start_ns, struct p11prof_error *error)
{
    unsigned count = load->threads * load->processes;
    struct p11prof_group group = group_make(load, window_start_ns);
    if (!load->own) {
        load->own = p11prof_zalloc(count, sizeof *load->own);
        load->own_sum_ns = p11prof_zalloc(count, sizeof *load->own_sum_ns);
    }
    for (unsigned i = 0; i < count; i++) {
        const struct bench_share *share = share_of(run, load, i, turn);
        own_merge(&group, &share->own, &share->measured, &load->own[i]);
        load->own_sum_ns[i] += share->own.sum_ns;
    }
    enum p11prof_status status = group_store(run, &group, error);
    if (status == P11PROF_OK && load->rate > 0)
        status = service_store(run, load, turn, window_start_ns, error);
    return status;
}
