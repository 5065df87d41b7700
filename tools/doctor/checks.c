/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "checks.h"

#include <stdarg.h>
#include <stdio.h>

void p11prof_check_add(struct p11prof_checks *checks, enum p11prof_verdict verdict,
                       const char *item, const char *source, const char *advice, const char *format,
                       ...)
{
    static const char *const verdicts[] = {"ok", "note", "problem"};
    struct p11prof_table *rows = &checks->rows;
    char value[2 * P11PROF_PATH_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(value, sizeof value, format, arguments);
    va_end(arguments);
    if (rows->column_count == 0)
        p11prof_table_add_columns(rows, "section item value source verdict advice");
    struct p11prof_cell *row = p11prof_table_add_row(rows);
    p11prof_table_set_text(rows, row, "section", checks->section);
    p11prof_table_set_text(rows, row, "item", item);
    p11prof_table_set_text(rows, row, "value", value);
    p11prof_table_set_text(rows, row, "source", source);
    p11prof_table_set_text(rows, row, "verdict", verdicts[verdict]);
    p11prof_table_set_text(rows, row, "advice", advice);
    checks->problem_count += verdict == P11PROF_VERDICT_PROBLEM;
}
