/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "concurrency_sessions.h"
#include "event.h"
#include "report/allocate.h"

#include <stdlib.h>
#include <string.h>

enum { SLOTS_FIRST = 64 };

void p11prof_sessions_clear(struct p11prof_sessions *sessions)
{
    for (size_t i = 0; i < sessions->shared_count; i++)
        free(sessions->shared[i].threads);
    for (size_t i = 0; i < sessions->slot_count; i++)
        free(sessions->slots[i].threads);
    free(sessions->shared);
    free(sessions->slots);
    p11prof_levels_clear(&sessions->within);
    p11prof_levels_clear(&sessions->across);
}

static size_t slot_of(const struct p11prof_sessions *sessions, int64_t session)
{
    size_t slot = (size_t)((uint64_t)session * UINT64_C(0x9e3779b97f4a7c15) >> 20);
    for (slot %= sessions->slot_count;
         sessions->slots[slot].open && sessions->slots[slot].session != session;
         slot = (slot + 1) % sessions->slot_count)
        ;
    return slot;
}

static void make_room(struct p11prof_sessions *sessions)
{
    struct p11prof_session_use *old = sessions->slots;
    size_t old_count = sessions->slot_count;
    if (2 * (sessions->open_count + 1) <= old_count)
        return;
    sessions->slot_count = old_count ? 2 * old_count : SLOTS_FIRST;
    sessions->slots = p11prof_zalloc(sessions->slot_count, sizeof *sessions->slots);
    for (size_t i = 0; i < old_count; i++)
        if (old[i].open)
            sessions->slots[slot_of(sessions, old[i].session)] = old[i];
    free(old);
}

static struct p11prof_session_use *use_of(struct p11prof_sessions *sessions, int64_t session)
{
    make_room(sessions);
    struct p11prof_session_use *use = &sessions->slots[slot_of(sessions, session)];
    sessions->open_count += !use->open;
    if (!use->open)
        *use = (struct p11prof_session_use){.session = session, .open = true};
    return use;
}

/* Takes a slot out of the table; those behind it move up, where they are looked for. */
static void take_out(struct p11prof_sessions *sessions, size_t slot)
{
    sessions->open_count--;
    sessions->slots[slot] = (struct p11prof_session_use){.open = false};
    for (size_t i = (slot + 1) % sessions->slot_count; sessions->slots[i].open;
         i = (i + 1) % sessions->slot_count) {
        struct p11prof_session_use moved = sessions->slots[i];
        sessions->slots[i] = (struct p11prof_session_use){.open = false};
        sessions->slots[slot_of(sessions, moved.session)] = moved;
    }
}

static void list(struct p11prof_sessions *sessions, const struct p11prof_session_use *use)
{
    bool shared = use->thread_count > 1;
    if (!shared || sessions->shared_count == P11PROF_SHARED_SESSIONS_MAX) {
        sessions->unlisted_count += shared;
        free(use->threads);
        return;
    }
    sessions->shared = p11prof_grow(sessions->shared, &sessions->shared_capacity,
                                    sessions->shared_count + 1, sizeof *sessions->shared);
    sessions->shared[sessions->shared_count++] = *use;
}

static void close_one(struct p11prof_sessions *sessions, struct p11prof_session_use *use)
{
    list(sessions, use);
    take_out(sessions, (size_t)(use - sessions->slots));
}

/* Who only opens, closes or logs in leaves the work to others. */
static bool is_use(unsigned function)
{
    return function != P11PROF_C_OpenSession && function != P11PROF_C_CloseSession &&
           function != P11PROF_C_Login && function != P11PROF_C_Logout;
}

static void add_thread(struct p11prof_session_use *use, uint32_t thread)
{
    size_t i = 0;
    while (i < use->thread_count && use->threads[i] < thread)
        i++;
    if (i < use->thread_count && use->threads[i] == thread)
        return;
    use->threads = p11prof_grow(use->threads, &use->thread_capacity, use->thread_count + 1,
                                sizeof *use->threads);
    memmove(&use->threads[i + 1], &use->threads[i], (use->thread_count - i) * sizeof *use->threads);
    use->threads[i] = thread;
    use->thread_count++;
}

static void move(struct p11prof_sessions *sessions, struct p11prof_session_use *use, int64_t now_ns,
                 unsigned level)
{
    if (use->level > 0)
        p11prof_levels_spend(&sessions->within, use->level, (double)(now_ns - use->since_ns));
    if (level > sessions->within.most)
        sessions->within.most = level;
    p11prof_levels_cut(&sessions->within, level == 0);
    sessions->busy_count = sessions->busy_count - (use->level > 0) + (level > 0);
    p11prof_levels_move(&sessions->across, now_ns, sessions->busy_count);
    use->level = level;
    use->since_ns = now_ns;
}

void p11prof_sessions_begin(struct p11prof_sessions *sessions, struct p11prof_flight *flight)
{
    if (flight->session == P11PROF_EVENT_UNKNOWN)
        return;
    struct p11prof_session_use *use = use_of(sessions, flight->session);
    flight->others_in_session = (uint16_t)use->level;
    flight->other_sessions = (uint16_t)(sessions->busy_count - (use->level > 0));
    if (is_use(flight->function))
        add_thread(use, flight->thread);
    move(sessions, use, flight->start_ns, use->level + 1);
}

static void close_all(struct p11prof_sessions *sessions)
{
    for (size_t i = 0; i < sessions->slot_count; i++)
        while (sessions->slots[i].open && sessions->slots[i].level == 0)
            close_one(sessions, &sessions->slots[i]);
}

void p11prof_sessions_end(struct p11prof_sessions *sessions, const struct p11prof_flight *flight)
{
    double duration_ns = (double)(flight->end_ns - flight->start_ns);
    if (!flight->failed &&
        (flight->function == P11PROF_C_CloseAllSessions || flight->function == P11PROF_C_Finalize))
        close_all(sessions);
    if (flight->session == P11PROF_EVENT_UNKNOWN)
        return;
    struct p11prof_session_use *use = use_of(sessions, flight->session);
    move(sessions, use, flight->end_ns, use->level > 0 ? use->level - 1 : 0);
    use->call_count++;
    use->overlapped_count += flight->overlapped;
    use->closing |= !flight->failed && flight->function == P11PROF_C_CloseSession;
    unsigned waits = flight->others_in_session > 0 ? P11PROF_LEVEL_BEGUN : 0;
    p11prof_levels_done(&sessions->within, flight->group, duration_ns, flight->others_in_session);
    p11prof_levels_done(&sessions->across, flight->group, duration_ns,
                        flight->other_sessions + waits);
    if (use->closing && use->level == 0)
        close_one(sessions, use);
}

void p11prof_sessions_finish(struct p11prof_sessions *sessions)
{
    for (size_t i = 0; i < sessions->slot_count; i++)
        sessions->slots[i].level = 0;
    close_all(sessions);
}
