/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "like.h"

#include "../../commands.h"
#include "../../database.h"
#include "../../message.h"
#include "../../report/allocate.h"
#include "../../report/document_read.h"
#include "../../run_select.h"
#include "../output.h"
#include "../record_own.h"
#include "../run_facts.h"
#include "../slice_clock.h"
#include "suite_from.h"
#include "workers.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define BEGIN_NS UINT64_C(100000000) /* until the first call: players get ready */
#define CLEAN_NS UINT64_C(20000000000)
enum { QUIT_MS = 10000, SUITE_BYTES_MOST = 1 << 20 };

/* --- the script --- */

static int of_run(const struct bench_settings *settings, struct like_script *script)
{
    struct p11prof_database database;
    struct p11prof_error error;
    int64_t run_id;
    const struct p11prof_database_options options = {.path = settings->db};
    int code = p11prof_database_open(&database, &options);
    if (code)
        return code;
    struct sqlite3 *db = p11prof_store_sqlite(database.store);
    enum p11prof_status status = p11prof_run_select(db, settings->like, &run_id, &error);
    if (status == P11PROF_OK) {
        p11prof_note_newest(db, settings->like, run_id);
        status = like_script_from_run(script, db, run_id, &error);
    }
    p11prof_database_close(&database);
    return status == P11PROF_OK ? 0 : p11prof_complain_of(&error);
}

/* A script, or a suite of tests. */
static enum p11prof_status text_take(struct bench_settings *settings, struct like_script *script,
                                     const char *text, size_t bytes, bool *found,
                                     struct p11prof_error *error)
{
    const char *path = settings->suite_path;
    *found = like_script_is(text, bytes);
    if (*found && settings->shape)
        return p11prof_error_set(error, P11PROF_BAD_INPUT,
                                 "%.300s plays what was recorded: without %s", path,
                                 settings->shape);
    if (*found)
        return like_script_parse(script, text, bytes, path, error);
    if (bytes > SUITE_BYTES_MOST)
        return p11prof_error_set(error, P11PROF_BAD_INPUT, "%.300s is larger than 1 MB", path);
    return bench_suite_parse(&settings->suite, text, bytes, path, error);
}

int like_script_take(struct bench_settings *settings, struct like_script *script, bool *found)
{
    struct p11prof_error error;
    char *text;
    size_t bytes;
    *script = (struct like_script){.process_count = 0};
    *found = settings->like != NULL;
    if (settings->like)
        return of_run(settings, script);
    if (!settings->suite_path)
        return 0;
    enum p11prof_status status = p11prof_document_file(settings->suite_path, &text, &bytes, &error);
    if (status == P11PROF_OK)
        status = text_take(settings, script, text, bytes, found, &error);
    free(text);
    return status == P11PROF_OK ? 0 : p11prof_complain_of(&error);
}

/* --- workers --- */

struct play {
    struct bench_run *run;  /* of the players */
    struct bench_run maker; /* the same, with the maker as its crew */
    struct bench_settings settings;
    struct like_stage stage;
    uint64_t start_ns; /* of the first call */
    uint64_t clean_until_ns;
    bool made; /* something may be on the token */
};

static int crew_make(struct bench_run *run, const struct crew *other, struct like_stage *stage,
                     void (*work)(struct bench_worker *), bool recorded,
                     const struct crew_size *size)
{
    struct p11prof_error error;
    run->worker = (struct bench_worker){.settings = run->settings,
                                        .target = run->target,
                                        .shim = recorded ? run->shim : NULL,
                                        .work = work,
                                        .payload = stage};
    return crew_start(&run->crew, other, size, &run->worker, &error) == P11PROF_OK
               ? 0
               : p11prof_complain_of(&error);
}

static int crew_request(struct bench_run *run, const struct bench_request *request,
                        void (*tick)(void *), void *payload)
{
    struct p11prof_error error;
    bool done = crew_ask(&run->crew, run->crew.count, request, tick, payload, &error) == P11PROF_OK;
    if (run->signal_number)
        return P11PROF_EXIT_SIGNAL + run->signal_number;
    return done ? 0 : p11prof_complain_of(&error);
}

static int maker_start(struct play *play)
{
    const struct crew_size one = {.processes = 1, .threads = 1, .turns = 1};
    const struct bench_request request = {.kind = BENCH_REQUEST_SET_UP};
    play->maker = *play->run;
    play->maker.crew = (struct crew){.members = NULL};
    int code = crew_make(&play->maker, NULL, &play->stage, like_maker_run, false, &one);
    code = code ? code : crew_request(&play->maker, &request, run_tick, &play->maker);
    return code;
}

static int maker_prepare(struct play *play)
{
    const struct bench_request request = {.kind = BENCH_REQUEST_PREPARE};
    play->made = true;
    return crew_request(&play->maker, &request, run_tick, &play->maker);
}

/* A module that hangs now keeps us for a while, not for ever. */
static void clean_tick(void *payload)
{
    struct play *play = payload;
    struct crew_member *member = &play->maker.crew.members[0];
    if (slice_now_ns() > play->clean_until_ns && member->pid > 0)
        kill(member->pid, SIGKILL);
}

static int maker_renew(struct play *play)
{
    const struct crew_size one = {.processes = 1, .threads = 1, .turns = 1};
    const struct bench_request request = {.kind = BENCH_REQUEST_SET_UP};
    crew_end(&play->maker.crew, 0, clean_tick, play);
    int code = crew_make(&play->maker, &play->run->crew, &play->stage, like_maker_run, false, &one);
    return code ? code : crew_request(&play->maker, &request, clean_tick, play);
}

/* Destroys what was made; a new process does where the maker is gone. */
static int maker_clean(struct play *play)
{
    const struct bench_request request = {.kind = BENCH_REQUEST_CLOSE};
    int code = 0;
    if (!play->made)
        return 0;
    play->clean_until_ns = slice_now_ns() + CLEAN_NS;
    play->maker.signal_number = 0;
    code = crew_request(&play->maker, &request, clean_tick, play);
    if (code && play->maker.crew.members[0].crashed) {
        play->clean_until_ns = slice_now_ns() + CLEAN_NS;
        code = maker_renew(play);
        code = code ? code : crew_request(&play->maker, &request, clean_tick, play);
    }
    if (code)
        p11prof_warn("objects of ours may be left on the token: they are labelled %s-…",
                     play->stage.label);
    play->made = false;
    return code;
}

/* --- playing --- */

static int players_start(struct play *play)
{
    const struct crew_size size = {.processes = (unsigned)play->stage.script->process_count,
                                   .threads = play->stage.threads_most,
                                   .turns = 1};
    const struct bench_request request = {.kind = BENCH_REQUEST_SET_UP};
    struct bench_run *run = play->run;
    int code = run_record_begin(run);
    if (run->record == BENCH_RECORD_AUTO)
        run->record = BENCH_RECORD_CALLS;
    code = code ? code
                : crew_make(run, &play->maker.crew, &play->stage, like_player_run,
                            run->record != BENCH_RECORD_OFF, &size);
    return code ? code : crew_request(run, &request, run_tick, run);
}

/* Others may wait for what a worker that is gone would have done. */
static void play_tick(void *payload)
{
    struct bench_run *run = payload;
    for (unsigned i = 0; i < run->crew.count; i++)
        if (run->crew.members[i].crashed)
            atomic_store(&run->crew.shared->stop, 1);
    run_slice_tick(run);
}

static int players_play(struct play *play)
{
    struct bench_request request = {.kind = BENCH_REQUEST_SLICE};
    struct bench_run *run = play->run;
    uint64_t planned_ns = play->stage.script->duration_ns;
    progress_start(run->progress, run->settings->quiet, planned_ns, 1);
    progress_slice(run->progress, "the script", planned_ns);
    play->start_ns = request.plan.start_ns = slice_now_ns() + BEGIN_NS;
    run->ready_count = 1;
    struct p11prof_error error;
    bool done =
        crew_ask(&run->crew, run->crew.count, &request, play_tick, run, &error) == P11PROF_OK;
    progress_slice_ended(run->progress);
    progress_clear(run->progress);
    if (run->signal_number)
        return P11PROF_EXIT_SIGNAL + run->signal_number;
    run->crashed = !done;
    return done ? 0 : p11prof_complain_of(&error);
}

/* --- what cannot work, before anything is made --- */

static int check(const struct play *play)
{
    const struct bench_run *maker = &play->maker;
    const struct bench_token_facts *token = &maker->crew.members[0].reply.token;
    if (play->stage.logs_in && !token->logged_in && !play->run->target->has_pin)
        return p11prof_complain(P11PROF_EXIT_USAGE,
                                "the script logs in to the token: name its PIN with --pin-source "
                                "(env:NAME, file:PATH, fd:N or prompt)");
    return 0;
}

static void played_fill(const struct play *play, struct like_played *played)
{
    *played = (struct like_played){
        .settings = play->run->settings,
        .script = play->stage.script,
        .stage = &play->stage,
        .db = play->run->db,
        .run_id = play->run->record == BENCH_RECORD_OFF ? 0 : play->run->recording.run_id};
    uint64_t end_ns = play->start_ns;
    for (size_t i = 0; i < play->stage.script->process_count; i++) {
        const struct like_tally *tally = &play->stage.tallies[i];
        end_ns = tally->end_ns > end_ns ? tally->end_ns : end_ns;
        if (tally->expected_ns > played->expected_ns)
            played->expected_ns = tally->expected_ns;
        played->token_ns += tally->token_ns;
        played->failed_count += tally->failed_count;
    }
    played->duration_ns = end_ns - play->start_ns;
}

/* What was begun is ended, and what was made is taken away, on whatever path. */
static int play_all(struct play *play, const char *recorded_db)
{
    struct like_played played;
    bool is_played = false;
    int code = maker_prepare(play);
    code = code ? code : players_start(play);
    if (code == 0) {
        is_played = true;
        code = players_play(play);
    }
    run_finish(play->run);
    if (code == 0 && play->run->failed)
        code = P11PROF_EXIT_FAILED;
    int cleaned = maker_clean(play);
    if (!is_played)
        return code;
    played_fill(play, &played);
    played.recorded_db = recorded_db;
    int written = like_page_write(&played);
    if (code == 0 && played.failed_count > 0)
        code = P11PROF_EXIT_FAILED;
    return code ? code : cleaned ? cleaned : written;
}

static int play_open(struct play *play, const struct like_script *script)
{
    struct p11prof_error error;
    struct bench_run *run = play->run;
    uint32_t random = 0;
    if (getrandom(&random, sizeof random, 0) != sizeof random)
        random = (uint32_t)slice_now_ns();
    snprintf(run->key_label, sizeof run->key_label, "p11prof-%08x", random);
    play->settings = *run->settings;
    if (!play->settings.like)
        play->settings.like = script->name;
    if (like_stage_open(&play->stage, script, run->settings->seed, run->key_label, &error) !=
        P11PROF_OK)
        return p11prof_complain_of(&error);
    play->settings.threads = (struct bench_list){.values = {play->stage.threads_most}, .count = 1};
    play->settings.processes = (struct bench_list){.values = {script->process_count}, .count = 1};
    run->settings = &play->settings;
    return 0;
}

int like_run(struct bench_run *run, const struct like_script *script)
{
    struct play *play = p11prof_zalloc(1, sizeof *play);
    const char *recorded_db = run->db;
    play->run = run;
    int code = play_open(play, script);
    if (code == 0 && run->settings->record == BENCH_RECORD_OFF && !record_own_db(run))
        code = p11prof_complain(P11PROF_EXIT_FAILED, "cannot make a folder in TMPDIR: %m");
    code = code ? code : maker_start(play);
    if (code == 0) {
        run->token = play->maker.crew.members[0].reply.token;
        code = check(play);
    }
    if (code == 0) {
        run_announce(run);
        if (!run->settings->quiet)
            suite_from_note(script);
        code = run->settings->dry_run ? like_plan_write(run->settings, &play->stage)
                                      : play_all(play, recorded_db);
    }
    if (play->maker.crew.members)
        crew_end(&play->maker.crew, QUIT_MS, clean_tick, play);
    record_own_remove(run);
    like_stage_close(&play->stage);
    run_close(run);
    run->settings = NULL;
    free(play);
    return code;
}
