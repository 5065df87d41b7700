/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "report_tables.h"
#include "allocate.h"
#include "units.h"

#include <stdlib.h>
#include <string.h>

/* What goes first where a terminal is narrow. Columns that are not named here always stay. */
static const char *const least_important[] = {
    "p999_ns",  "p90_ns",  "p95_ns",      "thread_id", "bytes_per_s", "max_ns",    "mean_ns",
    "key_type", "meaning", "error_count", "total_ns",  "ops_per_s",   "pid",       "program",
    "p50_ns",   "state",   "key_bits",    "share",     "p99_ns",      "mechanism", NULL};

/* Columns without rows: names in their order. */
static void read_chosen(struct p11prof_table *out, const char *chosen)
{
    char *words = p11prof_copy(chosen), *rest = words;
    for (char *word; (word = strsep(&rest, ",")) != NULL;)
        if (p11prof_table_find(out, word) == out->column_count)
            p11prof_table_add_columns(out, word);
    free(words);
}

static bool has(const struct p11prof_table *table, const char *column)
{
    return p11prof_table_find(table, column) < table->column_count;
}

/* Adds the chosen columns that `from` has. */
static void add_chosen(struct p11prof_table *out, const struct p11prof_table *chosen,
                       const struct p11prof_table *from)
{
    for (size_t i = 0; i < chosen->column_count; i++)
        if (has(from, chosen->columns[i].name))
            p11prof_table_add_columns(out, chosen->columns[i].name);
}

static void choose(struct p11prof_table *out, const struct p11prof_report_table *table,
                   const char *chosen_names)
{
    struct p11prof_table chosen = {.columns = NULL}, identity = {.columns = NULL};
    struct p11prof_table found = {.columns = NULL}, naming = {.columns = NULL};
    read_chosen(&chosen, chosen_names);
    p11prof_table_add_columns(&identity, table->identity);
    add_chosen(&found, &chosen, table->table);
    add_chosen(&naming, &found, &identity);
    bool worth_it = found.column_count > naming.column_count ||
                    (found.column_count > 0 && found.column_count == chosen.column_count);
    if (worth_it && naming.column_count == 0)
        p11prof_table_add_columns(out, table->identity);
    if (worth_it)
        add_chosen(out, &chosen, table->table);
    p11prof_table_clear(&chosen);
    p11prof_table_clear(&identity);
    p11prof_table_clear(&found);
    p11prof_table_clear(&naming);
}

/* "name name name" of its columns. The caller frees it. */
static char *names_of(const struct p11prof_table *columns)
{
    char *names;
    size_t bytes;
    FILE *stream = p11prof_text_open(&names, &bytes);
    for (size_t i = 0; i < columns->column_count; i++)
        fprintf(stream, "%s ", columns->columns[i].name);
    fclose(stream);
    return names;
}

static void print_rest(struct p11prof_report_tables *tables, const struct p11prof_rest *rest)
{
    char share[P11PROF_UNIT_TEXT_BYTES + sizeof ", of the time"] = "";
    char percent[P11PROF_UNIT_TEXT_BYTES];
    if (rest->total_ns > 0 && tables->module_ns > 0) {
        p11prof_format_share(percent, (double)rest->total_ns / (double)tables->module_ns);
        snprintf(share, sizeof share, ", %s of the time", percent);
    }
    p11prof_page_note(tables->page, "… %zu more row%s%s%s", rest->row_count,
                      rest->row_count == 1 ? "" : "s", share,
                      tables->rest_said ? "" : " (--top 0 shows all)");
    tables->rest_said = true;
}

static bool any_doubtful(const struct p11prof_table *table, const struct p11prof_table *columns)
{
    for (size_t i = 0; i < table->row_count; i++)
        for (size_t k = 0; k < columns->column_count; k++)
            if (p11prof_table_get(table, i, columns->columns[k].name)->doubtful)
                return true;
    return false;
}

static void print_table(struct p11prof_report_tables *tables,
                        const struct p11prof_report_table *table,
                        const struct p11prof_table *columns)
{
    char *names = names_of(columns);
    p11prof_page_section(tables->page, "%s", table->title);
    p11prof_page_table_fit(tables->page, table->table, names,
                           tables->chosen ? NULL : least_important, &tables->left_out);
    free(names);
    if (table->rest->row_count > 0)
        print_rest(tables, table->rest);
    tables->doubtful = tables->doubtful || any_doubtful(table->table, columns);
}

void p11prof_report_table_print(struct p11prof_report_tables *tables,
                                const struct p11prof_report_table *table)
{
    struct p11prof_table columns = {.columns = NULL};
    if (table->table->row_count == 0)
        return;
    if (tables->chosen) {
        choose(&columns, table, tables->chosen);
    } else {
        p11prof_table_add_columns(&columns, table->identity);
        p11prof_table_add_columns(&columns, table->usual);
    }
    if (columns.column_count > 0)
        print_table(tables, table, &columns);
    p11prof_table_clear(&columns);
}

/* "P99.9, P90, MAX", the least important first. The caller frees it. */
static char *headings_left_out(const struct p11prof_table *left_out)
{
    char *headings;
    size_t bytes;
    FILE *stream = p11prof_text_open(&headings, &bytes);
    for (const char *const *name = least_important; *name; name++) {
        size_t column = p11prof_table_find(left_out, *name);
        if (column < left_out->column_count)
            fprintf(stream, "%s%s", ftell(stream) > 0 ? ", " : "",
                    left_out->columns[column].heading);
    }
    fclose(stream);
    return headings;
}

void p11prof_report_tables_end(struct p11prof_report_tables *tables)
{
    if (tables->doubtful)
        p11prof_page_paragraph(tables->page,
                               "~ fewer than 10 durations lie beyond this percentile");
    if (tables->left_out.column_count > 0) {
        char *headings = headings_left_out(&tables->left_out);
        p11prof_page_paragraph(
            tables->page, "Left out for want of width: %s (--columns chooses others)", headings);
        free(headings);
    }
    p11prof_table_clear(&tables->left_out);
}
