/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* p11prof advise: patterns of calls that cost time and need not. */
#include "calls_note.h"
#include "commands.h"
#include "common_options.h"
#include "insight/advice_page.h"
#include "message.h"
#include "named_runs.h"
#include "recorded.h"
#include "report/allocate.h"
#include "report/call_print.h"
#include "report/query.h"
#include "run_select.h"
#include "select_options.h"
#include "untimed_note.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

enum { OPTION_ALL = 'A', OPTION_FAIL = 'F' };

static const struct p11prof_option options[] = {
    {"all", OPTION_ALL, NULL, "also what costs next to nothing, and what a bench does"},
    {"fail-on-findings", OPTION_FAIL, NULL, "exit code 1 if there is something to say"},
    P11PROF_OPTIONS_SELECT,
    P11PROF_OPTION_FORMAT,
    P11PROF_OPTION_DB,
    P11PROF_OPTION_NO_COLLECT,
    {.name = NULL},
};

static const struct p11prof_usage usage = {
    .command = "advise",
    .arguments = "[RUN...]",
    .summary = "Shows patterns of calls that cost time and need not, and what to change.",
    .options = options,
    .notes = "  p11prof advise\n"
             "  p11prof advise nightly --program nginx\n"
             "  p11prof advise 12 --format markdown > advice.md\n"
             "  p11prof advise --fail-on-findings --since 60s",
    .kind = P11PROF_VALUE_RUN,
};

struct settings {
    struct p11prof_common_options common;
    struct p11prof_selection selection;
    bool all, fail_on_findings;
};

static bool take_option(void *payload, int id, const char *value)
{
    struct settings *settings = payload;
    if (p11prof_is_select_option(id))
        return p11prof_select_option(&settings->selection, id, value);
    switch (id) {
    case OPTION_ALL:
        return settings->all = true;
    case OPTION_FAIL:
        return settings->fail_on_findings = true;
    default:
        return p11prof_common_option(&settings->common, id, value);
    }
}

/* What was found in one run. */
struct run_advice {
    struct p11prof_advice_run run;
    struct p11prof_findings findings;
    struct p11prof_call_notes notes;
    bool is_bench;
};

/* Whether there are rows, and what is missing. */
static enum p11prof_status check_run(struct run_advice *out, struct sqlite3 *db, int64_t run_id,
                                     struct p11prof_error *error)
{
    static const char sql[] = "SELECT kind = 'bench' FROM runs WHERE run_id = ?1";
    const struct p11prof_selection everything = {.filter_count = 0};
    struct p11prof_call_scope scope = {.db = NULL};
    int64_t is_bench = 0;
    enum p11prof_status status = p11prof_call_scope_open(&scope, db, run_id, &everything, error);
    if (status == P11PROF_OK)
        status = p11prof_call_scope_check(&scope, error);
    if (status == P11PROF_OK)
        status = p11prof_query_integer(db, sql, run_id, 0, &is_bench, error);
    out->is_bench = is_bench != 0;
    if (scope.call_count > scope.row_count)
        out->notes.pruned_count = scope.call_count - scope.row_count;
    p11prof_call_scope_clear(&scope);
    return status;
}

static enum p11prof_status load_run(struct run_advice *out, const struct settings *settings,
                                    struct sqlite3 *db, int64_t run_id, struct p11prof_error *error)
{
    if (check_run(out, db, run_id, error) != P11PROF_OK ||
        p11prof_advice_load(&out->findings, &out->run, db, run_id, &settings->selection, error) !=
            P11PROF_OK)
        return error->status;
    if (out->is_bench && !settings->all)
        p11prof_findings_clear(&out->findings);
    else if (!settings->all)
        p11prof_findings_keep(&out->findings, &out->run);
    if (out->run.call_count == 0)
        return p11prof_selection_empty(&settings->selection, db, &run_id, 1, error);
    return P11PROF_OK;
}

static enum p11prof_status print_pages(enum p11prof_format format, const struct run_advice *runs,
                                       size_t count, struct p11prof_error *error)
{
    struct p11prof_page page = {.stream = stdout, .format = format};
    for (size_t i = 0; i < count; i++)
        if (p11prof_advice_page(&page, &runs[i].findings, &runs[i].run, error) != P11PROF_OK)
            return error->status;
    return P11PROF_OK;
}

static enum p11prof_status print_csv(const struct run_advice *runs, size_t count,
                                     struct p11prof_error *error)
{
    struct p11prof_table rows = {.columns = NULL};
    enum p11prof_status status = P11PROF_OK;
    for (size_t i = 0; i < count && status == P11PROF_OK; i++)
        status = p11prof_findings_table(&rows, &runs[i].findings, &runs[i].run, error);
    if (status == P11PROF_OK)
        p11prof_write_table(stdout, &rows, P11PROF_FORMAT_CSV);
    p11prof_table_clear(&rows);
    return status;
}

static enum p11prof_status add_json(struct cJSON *array, const struct run_advice *advice,
                                    struct p11prof_error *error)
{
    struct p11prof_section section = {.run_id = advice->run.run_id};
    enum p11prof_status status =
        p11prof_findings_section(&section, &advice->findings, &advice->run, error);
    if (status == P11PROF_OK)
        cJSON_AddItemToArray(array, p11prof_section_json(&section));
    p11prof_section_clear(&section);
    return status;
}

static enum p11prof_status print_json(const struct run_advice *runs, size_t count,
                                      struct p11prof_error *error)
{
    cJSON *document = cJSON_CreateObject();
    enum p11prof_status status = P11PROF_OK;
    cJSON_AddStringToObject(document, "schema", "p11prof/export/v1");
    cJSON *array = cJSON_AddArrayToObject(document, "advice");
    for (size_t i = 0; i < count && status == P11PROF_OK; i++)
        status = add_json(array, &runs[i], error);
    if (status == P11PROF_OK)
        p11prof_document_print(stdout, document);
    cJSON_Delete(document);
    return status;
}

static enum p11prof_status print_runs(const struct settings *settings, struct sqlite3 *db,
                                      struct run_advice *runs, const struct p11prof_run_set *set,
                                      struct p11prof_error *error)
{
    for (size_t i = 0; i < set->run_count; i++)
        if (load_run(&runs[i], settings, db, set->run_ids[i], error) != P11PROF_OK)
            return error->status;
    switch (settings->common.format) {
    case P11PROF_FORMAT_CSV:
        return print_csv(runs, set->run_count, error);
    case P11PROF_FORMAT_JSON:
        return print_json(runs, set->run_count, error);
    default:
        return print_pages(settings->common.format, runs, set->run_count, error);
    }
}

static void say_what_is_missing(const struct settings *settings, const struct run_advice *advice)
{
    calls_note_missing(&advice->notes, advice->run.run_id);
    if (advice->is_bench && !settings->all)
        p11prof_note("run %lld is a bench, which makes patterns on purpose: --all shows them",
                     (long long)advice->run.run_id);
}

/* Each run by itself, also those that are named together. */
static int print(const struct settings *settings, const struct p11prof_named_runs *named)
{
    struct p11prof_error error;
    struct p11prof_run_set set = p11prof_named_runs_join(named);
    struct run_advice *runs = p11prof_zalloc(set.run_count, sizeof *runs);
    int code = P11PROF_EXIT_DONE;
    if (print_runs(settings, named->db, runs, &set, &error) != P11PROF_OK)
        code = p11prof_complain_of(&error);
    for (size_t i = 0; i < set.run_count; i++) {
        if (code <= P11PROF_EXIT_NO)
            say_what_is_missing(settings, &runs[i]);
        if (code == P11PROF_EXIT_DONE && settings->fail_on_findings && runs[i].findings.count > 0)
            code = P11PROF_EXIT_NO;
        p11prof_findings_clear(&runs[i].findings);
    }
    if (code <= P11PROF_EXIT_NO && p11prof_selection_hides_calls(&settings->selection))
        p11prof_warn(P11PROF_ADVICE_HIDDEN);
    p11prof_note_recorded(named->db, &set);
    p11prof_note_untimed(named->db, set.run_ids, set.run_count);
    free(runs);
    p11prof_run_set_clear(&set);
    return code;
}

int p11prof_command_advise(int argc, char **argv)
{
    struct settings settings = {.common = {.format = P11PROF_FORMAT_TEXT}};
    struct p11prof_named_runs runs;
    int first, code;
    if (!p11prof_options_read(&usage, argc, argv, take_option, &settings, &first, &code))
        return code;
    code = p11prof_named_runs_open(&runs, &settings.common.database, argv + first, argc - first,
                                   &settings.selection);
    if (code == P11PROF_EXIT_DONE)
        code = print(&settings, &runs);
    p11prof_named_runs_close(&runs);
    return code;
}
