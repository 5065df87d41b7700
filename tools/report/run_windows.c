/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "run_windows.h"
#include "allocate.h"
#include "p11prof/batch.h"
#include "window_read.h"

#include <stdlib.h>

/* Where windows are written. */
struct writing {
    FILE *stream;
    const char *comma;
    int64_t run_id; /* to be said of each window; -1: the row says it */
};

static void take_window(void *payload, const struct p11prof_window_row *window)
{
    struct writing *writing = payload;
    fputs(writing->comma, writing->stream);
    p11prof_window_write(writing->stream, window, writing->run_id);
    writing->comma = ",";
}

/* False if windows do not tell apart what the group is of. *run_id: the one run it is of, or as it
 * was. */
static bool groups_of(struct p11prof_window_groups *out, int64_t *run_id,
                      const struct p11prof_tally *tally, const struct p11prof_key *key)
{
    for (size_t i = 0; i < tally->grouping.count; i++) {
        int64_t value = key->known >> i & 1 ? key->values[i] : -1;
        switch (tally->grouping.ids[i]) {
        case P11PROF_BY_FUNCTION:
        case P11PROF_BY_OPERATION:
            out->code = value;
            break;
        case P11PROF_BY_KIND:
            out->kind = value;
            break;
        case P11PROF_BY_MECHANISM:
            out->mechanism = value;
            break;
        case P11PROF_BY_KEY_TYPE:
            out->key_type = value;
            break;
        case P11PROF_BY_KEY_BITS:
            out->key_bits = value;
            break;
        case P11PROF_BY_RUN:
            *run_id = value;
            break;
        default:
            return false;
        }
    }
    return true;
}

static enum p11prof_status write_windows(struct writing *writing, const struct p11prof_tally *tally,
                                         bool operations, const struct p11prof_tally_group *group,
                                         struct sqlite3 *db, const struct p11prof_run_set *runs,
                                         struct p11prof_error *error)
{
    struct p11prof_window_groups groups = {.is_operation = operations,
                                           .code = P11PROF_WINDOW_ANY,
                                           .kind = P11PROF_WINDOW_ANY,
                                           .mechanism = P11PROF_WINDOW_ANY,
                                           .key_type = P11PROF_WINDOW_ANY,
                                           .key_bits = P11PROF_WINDOW_ANY};
    int64_t only = -1;
    enum p11prof_status status = P11PROF_OK;
    if (!groups_of(&groups, &only, tally, &group->key))
        return P11PROF_OK;
    for (size_t i = 0; i < runs->run_count && status == P11PROF_OK; i++) {
        writing->run_id = only < 0 && runs->run_count > 1 ? runs->run_ids[i] : -1;
        if (only < 0 || only == runs->run_ids[i])
            status = p11prof_group_windows_read(db, runs->run_ids[i], &groups, take_window, writing,
                                                error);
    }
    return status;
}

/* runs: NULL, if there are no windows to be had. */
static enum p11prof_status set_windows(struct p11prof_table *table, size_t row,
                                       const struct p11prof_tally *tally, bool operations,
                                       const struct p11prof_tally_group *group, struct sqlite3 *db,
                                       const struct p11prof_run_set *runs,
                                       struct p11prof_error *error)
{
    char *text;
    size_t bytes;
    struct writing writing = {.stream = p11prof_text_open(&text, &bytes), .comma = ""};
    enum p11prof_status status = P11PROF_OK;
    putc('[', writing.stream);
    if (runs)
        status = write_windows(&writing, tally, operations, group, db, runs, error);
    putc(']', writing.stream);
    fclose(writing.stream);
    p11prof_table_set_text(table, p11prof_table_row(table, row), "windows", text);
    free(text);
    return status;
}

/* The same rows with two columns more. */
static void widen(struct p11prof_table *table)
{
    struct p11prof_table wide = {.columns = NULL};
    for (size_t i = 0; i < table->column_count; i++)
        p11prof_table_add_column(&wide, table->columns[i].name, false);
    p11prof_table_add_columns(&wide, "histogram windows");
    for (size_t i = 0; i < table->row_count; i++)
        p11prof_table_copy_row(&wide, p11prof_table_add_row(&wide), table, i);
    p11prof_table_clear(table);
    *table = wide;
}

static enum p11prof_status set_functions(struct p11prof_run_report *report,
                                         const struct p11prof_tally *tally, struct sqlite3 *db,
                                         const struct p11prof_run_set *runs,
                                         struct p11prof_error *error)
{
    size_t calls = 0, others = 0;
    widen(&report->functions);
    widen(&report->others);
    for (size_t i = 0; i < tally->group_count; i++) {
        const struct p11prof_tally_group *group = &tally->groups[i];
        int64_t kind = P11PROF_KIND_CALL;
        p11prof_tally_value(tally, &group->key, P11PROF_BY_KIND, &kind);
        bool call = kind == P11PROF_KIND_CALL;
        struct p11prof_table *table = call ? &report->functions : &report->others;
        size_t row = call ? calls++ : others++;
        char *histogram = p11prof_tally_histogram(group);
        p11prof_table_set_text(table, p11prof_table_row(table, row), "histogram", histogram);
        free(histogram);
        if (set_windows(table, row, tally, false, group, db, runs, error) != P11PROF_OK)
            return error->status;
    }
    return P11PROF_OK;
}

enum p11prof_status p11prof_run_windows_set(struct p11prof_run_report *report,
                                            const struct p11prof_scan *scan, struct sqlite3 *db,
                                            const struct p11prof_run_set *runs,
                                            struct p11prof_error *error)
{
    const struct p11prof_run_set *wanted = report->selected ? NULL : runs;
    enum p11prof_status status = set_functions(report, &scan->calls, db, wanted, error);
    for (size_t i = 0; i < scan->operations.group_count && status == P11PROF_OK; i++)
        status = set_windows(&report->operations, i, &scan->operations, true,
                             &scan->operations.groups[i], db, wanted, error);
    return status;
}
