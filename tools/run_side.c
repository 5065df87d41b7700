/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "run_side.h"
#include "report/allocate.h"
#include "run_select.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One word of a side: a run or a path, and its row. */
struct word {
    char *run; /* owned */
    char *row; /* inside of run; NULL: none */
    bool is_path;
};

static bool looks_like_path(const char *text)
{
    static const char ending[] = ".json";
    size_t length = strlen(text), bytes = sizeof ending - 1;
    return strchr(text, '/') || (length > bytes && strcmp(text + length - bytes, ending) == 0);
}

/* A colon may stand in a path and in a name too: the last one that leaves a path before it counts.
 */
static struct word read_word(const char *text)
{
    struct word word = {.run = p11prof_copy(text)};
    word.is_path = access(text, F_OK) == 0 && looks_like_path(text);
    char *colon = word.is_path ? NULL : strrchr(word.run, ':');
    if (colon && !strchr(colon, '/')) {
        *colon = '\0';
        word.is_path = looks_like_path(word.run);
        word.row = colon + 1;
        if (word.is_path)
            return word;
        *colon = ':';
        word.row = NULL;
    }
    word.is_path = word.is_path || looks_like_path(word.run);
    return word;
}

/* A file's name may have commas. */
static char *next_word(char **rest)
{
    if (*rest && looks_like_path(*rest) && access(*rest, F_OK) == 0) {
        char *all = *rest;
        *rest = NULL;
        return all;
    }
    return strsep(rest, ",");
}

bool p11prof_run_side_needs_database(const char *text)
{
    char *copy = p11prof_copy(text), *rest = copy;
    bool needed = false;
    for (char *next; (next = next_word(&rest)) != NULL;) {
        struct word word = read_word(next);
        needed = needed || !word.is_path;
        free(word.run);
    }
    free(copy);
    return needed;
}

static void add_source(struct p11prof_run_side *out, int64_t run_id, const char *path,
                       const char *row)
{
    out->sources = p11prof_grow(out->sources, &out->source_capacity, out->source_count + 1,
                                sizeof *out->sources);
    out->sources[out->source_count++] =
        (struct p11prof_run_source){.run_id = run_id,
                                    .path = path ? p11prof_copy(path) : NULL,
                                    .row = row ? p11prof_copy(row) : NULL};
}

/* A run's name may have a colon: it is tried first. */
static enum p11prof_status select_runs(struct sqlite3 *db, struct word *word,
                                       struct p11prof_run_set *runs, struct p11prof_error *error)
{
    enum p11prof_status status = p11prof_run_set_add(db, word->run, runs, error);
    char *colon = strrchr(word->run, ':');
    if (status != P11PROF_BAD_INPUT || !colon)
        return status;
    *colon = '\0';
    word->row = colon + 1;
    return p11prof_run_set_add(db, word->run, runs, error);
}

static enum p11prof_status add_word(struct sqlite3 *db, const char *text,
                                    struct p11prof_run_side *out, struct p11prof_error *error)
{
    struct word word = read_word(text);
    struct p11prof_run_set runs = {.run_ids = NULL};
    enum p11prof_status status = P11PROF_OK;
    if (!word.is_path)
        status = select_runs(db, &word, &runs, error);
    if (status == P11PROF_OK && word.row && !*word.row)
        status = p11prof_error_set(
            error, P11PROF_BAD_INPUT,
            "'%.100s' ends in a colon: a test, operation or function follows", text);
    if (status == P11PROF_OK && word.is_path)
        add_source(out, -1, word.run, word.row);
    for (size_t i = 0; i < runs.run_count && status == P11PROF_OK; i++)
        add_source(out, runs.run_ids[i], NULL, word.row);
    p11prof_run_set_clear(&runs);
    free(word.run);
    return status;
}

enum p11prof_status p11prof_run_side_select(struct sqlite3 *db, const char *text,
                                            struct p11prof_run_side *out,
                                            struct p11prof_error *error)
{
    char *copy = p11prof_copy(text), *rest = copy;
    enum p11prof_status status = P11PROF_OK;
    *out = (struct p11prof_run_side){.text = text};
    for (char *next; status == P11PROF_OK && (next = next_word(&rest)) != NULL;)
        status = add_word(db, next, out, error);
    free(copy);
    return status;
}

void p11prof_run_side_clear(struct p11prof_run_side *side)
{
    for (size_t i = 0; i < side->source_count; i++) {
        free(side->sources[i].path);
        free(side->sources[i].row);
    }
    free(side->sources);
    *side = (struct p11prof_run_side){.sources = NULL};
}

bool p11prof_run_side_has_rows(const struct p11prof_run_side *side)
{
    for (size_t i = 0; i < side->source_count; i++)
        if (!side->sources[i].row)
            return false;
    return side->source_count > 0;
}

enum p11prof_status p11prof_run_side_samples(struct sqlite3 *db,
                                             const struct p11prof_run_side *side,
                                             struct p11prof_samples *out,
                                             struct p11prof_error *error)
{
    enum p11prof_status status = P11PROF_OK;
    for (size_t i = 0; i < side->source_count && status == P11PROF_OK; i++) {
        const struct p11prof_run_source *source = &side->sources[i];
        status = source->path
                     ? p11prof_samples_add_file(out, source->path, source->row, error)
                     : p11prof_samples_add_run(out, db, source->run_id, source->row, error);
    }
    if (status == P11PROF_OK)
        p11prof_samples_complete(out);
    return status;
}
