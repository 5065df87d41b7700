/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "named_runs.h"
#include "commands.h"
#include "message.h"
#include "report/allocate.h"
#include "run_select.h"

#include <stdlib.h>

int p11prof_named_runs_open(struct p11prof_named_runs *out,
                            const struct p11prof_database_options *options, char *const *words,
                            int word_count)
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
        if (p11prof_run_set_select(out->db, words[i], &out->sets[i], &error) != P11PROF_OK)
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
    p11prof_database_close(&runs->database);
}
