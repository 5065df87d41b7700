/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "samples_parts.h"
#include "allocate.h"
#include "p11prof/calls.h"

#include <stdlib.h>
#include <string.h>

enum p11prof_status p11prof_samples_add_of_run(struct p11prof_samples *out,
                                               const struct p11prof_table *runs, size_t row,
                                               size_t *run, struct p11prof_error *error)
{
    const char *uuid = p11prof_table_text(runs, row, "uuid", "");
    if (out->runs.column_count == 0)
        p11prof_table_add_columns(&out->runs, P11PROF_SAMPLE_RUN_COLUMNS);
    for (size_t i = 0; i < out->runs.row_count && *uuid; i++)
        if (strcmp(p11prof_table_text(&out->runs, i, "uuid", ""), uuid) == 0)
            return p11prof_error_set(error, P11PROF_BAD_INPUT,
                                     "the run with the UUID %.40s is twice on one side: it would "
                                     "be counted twice",
                                     uuid);
    *run = out->runs.row_count;
    p11prof_table_copy_row(&out->runs, p11prof_table_add_row(&out->runs), runs, row);
    return P11PROF_OK;
}

/* Calls that are part of an operation are compared as that. */
static bool is_compared(const struct p11prof_sample_key *key)
{
    if (key->kind != P11PROF_SAMPLE_FUNCTION)
        return true;
    unsigned operation = p11prof_calls[p11prof_function_named(key->what)].operation;
    return operation == P11PROF_OPERATION_NONE || operation == P11PROF_OPERATION_FIND;
}

static bool is_wanted(const struct p11prof_sample_key *key, const char *name, const char *only)
{
    if (!only || strcmp(key->what, only) == 0 || (*name && strcmp(name, only) == 0))
        return true;
    char *text = p11prof_sample_key_text(key);
    bool wanted = strcmp(text, only) == 0;
    free(text);
    return wanted;
}

struct p11prof_sample_row *p11prof_samples_place(struct p11prof_samples *out,
                                                 const struct p11prof_sample_place *place,
                                                 struct p11prof_sample_key *key, const char *name)
{
    if (!is_compared(key) || !is_wanted(key, name, place->only)) {
        p11prof_sample_key_clear(key);
        return NULL;
    }
    struct p11prof_sample_row *row = p11prof_samples_row(out, key);
    if (!row->name)
        row->name = p11prof_copy(name);
    return row;
}

enum p11prof_status p11prof_samples_check_only(const struct p11prof_samples *samples,
                                               size_t first_run, const char *only, const char *name,
                                               struct p11prof_error *error)
{
    for (size_t i = 0; i < samples->row_count; i++)
        for (size_t j = 0; j < samples->rows[i].sample_count; j++)
            if (samples->rows[i].samples[j].run >= first_run)
                return P11PROF_OK;
    if (!only)
        return P11PROF_OK;
    return p11prof_error_set(error, P11PROF_BAD_INPUT,
                             "%.200s has no test, operation or function '%.100s': 'p11prof report' "
                             "shows what it has",
                             name, only);
}
