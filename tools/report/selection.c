/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "selection.h"
#include "allocate.h"
#include "query.h"
#include "selection_words.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdlib.h>

bool p11prof_selection_add(struct p11prof_selection *selection, enum p11prof_dimension_id id,
                           const char *words)
{
    if (selection->filter_count == P11PROF_FILTERS_MAX)
        return false;
    selection->filters[selection->filter_count++] = (struct p11prof_filter){id, words};
    return true;
}

bool p11prof_selection_is_all(const struct p11prof_selection *selection)
{
    return selection->filter_count == 0 && selection->since.kind == P11PROF_MOMENT_NONE &&
           selection->until.kind == P11PROF_MOMENT_NONE && selection->slower_than_ns == 0;
}

static bool is_of_whole_threads(enum p11prof_dimension_id id)
{
    static const enum p11prof_dimension_id ids[] = {P11PROF_BY_PROCESS, P11PROF_BY_PROGRAM,
                                                    P11PROF_BY_THREAD, P11PROF_BY_CALLER,
                                                    P11PROF_BY_LIBRARY};
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
        if (ids[i] == id)
            return true;
    return false;
}

bool p11prof_selection_hides_calls(const struct p11prof_selection *selection)
{
    for (size_t i = 0; i < selection->filter_count; i++)
        if (!is_of_whole_threads(selection->filters[i].id))
            return true;
    return selection->slower_than_ns > 0;
}

/* One condition that is being written: a stream for each of its texts, NULL once the histograms
 * cannot tell. */
enum { CALL, GROUP, OPERATION, TEXTS };
struct sql {
    FILE *streams[TEXTS];
    char *texts[TEXTS];
    size_t bytes[TEXTS];
};

static void open_streams(struct sql *sql)
{
    for (size_t i = 0; i < TEXTS; i++)
        sql->streams[i] = p11prof_text_open(&sql->texts[i], &sql->bytes[i]);
}

static void drop(struct sql *sql, size_t text)
{
    if (!sql->streams[text])
        return;
    fclose(sql->streams[text]);
    free(sql->texts[text]);
    sql->streams[text] = NULL;
    sql->texts[text] = NULL;
}

static void write_list(FILE *stream, const struct p11prof_codes *codes)
{
    bool pairs = codes->of_process;
    fputs(pairs ? "(VALUES " : "(", stream);
    for (size_t i = 0; i < codes->count; i++) {
        const char *comma = i > 0 ? ", " : "";
        if (pairs)
            fprintf(stream, "%s(%" PRId64 ", %" PRId64 ")", comma, codes->codes[i].owner,
                    codes->codes[i].code);
        else
            fprintf(stream, "%s%" PRId64, comma, codes->codes[i].code);
    }
    putc(')', stream);
}

/* " AND (…)" for one filter; `value` is SQL of its dimension. */
static void write_filter(FILE *stream, const char *value, const struct p11prof_codes *codes)
{
    fprintf(stream, " AND %scoalesce(0", codes->negated ? "NOT " : "");
    if (codes->unknown)
        fprintf(stream, " OR (%s) IS NULL", value);
    if (codes->failed)
        fprintf(stream, " OR coalesce((%s) <> 0, 0)", value);
    if (codes->count > 0) {
        fputs(codes->of_process ? " OR coalesce((s.process, " : " OR coalesce((", stream);
        fprintf(stream, "%s) IN ", value);
        write_list(stream, codes);
        fputs(", 0)", stream);
    }
    fputs(", 0)", stream);
}

static enum p11prof_status add_filter(struct sql *sql, const struct p11prof_filter *filter,
                                      struct sqlite3 *db, int64_t run_id,
                                      struct p11prof_error *error)
{
    const struct p11prof_dimension *dimension = &p11prof_dimensions[filter->id];
    const char *values[TEXTS] = {dimension->of_call, dimension->of_group, dimension->of_operation};
    struct p11prof_codes codes = {.count = 0};
    enum p11prof_status status = p11prof_codes_read(&codes, filter, db, run_id, error);
    for (size_t i = 0; i < TEXTS && status == P11PROF_OK; i++) {
        if (!values[i])
            drop(sql, i);
        else if (sql->streams[i])
            write_filter(sql->streams[i], values[i], &codes);
    }
    p11prof_codes_clear(&codes);
    return status;
}

static void add_moment(struct sql *sql, const char *comparison, const struct p11prof_moment *moment,
                       const struct p11prof_condition *condition, int64_t duration_ns)
{
    static const char *const starts[TEXTS] = {"c.start_ns", "w.start_ns", "w.start_ns"};
    if (moment->kind == P11PROF_MOMENT_NONE)
        return;
    int64_t ns = p11prof_moment_in_run(moment, condition->start_wall_ns, duration_ns);
    for (size_t i = 0; i < TEXTS; i++)
        if (sql->streams[i])
            fprintf(sql->streams[i], " AND %s %s %" PRId64, starts[i], comparison, ns);
}

static enum p11prof_status read_run(struct sqlite3 *db, int64_t run_id, int64_t *start_wall_ns,
                                    int64_t *duration_ns, struct p11prof_error *error)
{
    if (p11prof_query_integer(db, "SELECT start_wall_ns FROM run WHERE id = ?1", run_id, 0,
                              start_wall_ns, error) != P11PROF_OK)
        return error->status;
    return p11prof_query_integer(db, "SELECT duration_ns FROM runs WHERE run_id = ?1", run_id, 0,
                                 duration_ns, error);
}

static enum p11prof_status write_conditions(struct sql *sql,
                                            const struct p11prof_selection *selection,
                                            struct sqlite3 *db, int64_t run_id,
                                            const struct p11prof_condition *condition,
                                            int64_t duration_ns, struct p11prof_error *error)
{
    enum p11prof_status status = P11PROF_OK;
    for (size_t i = 0; i < selection->filter_count && status == P11PROF_OK; i++)
        status = add_filter(sql, &selection->filters[i], db, run_id, error);
    add_moment(sql, ">=", &selection->since, condition, duration_ns);
    add_moment(sql, "<", &selection->until, condition, duration_ns);
    if (selection->slower_than_ns > 0) {
        drop(sql, GROUP);
        drop(sql, OPERATION);
    }
    return status;
}

enum p11prof_status p11prof_selection_resolve(const struct p11prof_selection *selection,
                                              struct sqlite3 *db, int64_t run_id,
                                              struct p11prof_condition *out,
                                              struct p11prof_error *error)
{
    static const struct p11prof_selection everything = {.filter_count = 0};
    struct sql sql;
    int64_t duration_ns;
    *out = (struct p11prof_condition){.of_call = NULL};
    if (read_run(db, run_id, &out->start_wall_ns, &duration_ns, error) != P11PROF_OK)
        return error->status;
    if (!selection)
        selection = &everything;
    open_streams(&sql);
    enum p11prof_status status =
        write_conditions(&sql, selection, db, run_id, out, duration_ns, error);
    for (size_t i = 0; i < TEXTS; i++)
        if (sql.streams[i])
            fclose(sql.streams[i]);
    out->of_call = sql.texts[CALL];
    out->of_group = sql.texts[GROUP];
    out->of_operation = sql.texts[OPERATION];
    out->of_window = selection->since.kind != P11PROF_MOMENT_NONE ||
                     selection->until.kind != P11PROF_MOMENT_NONE;
    if (status != P11PROF_OK)
        p11prof_condition_clear(out);
    return status;
}

void p11prof_condition_clear(struct p11prof_condition *condition)
{
    free(condition->of_call);
    free(condition->of_group);
    free(condition->of_operation);
    *condition = (struct p11prof_condition){.of_call = NULL};
}
