/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "../slice_clock.h"
#include "player.h"

#include <string.h>
#include <time.h>

/* What another thread opens or makes, a slower token gives later than the recorded one did. */
#define PATIENCE_NS UINT64_C(2000000000)

/* Waits a little for the others. False: they have ended, or it takes too long. */
static bool others_wait(const struct like_actor *actor, uint64_t since_ns)
{
    const struct timespec pause = {0, 500000};
    if (atomic_load(&actor->player->playing_count) < 2 || atomic_load(actor->player->stop) ||
        slice_now_ns() - since_ns > PATIENCE_NS)
        return false;
    nanosleep(&pause, NULL);
    return true;
}

/* --- sessions --- */

static CK_SESSION_HANDLE session_at(struct like_player *player, uint32_t place, bool *seen)
{
    pthread_mutex_lock(&player->lock);
    CK_SESSION_HANDLE session = player->sessions[place - 1];
    *seen = player->sessions_seen[place - 1];
    pthread_mutex_unlock(&player->lock);
    return session;
}

static void session_put(struct like_player *player, uint32_t place, CK_SESSION_HANDLE session)
{
    pthread_mutex_lock(&player->lock);
    CK_SESSION_HANDLE before = player->sessions[place - 1];
    player->sessions[place - 1] = session;
    player->sessions_seen[place - 1] = true;
    if (session != CK_INVALID_HANDLE && before == CK_INVALID_HANDLE)
        player->open_count++;
    if (session == CK_INVALID_HANDLE && before != CK_INVALID_HANDLE && --player->open_count == 0)
        player->generation++; /* with the last one the login ends */
    pthread_mutex_unlock(&player->lock);
}

static CK_SESSION_HANDLE session_open(struct like_player *player, CK_FLAGS flags)
{
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    if (!atomic_load(&player->initialized) ||
        like_list(&player->raw)
                ->C_OpenSession(player->stage->shared->slot_id, CKF_SERIAL_SESSION | flags, NULL,
                                NULL, &session) != CKR_OK)
        return CK_INVALID_HANDLE;
    return session;
}

/* That it was recorded without one. */
static bool is_lost(CK_RV rv)
{
    return rv == CKR_SESSION_HANDLE_INVALID || rv == CKR_SESSION_CLOSED ||
           rv == CKR_CRYPTOKI_NOT_INITIALIZED;
}

CK_SESSION_HANDLE like_session_get(struct like_actor *actor, const struct like_call *call)
{
    struct like_player *player = actor->player;
    uint64_t since_ns = slice_now_ns();
    bool seen;
    if (call->session == 0 || call->function == P11PROF_C_OpenSession)
        return CK_INVALID_HANDLE;
    CK_SESSION_HANDLE session = session_at(player, call->session, &seen);
    uint32_t opener = player->openers[call->session - 1];
    if (session != CK_INVALID_HANDLE || is_lost(call->rv))
        return session;
    while (opener > 0 && opener != actor->thread + 1 && session == CK_INVALID_HANDLE && !seen &&
           others_wait(actor, since_ns))
        session = session_at(player, call->session, &seen);
    if (session != CK_INVALID_HANDLE)
        return session;
    session = session_open(player, CKF_RW_SESSION);
    session_put(player, call->session, session);
    return session;
}

static void sessions_clear(struct like_player *player)
{
    pthread_mutex_lock(&player->lock);
    memset(player->sessions, 0, player->stage->sessions_most * sizeof *player->sessions);
    player->open_count = 0;
    player->generation++;
    pthread_mutex_unlock(&player->lock);
}

/* --- objects --- */

/* Searches in a session of its own: in the script's, a search may be open. */
static CK_OBJECT_HANDLE found_now(struct like_player *player, uint32_t object)
{
    CK_OBJECT_HANDLE handle;
    CK_SESSION_HANDLE session = session_open(player, 0);
    if (session == CK_INVALID_HANDLE)
        return CK_INVALID_HANDLE;
    handle = object
                 ? like_token_object_find(player->stage, like_list(&player->raw), session, object)
                 : like_wrapped_find(player->stage, like_list(&player->raw), session);
    like_list(&player->raw)->C_CloseSession(session);
    return handle;
}

/* A module that does not find what another process made may still number it alike. */
static CK_OBJECT_HANDLE found_get(struct like_player *player, uint32_t object,
                                  CK_OBJECT_HANDLE *handle, unsigned *generation)
{
    const struct like_stage *stage = player->stage;
    pthread_mutex_lock(&player->lock);
    if (*generation != player->generation && atomic_load(&player->initialized)) {
        *handle = found_now(player, object);
        if (*handle == CK_INVALID_HANDLE)
            *handle = object ? stage->handles[object - 1] : stage->shared->wrapped;
        *generation = player->generation;
    }
    CK_OBJECT_HANDLE found = *handle;
    pthread_mutex_unlock(&player->lock);
    return found;
}

static CK_OBJECT_HANDLE made_at(struct like_player *player, uint32_t object, bool *seen)
{
    pthread_mutex_lock(&player->lock);
    CK_OBJECT_HANDLE handle = player->objects[object - 1];
    *seen = player->objects_seen[object - 1];
    pthread_mutex_unlock(&player->lock);
    return handle;
}

static void seen_put(struct like_player *player, uint32_t object)
{
    pthread_mutex_lock(&player->lock);
    player->objects_seen[object - 1] = true;
    pthread_mutex_unlock(&player->lock);
}

static CK_OBJECT_HANDLE made_get(struct like_actor *actor, uint32_t object)
{
    bool seen;
    uint64_t since_ns = slice_now_ns();
    CK_OBJECT_HANDLE handle = made_at(actor->player, object, &seen);
    while (handle == CK_INVALID_HANDLE && !seen && others_wait(actor, since_ns))
        handle = made_at(actor->player, object, &seen);
    if (handle == CK_INVALID_HANDLE && !seen)
        seen_put(actor->player, object);
    return handle;
}

CK_OBJECT_HANDLE like_object_get(struct like_actor *actor, uint32_t object)
{
    struct like_player *player = actor->player;
    if (object == 0 || object > player->stage->script->object_count)
        return CK_INVALID_HANDLE;
    if (player->stage->script->objects[object - 1].made)
        return made_get(actor, object);
    return found_get(player, object, &player->objects[object - 1],
                     &player->generations[object - 1]);
}

CK_OBJECT_HANDLE like_wrapped_get(struct like_actor *actor)
{
    struct like_player *player = actor->player;
    return found_get(player, 0, &player->wrapped, &player->wrapped_generation);
}

static void made_take(struct like_player *player, const struct like_call *call,
                      const struct like_arguments *arguments)
{
    pthread_mutex_lock(&player->lock);
    for (unsigned i = 0; i < 2; i++)
        if (call->made[i] > 0 && call->made[i] <= player->stage->script->object_count) {
            player->objects[call->made[i] - 1] = arguments->made[i];
            player->objects_seen[call->made[i] - 1] = true;
        }
    pthread_mutex_unlock(&player->lock);
}

static void destroyed_take(struct like_player *player, uint32_t object)
{
    if (object == 0 || object > player->stage->script->object_count)
        return;
    pthread_mutex_lock(&player->lock);
    player->objects[object - 1] = CK_INVALID_HANDLE;
    pthread_mutex_unlock(&player->lock);
}

/* --- answers --- */

void like_answer_take(struct like_actor *actor, const struct like_call *call, CK_RV rv)
{
    struct like_player *player = actor->player;
    if (call->function == P11PROF_C_Initialize &&
        (rv == CKR_OK || rv == CKR_CRYPTOKI_ALREADY_INITIALIZED)) {
        atomic_store(&player->initialized, true);
        atomic_store(&player->begun, true);
    }
    if (rv != CKR_OK)
        return;
    made_take(player, call, &actor->arguments);
    switch (call->function) {
    case P11PROF_C_Finalize:
        atomic_store(&player->initialized, false);
        sessions_clear(player);
        break;
    case P11PROF_C_OpenSession:
        if (call->session > 0)
            session_put(player, call->session, actor->arguments.opened);
        break;
    case P11PROF_C_CloseSession:
        if (call->session > 0)
            session_put(player, call->session, CK_INVALID_HANDLE);
        break;
    case P11PROF_C_CloseAllSessions:
        sessions_clear(player);
        break;
    case P11PROF_C_Login:
    case P11PROF_C_LoginUser:
    case P11PROF_C_Logout:
        pthread_mutex_lock(&player->lock);
        player->generation++;
        pthread_mutex_unlock(&player->lock);
        break;
    case P11PROF_C_DestroyObject:
        destroyed_take(player, call->object);
        break;
    default:
        break;
    }
}
