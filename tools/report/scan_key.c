/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "scan_key.h"

#include <sqlite3.h>

void p11prof_scan_key_columns(FILE *sql, const struct p11prof_grouping *grouping,
                              enum p11prof_scan_source source)
{
    for (size_t i = 0; i < grouping->count; i++) {
        const struct p11prof_dimension *dimension = &p11prof_dimensions[grouping->ids[i]];
        const char *const values[] = {dimension->of_call, dimension->of_group,
                                      dimension->of_operation};
        fprintf(sql, ", %s", values[source] ? values[source] : "NULL");
    }
}

/* The number of the text, which is the same for all owners; false if there is none. */
static bool read_text(int64_t *value, enum p11prof_dimension_id id,
                      const struct p11prof_texts *texts, const struct p11prof_scan_place *place)
{
    bool of_process = p11prof_dimensions[id].kind == P11PROF_DIMENSION_OF_PROCESS;
    *value = p11prof_texts_find(texts, id, of_process ? place->process_id : place->run_id, *value);
    return *value >= 0;
}

void p11prof_scan_key(struct p11prof_key *key, const struct p11prof_grouping *grouping,
                      const struct p11prof_texts *texts, const struct p11prof_scan_place *place,
                      struct sqlite3_stmt *row, int first)
{
    key->known = 0;
    for (size_t i = 0; i < grouping->count; i++) {
        int column = first + (int)i;
        enum p11prof_dimension_id id = grouping->ids[i];
        bool known = sqlite3_column_type(row, column) != SQLITE_NULL;
        key->values[i] = known ? sqlite3_column_int64(row, column) : 0;
        if (known && p11prof_dimension_has_texts(id))
            known = read_text(&key->values[i], id, texts, place);
        if (known)
            key->known |= 1U << i;
        else
            key->values[i] = 0;
    }
}
