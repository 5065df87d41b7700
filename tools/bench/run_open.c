/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "run.h"

#include "../commands.h"
#include "../message.h"
#include "../record/parts.h"
#include "p11prof/config.h"
#include "p11prof/record.h"
#include "record_own.h"
#include "run_facts.h"
#include "slice.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

enum {
    SPOOL_BYTES = 512 << 20, /* of all workers together */
    SPOOL_LEAST_BYTES = 32 << 20,
    SPOOL_OTHER_BYTES = 1 << 20, /* of a spool, besides records and rings */
};

static uint64_t largest(const struct bench_list *list)
{
    uint64_t most = 1;
    for (unsigned i = 0; i < list->count; i++)
        most = list->values[i] > most ? list->values[i] : most;
    return most;
}

/* With a ramp, its steps count. */
static uint64_t ramp_largest(const struct bench_settings *settings, enum p11prof_ramp_of of,
                             const struct bench_list *list)
{
    const struct bench_ramp *ramp = &settings->ramp;
    if (!ramp->wanted || ramp->of != of || ramp->count == 0)
        return largest(list);
    return (uint64_t)ramp->values[ramp->count - 1];
}

static uint64_t processes_most(const struct bench_settings *settings)
{
    return ramp_largest(settings, P11PROF_RAMP_PROCESSES, &settings->processes);
}

static unsigned threads_most(const struct bench_settings *settings)
{
    unsigned most = (unsigned)ramp_largest(settings, P11PROF_RAMP_THREADS, &settings->threads);
    for (size_t i = 0; i < settings->suite.step_count; i++)
        if (settings->suite.steps[i].threads > most)
            most = settings->suite.steps[i].threads;
    return most;
}

/* Of a worker's spool. What its user says counts, unless its threads could not work with it. */
static uint64_t spool_bytes(const struct bench_settings *settings)
{
    unsigned threads = threads_most(settings);
    uint64_t least = slice_room_least(threads) * sizeof(struct p11prof_record) + SPOOL_OTHER_BYTES;
    const char *given = getenv("P11PROF_SPOOL_LIMIT");
    uint64_t bytes = 0;
    least += least / 8; /* for the rings */
    if (!given || !p11prof_config_parse_size(given, &bytes)) {
        bytes = SPOOL_BYTES / processes_most(settings) / (settings->side ? 2 : 1);
        bytes = bytes < SPOOL_LEAST_BYTES ? SPOOL_LEAST_BYTES : bytes;
    }
    return bytes < least ? least : bytes;
}

/* The settings of the shim in the workers. */
static void environment_set(const struct bench_run *run)
{
    char limit[32];
    snprintf(limit, sizeof limit, "%" PRIu64, spool_bytes(run->settings));
    setenv("P11PROF_MODULE", run->target->module, 1);
    setenv("P11PROF_DB", run->db, 1);
    setenv("P11PROF_RUN", run->recording.uuid_text, 1);
    setenv("P11PROF_DRAIN", "external", 1);
    setenv("P11PROF_RECORD", run->record == BENCH_RECORD_SUMMARY ? "summary" : "calls", 1);
    setenv("P11PROF_SPOOL_LIMIT", limit, 1);
    if (run->settings->name)
        setenv("P11PROF_NAME", run->settings->name, 1);
}

static int workers_start(struct bench_run *run, bool recorded)
{
    struct p11prof_error error;
    const struct crew_size size = {.processes = (unsigned)processes_most(run->settings),
                                   .threads = threads_most(run->settings),
                                   .turns =
                                       run->settings->mix.count ? run->settings->mix.count : 1};
    uint32_t random = (uint32_t)getpid(); /* where there is no random number */
    (void)!getrandom(&random, sizeof random, 0);
    snprintf(run->key_label, sizeof run->key_label, "p11prof-%08x", random);
    run->worker = (struct bench_worker){.settings = run->settings,
                                        .target = run->target,
                                        .shim = recorded ? run->shim : NULL,
                                        .key_label = run->key_label};
    run_own_key_name(run, &run->worker.own_key);
    if (crew_start(&run->crew, run->other, &size, &run->worker, &error) != P11PROF_OK)
        return p11prof_complain_of(&error);
    return 0;
}

/* One after the other: a wrong PIN is tried once, not once a worker. */
static int workers_set_up(struct bench_run *run)
{
    const struct bench_request request = {.kind = BENCH_REQUEST_SET_UP};
    struct p11prof_error error;
    for (unsigned i = 0; i < run->crew.count; i++) {
        int code = 0;
        if (crew_ask_one(&run->crew, i, &request, run_tick, run, &error) != P11PROF_OK)
            code = run_complain(run, &error);
        if (run->signal_number)
            return P11PROF_EXIT_SIGNAL + run->signal_number;
        if (code)
            return code;
    }
    run->token = run->crew.members[0].reply.token;
    run->own_key = run->crew.members[0].reply.own_key;
    run->own_cost_ns = run->crew.members[0].reply.own_cost_ns;
    run->clock_cost_ns = slice_clock_cost_ns();
    run_announce(run);
    return 0;
}

int run_open_quietly(struct bench_run *run)
{
    run->record = BENCH_RECORD_OFF;
    int code = workers_start(run, false);
    return code ? code : workers_set_up(run);
}

int run_record_begin(struct bench_run *run)
{
    struct p11prof_error error;
    run->record = run->settings->record;
    if (run->record != BENCH_RECORD_OFF &&
        p11prof_find_shim(run->shim, sizeof run->shim, &error) != P11PROF_OK)
        return p11prof_complain_of(&error);
    char *options = settings_json(run->settings);
    enum p11prof_status status = p11prof_recording_start(
        &run->recording, run->db, "bench", run->settings->name ? run->settings->name : "",
        "p11prof-bench", options, &error);
    cJSON_free(options);
    run->recording.run.options_json = NULL;
    if (status != P11PROF_OK)
        return p11prof_complain_of(&error);
    run->recording.folder = run->spool_folder;
    if (run->record != BENCH_RECORD_OFF)
        environment_set(run);
    return 0;
}

int run_open(struct bench_run *run)
{
    struct p11prof_error error;
    int code = run_record_begin(run);
    code = code ? code : workers_start(run, run->record != BENCH_RECORD_OFF);
    code = code ? code : workers_set_up(run);
    if (code == 0 && run->record == BENCH_RECORD_OFF &&
        record_own_describe(run, &error) != P11PROF_OK)
        return p11prof_complain_of(&error);
    return code;
}
