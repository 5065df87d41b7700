/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "progress.h"

#include "../message.h"
#include "slice.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define SECOND_NS UINT64_C(1000000000)
enum { BAR_CELLS = 24, LINE_EVERY_S = 10, SHOW_EVERY_MS = 100 };

void progress_start(struct progress *progress, bool quiet, uint64_t planned_ns,
                    uint64_t slice_count)
{
    *progress = (struct progress){.quiet = quiet,
                                  .terminal = isatty(STDERR_FILENO),
                                  .start_ns = slice_now_ns(),
                                  .planned_ns = planned_ns,
                                  .slice_count = slice_count,
                                  .test = ""};
    progress->shown_ns = progress->start_ns;
}

void progress_slice(struct progress *progress, const char *test, uint64_t planned_ns)
{
    progress->test = test;
    progress->slice_start_ns = slice_now_ns();
    progress->slice_ns = planned_ns;
    progress->slice_operations = progress->slice_errors = 0;
    progress->slice_number++;
}

void progress_slice_ended(struct progress *progress)
{
    progress->done_ns += progress->slice_ns;
    progress->operation_count += progress->slice_operations;
    progress->error_count += progress->slice_errors;
    progress->slice_operations = progress->slice_errors = progress->slice_ns = 0;
}

/* 0 to 1: planned time that is over. */
static double part_done(const struct progress *progress, uint64_t now_ns)
{
    uint64_t in_slice_ns = now_ns - progress->slice_start_ns;
    if (in_slice_ns > progress->slice_ns)
        in_slice_ns = progress->slice_ns;
    double done = (double)(progress->done_ns + in_slice_ns) / (double)(progress->planned_ns + 1);
    return done > 1 ? 1 : done;
}

static void bar_fill(char *bar, double part)
{
    int full = (int)(part * BAR_CELLS);
    memset(bar, '#', (size_t)full);
    memset(bar + full, '-', (size_t)(BAR_CELLS - full));
    bar[BAR_CELLS] = '\0';
}

static void line_make(char *line, size_t bytes, const struct progress *progress, uint64_t now_ns)
{
    char bar[BAR_CELLS + 1];
    double part = part_done(progress, now_ns);
    double elapsed_s = (double)(now_ns - progress->start_ns) / 1e9;
    double left_s =
        part > 0.01 ? elapsed_s * (1 - part) / part : (double)progress->planned_ns / 1e9;
    uint64_t errors = progress->error_count + progress->slice_errors;
    bar_fill(bar, part);
    snprintf(line, bytes,
             "[%s] %3.0f %% slice %" PRIu64 "/%" PRIu64
             ", %.0f s, %.0f s left, %s %.0f/s%s%.0" PRIu64 "%s",
             bar, part * 100, progress->slice_number, progress->slice_count, elapsed_s, left_s,
             progress->test, progress->rate, errors ? ", " : "", errors, errors ? " errors" : "");
}

static unsigned terminal_columns(void)
{
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

void progress_show(struct progress *progress, uint64_t operation_count, uint64_t error_count)
{
    char line[256];
    uint64_t now_ns = slice_now_ns();
    progress->slice_operations = operation_count;
    progress->slice_errors = error_count;
    if (now_ns > progress->slice_start_ns)
        progress->rate =
            (double)operation_count * 1e9 / (double)(now_ns - progress->slice_start_ns);
    uint64_t every_ns =
        progress->terminal ? SHOW_EVERY_MS * UINT64_C(1000000) : LINE_EVERY_S * SECOND_NS;
    if (progress->quiet || now_ns - progress->shown_ns < every_ns)
        return;
    progress->shown_ns = now_ns;
    line_make(line, sizeof line, progress, now_ns);
    if (progress->terminal)
        fprintf(stderr, "\r%.*s\033[K", (int)terminal_columns() - 1, line);
    else
        p11prof_note("%s", line + BAR_CELLS + 3);
    fflush(stderr);
}

void progress_clear(const struct progress *progress)
{
    if (progress->terminal && !progress->quiet && progress->start_ns) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
    }
}
