/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "bench_windows.h"
#include "allocate.h"
#include "window_read.h"

#include <stdio.h>

struct writing {
    struct p11prof_bench_windows *out;
    FILE *stream;
    const char *comma;
};

static void take_window(void *payload, const struct p11prof_window_row *window)
{
    struct writing *writing = payload;
    fputs(writing->comma, writing->stream);
    p11prof_window_write(writing->stream, window, -1);
    writing->comma = ",";
    writing->out->duration_ns += window->duration_ns;
    writing->out->count += window->count;
}

enum p11prof_status p11prof_bench_windows_load(struct p11prof_bench_windows *out,
                                               struct sqlite3 *db, int64_t run_id, int64_t load,
                                               struct p11prof_error *error)
{
    size_t bytes;
    struct writing writing = {
        .out = out, .stream = p11prof_text_open(&out->json, &bytes), .comma = ""};
    putc('[', writing.stream);
    enum p11prof_status status =
        p11prof_slices_read(db, run_id, load, take_window, &writing, error);
    putc(']', writing.stream);
    fclose(writing.stream);
    return status;
}
