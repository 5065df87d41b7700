/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Tables made of what a statement returns. */
#include "allocate.h"
#include "table.h"

#include <sqlite3.h>
#include <stdio.h>

void p11prof_table_statement_columns(struct p11prof_table *table, struct sqlite3_stmt *statement,
                                     bool plain)
{
    for (int i = 0; i < sqlite3_column_count(statement); i++)
        p11prof_table_add_column(table, sqlite3_column_name(statement, i), plain);
}

static char *hex_of(const unsigned char *bytes, size_t count)
{
    char *hex = p11prof_zalloc(2 * count + 1, 1);
    for (size_t i = 0; i < count; i++)
        snprintf(hex + 2 * i, 3, "%02X", bytes[i]);
    return hex;
}

static struct p11prof_cell value_of(struct sqlite3_stmt *statement, int column)
{
    struct p11prof_cell value = {.kind = P11PROF_CELL_NULL};
    switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER:
        value.kind = P11PROF_CELL_INTEGER;
        value.integer = sqlite3_column_int64(statement, column);
        break;
    case SQLITE_FLOAT:
        value.kind = P11PROF_CELL_REAL;
        value.real = sqlite3_column_double(statement, column);
        break;
    case SQLITE_TEXT:
        value.kind = P11PROF_CELL_TEXT;
        value.text = p11prof_copy((const char *)sqlite3_column_text(statement, column));
        break;
    case SQLITE_BLOB:
        value.kind = P11PROF_CELL_TEXT;
        value.text = hex_of(sqlite3_column_blob(statement, column),
                            (size_t)sqlite3_column_bytes(statement, column));
        break;
    }
    return value;
}

void p11prof_table_statement_row(struct p11prof_table *table, struct sqlite3_stmt *statement)
{
    struct p11prof_cell *row = p11prof_table_add_row(table);
    for (size_t i = 0; i < table->column_count; i++)
        row[i] = value_of(statement, (int)i);
}
