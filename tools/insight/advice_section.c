/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Findings as a table and as the section of a report. */
#include "advice.h"
#include "report/allocate.h"
#include "report/hint_database.h"
#include "report/query.h"
#include "report/selection.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

enum { SHORT_ROWS = 3 };

static const char caller_sql[] = "SELECT name, path FROM caller WHERE process = ?1 AND caller = ?2";

static void set_known(const struct p11prof_table *table, struct p11prof_cell *row, const char *name,
                      int64_t value)
{
    if (value >= 0)
        p11prof_table_set_integer(table, row, name, value);
}

/* Who makes the calls, and what that one may do. */
static enum p11prof_status set_caller(const struct p11prof_table *table, struct p11prof_cell *row,
                                      const struct p11prof_finding *finding, struct sqlite3 *db,
                                      struct p11prof_error *error)
{
    struct sqlite3_stmt *query;
    const char *path = NULL;
    if (p11prof_query_prepare(db, caller_sql, finding->process_id, &query, error) != P11PROF_OK)
        return error->status;
    sqlite3_bind_int64(query, 2, finding->caller);
    int result = sqlite3_step(query);
    if (result == SQLITE_ROW) {
        p11prof_table_set_text(table, row, "caller", p11prof_query_text(query, 0));
        path = p11prof_query_text(query, 1);
    }
    p11prof_table_set_text(table, row, "advice", p11prof_remedy_text(finding->detector->id, path));
    return p11prof_query_end(query, result, error);
}

static enum p11prof_status add_row(struct p11prof_table *out, const struct p11prof_finding *finding,
                                   const struct p11prof_advice_run *run,
                                   struct p11prof_error *error)
{
    struct p11prof_cell *row = p11prof_table_add_row(out);
    p11prof_table_set_integer(out, row, "run_id", run->run_id);
    p11prof_table_set_text(out, row, "finding", finding->detector->id);
    p11prof_table_set_text(out, row, "title", finding->detector->title);
    p11prof_table_set_text(out, row, "subject", finding->subject);
    p11prof_table_set_text(out, row, "estimate", finding->estimate);
    p11prof_table_set_text(out, row, "evidence", finding->evidence);
    set_known(out, row, "count", finding->count);
    set_known(out, row, "call_count", finding->call_count);
    set_known(out, row, "cost_ns", finding->cost_ns);
    set_known(out, row, "saving_ns", finding->saving_ns);
    set_known(out, row, "process_id", finding->process_id);
    set_known(out, row, "thread_id", finding->example_thread_id);
    set_known(out, row, "first_call_id", finding->first_call_id);
    set_known(out, row, "last_call_id", finding->last_call_id);
    if (finding->cost_ns >= 0 && run->module_ns > 0)
        p11prof_table_set_real(out, row, "share",
                               (double)finding->cost_ns / (double)run->module_ns);
    return set_caller(out, row, finding, run->db, error);
}

enum p11prof_status p11prof_findings_table(struct p11prof_table *out,
                                           const struct p11prof_findings *findings,
                                           const struct p11prof_advice_run *run,
                                           struct p11prof_error *error)
{
    if (out->column_count == 0)
        p11prof_table_add_columns(out, P11PROF_FINDING_COLUMNS);
    for (size_t i = 0; i < findings->count; i++)
        if (add_row(out, &findings->all[i], run, error) != P11PROF_OK)
            return error->status;
    return P11PROF_OK;
}

/* " --since 10s", where a shell reads it as it is; "". The caller frees it. */
static char *hint_options(const struct p11prof_section *out, const struct p11prof_advice_run *run)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "/._-+,:@% ";
    char *text =
        run->selection ? p11prof_selection_text(run->selection, out->redact) : p11prof_copy("");
    bool useful = *text && text[strspn(text, plain)] == '\0';
    char *options = p11prof_finding_text("%s%s%s", useful ? " " : "", useful ? text : "",
                                         out->redact ? "" : p11prof_hint_database());
    free(text);
    return options;
}

/* The verdict. */
static void say(struct p11prof_section *out, const struct p11prof_findings *findings,
                const struct p11prof_advice_run *run)
{
    char *options = hint_options(out, run);
    if (findings->count == 0)
        p11prof_section_say(out, "No pattern that costs time was found in %" PRId64 " calls.",
                            run->call_count);
    else
        p11prof_section_say(
            out,
            "%zu pattern%s of calls cost%s time and need not: `p11prof advise %" PRId64 "%s`"
            " says what to change.",
            findings->count, findings->count == 1 ? "" : "s", findings->count == 1 ? "s" : "",
            run->run_id, options);
    if (run->selection && p11prof_selection_hides_calls(run->selection))
        p11prof_section_say(out, P11PROF_ADVICE_HIDDEN ".");
    free(options);
}

enum p11prof_status p11prof_findings_section(struct p11prof_section *out,
                                             const struct p11prof_findings *findings,
                                             const struct p11prof_advice_run *run,
                                             struct p11prof_error *error)
{
    say(out, findings, run);
    struct p11prof_table *table =
        p11prof_section_add(out, "findings", NULL, P11PROF_FINDING_COLUMNS,
                            "title subject count cost_ns share saving_ns caller");
    return p11prof_findings_table(table, findings, run, error);
}

enum p11prof_status p11prof_advice_section(struct p11prof_section *out, struct sqlite3 *db,
                                           int64_t run_id,
                                           const struct p11prof_selection *selection, bool full,
                                           struct p11prof_error *error)
{
    struct p11prof_findings findings = {.all = NULL};
    struct p11prof_advice_run run;
    if (!full && selection && p11prof_selection_hides_calls(selection))
        return P11PROF_OK;
    enum p11prof_status status = p11prof_advice_load(&findings, &run, db, run_id, selection, error);
    p11prof_findings_keep(&findings, &run);
    if (status == P11PROF_OK && (full || findings.count > 0))
        status = p11prof_findings_section(out, &findings, &run, error);
    if (!full && out->table_count > 0 && out->tables[0].table.row_count > SHORT_ROWS)
        p11prof_table_cut(&out->tables[0].table, SHORT_ROWS);
    p11prof_findings_clear(&findings);
    return status;
}
