/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "call_print.h"
#include "call_gaps.h"
#include "imported.h"
#include "page.h"
#include "query.h"
#include "run_title.h"

#include <sqlite3.h>

struct print {
    FILE *stream;
    enum p11prof_format format;
    const struct p11prof_call_options *options;
    struct p11prof_call_scope scope;
    struct p11prof_call_table calls;
    struct p11prof_page page; /* of text and Markdown */
    struct p11prof_writer writer;
    bool started;
};

static bool for_people(const struct print *print)
{
    return print->format == P11PROF_FORMAT_TEXT || print->format == P11PROF_FORMAT_MARKDOWN;
}

/* --- what stands before and behind the rows --- */

static void print_section(struct print *print, size_t count)
{
    unsigned long long all = print->scope.call_count, shown = count;
    bool selected = !p11prof_selection_is_all(&print->options->selection);
    const char *those = selected ? "those selected of " : "";
    char untimed[P11PROF_UNTIMED_BYTES];
    bool timed = !p11prof_run_is_untimed(print->scope.db, print->scope.run_id, untimed);
    switch (print->options->show) {
    case P11PROF_SHOW_SLOWEST:
        p11prof_page_section(&print->page, "The %s %llu of %s%llu calls",
                             timed ? "slowest" : "first", shown, those, all);
        break;
    case P11PROF_SHOW_FAILED:
        p11prof_page_section(&print->page, "The newest %llu failed of %s%llu calls", shown, those,
                             all);
        break;
    case P11PROF_SHOW_NEWEST:
        p11prof_page_section(&print->page, "The newest %llu of %s%llu calls", shown, those, all);
        break;
    case P11PROF_SHOW_AROUND:
        p11prof_page_section(&print->page, "Around call %lld", (long long)shown);
        break;
    case P11PROF_SHOW_ALL:
        p11prof_page_section(&print->page, "%s %llu calls", selected ? "Those selected of" : "All",
                             all);
        break;
    }
}

static enum p11prof_status begin(struct print *print, size_t count, struct p11prof_error *error)
{
    print->page = (struct p11prof_page){.stream = print->stream, .format = print->format};
    print->writer = (struct p11prof_writer){
        .stream = print->stream,
        .format = print->format,
        .width_limit = p11prof_terminal_width(print->stream),
        .optional = print->options->columns.count ? NULL : p11prof_call_columns_optional,
        .indent = "  "};
    if (print->format == P11PROF_FORMAT_JSON)
        fputs("{\"schema\":\"p11prof/export/v1\",\"calls\":", print->stream);
    if (!for_people(print))
        return P11PROF_OK;
    enum p11prof_status status =
        p11prof_run_title(&print->page, print->scope.db, print->scope.run_id, error);
    print_section(print, count);
    return status;
}

static void end(struct print *print)
{
    p11prof_writer_end(&print->writer, &print->calls.table);
    if (print->format == P11PROF_FORMAT_JSON)
        fputs("}\n", print->stream);
}

/* --- the rows --- */

static enum p11prof_status pick(struct print *print, struct p11prof_call_list *list,
                                struct p11prof_error *error)
{
    static const enum p11prof_call_pick picks[] = {
        [P11PROF_SHOW_SLOWEST] = P11PROF_PICK_SLOWEST,
        [P11PROF_SHOW_FAILED] = P11PROF_PICK_FAILED,
        [P11PROF_SHOW_NEWEST] = P11PROF_PICK_NEWEST,
    };
    const struct p11prof_call_options *options = print->options;
    enum p11prof_status status =
        options->show == P11PROF_SHOW_AROUND
            ? p11prof_call_list_around(list, &print->scope, &options->anchor, options->before,
                                       options->after, options->all_threads, error)
            : p11prof_call_list_pick(list, &print->scope, picks[options->show], options->count,
                                     error);
    return status == P11PROF_OK ? p11prof_call_gaps(list, &print->scope, error) : status;
}

/* Whether anything is selected, shown or not. */
static enum p11prof_status check_selection(const struct print *print, struct p11prof_error *error)
{
    sqlite3_stmt *row;
    if (p11prof_call_scope_prepare(&print->scope, "1", print->scope.where, "LIMIT 1", false, &row,
                                   error) != P11PROF_OK)
        return error->status;
    int result = sqlite3_step(row);
    if (p11prof_query_end(row, result, error) != P11PROF_OK)
        return error->status;
    return result == SQLITE_ROW
               ? P11PROF_OK
               : p11prof_selection_empty(&print->options->selection, print->scope.db,
                                         &print->scope.run_id, 1, error);
}

static void print_notes(struct print *print, const struct p11prof_call_list *list)
{
    bool others = false,
         none_failed = list->count == 0 && print->options->show == P11PROF_SHOW_FAILED;
    int64_t waits = 0;
    struct p11prof_error error;
    for (size_t i = 0; i < list->count; i++)
        others |= list->refs[i].relation == P11PROF_CALL_IN_FLIGHT;
    if (print->options->show == P11PROF_SHOW_AROUND)
        p11prof_page_note(&print->page, others ? "> is that call; + was in flight in other threads"
                                               : "> is that call");
    if (print->options->show == P11PROF_SHOW_AROUND && print->options->all_threads && !others)
        p11prof_page_note(&print->page, "no other thread had a call in flight then");
    if (none_failed)
        p11prof_page_note(&print->page, "no call failed");
    if (print->options->show == P11PROF_SHOW_SLOWEST && !print->scope.with_blocking)
        p11prof_query_integer(print->scope.db,
                              "SELECT sum(count) FROM call_group WHERE run = ?1 AND kind = 3 AND "
                              "NOT is_operation",
                              print->scope.run_id, 0, &waits, &error);
    if (waits > 0)
        p11prof_page_note(&print->page,
                          "%lld calls that wait for an event or a person are left out: "
                          "--kind blocking shows them",
                          (long long)waits);
}

static int64_t number_shown(const struct print *print, const struct p11prof_call_list *list)
{
    if (print->options->show != P11PROF_SHOW_AROUND)
        return (int64_t)list->count;
    for (size_t i = 0; i < list->count; i++)
        if (list->refs[i].relation == P11PROF_CALL_AT)
            return list->refs[i].id;
    return 0;
}

static enum p11prof_status print_list(struct print *print, struct p11prof_error *error)
{
    struct p11prof_call_list list = {.refs = NULL};
    enum p11prof_status status = pick(print, &list, error);
    if (status == P11PROF_OK && list.count == 0)
        status = check_selection(print, error);
    if (status == P11PROF_OK)
        status = p11prof_call_table_add(&print->calls, &list, error);
    if (status == P11PROF_OK)
        status = begin(print, (size_t)number_shown(print, &list), error);
    if (status == P11PROF_OK) {
        if (list.count > 0 || !for_people(print))
            p11prof_writer_rows(&print->writer, &print->calls.table);
        if (list.count > 0 || !for_people(print))
            end(print);
        if (for_people(print))
            print_notes(print, &list);
    }
    p11prof_call_list_clear(&list);
    return status;
}

/* Nothing is printed before there is a row: an empty selection is an error. */
static void write_batch(void *payload, const struct p11prof_table *table)
{
    struct print *print = payload;
    struct p11prof_error error;
    if (!print->started && table->row_count == 0)
        return;
    if (!print->started)
        begin(print, 0, &error);
    print->started = true;
    p11prof_writer_rows(&print->writer, table);
}

static enum p11prof_status print_all(struct print *print, struct p11prof_error *error)
{
    uint64_t count;
    enum p11prof_status status =
        p11prof_call_table_stream(&print->calls, write_batch, print, &count, error);
    if (status == P11PROF_OK && count == 0)
        return check_selection(print, error);
    if (print->started)
        end(print);
    return status;
}

/* --- all of it --- */

static enum p11prof_status print_run(struct print *print, struct p11prof_error *error)
{
    struct p11prof_call_columns columns = print->options->columns;
    if (p11prof_call_scope_check(&print->scope, error) != P11PROF_OK)
        return error->status;
    if (columns.count == 0)
        p11prof_call_columns_default(&columns, for_people(print),
                                     print->options->show == P11PROF_SHOW_AROUND);
    enum p11prof_status status =
        p11prof_call_table_open(&print->calls, &print->scope, &columns, for_people(print), error);
    if (status == P11PROF_OK)
        status = print->options->show == P11PROF_SHOW_ALL ? print_all(print, error)
                                                          : print_list(print, error);
    p11prof_call_table_clear(&print->calls);
    return status;
}

enum p11prof_status p11prof_call_print(FILE *stream, struct sqlite3 *db, int64_t run_id,
                                       enum p11prof_format format,
                                       const struct p11prof_call_options *options,
                                       struct p11prof_call_notes *notes,
                                       struct p11prof_error *error)
{
    struct print print = {.stream = stream, .format = format, .options = options};
    int64_t lost_count = 0;
    sqlite3_exec(db, "BEGIN", NULL, NULL, NULL);
    enum p11prof_status status =
        p11prof_call_scope_open(&print.scope, db, run_id, &options->selection, error);
    if (status == P11PROF_OK)
        status = print_run(&print, error);
    if (status == P11PROF_OK)
        status = p11prof_query_integer(db, "SELECT lost_count FROM runs WHERE run_id = ?1", run_id,
                                       0, &lost_count, error);
    sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    notes->lost_count = (uint64_t)lost_count;
    if (print.scope.call_count > print.scope.row_count)
        notes->pruned_count = print.scope.call_count - print.scope.row_count;
    p11prof_call_scope_clear(&print.scope);
    return status;
}
