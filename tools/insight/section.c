/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "section.h"
#include "report/allocate.h"
#include "report/run_report.h"

#include <cjson/cJSON.h>
#include <stdarg.h>
#include <stdlib.h>

void p11prof_section_clear(struct p11prof_section *section)
{
    for (size_t i = 0; i < section->table_count; i++)
        p11prof_table_clear(&section->tables[i].table);
    for (size_t i = 0; i < section->sentence_count; i++)
        free(section->sentences[i]);
    free(section->sentences);
    *section = (struct p11prof_section){.name = NULL};
}

void p11prof_section_say(struct p11prof_section *section, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = p11prof_text_make(format, arguments);
    va_end(arguments);
    section->sentences = p11prof_grow(section->sentences, &section->sentence_capacity,
                                      section->sentence_count + 1, sizeof *section->sentences);
    section->sentences[section->sentence_count++] = text;
}

struct p11prof_table *p11prof_section_add(struct p11prof_section *section, const char *name,
                                          const char *title, const char *columns, const char *shown)
{
    struct p11prof_section_table *added = &section->tables[section->table_count++];
    *added = (struct p11prof_section_table){.name = name, .title = title, .columns = shown};
    p11prof_table_add_columns(&added->table, columns);
    return &added->table;
}

bool p11prof_section_has(const struct p11prof_section *section)
{
    bool has = section->sentence_count > 0;
    for (size_t i = 0; i < section->table_count && !has; i++)
        has = section->tables[i].table.row_count > 0;
    return has;
}

static bool any_doubtful(const struct p11prof_table *table)
{
    for (size_t row = 0; row < table->row_count; row++)
        for (size_t i = 0; i < table->column_count; i++)
            if (p11prof_table_row(table, row)[i].doubtful)
                return true;
    return false;
}

static void print_table(struct p11prof_page *page, const struct p11prof_section_table *table,
                        size_t top)
{
    struct p11prof_table shown = table->table;
    if (shown.row_count == 0)
        return;
    if (table->title)
        p11prof_page_paragraph(page, "%s", table->title);
    if (top > 0 && shown.row_count > top)
        shown.row_count = top;
    if (table->columns)
        p11prof_page_table(page, &shown, table->columns);
    else
        p11prof_page_whole_table(page, &shown);
    if (shown.row_count < table->table.row_count)
        p11prof_page_note(page, "%zu more rows: --top 0 shows all.",
                          table->table.row_count - shown.row_count);
    if (any_doubtful(&shown))
        p11prof_page_note(page, "~ fewer than 10 durations lie beyond this percentile");
}

void p11prof_section_print(struct p11prof_page *page, const struct p11prof_section *section,
                           size_t top)
{
    if (!p11prof_section_has(section))
        return;
    p11prof_page_section(page, "%s", section->title);
    for (size_t i = 0; i < section->sentence_count; i++)
        p11prof_page_paragraph(page, "%s", section->sentences[i]);
    for (size_t i = 0; i < section->table_count; i++)
        print_table(page, &section->tables[i], top);
}

struct cJSON *p11prof_section_json(const struct p11prof_section *section)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddNumberToObject(object, "run_id", (double)section->run_id);
    cJSON *sentences = cJSON_AddArrayToObject(object, "sentences");
    for (size_t i = 0; i < section->sentence_count; i++)
        cJSON_AddItemToArray(sentences, cJSON_CreateString(section->sentences[i]));
    for (size_t i = 0; i < section->table_count; i++) {
        cJSON_AddArrayToObject(object, section->tables[i].name);
        p11prof_document_rows(object, section->tables[i].name, &section->tables[i].table);
    }
    return object;
}
