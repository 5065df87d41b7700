/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "live.h"

#include "intended.h"
#include "p11prof/calls.h"
#include "p11prof/drain.h"
#include "report/allocate.h"
#include "waiting.h"

#include <stdlib.h>
#include <string.h>

enum { PROGRAMS_MOST = 256 };

struct looking {
    struct exporter_live *live;
    const struct p11prof_database *database;
    const char *folder;
    bool no_programs;
    /* Of the spools of the database in this folder. */
    int32_t *pids;
    size_t pid_count, pid_capacity;
};

/* Its place; program_count: there is none of that name. */
static size_t program_look(const struct exporter_live *live, const char *name)
{
    size_t i = 0;
    while (i < live->program_count && strcmp(live->programs[i].name, name) != 0)
        i++;
    return i;
}

static size_t program_find(struct exporter_live *live, const char *name)
{
    size_t place = program_look(live, name);
    if (place == live->program_count && place >= PROGRAMS_MOST)
        place = program_look(live, name = "other"); /* a program may be called that, too */
    if (place < live->program_count)
        return place;
    live->programs = p11prof_grow(live->programs, &live->program_capacity, live->program_count + 1,
                                  sizeof *live->programs);
    struct exporter_live_program *program = &live->programs[live->program_count++];
    memset(program, 0, sizeof *program);
    strncpy(program->name, name, sizeof program->name - 1);
    return place;
}

static size_t program_of(struct looking *looking, const char *name)
{
    return program_find(looking->live, looking->no_programs ? "" : name);
}

static bool take_spool(void *payload, const struct p11prof_found_spool *spool)
{
    struct looking *looking = payload;
    if (spool->problem.status != P11PROF_OK ||
        !p11prof_spool_belongs(spool, looking->database, looking->database->store, looking->folder))
        return true;
    if (p11prof_spool_waits(spool)) {
        looking->live->waiting_count++;
        looking->live->waiting_bytes += spool->used_bytes;
    }
    if (spool->gone)
        return true;
    size_t program = program_of(looking, spool->program);
    looking->live->programs[program].process_count++;
    looking->pids = p11prof_grow(looking->pids, &looking->pid_capacity, looking->pid_count + 1,
                                 sizeof *looking->pids);
    looking->pids[looking->pid_count++] = spool->pid;
    return true;
}

static struct exporter_live_calls *calls_find(struct exporter_live *live, size_t program,
                                              unsigned function)
{
    for (size_t i = 0; i < live->call_count; i++)
        if (live->calls[i].program == program && live->calls[i].function == function)
            return &live->calls[i];
    live->calls =
        p11prof_grow(live->calls, &live->call_capacity, live->call_count + 1, sizeof *live->calls);
    struct exporter_live_calls *calls = &live->calls[live->call_count++];
    *calls = (struct exporter_live_calls){.program = program, .function = function};
    return calls;
}

static void take_call(void *payload, const struct p11prof_live_call *call)
{
    struct looking *looking = payload;
    bool known = false;
    for (size_t i = 0; i < looking->pid_count && !known; i++)
        known = looking->pids[i] == call->pid;
    if (!known || call->function == 0 || call->function > P11PROF_CALLS)
        return;
    struct exporter_live_calls *calls =
        calls_find(looking->live, program_of(looking, call->program), call->function);
    calls->in_flight_count++;
    if (call->age_ns > calls->oldest_ns)
        calls->oldest_ns = call->age_ns;
}

void exporter_live_look(struct exporter_live *out, const struct p11prof_database *database,
                        bool no_programs)
{
    const char *folders[] = {NULL, database->spool_folder};
    for (size_t i = 0; i < 2; i++) {
        struct looking looking = {
            .live = out, .database = database, .folder = folders[i], .no_programs = no_programs};
        if (folders[i] && !folders[i][0])
            continue;
        p11prof_spools_visit(folders[i], take_spool, &looking);
        if (looking.pid_count > 0)
            p11prof_in_flight_visit(folders[i], take_call, &looking);
        free(looking.pids);
    }
}

void exporter_live_clear(struct exporter_live *live)
{
    free(live->programs);
    free(live->calls);
    *live = (struct exporter_live){.programs = NULL};
}
