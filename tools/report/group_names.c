/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "group_names.h"
#include "moments.h"
#include "query.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

enum { NAME_BYTES = 256 };

static enum p11prof_status find_name(struct sqlite3 *db, const char *names, int64_t code,
                                     char *name, struct p11prof_error *error)
{
    char sql[128];
    sqlite3_stmt *statement;
    snprintf(sql, sizeof sql, "SELECT name FROM %s WHERE code = ?1", names);
    if (p11prof_query_prepare(db, sql, code, &statement, error) != P11PROF_OK)
        return error->status;
    int result = sqlite3_step(statement);
    if (result == SQLITE_ROW)
        snprintf(name, NAME_BYTES, "%s", p11prof_query_text(statement, 0));
    else
        snprintf(name, NAME_BYTES, "0x%08" PRIX64, (uint64_t)code);
    return p11prof_query_end(statement, result, error);
}

/* "2026-11-24T10:15Z", "2026-11-24T10:00Z", "2026-11-24" */
static void format_time(char *out, int64_t value, unsigned unit_s)
{
    p11prof_format_utc(out, value * unit_s * 1000000000);
    strcpy(out + (unit_s < 86400 ? sizeof "2026-11-24T10:15" : sizeof "2026-11-24") - 1,
           unit_s < 86400 ? "Z" : "");
}

static enum p11prof_status set_dimension(struct p11prof_table *table, struct p11prof_cell *row,
                                         const struct p11prof_dimension *dimension, int64_t value,
                                         struct sqlite3 *db, struct p11prof_error *error)
{
    char name[NAME_BYTES];
    if ((dimension == &p11prof_dimensions[P11PROF_BY_THREAD] ||
         dimension == &p11prof_dimensions[P11PROF_BY_OPERATION]) &&
        value == 0)
        return P11PROF_OK; /* what was imported does not say */
    if (dimension->kind == P11PROF_DIMENSION_NUMBER) {
        p11prof_table_set_integer(table, row, dimension->column, value);
        return P11PROF_OK;
    }
    if (dimension->kind == P11PROF_DIMENSION_TIME) {
        format_time(name, value, dimension->unit_s);
        p11prof_table_set_text(table, row, dimension->column, name);
        return P11PROF_OK;
    }
    if (find_name(db, dimension->names, value, name, error) != P11PROF_OK)
        return error->status;
    p11prof_table_set_text(table, row, dimension->column, name);
    return P11PROF_OK;
}

enum p11prof_status p11prof_group_names(struct p11prof_table *table, struct p11prof_cell *row,
                                        const struct p11prof_tally *tally,
                                        const struct p11prof_key *key,
                                        const struct p11prof_texts *texts, struct sqlite3 *db,
                                        struct p11prof_error *error)
{
    for (size_t i = 0; i < tally->grouping.count; i++) {
        enum p11prof_dimension_id id = tally->grouping.ids[i];
        const struct p11prof_dimension *dimension = &p11prof_dimensions[id];
        bool known = key->known >> i & 1;
        if (!known && id == P11PROF_BY_RV)
            p11prof_table_set_text(table, row, dimension->column, "undisclosed");
        if (!known)
            continue;
        if (p11prof_dimension_has_texts(id))
            p11prof_table_set_text(table, row, dimension->column, texts->texts[key->values[i]]);
        else if (set_dimension(table, row, dimension, key->values[i], db, error) != P11PROF_OK)
            return error->status;
    }
    return P11PROF_OK;
}
