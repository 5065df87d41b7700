/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "worker.h"

#include "../report/allocate.h"
#include "worker_load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

void worker_reply(struct worker *worker, enum p11prof_status status,
                  const struct p11prof_error *error)
{
    worker->reply->status = status;
    if (status != P11PROF_OK)
        snprintf(worker->reply->text, sizeof worker->reply->text, "%s", error->text);
}

/* A shim without a spool passes calls through: there would be no results. */
static enum p11prof_status check_recorder(const struct slice_recorder *recorder,
                                          struct p11prof_error *error)
{
    const char *folder = getenv("P11PROF_SPOOL");
    if (recorder->room() < UINT64_MAX)
        return P11PROF_OK;
    return p11prof_error_set(error, P11PROF_FAILED,
                             "nothing can be recorded: there is no room for a spool in %s, or it "
                             "is not a folder of yours with mode 0700; 'p11prof doctor' says more",
                             folder ? folder : "/dev/shm");
}

static void set_up(struct worker *worker)
{
    struct p11prof_error error = {0};
    struct bench_worker *given = worker->given;
    enum p11prof_status status =
        attach(&worker->module, given->shim, given->target->module, &error);
    if (status == P11PROF_OK)
        status = token_set_up(&worker->facts, worker->module.timed, worker->module.raw,
                              given->target, given->settings->token_keys, &error);
    worker->facts.offers.interface = worker->module.timed_3.since;
    if (status == P11PROF_OK && given->own_key.wanted)
        status = p11prof_bench_own_key_find(&given->own_key, worker->module.timed,
                                            worker->facts.session, &error);
    if (status == P11PROF_OK && worker->module.recorder.room)
        status = check_recorder(&worker->module.recorder, &error);
    /* In a spool that is too small for them all, threads would wait for ever. */
    if (status == P11PROF_OK && worker->module.recorder.room &&
        worker->module.recorder.room() < slice_room_least(given->shared->threads_most))
        worker->module.recorder.room = NULL;
    worker->reply->token = worker->facts.token;
    worker->reply->own_key = given->own_key;
    if (status == P11PROF_OK)
        worker->reply->own_cost_ns = slice_own_cost_ns(&worker->module.recorder);
    worker_reply(worker, status, &error);
}

static void offered(struct worker *worker)
{
    struct p11prof_error error = {0};
    struct p11prof_bench_selection tests;
    if (load_test_find(worker, worker->request->test, &tests, &error) != P11PROF_OK) {
        worker_reply(worker, P11PROF_BAD_INPUT, &error);
        return;
    }
    if (!p11prof_bench_offered(tests.tests[0], &worker->facts.offers, worker->own_key,
                               worker->reply->text))
        worker->reply->status = P11PROF_REFUSED;
    free(tests.tests);
}

/* The user's key that the request names, or that of set-up. False: it cannot be found. */
static bool key_choose(struct worker *worker)
{
    struct p11prof_error error = {0};
    worker->own_key = &worker->given->own_key;
    if (!*worker->request->key)
        return true;
    worker->own_key = &worker->step_key;
    worker->step_key = (struct p11prof_bench_own_key){.wanted = true};
    strcpy(worker->step_key.label, worker->request->key);
    worker_reply(worker,
                 p11prof_bench_own_key_find(&worker->step_key, worker->module.timed,
                                            worker->facts.session, &error),
                 &error);
    worker->reply->own_key = worker->step_key;
    return worker->reply->status == P11PROF_OK;
}

/* The module may count those of the token, or of this process alone. */
static void sessions(struct worker *worker)
{
    CK_TOKEN_INFO info;
    CK_RV rv = worker->module.raw->C_GetTokenInfo(worker->facts.slot_id, &info);
    bool known = rv == CKR_OK && info.ulSessionCount <= INT32_MAX;
    worker->reply->session_count = known ? (int64_t)info.ulSessionCount : -1;
    worker->reply->held_count = worker->facts.session != CK_INVALID_HANDLE;
    for (unsigned i = 0; i < worker->given->shared->threads_most; i++)
        worker->reply->held_count += worker->sessions[i] != CK_INVALID_HANDLE;
}

static void serve(struct worker *worker)
{
    if (!key_choose(worker))
        return;
    switch (worker->request->kind) {
    case BENCH_REQUEST_SET_UP:
        set_up(worker);
        break;
    case BENCH_REQUEST_OFFERED:
        offered(worker);
        break;
    case BENCH_REQUEST_PREPARE:
        offered(worker);
        if (worker->reply->status == P11PROF_OK)
            load_open(worker);
        break;
    case BENCH_REQUEST_SUMMARY:
        if (worker->module.recorder.summary)
            worker->module.recorder.summary();
        break;
    case BENCH_REQUEST_SLICE:
        load_slice(worker);
        break;
    case BENCH_REQUEST_SESSIONS:
        sessions(worker);
        break;
    case BENCH_REQUEST_CLOSE:
        load_close(worker, &worker->loads[worker->request->load]);
        break;
    case BENCH_REQUEST_KEY:
    case BENCH_REQUEST_QUIT:
        break;
    }
}

static void clean_up(struct worker *worker)
{
    atomic_store(&worker->given->shared->stop, 1);
    for (unsigned i = 1; i <= BENCH_LOADS_MOST; i++)
        if (worker->loads[i].test)
            load_close(worker, &worker->loads[i]);
    for (unsigned i = 0; i < worker->given->shared->threads_most; i++)
        if (worker->sessions[i] != CK_INVALID_HANDLE)
            worker->module.timed->C_CloseSession(worker->sessions[i]);
    team_end(&worker->team);
    token_tear_down(&worker->facts, worker->module.timed);
}

static bool receive(int socket, struct bench_request *request)
{
    ssize_t length;
    do
        length = recv(socket, request, sizeof *request, 0);
    while (length < 0 && errno == EINTR);
    return length == sizeof *request && request->load <= BENCH_LOADS_MOST;
}

_Noreturn void worker_run(struct bench_worker *given)
{
    static struct worker worker;
    static struct bench_request request;
    static struct bench_reply reply;
    worker.given = given;
    worker.request = &request;
    worker.reply = &reply;
    worker.sessions = p11prof_zalloc(given->shared->threads_most, sizeof *worker.sessions);
    team_init(&worker.team);
    while (receive(given->socket, &request) && request.kind != BENCH_REQUEST_QUIT) {
        memset(&reply, 0, sizeof reply);
        serve(&worker);
        if (send(given->socket, &reply, sizeof reply, MSG_NOSIGNAL) != sizeof reply)
            break;
    }
    clean_up(&worker);
    exit(0);
}
