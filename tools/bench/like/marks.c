/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "marks.h"

#include "../slice_clock.h"

#include <time.h>

#define CIRCLE_NS UINT64_C(1000000000)

struct like_mark *like_mark_of(const struct like_player *player, uint64_t process, uint64_t thread)
{
    const struct like_script *script = player->stage->script;
    if (process == 0 || process > script->process_count || thread == 0 ||
        thread > script->processes[process - 1].thread_count)
        return NULL;
    return &player->stage->marks[player->stage->first_marks[process - 1] + thread - 1];
}

/* Whether threads wait for each other, as a file may say: for ever. */
static bool is_circle(const struct like_player *player, const struct like_mark *own)
{
    const struct like_mark *marks = player->stage->marks;
    uint32_t next = atomic_load(&own->waits_for);
    for (size_t i = 0; next > 0 && i <= player->stage->thread_count; i++) {
        if (&marks[next - 1] == own)
            return true;
        next = atomic_load(&marks[next - 1].waits_for);
    }
    return next > 0;
}

/* All other threads of the process that have not ended wait for somebody. */
static bool all_wait(const struct like_player *player, const struct like_mark *own)
{
    const struct like_mark *marks =
        &player->stage->marks[player->stage->first_marks[player->number]];
    for (size_t i = 0; i < player->process->thread_count; i++)
        if (&marks[i] != own && !atomic_load(&marks[i].over) && !atomic_load(&marks[i].waits_for))
            return false;
    return true;
}

/* Threads of this process that have ended. */
static uint64_t over_count(const struct like_player *player)
{
    const struct like_mark *marks =
        &player->stage->marks[player->stage->first_marks[player->number]];
    uint64_t count = 0;
    for (size_t i = 0; i < player->process->thread_count; i++)
        count += atomic_load(&marks[i].over);
    return count;
}

/* One that was about to go on only seems to be part of a circle: it has to stay one. */
uint64_t like_mark_wait(const struct like_player *player, struct like_mark *own,
                        struct like_mark *mark, uint64_t call_count, uint64_t ended_count)
{
    const struct timespec pause = {0, 50000};
    uint64_t circle_ns = 0;
    atomic_store(&own->waits_for, (uint32_t)(mark - player->stage->marks) + 1);
    while (((atomic_load(&mark->call_count) < call_count && !atomic_load(&mark->over)) ||
            over_count(player) < ended_count) &&
           !atomic_load(player->stop)) {
        nanosleep(&pause, NULL);
        if (!is_circle(player, own) && !(atomic_load(&mark->over) && all_wait(player, own)))
            circle_ns = 0;
        else if (circle_ns == 0)
            circle_ns = slice_now_ns();
        else if (slice_now_ns() - circle_ns > CIRCLE_NS)
            break;
    }
    atomic_store(&own->waits_for, 0);
    bool exact = atomic_load(&mark->call_count) == call_count || atomic_load(&mark->over);
    uint64_t end_ns = atomic_load(&mark->end_ns);
    return exact && end_ns > 0 && ended_count <= 1 ? end_ns : slice_now_ns();
}

uint64_t like_anchor_wait(const struct like_player *player, struct like_mark *own,
                          const struct like_anchor *anchor, uint64_t otherwise_ns)
{
    struct like_mark *mark = like_mark_of(player, anchor->process, anchor->thread);
    return mark && mark != own
               ? like_mark_wait(player, own, mark, anchor->call_count, 0) + anchor->gap_ns
               : otherwise_ns;
}
