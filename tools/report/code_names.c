/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "code_names.h"
#include "allocate.h"
#include "query.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

enum p11prof_status p11prof_code_names_load(struct p11prof_code_names *out, struct sqlite3 *db,
                                            const char *table, struct p11prof_error *error)
{
    char sql[128];
    sqlite3_stmt *rows;
    int result;
    snprintf(sql, sizeof sql, "SELECT code, name FROM %s ORDER BY code", table);
    if (p11prof_query_prepare(db, sql, 0, &rows, error) != P11PROF_OK)
        return error->status;
    while ((result = sqlite3_step(rows)) == SQLITE_ROW) {
        out->entries =
            p11prof_grow(out->entries, &out->capacity, out->count + 1, sizeof *out->entries);
        out->entries[out->count++] = (struct p11prof_code_name){
            sqlite3_column_int64(rows, 0), p11prof_copy(p11prof_query_text(rows, 1))};
    }
    return p11prof_query_end(rows, result, error);
}

void p11prof_code_names_clear(struct p11prof_code_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->entries[i].name);
    free(names->entries);
    *names = (struct p11prof_code_names){.entries = NULL};
}

static int compare(const void *a, const void *b)
{
    const struct p11prof_code_name *first = a, *second = b;
    return (first->code > second->code) - (first->code < second->code);
}

const char *p11prof_code_names_text(const struct p11prof_code_names *names, int64_t code,
                                    char *buffer)
{
    struct p11prof_code_name key = {.code = code};
    const struct p11prof_code_name *found =
        names->count ? bsearch(&key, names->entries, names->count, sizeof key, compare) : NULL;
    if (found)
        return found->name;
    snprintf(buffer, P11PROF_CODE_BYTES, "0x%08" PRIX64, (uint64_t)code);
    return buffer;
}
