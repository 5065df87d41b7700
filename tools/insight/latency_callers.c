/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "latency_callers.h"
#include "report/allocate.h"
#include "report/query.h"
#include "report/redact.h"

#include <stdlib.h>

static const char callers_sql[] =
    "SELECT w.process << 32 | w.caller AS code, "
    "min(w.process << 32 | w.caller) OVER (PARTITION BY w.site) AS place, w.site AS caller "
    "FROM process AS p JOIN caller_names AS w ON w.process = p.id WHERE p.run = ?1 ORDER BY code";

static void add_rows(struct p11prof_latency_callers *out, const struct p11prof_table *rows)
{
    out->entries =
        p11prof_grow(out->entries, &out->capacity, rows->row_count + 1, sizeof *out->entries);
    for (size_t i = 0; i < rows->row_count; i++)
        out->entries[out->count++] = (struct p11prof_latency_caller){
            p11prof_table_integer(rows, i, "code", 0), p11prof_table_integer(rows, i, "place", 0),
            p11prof_copy(p11prof_table_text(rows, i, "caller", "unknown"))};
}

enum p11prof_status p11prof_latency_callers_load(struct p11prof_latency_callers *out,
                                                 struct sqlite3 *db, int64_t run_id, bool redact,
                                                 struct p11prof_error *error)
{
    struct p11prof_table rows = {.columns = NULL};
    struct p11prof_redaction redaction = {.texts = {{.columns = NULL}}};
    enum p11prof_status status = p11prof_query_table(db, callers_sql, run_id, &rows, error);
    if (status == P11PROF_OK && redact)
        status = p11prof_redaction_load(&redaction, db, error);
    if (status == P11PROF_OK && redact)
        p11prof_redact_table(&redaction, &rows);
    if (status == P11PROF_OK)
        add_rows(out, &rows);
    p11prof_redaction_clear(&redaction);
    p11prof_table_clear(&rows);
    return status;
}

void p11prof_latency_callers_clear(struct p11prof_latency_callers *callers)
{
    for (size_t i = 0; i < callers->count; i++)
        free(callers->entries[i].name);
    free(callers->entries);
    *callers = (struct p11prof_latency_callers){.entries = NULL};
}

static int compare(const void *a, const void *b)
{
    const struct p11prof_latency_caller *first = a, *second = b;
    return (first->code > second->code) - (first->code < second->code);
}

const struct p11prof_latency_caller *p11prof_latency_callers_find(
    const struct p11prof_latency_callers *callers, int64_t code)
{
    const struct p11prof_latency_caller key = {.code = code};
    return callers && callers->count > 0
               ? bsearch(&key, callers->entries, callers->count, sizeof key, compare)
               : NULL;
}
