/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "folded.h"
#include "folded_names.h"
#include "report/allocate.h"
#include "report/imported.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

struct folding {
    struct p11prof_folded_walk walk;
    struct p11prof_folded_names names;
    uint64_t call_count;
};

static void take(void *payload, const struct p11prof_event *event)
{
    struct folding *folding = payload;
    struct p11prof_folded_place place = p11prof_folded_names_place(&folding->names, event);
    folding->call_count++;
    p11prof_folded_take(&folding->walk, event, &place);
}

static void write_frames(FILE *stream, const struct folding *folding, uint32_t node)
{
    const struct p11prof_frame *frame = &folding->walk.tree.nodes[node].frame;
    if (frame->parent != P11PROF_FRAME_ROOT) {
        write_frames(stream, folding, frame->parent);
        putc(';', stream);
    }
    p11prof_folded_names_write(stream, &folding->names, frame);
}

static char *make_line(const struct folding *folding, uint32_t node)
{
    char *line;
    size_t bytes;
    FILE *stream = p11prof_text_open(&line, &bytes);
    write_frames(stream, folding, node);
    fprintf(stream, " %" PRId64 "\n", folding->walk.tree.nodes[node].self_ns);
    fclose(stream);
    return line;
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void write_lines(FILE *stream, const struct folding *folding)
{
    const struct p11prof_frame_tree *tree = &folding->walk.tree;
    char **lines = p11prof_zalloc(tree->count + 1, sizeof *lines);
    size_t count = 0;
    for (size_t i = 0; i < tree->count; i++)
        if (tree->nodes[i].self_ns > 0)
            lines[count++] = make_line(folding, (uint32_t)i);
    qsort(lines, count, sizeof *lines, compare_lines);
    for (size_t i = 0; i < count; i++) {
        fputs(lines[i], stream);
        free(lines[i]);
    }
    free(lines);
}

static enum p11prof_status read_run(struct folding *folding, struct sqlite3 *db, int64_t run_id,
                                    const struct p11prof_selection *selection, bool redact,
                                    struct p11prof_error *error)
{
    char untimed[P11PROF_UNTIMED_BYTES];
    if (p11prof_run_is_untimed(db, run_id, untimed))
        return p11prof_error_set(error, P11PROF_BAD_INPUT, "%s: there are no stacks", untimed);
    if (p11prof_folded_names_load(&folding->names, db, run_id, redact, error) != P11PROF_OK)
        return error->status;
    return p11prof_events_read(db, run_id, selection, take, folding, error);
}

static enum p11prof_status complain_empty(struct sqlite3 *db, const struct p11prof_run_set *runs,
                                          const struct p11prof_selection *selection,
                                          struct p11prof_error *error)
{
    if (selection && !p11prof_selection_is_all(selection))
        return p11prof_selection_empty(selection, db, runs->run_ids, runs->run_count, error);
    return p11prof_error_set(error, P11PROF_BAD_INPUT,
                             "run %lld has no calls that are kept one by one: there are no stacks",
                             (long long)runs->run_ids[0]);
}

enum p11prof_status p11prof_folded_write(FILE *stream, struct sqlite3 *db,
                                         const struct p11prof_run_set *runs,
                                         const struct p11prof_selection *selection, bool redact,
                                         struct p11prof_error *error)
{
    struct folding folding = {.call_count = 0};
    sqlite3_exec(db, "BEGIN", NULL, NULL, NULL);
    enum p11prof_status status = p11prof_folded_names_open(&folding.names, db, error);
    for (size_t i = 0; i < runs->run_count && status == P11PROF_OK; i++)
        status = read_run(&folding, db, runs->run_ids[i], selection, redact, error);
    if (status == P11PROF_OK && folding.call_count == 0)
        status = complain_empty(db, runs, selection, error);
    sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    if (status == P11PROF_OK) {
        p11prof_folded_end(&folding.walk);
        write_lines(stream, &folding);
    }
    p11prof_folded_walk_clear(&folding.walk);
    p11prof_folded_names_clear(&folding.names);
    return status;
}
