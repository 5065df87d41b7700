/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "progress.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { STEPS = 100000 }; /* of SQLite's machine between two looks at the clock */

static const uint64_t second_ns = 1000000000, refresh_ns = 250000000;

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * second_ns + (uint64_t)now.tv_nsec;
}

static int look(void *payload)
{
    struct p11prof_progress *progress = payload;
    uint64_t now = now_ns();
    if (now - progress->start_ns < second_ns || now - progress->shown_ns < refresh_ns)
        return 0;
    fprintf(stderr, "\r%s: %" PRIu64 " s", progress->what, (now - progress->start_ns) / second_ns);
    fflush(stderr);
    progress->shown_ns = now;
    progress->shown = true;
    return 0;
}

void p11prof_progress_begin(struct p11prof_progress *progress, struct sqlite3 *db, const char *what)
{
    *progress = (struct p11prof_progress){.db = db, .start_ns = now_ns()};
    snprintf(progress->what, sizeof progress->what, "%s", what);
    if (isatty(STDERR_FILENO))
        sqlite3_progress_handler(db, STEPS, look, progress);
}

void p11prof_progress_end(struct p11prof_progress *progress)
{
    sqlite3_progress_handler(progress->db, 0, NULL, NULL);
    if (progress->shown)
        fprintf(stderr, "\r%*s\r", (int)sizeof progress->what + 24, "");
}
