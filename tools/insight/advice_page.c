/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "advice_page.h"
#include "report/call_table.h"
#include "report/hint_database.h"
#include "report/run_title.h"
#include "report/units.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>

enum { LINE_WIDTH = 100, EXAMPLE_ROWS = 8 };

/* Of a page about one run. */
struct advice_page {
    struct p11prof_page *page;
    const struct p11prof_advice_run *run;
    struct p11prof_call_scope scope;
    struct p11prof_table rows; /* of the findings, one each */
};

static void print_summary(const struct advice_page *advice)
{
    char module[P11PROF_UNIT_TEXT_BYTES];
    size_t count = advice->rows.row_count;
    p11prof_format_ns(module, (uint64_t)advice->run->module_ns);
    if (count == 0)
        p11prof_page_paragraph(advice->page,
                               "No pattern that is worth a word was found in %" PRId64
                               " calls, %s in the module.",
                               advice->run->call_count, module);
    else
        p11prof_page_paragraph(advice->page,
                               "%zu pattern%s found in %" PRId64 " calls, %s in the module.", count,
                               count == 1 ? "" : "s", advice->run->call_count, module);
}

static void print_cost(const struct advice_page *advice, const struct p11prof_finding *finding)
{
    char cost[P11PROF_UNIT_TEXT_BYTES], saving[P11PROF_UNIT_TEXT_BYTES];
    char share[P11PROF_UNIT_TEXT_BYTES];
    double module_ns = (double)advice->run->module_ns;
    if (finding->cost_ns < 0 && module_ns > 0) /* a risk, whatever it takes */
        return;
    if (finding->cost_ns < 0) {
        p11prof_page_fact(advice->page, "costs",
                          "unknown: these %" PRId64 " calls have no durations",
                          finding->call_count);
        return;
    }
    p11prof_format_ns(cost, (uint64_t)finding->cost_ns);
    p11prof_format_share(share, module_ns > 0 ? (double)finding->cost_ns / module_ns : 0);
    p11prof_page_fact(advice->page, "costs",
                      "%s in %" PRId64 " calls, %s of the time in the module", cost,
                      finding->call_count, share);
    if (finding->saving_ns < 0)
        return;
    p11prof_format_ns(saving, (uint64_t)finding->saving_ns);
    p11prof_page_fact(advice->page, "saves", "about %s: %s", saving,
                      finding->estimate ? finding->estimate : "");
}

/* The first calls of the example. */
static enum p11prof_status load_example(struct p11prof_call_list *out,
                                        const struct p11prof_call_scope *scope,
                                        const struct p11prof_finding *finding,
                                        struct p11prof_error *error)
{
    char order[32];
    struct sqlite3_stmt *rows;
    snprintf(order, sizeof order, "LIMIT %d", EXAMPLE_ROWS);
    if (p11prof_call_scope_prepare(scope, P11PROF_CALL_REF,
                                   " AND s.process = ?5 AND c.thread_id = ?6", order, true, &rows,
                                   error) != P11PROF_OK)
        return error->status;
    sqlite3_bind_int64(rows, 3, finding->first_call_id);
    sqlite3_bind_int64(rows, 4, finding->last_call_id);
    sqlite3_bind_int64(rows, 5, finding->process_id);
    sqlite3_bind_int64(rows, 6, finding->example_thread_id);
    return p11prof_call_list_take(out, rows, P11PROF_CALL_LISTED, error);
}

static enum p11prof_status print_calls(const struct advice_page *advice,
                                       const struct p11prof_call_list *list,
                                       struct p11prof_error *error)
{
    static const char shown[] = "call_id start_ns duration_ns function rv session key_id";
    struct p11prof_call_table calls = {.scope = NULL};
    struct p11prof_call_columns columns = {.count = 0};
    const char *nearest;
    p11prof_call_columns_read(&columns, "call_id,start_ns,duration_ns,function,rv,session,key_id",
                              &nearest);
    enum p11prof_status status =
        p11prof_call_table_open(&calls, &advice->scope, &columns, true, error);
    if (status == P11PROF_OK)
        status = p11prof_call_table_add(&calls, list, error);
    if (status == P11PROF_OK)
        p11prof_page_table(advice->page, &calls.table, shown);
    p11prof_call_table_clear(&calls);
    return status;
}

static enum p11prof_status print_example(const struct advice_page *advice,
                                         const struct p11prof_finding *finding,
                                         struct p11prof_error *error)
{
    struct p11prof_call_list list = {.refs = NULL};
    if (finding->first_call_id < 0)
        return P11PROF_OK;
    enum p11prof_status status = load_example(&list, &advice->scope, finding, error);
    if (status == P11PROF_OK && list.count > 0) {
        p11prof_page_fact(advice->page, "example",
                          "p11prof calls %" PRId64 " --around call:%" PRId64 " --after 20%s",
                          advice->run->run_id, list.refs[0].id, p11prof_hint_database());
        status = print_calls(advice, &list, error);
    }
    p11prof_call_list_clear(&list);
    return status;
}

static enum p11prof_status print_finding(const struct advice_page *advice, size_t row,
                                         const struct p11prof_finding *finding,
                                         struct p11prof_error *error)
{
    struct p11prof_page *page = advice->page;
    const char *caller = p11prof_table_text(&advice->rows, row, "caller", NULL);
    const char *remedy = p11prof_table_text(&advice->rows, row, "advice", NULL);
    p11prof_page_section(page, "%s%s%s", finding->detector->title, finding->subject ? ": " : "",
                         finding->subject ? finding->subject : "");
    if (finding->evidence)
        p11prof_page_fact(page, "found", "%s", finding->evidence);
    if (caller)
        p11prof_page_fact(page, "by", "%s", caller);
    print_cost(advice, finding);
    p11prof_page_fact(page, "why", "%s", finding->detector->why);
    if (remedy)
        p11prof_page_fact(page, "change", "%s", remedy);
    return print_example(advice, finding, error);
}

static enum p11prof_status print_all(struct advice_page *advice,
                                     const struct p11prof_findings *findings,
                                     struct p11prof_error *error)
{
    if (p11prof_findings_table(&advice->rows, findings, advice->run, error) != P11PROF_OK ||
        p11prof_run_title(advice->page, advice->run->db, advice->run->run_id, error) != P11PROF_OK)
        return error->status;
    print_summary(advice);
    for (size_t i = 0; i < findings->count; i++)
        if (print_finding(advice, i, &findings->all[i], error) != P11PROF_OK)
            return error->status;
    return P11PROF_OK;
}

enum p11prof_status p11prof_advice_page(struct p11prof_page *page,
                                        const struct p11prof_findings *findings,
                                        const struct p11prof_advice_run *run,
                                        struct p11prof_error *error)
{
    const struct p11prof_selection everything = {.filter_count = 0};
    struct advice_page advice = {.page = page, .run = run};
    size_t terminal = p11prof_terminal_width(page->stream);
    if (page->format == P11PROF_FORMAT_TEXT)
        page->width = terminal > 0 ? terminal : LINE_WIDTH;
    enum p11prof_status status =
        p11prof_call_scope_open(&advice.scope, run->db, run->run_id, &everything, error);
    if (status == P11PROF_OK)
        status = print_all(&advice, findings, error);
    p11prof_table_clear(&advice.rows);
    p11prof_call_scope_clear(&advice.scope);
    return status;
}
