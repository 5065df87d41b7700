/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "sessions.h"

#include "report/allocate.h"
#include "script.h"

#include <stdlib.h>

void like_sessions_init(struct like_sessions *sessions)
{
    *sessions = (struct like_sessions){.handles.bytes = sizeof(int64_t)};
}

static struct like_pool *pool_of(struct like_sessions *sessions, uint32_t thread)
{
    sessions->pools = p11prof_grow(sessions->pools, &sessions->pool_capacity, (size_t)thread + 1,
                                   sizeof *sessions->pools);
    while (sessions->pool_count <= thread)
        sessions->pools[sessions->pool_count++] = (struct like_pool){.entries = NULL};
    return &sessions->pools[thread];
}

static struct like_session *session_of(struct like_sessions *sessions, int64_t handle)
{
    size_t known = sessions->handles.count;
    uint32_t index = like_intern_put(&sessions->handles, &handle);
    sessions->sessions = p11prof_grow(sessions->sessions, &sessions->capacity,
                                      sessions->handles.count, sizeof *sessions->sessions);
    if (sessions->handles.count > known)
        sessions->sessions[index] = (struct like_session){.open = false};
    return &sessions->sessions[index];
}

static void session_close(struct like_sessions *sessions, struct like_session *session)
{
    if (!session->open)
        return;
    if (!session->was_there)
        like_pool_give(pool_of(sessions, session->thread), session->pool_index);
    session->open = false;
    sessions->open_count--;
}

static void session_open(struct like_sessions *sessions, struct like_session *session,
                         int64_t slot_id, uint32_t thread)
{
    session_close(sessions, session);
    struct like_pool *pool = pool_of(sessions, thread);
    *session = (struct like_session){
        .slot_id = slot_id, .thread = thread, .pool_index = like_pool_take(pool), .open = true};
    uint32_t *place = &pool->entries[session->pool_index].number;
    if (*place == 0)
        *place = ++sessions->place_count;
    session->place = *place;
    sessions->open_count++;
}

/* Its place is nobody's: whoever plays it opens it before the first call. */
static void session_find(struct like_sessions *sessions, struct like_session *session,
                         int64_t slot_id)
{
    *session = (struct like_session){
        .slot_id = slot_id, .place = ++sessions->place_count, .open = true, .was_there = true};
    sessions->open_count++;
}

/* Those of a slot, or all. Handles of closed sessions mean nothing: they are forgotten once all
 * are. */
static void sessions_close(struct like_sessions *sessions, int64_t slot_id)
{
    for (size_t i = 0; i < sessions->handles.count; i++)
        if (slot_id == LIKE_UNKNOWN || sessions->sessions[i].slot_id == slot_id)
            session_close(sessions, &sessions->sessions[i]);
    if (sessions->open_count == 0)
        like_intern_clear(&sessions->handles);
}

static bool is_no_handle(const struct like_row *row)
{
    return row->session == LIKE_UNKNOWN || row->rv == CKR_SESSION_HANDLE_INVALID ||
           row->rv == CKR_SESSION_CLOSED || row->rv == CKR_CRYPTOKI_NOT_INITIALIZED;
}

uint32_t like_sessions_take(struct like_sessions *sessions, const struct like_row *row,
                            uint32_t thread)
{
    bool done = row->rv == CKR_OK;
    if (row->function == P11PROF_C_CloseAllSessions && done)
        sessions_close(sessions, row->slot_id);
    if (row->function == P11PROF_C_Finalize && done)
        sessions_close(sessions, LIKE_UNKNOWN);
    if (is_no_handle(row) || !p11prof_calls[row->function].in_session ||
        (row->function == P11PROF_C_OpenSession && !done))
        return 0;
    struct like_session *session = session_of(sessions, row->session);
    if (row->function == P11PROF_C_OpenSession)
        session_open(sessions, session, row->slot_id, thread);
    else if (!session->open)
        session_find(sessions, session, row->slot_id);
    uint32_t place = session->place;
    if (row->function == P11PROF_C_CloseSession && done)
        session_close(sessions, session);
    return place;
}

void like_sessions_clear(struct like_sessions *sessions)
{
    for (size_t i = 0; i < sessions->pool_count; i++)
        like_pool_clear(&sessions->pools[i]);
    free(sessions->pools);
    free(sessions->sessions);
    like_intern_clear(&sessions->handles);
    like_sessions_init(sessions);
}
