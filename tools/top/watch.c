/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "watch.h"
#include "waiting.h"

#include <string.h>

static void drop_oldest(struct top_watch *watch)
{
    top_snapshot_clear(&watch->snapshots[0]);
    watch->count--;
    memmove(watch->snapshots, watch->snapshots + 1, watch->count * sizeof *watch->snapshots);
}

/* Whether the second oldest is old enough too. */
static bool oldest_is_needless(const struct top_watch *watch)
{
    if (watch->count < 3)
        return false;
    const struct top_snapshot *newest = &watch->snapshots[watch->count - 1];
    return (uint64_t)(newest->monotonic_ns - watch->snapshots[1].monotonic_ns) >= watch->window_ns;
}

enum p11prof_status top_watch_refresh(struct top_watch *watch, struct p11prof_error *error)
{
    struct top_snapshot now = {.runs = NULL};
    if (!watch->no_collect)
        p11prof_waiting_collect(watch->database);
    enum p11prof_status status = top_snapshot_take(
        &now, watch->database, watch->count > 0 ? &watch->snapshots[watch->count - 1] : NULL,
        watch->run_ids, watch->run_count, error);
    if (status != P11PROF_OK) {
        top_snapshot_clear(&now);
        return status;
    }
    if (watch->count == TOP_SNAPSHOTS_MAX)
        drop_oldest(watch);
    watch->snapshots[watch->count++] = now;
    while (oldest_is_needless(watch))
        drop_oldest(watch);
    return P11PROF_OK;
}

void top_watch_figures(const struct top_watch *watch, const char *filter, struct top_figures *out)
{
    static const struct top_snapshot nothing;
    const struct top_snapshot *now =
        watch->count > 0 ? &watch->snapshots[watch->count - 1] : &nothing;
    top_figures_make(out, watch->count > 1 ? &watch->snapshots[0] : now, now, filter);
}

void top_watch_clear(struct top_watch *watch)
{
    while (watch->count > 0)
        drop_oldest(watch);
}
