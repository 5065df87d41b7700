/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "marks.h"

#include "../../report/allocate.h"
#include "../draw.h"
#include "../slice.h"
#include "p11prof/batch.h"
#include "p11prof/spool.h"

#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define LIBRARY_NS UINT64_C(10000000000) /* that a thread waits for C_Initialize of another one */

enum {
    SPIN_NS = 60000,
    NAP_NS = 50000000, /* a thread that thinks long looks whether it is to stop */
    ROOM_CALLS = 64,   /* calls between two looks at the room in the spool */
    SURVEY_CALLS = 1000000,
    INITIALIZE_TRIES = 10,
};

static void wait_until(const struct like_player *player, uint64_t deadline_ns)
{
    uint64_t now_ns;
    while (!atomic_load(player->stop) && (now_ns = slice_now_ns()) + SPIN_NS < deadline_ns) {
        uint64_t until_ns = deadline_ns - SPIN_NS;
        if (until_ns - now_ns > NAP_NS)
            until_ns = now_ns + NAP_NS;
        const struct timespec until = {(time_t)(until_ns / 1000000000u),
                                       (long)(until_ns % 1000000000u)};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
    }
    while (!atomic_load(player->stop) && slice_now_ns() < deadline_ns)
        ;
}

/* Nothing is to be lost: what is full is drained meanwhile. */
static void room_wait(struct like_actor *actor)
{
    const struct like_player *player = actor->player;
    const struct timespec pause = {0, 1000000};
    struct bench_thread_state *state = &player->states[actor->thread];
    uint64_t reserve = UINT64_C(2) * player->process->thread_count * P11PROF_CHUNK_RECORDS;
    if (!player->room || actor->until_room-- > 0)
        return;
    actor->until_room = ROOM_CALLS;
    while (player->room() < reserve && !atomic_load(player->stop)) {
        atomic_store(&state->waits, 1);
        nanosleep(&pause, NULL);
    }
    atomic_store(&state->waits, 0);
}

/* --- one call --- */

static void difference_add(struct like_tally *tally, const struct like_difference *added)
{
    for (unsigned i = 0; i < tally->difference_count; i++) {
        struct like_difference *known = &tally->differences[i];
        if (known->function == added->function && known->recorded == added->recorded &&
            known->played == added->played) {
            known->count += added->count;
            return;
        }
    }
    if (tally->difference_count < LIKE_DIFFERENCES_MOST)
        tally->differences[tally->difference_count++] = *added;
}

static void tally_take(struct like_actor *actor, const struct like_call *call, CK_RV rv,
                       uint64_t duration_ns)
{
    struct like_tally *tally = &actor->tally;
    struct bench_thread_state *state = &actor->player->states[actor->thread];
    bool is_error = rv != CKR_OK && call->kind == P11PROF_KIND_CALL;
    tally->counts[call->function]++;
    tally->error_counts[call->function] += is_error;
    tally->sums_ns[call->function] += is_error ? 0 : duration_ns;
    atomic_fetch_add_explicit(&state->progress_count, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&state->error_count, is_error && rv != call->rv,
                              memory_order_relaxed);
    if (rv == call->rv || call->rv == CK_UNAVAILABLE_INFORMATION)
        return;
    tally->failed_count += is_error && call->rv == CKR_OK;
    difference_add(tally, &(struct like_difference){call->function, call->rv, rv, 1});
}

static bool is_pin_answer(unsigned function, CK_RV rv)
{
    return (function == P11PROF_C_Login || function == P11PROF_C_LoginUser) &&
           (rv == CKR_PIN_INCORRECT || rv == CKR_PIN_INVALID || rv == CKR_PIN_LEN_RANGE ||
            rv == CKR_PIN_LOCKED);
}

static bool needs_library(unsigned function)
{
    return function != P11PROF_C_Initialize && function != P11PROF_C_GetFunctionList &&
           function != P11PROF_C_GetInterface && function != P11PROF_C_GetInterfaceList;
}

/* Another thread initialises the library, and this token takes longer over it. */
static void library_wait(const struct like_player *player, const struct like_call *call)
{
    const struct timespec pause = {0, 500000};
    uint64_t since_ns = slice_now_ns();
    while (needs_library(call->function) && call->rv != CKR_CRYPTOKI_NOT_INITIALIZED &&
           !atomic_load(&player->begun) && !atomic_load(player->stop) &&
           atomic_load(&player->playing_count) > 1 && slice_now_ns() - since_ns < LIBRARY_NS)
        nanosleep(&pause, NULL);
}

/* Returns when it was answered. */
static uint64_t call_play(struct like_actor *actor, const struct like_call *call,
                          uint64_t deadline_ns)
{
    struct like_player *player = actor->player;
    CK_RV rv = CKR_OK;
    room_wait(actor);
    library_wait(player, call);
    bool ready = like_arguments_make(actor, call);
    wait_until(player, deadline_ns);
    if (atomic_load(player->stop))
        return deadline_ns;
    uint64_t start_ns = slice_now_ns();
    if (!ready || !like_call_make(&player->timed, call->function, &actor->arguments, &rv)) {
        actor->tally.left_out[call->function]++;
        return start_ns;
    }
    uint64_t end_ns = slice_now_ns();
    actor->token_ns += end_ns - start_ns;
    if (is_pin_answer(call->function, rv))
        atomic_store(&player->stage->shared->pin_refused, 1);
    like_answer_take(actor, call, rv);
    tally_take(actor, call, rv, end_ns - start_ns);
    return end_ns;
}

/* --- a thread --- */

static void tally_join(struct like_player *player, const struct like_actor *actor, uint64_t end_ns)
{
    struct like_tally *all = player->tally;
    const struct like_tally *own = &actor->tally;
    uint64_t expected_ns = actor->expected_ns - player->run_start_ns;
    pthread_mutex_lock(&player->lock);
    for (unsigned i = 0; i <= P11PROF_CALLS; i++) {
        all->counts[i] += own->counts[i];
        all->error_counts[i] += own->error_counts[i];
        all->sums_ns[i] += own->sums_ns[i];
        all->left_out[i] += own->left_out[i];
    }
    for (unsigned i = 0; i < own->difference_count; i++)
        difference_add(all, &own->differences[i]);
    all->token_ns += actor->token_ns;
    all->failed_count += own->failed_count;
    all->end_ns = end_ns > all->end_ns ? end_ns : all->end_ns;
    all->expected_ns = expected_ns > all->expected_ns ? expected_ns : all->expected_ns;
    pthread_mutex_unlock(&player->lock);
}

static struct like_actor *actor_new(struct like_player *player, unsigned thread)
{
    struct like_actor *actor = p11prof_zalloc(1, sizeof *actor);
    actor->player = player;
    actor->thread = thread;
    actor->out_bytes = player->stage->out_bytes;
    actor->out = p11prof_zalloc(1, actor->out_bytes);
    actor->takings = p11prof_zalloc(player->stage->sessions_most + 1, sizeof *actor->takings);
    actor->seed = draw_seed(slice_now_ns(), (unsigned)getpid(), thread, 0);
    return actor;
}

static void actor_free(struct like_actor *actor)
{
    like_fresh_clear(actor);
    free(actor->out);
    free(actor->takings);
    free(actor);
}

/* When a thread's first call is due. */
static uint64_t begin_wait(const struct like_actor *actor, struct like_mark *own)
{
    const struct like_player *player = actor->player;
    const struct like_thread *thread = &player->process->threads[actor->thread];
    uint64_t process_ns = player->run_start_ns + player->process->start_ns;
    if (thread->anchor.process > 0)
        return like_anchor_wait(player, own, &thread->anchor, process_ns + thread->start_ns);
    return like_anchor_wait(player, own, &player->process->anchor, process_ns) + thread->start_ns;
}

/* When a call is due that follows one that returned at last_ns. */
static uint64_t due_ns(struct like_actor *actor, struct like_mark *own,
                       const struct like_call *call, uint64_t last_ns)
{
    struct like_mark *joined =
        like_mark_of(actor->player, actor->player->number + 1, call->join_thread);
    if (!joined || joined == own) {
        actor->expected_ns += call->think_ns;
        return last_ns + call->think_ns;
    }
    uint64_t joined_ns = like_mark_wait(actor->player, own, joined, UINT64_MAX, call->join_count);
    joined_ns = joined_ns > last_ns ? joined_ns : last_ns;
    actor->expected_ns = joined_ns + call->join_gap_ns;
    return actor->expected_ns;
}

static void *thread_play(void *started)
{
    struct like_actor *actor = started;
    struct like_player *player = actor->player;
    struct like_mark *mark = like_mark_of(player, player->number + 1, actor->thread + 1);
    const struct like_call *call;
    bool first = true;
    prctl(PR_SET_TIMERSLACK, 1000);
    like_walk_start(&actor->walk, &player->process->threads[actor->thread]);
    uint64_t last_ns = actor->expected_ns = begin_wait(actor, mark);
    while (!atomic_load(player->stop) && (call = like_walk_next(&actor->walk))) {
        uint64_t before_ns = actor->token_ns;
        last_ns = call_play(actor, call, first ? last_ns : due_ns(actor, mark, call, last_ns));
        actor->expected_ns += actor->token_ns - before_ns;
        first = false;
        atomic_store(&mark->end_ns, last_ns);
        atomic_fetch_add(&mark->call_count, 1);
    }
    atomic_store(&mark->over, 1);
    atomic_fetch_sub(&player->playing_count, 1);
    tally_join(player, actor, last_ns);
    actor_free(actor);
    return NULL;
}

/* --- the process --- */

/* What a process does first of what it may have inherited. */
struct beginning {
    uint64_t earliest_ns;
    bool initialises; /* its first call does, as the first one */
    bool logs_in;     /* its first login was one */
    bool login_seen;
};

static bool is_login(unsigned function)
{
    return function == P11PROF_C_Login || function == P11PROF_C_LoginUser;
}

static void begin_note(struct beginning *beginning, const struct like_thread *thread,
                       const struct like_call *call)
{
    bool initialises = call->function == P11PROF_C_Initialize;
    if ((!initialises && !needs_library(call->function)) ||
        thread->start_ns >= beginning->earliest_ns)
        return;
    beginning->earliest_ns = thread->start_ns;
    beginning->initialises = (initialises && call->rv != CKR_CRYPTOKI_ALREADY_INITIALIZED) ||
                             call->rv == CKR_CRYPTOKI_NOT_INITIALIZED;
}

/* Who opens which session first, and what the process begins with. */
static void thread_survey(struct like_player *player, unsigned number, struct beginning *beginning)
{
    const struct like_thread *thread = &player->process->threads[number];
    const struct like_call *call;
    struct like_walk walk;
    like_walk_start(&walk, thread);
    for (uint64_t i = 0; i < SURVEY_CALLS && (call = like_walk_next(&walk)); i++) {
        begin_note(beginning, thread, call);
        if (call->function == P11PROF_C_OpenSession && call->session > 0 &&
            player->openers[call->session - 1] == 0)
            player->openers[call->session - 1] = number + 1;
        if (is_login(call->function) && !beginning->login_seen) {
            beginning->login_seen = true;
            beginning->logs_in = call->rv != CKR_USER_ALREADY_LOGGED_IN;
        }
    }
}

/* SoftHSM may not see its token while other processes look for it, too: all of them do now. */
static CK_RV library_initialize(struct like_player *player)
{
    CK_C_INITIALIZE_ARGS arguments = {.flags = CKF_OS_LOCKING_OK};
    CK_FUNCTION_LIST *module = like_list(&player->raw);
    CK_SLOT_INFO info;
    CK_RV rv = module->C_Initialize(&arguments);
    for (unsigned i = 0;
         i < INITIALIZE_TRIES && rv == CKR_OK &&
         module->C_GetSlotInfo(player->stage->shared->slot_id, &info) == CKR_SLOT_ID_INVALID;
         i++) {
        const struct timespec pause = {0, (long)(player->number + 1) * 1000000};
        module->C_Finalize(NULL);
        nanosleep(&pause, NULL);
        rv = module->C_Initialize(&arguments);
    }
    return rv;
}

/* What it inherited when it was forked, or had done before it was recorded. */
static void library_begin(struct like_player *player, bool logged_in)
{
    CK_FUNCTION_LIST *module = like_list(&player->raw);
    const struct p11prof_bench_target *target = player->target;
    CK_SESSION_HANDLE session;
    CK_RV rv = library_initialize(player);
    atomic_store(&player->initialized, rv == CKR_OK || rv == CKR_CRYPTOKI_ALREADY_INITIALIZED);
    atomic_store(&player->begun, true);
    if (!logged_in || !player->stage->shared->logged_in ||
        module->C_OpenSession(player->stage->shared->slot_id, CKF_SERIAL_SESSION | CKF_RW_SESSION,
                              NULL, NULL, &session) != CKR_OK)
        return;
    rv = module->C_Login(session, CKU_USER, (CK_UTF8CHAR *)(uintptr_t)target->pin,
                         target->pin_bytes);
    if (is_pin_answer(P11PROF_C_Login, rv))
        atomic_store(&player->stage->shared->pin_refused, 1);
}

static void process_begin(struct like_player *player)
{
    struct beginning beginning = {.earliest_ns = UINT64_MAX};
    for (unsigned i = 0; i < player->process->thread_count; i++)
        thread_survey(player, i, &beginning);
    if (!beginning.initialises)
        library_begin(player, player->stage->logs_in && !beginning.logs_in);
}

static bool threads_run(struct like_player *player)
{
    size_t count = player->process->thread_count, started = 0;
    const struct timespec pause = {0, 10000000};
    const pid_t command = getppid();
    pthread_t *threads = p11prof_zalloc(count + 1, sizeof *threads);
    atomic_store(&player->playing_count, (unsigned)count);
    for (; started < count; started++) {
        struct like_actor *actor = actor_new(player, (unsigned)started);
        if (pthread_create(&threads[started], NULL, thread_play, actor) == 0)
            continue;
        actor_free(actor);
        atomic_store(player->stop, 1); /* for those that did start, too */
        break;
    }
    while (atomic_load(&player->playing_count) > 0 && started == count) {
        if (getppid() != command) /* nobody waits for the rest */
            atomic_store(player->stop, 1);
        nanosleep(&pause, NULL);
    }
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    free(threads);
    return started == count;
}

void like_player_open(struct like_player *player)
{
    const struct like_stage *stage = player->stage;
    player->sessions = p11prof_zalloc(stage->sessions_most + 1, sizeof *player->sessions);
    player->openers = p11prof_zalloc(stage->sessions_most + 1, sizeof *player->openers);
    player->objects = p11prof_zalloc(stage->script->object_count + 1, sizeof *player->objects);
    player->generations =
        p11prof_zalloc(stage->script->object_count + 1, sizeof *player->generations);
    player->objects_seen =
        p11prof_zalloc(stage->script->object_count + 1, sizeof *player->objects_seen);
    player->reading_counts =
        p11prof_zalloc(stage->script->object_count + 1, sizeof *player->reading_counts);
    player->sessions_seen = p11prof_zalloc(stage->sessions_most + 1, sizeof *player->sessions_seen);
    player->generation = 1;
    pthread_mutex_init(&player->lock, NULL);
}

bool like_play(struct like_player *player)
{
    like_player_open(player);
    process_begin(player);
    return threads_run(player);
}

void like_player_clear(struct like_player *player)
{
    free(player->sessions);
    free(player->openers);
    free(player->objects);
    free(player->generations);
    free(player->objects_seen);
    free(player->sessions_seen);
    free((void *)player->reading_counts);
    pthread_mutex_destroy(&player->lock);
}
