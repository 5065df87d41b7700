/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "allocate.h"
#include "safe_text.h"
#include "write_formats.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static char *valid_copy(const char *text)
{
    size_t bytes = 3 * strlen(text) + 1;
    char *valid = p11prof_zalloc(bytes, 1);
    p11prof_valid_text(valid, bytes, text);
    return valid;
}

static cJSON *json_text(const char *text)
{
    char *valid = valid_copy(text);
    cJSON *json = cJSON_CreateString(valid);
    free(valid);
    return json;
}

static cJSON *json_list(const char *words)
{
    cJSON *list = cJSON_CreateArray();
    char *copy = p11prof_copy(words);
    char *rest = copy;
    for (char *word; (word = strsep(&rest, " ")) != NULL;)
        if (*word)
            cJSON_AddItemToArray(list, json_text(word));
    free(copy);
    return list;
}

/* Text that is JSON, not printed anew: its numbers stay exact. The names in it may be no UTF-8. */
static cJSON *json_as_is(const char *text)
{
    char *valid = valid_copy(text);
    cJSON *parsed = cJSON_ParseWithOpts(valid, NULL, true);
    cJSON *json = parsed ? cJSON_CreateRaw(valid) : json_text(text);
    cJSON_Delete(parsed);
    free(valid);
    return json;
}

static cJSON *json_number(const struct p11prof_column *column, const struct p11prof_cell *cell)
{
    char number[P11PROF_NUMBER_BYTES];
    if (cell->kind == P11PROF_CELL_REAL && !isfinite(cell->real))
        return cJSON_CreateNull();
    p11prof_plain_number(number, column, cell);
    return cJSON_CreateRaw(number); /* a cJSON number is a double: not exact beyond 2^53 */
}

cJSON *p11prof_json_cell(const struct p11prof_column *column, const struct p11prof_cell *cell)
{
    if (cell->kind == P11PROF_CELL_NULL)
        return column->type == P11PROF_TYPE_LIST ? cJSON_CreateArray() : cJSON_CreateNull();
    if (cell->kind != P11PROF_CELL_TEXT)
        return json_number(column, cell);
    if (column->type == P11PROF_TYPE_LIST)
        return json_list(cell->text);
    return column->type == P11PROF_TYPE_JSON ? json_as_is(cell->text) : json_text(cell->text);
}

cJSON *p11prof_json_row(const struct p11prof_table *table, size_t row)
{
    const struct p11prof_cell *cells = p11prof_table_row(table, row);
    cJSON *object = cJSON_CreateObject();
    for (size_t i = 0; i < table->column_count; i++)
        cJSON_AddItemToObject(object, table->columns[i].name,
                              p11prof_json_cell(&table->columns[i], &cells[i]));
    return object;
}

cJSON *p11prof_json_rows(const struct p11prof_table *table)
{
    cJSON *array = cJSON_CreateArray();
    for (size_t i = 0; i < table->row_count; i++)
        cJSON_AddItemToArray(array, p11prof_json_row(table, i));
    return array;
}

char *p11prof_json_text(const struct p11prof_table *table)
{
    cJSON *rows = p11prof_json_rows(table);
    char *printed = cJSON_PrintUnformatted(rows);
    char *text = p11prof_copy(printed ? printed : "[]");
    cJSON_free(printed);
    cJSON_Delete(rows);
    return text;
}

void p11prof_json_head(struct p11prof_writer *writer, const struct p11prof_table *table)
{
    (void)table;
    putc('[', writer->stream);
}

void p11prof_json_write_row(struct p11prof_writer *writer, const struct p11prof_table *table,
                            size_t row)
{
    cJSON *object = p11prof_json_row(table, row);
    char *text = cJSON_PrintUnformatted(object);
    fprintf(writer->stream, "%s\n%s", writer->row_count > 0 ? "," : "", text ? text : "null");
    cJSON_free(text);
    cJSON_Delete(object);
}

void p11prof_json_tail(struct p11prof_writer *writer)
{
    fputs(writer->row_count > 0 ? "\n]\n" : "]\n", writer->stream);
}
