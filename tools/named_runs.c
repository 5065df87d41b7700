/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "named_runs.h"
#include "commands.h"
#include "message.h"
#include "report/allocate.h"
#include "run_select.h"

#include <stdlib.h>
#include <string.h>

static bool same_row(const struct p11prof_run_row *a, const struct p11prof_run_row *b)
{
    return a->name && b->name ? a->id == b->id && strcmp(a->name, b->name) == 0
                              : a->name == b->name;
}

/* The runs of one word; all words name the same row, or none. */
static enum p11prof_status select_word(struct p11prof_named_runs *out, size_t index,
                                       const char *word, struct p11prof_error *error)
{
    struct p11prof_run_row row;
    enum p11prof_status status =
        p11prof_run_row_select(out->db, word, &out->sets[index], &row, error);
    if (status == P11PROF_OK && index == 0) {
        out->row = row;
        return status;
    }
    if (status == P11PROF_OK && !same_row(&row, &out->row))
        status = p11prof_error_set(error, P11PROF_BAD_INPUT,
                                   "'%.200s' has another row than the first run: this command "
                                   "takes one for all; --test, --operation and --function take "
                                   "more",
                                   word);
    p11prof_run_row_clear(&row);
    return status;
}

int p11prof_named_runs_open(struct p11prof_named_runs *out,
                            const struct p11prof_database_options *options, char *const *words,
                            int word_count, struct p11prof_selection *selection)
{
    char *const last[] = {(char[]){"last"}};
    struct p11prof_error error;
    *out = (struct p11prof_named_runs){.sets = NULL};
    int code = p11prof_database_open(&out->database, options);
    if (code != P11PROF_EXIT_DONE)
        return code;
    if (word_count <= 0)
        words = last;
    out->db = p11prof_store_sqlite(out->database.store);
    out->count = word_count > 0 ? (size_t)word_count : 1;
    out->sets = p11prof_zalloc(out->count, sizeof *out->sets);
    for (size_t i = 0; i < out->count; i++)
        if (select_word(out, i, words[i], &error) != P11PROF_OK)
            return p11prof_complain_of(&error);
    if (p11prof_run_row_filter(&out->row, selection, &error) != P11PROF_OK)
        return p11prof_complain_of(&error);
    return P11PROF_EXIT_DONE;
}

static bool has_run(const int64_t *run_ids, size_t count, int64_t run_id)
{
    for (size_t i = 0; i < count; i++)
        if (run_ids[i] == run_id)
            return true;
    return false;
}

struct p11prof_run_set p11prof_named_runs_join(const struct p11prof_named_runs *runs)
{
    int64_t *run_ids = NULL;
    size_t count = 0, capacity = 0;
    for (size_t i = 0; i < runs->count; i++) {
        for (size_t k = 0; k < runs->sets[i].run_count; k++) {
            if (has_run(run_ids, count, runs->sets[i].run_ids[k]))
                continue;
            run_ids = p11prof_grow(run_ids, &capacity, count + 1, sizeof *run_ids);
            run_ids[count++] = runs->sets[i].run_ids[k];
        }
    }
    return (struct p11prof_run_set){run_ids, count};
}

void p11prof_named_runs_close(struct p11prof_named_runs *runs)
{
    for (size_t i = 0; i < runs->count; i++)
        p11prof_run_set_clear(&runs->sets[i]);
    free(runs->sets);
    p11prof_run_row_clear(&runs->row);
    p11prof_database_close(&runs->database);
}
