/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Failures as a page. */
#include "allocate.h"
#include "failures.h"
#include "run_title.h"
#include "safe_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_WIDTH = 100, INDENT = 2 };

enum part { FAILED, BENIGN, UNDISCLOSED, PARTS };

static enum part part_of(const struct p11prof_table *rows, size_t row)
{
    const char *class = p11prof_table_text(rows, row, "class", "");
    return strcmp(class, "benign") == 0        ? BENIGN
           : strcmp(class, "undisclosed") == 0 ? UNDISCLOSED
                                               : FAILED;
}

/* A paragraph whose lines fit; Markdown breaks its lines itself. */
static void print_wrapped(struct p11prof_page *page, const char *text)
{
    size_t terminal = p11prof_terminal_width(page->stream);
    size_t width = (terminal > 40 && terminal < LINE_WIDTH ? terminal : LINE_WIDTH) - INDENT;
    if (page->format == P11PROF_FORMAT_MARKDOWN) {
        p11prof_page_note(page, "%s", text);
        return;
    }
    for (bool first = true; *text; first = false) {
        size_t room = first ? width : width - INDENT;
        size_t length = p11prof_text_prefix(text, room);
        while (text[length] && length > 0 && text[length] != ' ')
            length--;
        if (length == 0)
            length = strlen(text);
        p11prof_page_note(page, "%s%.*s", first ? "" : "  ", (int)length, text);
        text += length + (text[length] == ' ');
    }
}

/* Whether another row of the part has the same result with another sentence. */
static bool is_ambiguous(const struct p11prof_table *rows, size_t row)
{
    for (size_t i = 0; i < rows->row_count; i++)
        if (part_of(rows, i) == part_of(rows, row) &&
            strcmp(p11prof_table_text(rows, i, "rv", ""),
                   p11prof_table_text(rows, row, "rv", "")) == 0 &&
            strcmp(p11prof_table_text(rows, i, "meaning", ""),
                   p11prof_table_text(rows, row, "meaning", "")) != 0)
            return true;
    return false;
}

static bool was_said(const struct p11prof_table *rows, size_t row)
{
    for (size_t i = 0; i < row; i++)
        if (part_of(rows, i) == part_of(rows, row) &&
            strcmp(p11prof_table_text(rows, i, "meaning", ""),
                   p11prof_table_text(rows, row, "meaning", "")) == 0 &&
            strcmp(p11prof_table_text(rows, i, "rv", ""),
                   p11prof_table_text(rows, row, "rv", "")) == 0)
            return true;
    return false;
}

static void print_meanings(struct p11prof_page *page, const struct p11prof_table *rows,
                           enum part part)
{
    char text[512];
    if (page->format == P11PROF_FORMAT_TEXT)
        putc('\n', page->stream);
    for (size_t i = 0; i < rows->row_count; i++) {
        if (part_of(rows, i) != part || was_said(rows, i))
            continue;
        const char *function =
            is_ambiguous(rows, i) ? p11prof_table_text(rows, i, "function", "") : "";
        snprintf(text, sizeof text, "%s%s%s: %s", function, function[0] ? " " : "",
                 p11prof_table_text(rows, i, "rv", ""), p11prof_table_text(rows, i, "meaning", ""));
        print_wrapped(page, text);
    }
}

/* "function rv [what they are grouped by] …" */
static void shown_columns(char *out, size_t bytes, const struct p11prof_grouping *by,
                          enum part part, bool from_rows)
{
    snprintf(out, bytes, "function rv");
    for (size_t i = 0; i < by->count; i++) {
        size_t used = strlen(out);
        const char *column = p11prof_dimensions[by->ids[i]].column;
        if (by->ids[i] != P11PROF_BY_FUNCTION && by->ids[i] != P11PROF_BY_RV)
            snprintf(out + used, bytes - used, " %s", column);
    }
    size_t used = strlen(out);
    snprintf(out + used, bytes - used, "%s count share %s", part == FAILED ? " class" : "",
             from_rows             ? "mean_ns p50_ns p99_ns max_ns first_ns last_ns"
             : part != UNDISCLOSED ? "mean_ns min_ns max_ns"
                                   : "");
}

static void print_part(struct p11prof_page *page, const struct p11prof_failures *failures,
                       const struct p11prof_grouping *by, enum part part, const char *heading)
{
    struct p11prof_table rows = {.columns = NULL};
    char columns[512];
    for (size_t i = 0; i < failures->rows.column_count; i++)
        p11prof_table_add_column(&rows, failures->rows.columns[i].name, false);
    for (size_t i = 0; i < failures->rows.row_count; i++)
        if (part_of(&failures->rows, i) == part)
            p11prof_table_copy_row(&rows, p11prof_table_add_row(&rows), &failures->rows, i);
    if (rows.row_count > 0) {
        shown_columns(columns, sizeof columns, by, part, failures->from_rows);
        p11prof_page_section(page, "%s", heading);
        p11prof_page_table(page, &rows, columns);
        print_meanings(page, &rows, part);
    }
    p11prof_table_clear(&rows);
}

static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

enum p11prof_status p11prof_failures_page(struct p11prof_page *page,
                                          const struct p11prof_failures *failures,
                                          struct sqlite3 *db, int64_t run_id,
                                          const struct p11prof_failure_options *options,
                                          struct p11prof_error *error)
{
    static const char *const headings[PARTS] = {
        [FAILED] = "Failures",
        [BENIGN] = "Part of normal use",
        [UNDISCLOSED] = "Not disclosed",
    };
    const char *selected =
        p11prof_selection_is_all(&options->selection) ? "" : " that are selected";
    if (p11prof_run_title(page, db, run_id, error) != P11PROF_OK)
        return error->status;
    if (failures->failed_count == 0)
        p11prof_page_note(page, "no call failed, of %llu%s",
                          (unsigned long long)failures->call_count, selected);
    else
        p11prof_page_note(
            page, "%llu call%s failed, of %llu%s", (unsigned long long)failures->failed_count,
            plural(failures->failed_count), (unsigned long long)failures->call_count, selected);
    for (enum part part = FAILED; part < PARTS; part++)
        print_part(page, failures, &options->by, part, headings[part]);
    return P11PROF_OK;
}
