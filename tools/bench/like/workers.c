/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "workers.h"

#include "../../report/allocate.h"
#include "../token.h"
#include "inputs.h"
#include "player.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

static bool receive(int socket, struct bench_request *request)
{
    ssize_t length;
    do
        length = recv(socket, request, sizeof *request, 0);
    while (length < 0 && errno == EINTR);
    return length == sizeof *request && request->kind != BENCH_REQUEST_QUIT;
}

static void reply_set(struct bench_reply *reply, enum p11prof_status status,
                      const struct p11prof_error *error)
{
    reply->status = status;
    if (status != P11PROF_OK)
        snprintf(reply->text, sizeof reply->text, "%s", error->text);
}

/* Answers until there is nobody to answer any more. */
static void serve(const struct bench_worker *given, void *payload,
                  void (*answer)(void *payload, const struct bench_request *request,
                                 struct bench_reply *reply))
{
    static struct bench_request request;
    static struct bench_reply reply;
    while (receive(given->socket, &request)) {
        reply = (struct bench_reply){.status = P11PROF_OK};
        answer(payload, &request, &reply);
        if (send(given->socket, &reply, sizeof reply, MSG_NOSIGNAL) != sizeof reply)
            break;
    }
}

/* --- the maker --- */

struct maker {
    const struct bench_worker *given;
    const struct like_stage *stage;
    struct p11prof_function_list raw;
    struct token_state facts;
    bool made;
};

static enum p11prof_status maker_set_up(struct maker *maker, struct p11prof_error *error)
{
    const bool makes = maker->stage->script->object_count > 0;
    enum p11prof_status status = like_module_load(&maker->raw, maker->given->target->module, error);
    if (status == P11PROF_OK)
        status = token_set_up(&maker->facts, like_list(&maker->raw), like_list(&maker->raw),
                              maker->given->target, makes, error);
    maker->stage->shared->slot_id = maker->facts.slot_id;
    maker->stage->shared->logged_in = maker->facts.token.logged_in;
    return status;
}

/* What cannot be made is told by how the calls are answered. */
static void inputs_make(const struct maker *maker)
{
    const struct like_stage *stage = maker->stage;
    struct like_input_place place = {
        .stage = stage,
        .module = like_list((struct p11prof_function_list *)(uintptr_t)&maker->raw)};
    for (size_t i = 0; i < stage->input_count && !atomic_load(&maker->given->shared->stop); i++) {
        struct like_input *input = &stage->inputs[i];
        uint32_t pair = stage->script->objects[input->object - 1].pair;
        place.key = stage->handles[input->object - 1];
        place.other =
            pair ? stage->handles[pair - 1]
                 : like_other_half(stage, place.module, maker->facts.session, input->object);
        /* A session of its own: an operation that failed may stay open. */
        if (place.module->C_OpenSession(maker->facts.slot_id, CKF_SERIAL_SESSION | CKF_RW_SESSION,
                                        NULL, NULL, &place.session) != CKR_OK)
            return;
        like_input_make(input, stage->values + input->offset, &place);
        place.module->C_CloseSession(place.session);
    }
}

static enum p11prof_status maker_make(struct maker *maker, struct p11prof_error *error)
{
    maker->made = true;
    enum p11prof_status status =
        like_token_objects_make(maker->stage, like_list(&maker->raw), maker->facts.session,
                                maker->facts.token.logged_in, &maker->given->shared->stop, error);
    if (status == P11PROF_OK)
        inputs_make(maker);
    return status;
}

static enum p11prof_status maker_clear(struct maker *maker, struct p11prof_error *error)
{
    size_t left =
        like_token_objects_destroy(maker->stage, like_list(&maker->raw), maker->facts.session);
    maker->made = false;
    if (left == 0)
        return P11PROF_OK;
    return p11prof_error_set(error, P11PROF_FAILED,
                             "%zu objects could not be destroyed: look for token objects labelled "
                             "%s-…",
                             left, maker->stage->label);
}

static void maker_answer(void *payload, const struct bench_request *request,
                         struct bench_reply *reply)
{
    struct maker *maker = payload;
    struct p11prof_error error = {.status = P11PROF_OK};
    enum p11prof_status status = P11PROF_OK;
    if (request->kind == BENCH_REQUEST_SET_UP)
        status = maker_set_up(maker, &error);
    else if (request->kind == BENCH_REQUEST_PREPARE)
        status = maker_make(maker, &error);
    else if (request->kind == BENCH_REQUEST_CLOSE)
        status = maker_clear(maker, &error);
    reply->token = maker->facts.token;
    reply_set(reply, status, &error);
}

_Noreturn void like_maker_run(struct bench_worker *given)
{
    static struct maker maker;
    maker.given = given;
    maker.stage = given->payload;
    serve(given, &maker, maker_answer);
    if (maker.made)
        like_token_objects_destroy(maker.stage, like_list(&maker.raw), maker.facts.session);
    token_tear_down(&maker.facts, like_list(&maker.raw));
    exit(0);
}

/* --- a player --- */

static enum p11prof_status player_set_up(struct like_player *player,
                                         const struct bench_worker *given,
                                         struct p11prof_error *error)
{
    enum p11prof_status status = like_module_load(&player->raw, given->target->module, error);
    player->timed = player->raw;
    if (status != P11PROF_OK || !given->shim)
        return status;
    return like_shim_load(&player->timed, &player->room, given->shim, error);
}

static void player_answer(void *payload, const struct bench_request *request,
                          struct bench_reply *reply)
{
    const struct bench_worker *given = payload;
    static struct like_player player;
    struct p11prof_error error = {.status = P11PROF_OK};
    enum p11prof_status status = P11PROF_OK;
    if (request->kind == BENCH_REQUEST_SET_UP) {
        player.stage = given->payload;
        player.process = &player.stage->script->processes[given->process];
        player.number = given->process;
        player.target = given->target;
        player.stop = &given->shared->stop;
        player.states = &given->shared->threads[given->process * given->shared->threads_most];
        player.tally = &player.stage->tallies[given->process];
        status = player_set_up(&player, given, &error);
    } else if (request->kind == BENCH_REQUEST_SLICE) {
        player.run_start_ns = request->plan.start_ns;
        if (!like_play(&player))
            status = p11prof_error_set(&error, P11PROF_FAILED, "cannot start %zu threads: %m",
                                       player.process->thread_count);
        like_player_clear(&player);
    }
    reply_set(reply, status, &error);
}

/* What the script leaves open stays open, as it did in the application. */
_Noreturn void like_player_run(struct bench_worker *given)
{
    serve(given, given, player_answer);
    exit(0);
}
