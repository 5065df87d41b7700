/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Which rows and columns of a table, in which order. */
#include "allocate.h"
#include "table.h"

#include <stdlib.h>
#include <string.h>

void p11prof_table_copy_row(const struct p11prof_table *table, struct p11prof_cell *row,
                            const struct p11prof_table *from, size_t from_row)
{
    for (size_t i = 0; i < table->column_count; i++) {
        row[i] = *p11prof_table_get(from, from_row, table->columns[i].name);
        if (row[i].kind == P11PROF_CELL_TEXT)
            row[i].text = p11prof_copy(row[i].text);
    }
}

/* A column stays what it is in `from`. */
static void keep_meaning(struct p11prof_column *column, const struct p11prof_table *from)
{
    size_t found = p11prof_table_find(from, column->name);
    if (found == from->column_count || from->columns[found].heading == from->columns[found].name)
        return;
    const char *own_name = column->name;
    *column = from->columns[found];
    column->name = own_name;
}

void p11prof_table_select(struct p11prof_table *table, const struct p11prof_table *from,
                          const char *names)
{
    p11prof_table_add_columns(table, names);
    for (size_t i = 0; i < table->column_count; i++)
        keep_meaning(&table->columns[i], from);
    for (size_t i = 0; i < from->row_count; i++)
        p11prof_table_copy_row(table, p11prof_table_add_row(table), from, i);
}

struct place {
    struct p11prof_cell key;
    size_t row;
};

static double number_of(const struct p11prof_cell *value)
{
    return value->kind == P11PROF_CELL_REAL ? value->real : (double)value->integer;
}

/* Negative if a stands before b. */
static int compare_values(const struct p11prof_cell *a, const struct p11prof_cell *b)
{
    if (a->kind == P11PROF_CELL_NULL || b->kind == P11PROF_CELL_NULL)
        return (a->kind == P11PROF_CELL_NULL) - (b->kind == P11PROF_CELL_NULL);
    if (a->kind == P11PROF_CELL_TEXT && b->kind == P11PROF_CELL_TEXT)
        return strcmp(a->text, b->text);
    if (a->kind == P11PROF_CELL_TEXT || b->kind == P11PROF_CELL_TEXT)
        return (a->kind == P11PROF_CELL_TEXT) - (b->kind == P11PROF_CELL_TEXT);
    if (a->kind == P11PROF_CELL_INTEGER && b->kind == P11PROF_CELL_INTEGER)
        return (a->integer < b->integer) - (a->integer > b->integer);
    return (number_of(a) < number_of(b)) - (number_of(a) > number_of(b));
}

static int compare_places(const void *a, const void *b)
{
    const struct place *first = a, *second = b;
    int order = compare_values(&first->key, &second->key);
    return order ? order : (first->row > second->row) - (first->row < second->row);
}

void p11prof_table_sort(struct p11prof_table *table, const char *name)
{
    size_t column = p11prof_table_find(table, name);
    if (column == table->column_count || table->row_count < 2)
        return;
    size_t row_bytes = table->column_count * sizeof *table->cells;
    struct place *places = p11prof_zalloc(table->row_count, sizeof *places);
    struct p11prof_cell *sorted =
        p11prof_zalloc(table->row_count * table->column_count, sizeof *sorted);
    for (size_t i = 0; i < table->row_count; i++)
        places[i] = (struct place){p11prof_table_row(table, i)[column], i};
    qsort(places, table->row_count, sizeof *places, compare_places);
    for (size_t i = 0; i < table->row_count; i++)
        memcpy(sorted + i * table->column_count, p11prof_table_row(table, places[i].row),
               row_bytes);
    free(table->cells);
    table->cells = sorted;
    table->cell_capacity = table->row_count * table->column_count;
    free(places);
}
