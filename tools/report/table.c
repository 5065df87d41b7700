/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "table.h"
#include "allocate.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void free_rows(struct p11prof_table *table, size_t first)
{
    for (size_t i = first * table->column_count; i < table->row_count * table->column_count; i++)
        if (table->cells[i].kind == P11PROF_CELL_TEXT)
            free((char *)table->cells[i].text);
    table->row_count = first;
}

void p11prof_table_cut(struct p11prof_table *table, size_t count)
{
    if (count < table->row_count)
        free_rows(table, count);
}

void p11prof_table_clear_rows(struct p11prof_table *table)
{
    free_rows(table, 0);
}

void p11prof_table_clear(struct p11prof_table *table)
{
    free_rows(table, 0);
    for (size_t i = 0; i < table->column_count; i++)
        free((char *)table->columns[i].name);
    free(table->columns);
    free(table->cells);
    *table = (struct p11prof_table){0};
}

void p11prof_table_add_column(struct p11prof_table *table, const char *name, bool plain)
{
    const struct p11prof_column *known = plain ? NULL : p11prof_column_named(name);
    char *own_name = p11prof_copy(name);
    table->columns = p11prof_grow(table->columns, &table->column_capacity, table->column_count + 1,
                                  sizeof *table->columns);
    struct p11prof_column *column = &table->columns[table->column_count++];
    *column =
        known ? *known : (struct p11prof_column){.heading = own_name, .type = P11PROF_TYPE_ANY};
    column->name = own_name;
}

void p11prof_table_add_columns(struct p11prof_table *table, const char *names)
{
    char *words = p11prof_copy(names);
    char *rest = words;
    for (char *name; (name = strsep(&rest, " ")) != NULL;)
        if (*name)
            p11prof_table_add_column(table, name, false);
    free(words);
}

size_t p11prof_table_find(const struct p11prof_table *table, const char *name)
{
    size_t i = 0;
    while (i < table->column_count && strcmp(table->columns[i].name, name) != 0)
        i++;
    return i;
}

struct p11prof_cell *p11prof_table_add_row(struct p11prof_table *table)
{
    size_t first = table->row_count * table->column_count;
    table->cells = p11prof_grow(table->cells, &table->cell_capacity, first + table->column_count,
                                sizeof *table->cells);
    memset(table->cells + first, 0, table->column_count * sizeof *table->cells);
    table->row_count++;
    return table->cells + first;
}

struct p11prof_cell *p11prof_table_row(const struct p11prof_table *table, size_t row)
{
    return table->cells + row * table->column_count;
}

static void set(const struct p11prof_table *table, struct p11prof_cell *row, const char *name,
                struct p11prof_cell value)
{
    size_t column = p11prof_table_find(table, name);
    if (column < table->column_count)
        row[column] = value;
}

void p11prof_table_set_text(const struct p11prof_table *table, struct p11prof_cell *row,
                            const char *name, const char *text)
{
    size_t column = p11prof_table_find(table, name);
    if (column < table->column_count && text)
        row[column] = (struct p11prof_cell){.kind = P11PROF_CELL_TEXT, .text = p11prof_copy(text)};
}

void p11prof_table_set_integer(const struct p11prof_table *table, struct p11prof_cell *row,
                               const char *name, int64_t integer)
{
    set(table, row, name, (struct p11prof_cell){.kind = P11PROF_CELL_INTEGER, .integer = integer});
}

void p11prof_table_set_real(const struct p11prof_table *table, struct p11prof_cell *row,
                            const char *name, double real)
{
    set(table, row, name, (struct p11prof_cell){.kind = P11PROF_CELL_REAL, .real = real});
}

const struct p11prof_cell *p11prof_table_get(const struct p11prof_table *table, size_t row,
                                             const char *name)
{
    static const struct p11prof_cell unknown = {.kind = P11PROF_CELL_NULL};
    size_t column = p11prof_table_find(table, name);
    bool found = row < table->row_count && column < table->column_count;
    return found ? &p11prof_table_row(table, row)[column] : &unknown;
}

const char *p11prof_table_text(const struct p11prof_table *table, size_t row, const char *name,
                               const char *otherwise)
{
    const struct p11prof_cell *value = p11prof_table_get(table, row, name);
    return value->kind == P11PROF_CELL_TEXT ? value->text : otherwise;
}

int64_t p11prof_table_integer(const struct p11prof_table *table, size_t row, const char *name,
                              int64_t otherwise)
{
    const struct p11prof_cell *value = p11prof_table_get(table, row, name);
    return value->kind == P11PROF_CELL_INTEGER ? value->integer : otherwise;
}
