/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Why a selection is empty. */
#include "allocate.h"
#include "query.h"
#include "selection.h"
#include "writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VALUES_MAX = 8, SQL_BYTES = 4096, TEXT_BYTES = 256 };

#define OF_GROUPS(column)                                                                          \
    "SELECT DISTINCT " column " FROM group_names WHERE run_id = ?1 AND " column                    \
    " IS NOT NULL ORDER BY 1"

#define CALLING_FILES                                                                              \
    "SELECT DISTINCT w.name FROM process AS p JOIN caller AS w ON w.process = p.id "               \
    "WHERE p.run = ?1 ORDER BY 1"

/* What a run has of a dimension; NULL: nothing that is worth naming. */
static const char *const values_sql[P11PROF_DIMENSIONS] = {
    [P11PROF_BY_FUNCTION] = OF_GROUPS("function"),
    [P11PROF_BY_OPERATION] = OF_GROUPS("operation"),
    [P11PROF_BY_MECHANISM] = OF_GROUPS("mechanism"),
    [P11PROF_BY_KIND] = OF_GROUPS("kind"),
    [P11PROF_BY_KEY_TYPE] = OF_GROUPS("key_type"),
    [P11PROF_BY_KEY_BITS] = OF_GROUPS("key_bits"),
    [P11PROF_BY_TEST] = OF_GROUPS("test"),
    [P11PROF_BY_CALLER] = CALLING_FILES,
    [P11PROF_BY_LIBRARY] = CALLING_FILES,
    [P11PROF_BY_PROCESS] = "SELECT id FROM process WHERE run = ?1 ORDER BY 1",
    [P11PROF_BY_PROGRAM] = "SELECT DISTINCT program FROM process WHERE run = ?1 ORDER BY 1",
    [P11PROF_BY_RV] = "SELECT DISTINCT rv FROM errors WHERE run_id = ?1 ORDER BY 1",
};

static enum p11prof_status has_rows(struct sqlite3 *db, int64_t run_id,
                                    const struct p11prof_condition *condition, bool *out,
                                    struct p11prof_error *error)
{
    int64_t found;
    char *sql = NULL;
    size_t bytes;
    FILE *stream = p11prof_text_open(&sql, &bytes);
    fprintf(stream,
            "SELECT EXISTS (SELECT 1 FROM segment AS s CROSS JOIN call AS c ON c.id BETWEEN "
            "s.first_call AND s.last_call WHERE s.run = ?1%s)",
            condition->of_call);
    if (condition->of_group && !condition->of_window)
        fprintf(
            stream,
            " OR EXISTS (SELECT 1 FROM call_group AS g WHERE g.run = ?1 AND NOT g.is_operation%s)",
            condition->of_group);
    fclose(stream);
    enum p11prof_status status = p11prof_query_integer(db, sql, run_id, 0, &found, error);
    *out = found != 0;
    free(sql);
    return status;
}

/* Whether that filter alone leaves something of a run. */
static enum p11prof_status leaves_something(const struct p11prof_filter *filter, struct sqlite3 *db,
                                            int64_t run_id, bool *out, struct p11prof_error *error)
{
    struct p11prof_selection alone = {.filters = {*filter}, .filter_count = 1};
    struct p11prof_condition condition;
    if (p11prof_selection_resolve(&alone, db, run_id, &condition, error) != P11PROF_OK)
        return error->status;
    enum p11prof_status status = has_rows(db, run_id, &condition, out, error);
    p11prof_condition_clear(&condition);
    return status;
}

/* "a, b, c, …" */
static void list_values(char out[TEXT_BYTES], const struct p11prof_table *values)
{
    out[0] = '\0';
    for (size_t i = 0; i < values->row_count && i <= VALUES_MAX; i++) {
        char *text = i < VALUES_MAX
                         ? p11prof_cell_text(&values->columns[0], p11prof_table_row(values, i))
                         : p11prof_copy("…");
        size_t used = strlen(out);
        snprintf(out + used, TEXT_BYTES - used, "%s%s", i > 0 ? ", " : "", text);
        free(text);
    }
}

static enum p11prof_status complain_filter(const struct p11prof_filter *filter, struct sqlite3 *db,
                                           int64_t run_id, struct p11prof_error *error)
{
    struct p11prof_table values = {.columns = NULL};
    const char *name = p11prof_dimensions[filter->id].name, *sql = values_sql[filter->id];
    char list[TEXT_BYTES] = "";
    if (sql && p11prof_query_table(db, sql, run_id, &values, error) != P11PROF_OK) {
        p11prof_table_clear(&values);
        return error->status;
    }
    list_values(list, &values);
    p11prof_table_clear(&values);
    return p11prof_error_set(error, P11PROF_BAD_INPUT, "nothing in run %lld has the %s '%.80s'%s%s",
                             (long long)run_id, name, filter->words, list[0] ? ": it has " : "",
                             list);
}

enum p11prof_status p11prof_selection_empty(const struct p11prof_selection *selection,
                                            struct sqlite3 *db, const int64_t *run_ids,
                                            size_t run_count, struct p11prof_error *error)
{
    for (size_t i = 0; i < selection->filter_count; i++) {
        bool found = false;
        for (size_t k = 0; k < run_count && !found; k++)
            if (leaves_something(&selection->filters[i], db, run_ids[k], &found, error) !=
                P11PROF_OK)
                return error->status;
        if (!found)
            return complain_filter(&selection->filters[i], db, run_ids[0], error);
    }
    if (selection->filter_count == 0)
        return p11prof_error_set(error, P11PROF_BAD_INPUT,
                                 "nothing of run %lld lies in that range of time or is that slow",
                                 (long long)run_ids[0]);
    return p11prof_error_set(error, P11PROF_BAD_INPUT,
                             "nothing of run %lld fits all filters together",
                             (long long)run_ids[0]);
}
