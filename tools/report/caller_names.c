/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "caller_names.h"
#include "allocate.h"
#include "query.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

static size_t number_of(struct p11prof_caller_names *callers, const char *name)
{
    for (size_t i = 0; i < callers->name_count; i++)
        if (strcmp(callers->names[i], name) == 0)
            return i;
    callers->names = p11prof_grow(callers->names, &callers->name_capacity, callers->name_count + 1,
                                  sizeof *callers->names);
    callers->names[callers->name_count] = p11prof_copy(name);
    return callers->name_count++;
}

enum p11prof_status p11prof_caller_names_load(struct p11prof_caller_names *out, struct sqlite3 *db,
                                              int64_t run_id, struct p11prof_error *error)
{
    static const char sql[] = "SELECT w.process, w.caller, w.name FROM process AS p "
                              "JOIN caller AS w ON w.process = p.id WHERE p.run = ?1 "
                              "ORDER BY w.process, w.caller";
    struct sqlite3_stmt *statement;
    int result;
    if (p11prof_query_prepare(db, sql, run_id, &statement, error) != P11PROF_OK)
        return error->status;
    while ((result = sqlite3_step(statement)) == SQLITE_ROW) {
        out->all = p11prof_grow(out->all, &out->capacity, out->count + 1, sizeof *out->all);
        out->all[out->count++] = (struct p11prof_caller_name){
            sqlite3_column_int64(statement, 0), sqlite3_column_int64(statement, 1),
            number_of(out, (const char *)sqlite3_column_text(statement, 2))};
    }
    return p11prof_query_end(statement, result, error);
}

void p11prof_caller_names_clear(struct p11prof_caller_names *callers)
{
    for (size_t i = 0; i < callers->name_count; i++)
        free(callers->names[i]);
    free(callers->names);
    free(callers->all);
    *callers = (struct p11prof_caller_names){.all = NULL};
}

static int compare(const void *a, const void *b)
{
    const struct p11prof_caller_name *first = a, *second = b;
    if (first->process != second->process)
        return first->process < second->process ? -1 : 1;
    return (first->caller > second->caller) - (first->caller < second->caller);
}

int64_t p11prof_caller_names_find(const struct p11prof_caller_names *callers, int64_t process,
                                  int64_t caller)
{
    struct p11prof_caller_name key = {.process = process, .caller = caller};
    const struct p11prof_caller_name *found =
        callers->count ? bsearch(&key, callers->all, callers->count, sizeof key, compare) : NULL;
    return found ? (int64_t)found->name : -1;
}
