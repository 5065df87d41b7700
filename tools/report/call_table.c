/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "call_table.h"
#include "allocate.h"
#include "call_columns.h"
#include "call_gaps.h"
#include "p11prof/batch.h"
#include "progress.h"
#include "query.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_AT_ONCE = 1000, TEXT_BYTES = 128 };

/* Behind those of P11PROF_CALL_REF. */
enum { FIRST_COLUMN = P11PROF_CALL_REF_COLUMNS };

static const struct p11prof_call_column *column_of(const struct p11prof_call_table *calls, size_t i)
{
    return &p11prof_call_column_table[calls->columns.ids[i]];
}

static void make_columns(struct p11prof_call_table *calls)
{
    struct p11prof_table *table = &calls->table;
    for (size_t i = 0; i < calls->columns.count; i++) {
        const struct p11prof_call_column *column = column_of(calls, i);
        p11prof_table_add_column(table, column->name, false);
        if (calls->for_people && column->heading)
            table->columns[i].heading = column->heading;
    }
}

enum p11prof_status p11prof_call_table_open(struct p11prof_call_table *out,
                                            const struct p11prof_call_scope *scope,
                                            const struct p11prof_call_columns *columns,
                                            bool for_people, struct p11prof_error *error)
{
    static const char *const tables[P11PROF_CALL_NAMES] = {
        [P11PROF_NAMES_FUNCTION] = "function_name", [P11PROF_NAMES_RV] = "rv_name",
        [P11PROF_NAMES_KIND] = "kind_name",         [P11PROF_NAMES_MECHANISM] = "mechanism_name",
        [P11PROF_NAMES_KEY_TYPE] = "key_type_name", [P11PROF_NAMES_OPERATION] = "operation_name",
    };
    *out =
        (struct p11prof_call_table){.scope = scope,
                                    .columns = *columns,
                                    .for_people = for_people,
                                    .with_date = scope->duration_ns >= INT64_C(86400) * 1000000000};
    make_columns(out);
    for (size_t i = 0; i < P11PROF_CALL_NAMES; i++)
        if (p11prof_code_names_load(&out->names[i], scope->db, tables[i], error) != P11PROF_OK)
            return error->status;
    static const struct p11prof_grouping with_texts = {
        {P11PROF_BY_CALLER, P11PROF_BY_LIBRARY, P11PROF_BY_PROGRAM}, 3};
    return p11prof_texts_load_grouping(&out->texts, &with_texts, scope->db, scope->run_id, error);
}

void p11prof_call_table_clear(struct p11prof_call_table *calls)
{
    p11prof_table_clear(&calls->table);
    for (size_t i = 0; i < P11PROF_CALL_NAMES; i++)
        p11prof_code_names_clear(&calls->names[i]);
    p11prof_texts_clear(&calls->texts);
}

/* --- cells --- */

/* To the microsecond. */
static void format_wall(const struct p11prof_call_table *calls, int64_t wall_ns, char *out)
{
    char utc[P11PROF_UTC_BYTES];
    p11prof_format_utc(utc, wall_ns);
    bool short_form = calls->for_people && !calls->with_date;
    char *seconds = short_form ? strchr(utc, 'T') + 1 : utc;
    *strrchr(utc, '.') = '\0';
    snprintf(out, TEXT_BYTES, "%s.%06d%s", seconds, (int)(wall_ns / 1000 % 1000000),
             short_form ? "" : "Z");
}

static const char *relation_of(const struct p11prof_call_table *calls,
                               enum p11prof_call_relation relation)
{
    static const char *const words[] = {
        [P11PROF_CALL_LISTED] = NULL,     [P11PROF_CALL_ENCLOSING] = "enclosing",
        [P11PROF_CALL_BEFORE] = "before", [P11PROF_CALL_AT] = "at",
        [P11PROF_CALL_AFTER] = "after",   [P11PROF_CALL_IN_FLIGHT] = "in-flight",
    };
    static const char *const signs[] = {
        [P11PROF_CALL_LISTED] = "", [P11PROF_CALL_ENCLOSING] = "", [P11PROF_CALL_BEFORE] = "",
        [P11PROF_CALL_AT] = ">",    [P11PROF_CALL_AFTER] = "",     [P11PROF_CALL_IN_FLIGHT] = "+",
    };
    return calls->for_people ? signs[relation] : words[relation];
}

static struct p11prof_cell text_cell(const char *text)
{
    if (!text)
        return (struct p11prof_cell){.kind = P11PROF_CELL_NULL};
    return (struct p11prof_cell){.kind = P11PROF_CELL_TEXT, .text = p11prof_copy(text)};
}

static struct p11prof_cell integer_cell(int64_t integer)
{
    return (struct p11prof_cell){.kind = P11PROF_CELL_INTEGER, .integer = integer};
}

/* A name of a code; nested calls of a function are indented for people. */
static struct p11prof_cell name_cell(const struct p11prof_call_table *calls,
                                     const struct p11prof_call_column *column,
                                     const struct p11prof_call_ref *ref, int64_t code)
{
    char buffer[P11PROF_CODE_BYTES], text[TEXT_BYTES];
    const char *name = p11prof_code_names_text(&calls->names[column->names], code, buffer);
    bool indented = calls->for_people && column->names == P11PROF_NAMES_FUNCTION &&
                    (ref->flags & P11PROF_ROW_NESTED);
    if (!indented)
        return text_cell(name);
    snprintf(text, sizeof text, "  %s", name);
    return text_cell(text);
}

static struct p11prof_cell dimension_cell(const struct p11prof_call_table *calls,
                                          enum p11prof_dimension_id id, int64_t owner, int64_t code)
{
    int64_t text = p11prof_texts_find(&calls->texts, id, owner, code);
    return text_cell(text >= 0 ? calls->texts.texts[text] : NULL);
}

/* What the call itself says, without a column of the row. */
static struct p11prof_cell ref_cell(const struct p11prof_call_table *calls,
                                    const struct p11prof_call_column *column,
                                    const struct p11prof_call_ref *ref)
{
    char text[TEXT_BYTES];
    switch (column->how) {
    case P11PROF_CALL_WALL:
        format_wall(calls, calls->scope->start_wall_ns + ref->start_ns, text);
        return text_cell(text);
    case P11PROF_CALL_GAP:
        return ref->gap_ns == P11PROF_NO_GAP ? text_cell(NULL) : integer_cell(ref->gap_ns);
    case P11PROF_CALL_PROGRAM:
        return dimension_cell(calls, P11PROF_BY_PROGRAM, ref->process_id, ref->process_id);
    default:
        return text_cell(relation_of(calls, ref->relation));
    }
}

static struct p11prof_cell make_cell(const struct p11prof_call_table *calls,
                                     const struct p11prof_call_column *column,
                                     const struct p11prof_call_ref *ref, sqlite3_stmt *row,
                                     int index)
{
    if (!column->of_call)
        return ref_cell(calls, column, ref);
    if (sqlite3_column_type(row, index) == SQLITE_NULL)
        return text_cell(column->otherwise);
    int64_t value = sqlite3_column_int64(row, index);
    if (column->how == P11PROF_CALL_NAME)
        return name_cell(calls, column, ref, value);
    if (column->how == P11PROF_CALL_CALLER)
        return dimension_cell(calls, P11PROF_BY_CALLER, ref->process_id, value);
    if (column->how == P11PROF_CALL_LIBRARY)
        return dimension_cell(calls, P11PROF_BY_LIBRARY, ref->process_id, value);
    return integer_cell(value);
}

static void add_row(struct p11prof_call_table *calls, const struct p11prof_call_ref *ref,
                    sqlite3_stmt *row)
{
    struct p11prof_cell *cells = p11prof_table_add_row(&calls->table);
    for (size_t i = 0; i < calls->columns.count; i++)
        cells[i] = make_cell(calls, column_of(calls, i), ref, row, FIRST_COLUMN + (int)i);
}

/* --- queries --- */

/* The columns of the ref, those of the table (NULL where there is none), and `last`. */
static enum p11prof_status prepare(const struct p11prof_call_table *calls, const char *last,
                                   bool in_order, sqlite3_stmt **out, struct p11prof_error *error)
{
    char *columns;
    size_t bytes;
    FILE *stream = p11prof_text_open(&columns, &bytes);
    fputs(P11PROF_CALL_REF, stream);
    for (size_t i = 0; i < calls->columns.count; i++) {
        const char *of_call = column_of(calls, i)->of_call;
        fprintf(stream, ", %s", of_call ? of_call : "NULL");
    }
    fprintf(stream, ", %s", last);
    fclose(stream);
    enum p11prof_status status =
        p11prof_call_scope_prepare(calls->scope, columns, "", "", in_order, out, error);
    free(columns);
    return status;
}

enum p11prof_status p11prof_call_table_add(struct p11prof_call_table *calls,
                                           const struct p11prof_call_list *list,
                                           struct p11prof_error *error)
{
    sqlite3_stmt *row;
    int result = SQLITE_DONE;
    if (prepare(calls, "1", false, &row, error) != P11PROF_OK)
        return error->status;
    for (size_t i = 0; i < list->count && (result == SQLITE_ROW || result == SQLITE_DONE); i++) {
        sqlite3_reset(row);
        sqlite3_bind_int64(row, 3, list->refs[i].id);
        sqlite3_bind_int64(row, 4, list->refs[i].id);
        result = sqlite3_step(row);
        if (result == SQLITE_ROW)
            add_row(calls, &list->refs[i], row);
    }
    return p11prof_query_end(row, result, error);
}

enum p11prof_status p11prof_call_table_stream(struct p11prof_call_table *calls,
                                              void (*write)(void *payload,
                                                            const struct p11prof_table *table),
                                              void *payload, uint64_t *count,
                                              struct p11prof_error *error)
{
    struct p11prof_thread_ends ends = {.slots = NULL};
    char *selected = sqlite3_mprintf("1%s", calls->scope->where);
    int last = FIRST_COLUMN + (int)calls->columns.count, result;
    sqlite3_stmt *row;
    *count = 0;
    /* Calls that are not selected are read too: gaps are between all. */
    enum p11prof_status status = prepare(calls, selected ? selected : "1", true, &row, error);
    sqlite3_free(selected);
    if (status != P11PROF_OK)
        return status;
    while ((result = sqlite3_step(row)) == SQLITE_ROW) {
        struct p11prof_call_ref ref = p11prof_call_ref_read(row);
        ref.gap_ns = p11prof_thread_ends_gap(&ends, &ref);
        if (!sqlite3_column_int(row, last))
            continue;
        add_row(calls, &ref, row);
        if (++*count % ROWS_AT_ONCE != 0)
            continue;
        write(payload, &calls->table);
        p11prof_table_clear_rows(&calls->table);
    }
    write(payload, &calls->table);
    p11prof_table_clear_rows(&calls->table);
    p11prof_thread_ends_clear(&ends);
    return p11prof_query_end(row, result, error);
}
