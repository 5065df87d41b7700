/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "recording.h"
#include "caller_names.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

enum { WAIT_MS = 2000 };

/* Of longer runs functions are looked up at once: their files may be others when a report asks. A
 * short one would be twice as long with that. */
#define NAMES_FROM_NS UINT64_C(1000000000)

static bool make_uuid(struct p11prof_recording *recording)
{
    uint8_t *id = recording->uuid;
    if (getrandom(id, sizeof recording->uuid, 0) != sizeof recording->uuid)
        return false;
    id[6] = (uint8_t)((id[6] & 0x0F) | 0x40); /* version 4: random */
    id[8] = (uint8_t)((id[8] & 0x3F) | 0x80);
    char *text = recording->uuid_text;
    for (int i = 0; i < 16; i++)
        text += sprintf(text, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", id[i]);
    return true;
}

/* Opens the store and enters the run, whatever of it is still to be done. */
static enum p11prof_status enter(struct p11prof_recording *recording, struct p11prof_error *error)
{
    enum p11prof_status status = P11PROF_OK;
    if (!recording->store)
        status = p11prof_store_open(&recording->store, recording->db,
                                    P11PROF_STORE_CREATE | P11PROF_STORE_MIGRATE, error);
    if (status == P11PROF_OK && recording->run_id == 0)
        status =
            p11prof_store_run_start(recording->store, &recording->run, &recording->run_id, error);
    return status;
}

enum p11prof_status p11prof_recording_start(struct p11prof_recording *recording, const char *db,
                                            const char *kind, const char *name, const char *program,
                                            const char *options_json, struct p11prof_error *error)
{
    *recording = (struct p11prof_recording){.db = db, .start = p11prof_anchor_now()};
    if (!make_uuid(recording))
        return p11prof_error_set(error, P11PROF_FAILED, "the system gives no random bytes");
    recording->run = (struct p11prof_run_start){.kind = kind,
                                                .name = *name ? name : NULL,
                                                .program = program,
                                                .start = recording->start,
                                                .options_json = options_json};
    memcpy(recording->run.uuid, recording->uuid, sizeof recording->uuid);
    enum p11prof_status status = enter(recording, error);
    if (status == P11PROF_OK || status == P11PROF_BUSY)
        return P11PROF_OK;
    p11prof_recording_close(recording);
    return status;
}

void p11prof_recording_drain(struct p11prof_recording *recording,
                             struct p11prof_collect_result *result)
{
    struct p11prof_collect_options options = {
        .folder = recording->folder, .run_id = recording->uuid, .wait_ms = WAIT_MS};
    memset(result, 0, sizeof *result);
    recording->problem.status = P11PROF_OK;
    enum p11prof_status status = enter(recording, &recording->problem);
    if (status == P11PROF_OK)
        status = p11prof_collect(recording->store, &options, result, &recording->problem);
    recording->problem.status = status;
    if (status == P11PROF_CHANGED || status == P11PROF_FAILED) {
        /* Another file may be there now, or none: the run is entered into it anew. */
        p11prof_store_close(recording->store);
        recording->store = NULL;
        recording->run_id = status == P11PROF_CHANGED ? 0 : recording->run_id;
    }
}

void p11prof_recording_end(struct p11prof_recording *recording, const char *state)
{
    struct p11prof_error error;
    uint64_t duration_ns = p11prof_anchor_now().monotonic_ns - recording->start.monotonic_ns;
    enum p11prof_status status = enter(recording, &error);
    if (status == P11PROF_OK)
        status =
            p11prof_store_run_end(recording->store, recording->run_id, state, duration_ns, &error);
    if (status != P11PROF_OK && recording->problem.status == P11PROF_OK)
        recording->problem = error;
    if (status == P11PROF_OK && duration_ns >= NAMES_FROM_NS)
        p11prof_caller_names(recording->store);
}

void p11prof_recording_close(struct p11prof_recording *recording)
{
    p11prof_store_close(recording->store);
    recording->store = NULL;
}
