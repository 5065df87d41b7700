/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "ramp.h"
#include "allocate.h"
#include "query.h"
#include "ramp_steps.h"
#include "scan.h"
#include "slo.h"
#include "units.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

static const char options_sql[] = "SELECT options FROM runs WHERE run_id = ?1";

bool p11prof_load_is_ramp(const struct p11prof_table *loads, size_t row)
{
    return p11prof_table_get(loads, row, "ramp")->kind != P11PROF_CELL_NULL;
}

/* --- objectives --- */

static bool is_time_limit(const struct p11prof_objectives *objectives)
{
    const struct p11prof_objective *first = &objectives->all[0];
    return objectives->count == 1 && !*first->subject && !first->above && first->limit > 0 &&
           p11prof_objective_time_column(first);
}

enum p11prof_status p11prof_ramp_objective_read(struct p11prof_objective *out, const char *text,
                                                struct p11prof_error *error)
{
    struct p11prof_objectives objectives = {.count = 0};
    size_t name_bytes = strcspn(text, "<>=");
    if (text[name_bytes] == '\0' || name_bytes == 0)
        return p11prof_error_set(error, P11PROF_BAD_INPUT,
                                 "'%.80s' is no objective: it takes a time of an operation and how "
                                 "long it may be, such as p99=20ms",
                                 text);
    bool plain = text[name_bytes] == '=';
    char *whole = p11prof_zalloc(1, strlen(text) + 2);
    memcpy(whole, text, name_bytes);
    strcpy(whole + name_bytes, plain ? "<" : "");
    strcat(whole, text + name_bytes);
    enum p11prof_status status = p11prof_objectives_read(&objectives, whole, error);
    if (status == P11PROF_OK && !is_time_limit(&objectives))
        status = p11prof_error_set(error, P11PROF_BAD_INPUT,
                                   "'%.80s' is none for a ramp: it takes one time of an operation, "
                                   "such as p99=20ms",
                                   text);
    *out = objectives.all[0];
    free(whole);
    return status;
}

/* --- what the run's options say --- */

/* Which column tells the steps apart, where the options do not say it. */
static enum p11prof_ramp_of guess_of(const struct p11prof_table *loads, int64_t run_id)
{
    int64_t processes = -1;
    bool differ = false;
    for (size_t i = 0; i < loads->row_count; i++) {
        if (p11prof_table_integer(loads, i, "run_id", -1) != run_id ||
            !p11prof_load_is_ramp(loads, i))
            continue;
        if (p11prof_table_get(loads, i, "rate")->kind != P11PROF_CELL_NULL)
            return P11PROF_RAMP_RATE;
        int64_t other = p11prof_table_integer(loads, i, "processes", -1);
        differ = differ || (processes >= 0 && other != processes);
        processes = other;
    }
    return differ ? P11PROF_RAMP_PROCESSES : P11PROF_RAMP_THREADS;
}

/* *column: of the objective; NULL: there is none. */
static void options_take(struct p11prof_ramp *ramp, const char **column, const char *options)
{
    cJSON *object = cJSON_Parse(options);
    const char *of = cJSON_GetStringValue(
        cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(object, "ramp"), "of"));
    const char *slo = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, "slo"));
    struct p11prof_objective objective;
    struct p11prof_error error;
    const cJSON *values = cJSON_GetObjectItemCaseSensitive(
        cJSON_GetObjectItemCaseSensitive(object, "ramp"), "values");
    if (of)
        p11prof_ramp_named(of, &ramp->of);
    ramp->searched = slo && cJSON_IsArray(values) && cJSON_GetArraySize(values) == 0;
    if (slo && p11prof_ramp_objective_read(&objective, slo, &error) == P11PROF_OK) {
        *column = p11prof_objective_time_column(&objective);
        ramp->limit_ns = objective.limit;
        snprintf(ramp->objective, sizeof ramp->objective, "%.*s", (int)strcspn(slo, "<="), slo);
    }
    cJSON_Delete(object);
}

/* --- tables --- */

/* The word of a step's row. */
static const char *word_of(const struct p11prof_ramp *ramp, size_t index)
{
    const struct p11prof_ramp_step *step = &ramp->steps[index];
    if (!p11prof_ramp_step_works(step))
        return "failed";
    if (ramp->of == P11PROF_RAMP_RATE && !step->scheduled)
        return NULL;
    if (ramp->limit_ns > 0)
        return p11prof_ramp_step_meets(step, ramp->limit_ns) ? "met" : "missed";
    if (index == ramp->verdict.best)
        return ramp->of == P11PROF_RAMP_RATE ? "knee" : "best";
    if (ramp->of == P11PROF_RAMP_RATE)
        return p11prof_ramp_step_held(step) ? "held" : "not held";
    return NULL;
}

static void set_value(const struct p11prof_table *table, struct p11prof_cell *row, const char *name,
                      const struct p11prof_ramp *ramp, size_t index)
{
    if (index != P11PROF_RAMP_NONE)
        p11prof_table_set_real(table, row, name, ramp->steps[index].value);
}

/* "p99<=20ms", as --slo takes it. */
static void set_objective(const struct p11prof_table *table, struct p11prof_cell *row,
                          const struct p11prof_ramp *ramp)
{
    char text[64], limit[P11PROF_UNIT_TEXT_BYTES];
    if (ramp->limit_ns <= 0)
        return;
    p11prof_format_round_ns(limit, (uint64_t)ramp->limit_ns, 6);
    snprintf(text, sizeof text, "%s <= %s", ramp->objective, limit);
    p11prof_table_set_text(table, row, "objective", text);
    if (ramp->verdict.met != P11PROF_RAMP_NONE)
        p11prof_table_set_text(table, row, "verdict", "met");
    else if (ramp->verdict.missed != P11PROF_RAMP_NONE)
        p11prof_table_set_text(table, row, "verdict", "missed");
}

/* What the best step did. */
static void set_best(const struct p11prof_table *table, struct p11prof_cell *row,
                     const struct p11prof_table *steps, const struct p11prof_ramp *ramp)
{
    static const char *const columns[] = {"ops_per_s", "ops_per_s_low", "ops_per_s_high", "p99_ns"};
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
        if (ramp->verdict.best != P11PROF_RAMP_NONE)
            row[p11prof_table_find(table, columns[i])] =
                *p11prof_table_get(steps, ramp->first + ramp->verdict.best, columns[i]);
}

static char *steps_text(const struct p11prof_table *steps, const struct p11prof_ramp *ramp)
{
    struct p11prof_table own = {.columns = NULL};
    p11prof_table_add_columns(&own, P11PROF_RAMP_STEP_COLUMNS);
    for (size_t i = 0; i < ramp->count; i++)
        p11prof_table_copy_row(&own, p11prof_table_add_row(&own), steps, ramp->first + i);
    char *text = p11prof_json_text(&own);
    p11prof_table_clear(&own);
    return text;
}

static void add_finding(struct p11prof_ramps *out, const struct p11prof_ramp *ramp)
{
    const struct p11prof_table *table = &out->findings;
    const struct p11prof_ramp_verdict *verdict = &ramp->verdict;
    char summary[P11PROF_RAMP_TEXT_BYTES], text[P11PROF_RAMP_TEXT_BYTES];
    char all[2 * P11PROF_RAMP_TEXT_BYTES + 2];
    char *steps = steps_text(&out->steps, ramp);
    struct p11prof_cell *row = p11prof_table_add_row(&out->findings);
    p11prof_table_set_integer(table, row, "run_id", ramp->run_id);
    p11prof_table_set_text(table, row, "test",
                           p11prof_table_text(&out->steps, ramp->first, "test", ""));
    p11prof_table_set_text(table, row, "ramp_of", p11prof_ramp_word(ramp->of));
    p11prof_table_set_text(table, row, "finding", p11prof_ramp_finding_name(verdict->finding));
    set_best(table, row, &out->steps, ramp);
    set_value(table, row, "best", ramp, verdict->best);
    set_value(table, row, "most", ramp, verdict->most);
    set_value(table, row, "falls_beyond", ramp, verdict->falls);
    set_value(table, row, "held", ramp, verdict->held);
    set_value(table, row, "not_held", ramp, verdict->beyond);
    set_value(table, row, "met_up_to", ramp, verdict->met);
    set_value(table, row, "missed_from", ramp, verdict->missed);
    set_objective(table, row, ramp);
    p11prof_ramp_objective_text(summary, ramp);
    p11prof_ramp_text(text, ramp);
    snprintf(all, sizeof all, "%s%s%s", summary, *summary && *text ? "; " : "", text);
    p11prof_table_set_text(table, row, "summary", all);
    p11prof_table_set_text(table, row, "steps", steps);
    free(steps);
}

/* --- all --- */

static bool has_ramp(const struct p11prof_table *loads, int64_t run_id)
{
    for (size_t i = 0; i < loads->row_count; i++)
        if (p11prof_table_integer(loads, i, "run_id", -1) == run_id &&
            p11prof_load_is_ramp(loads, i))
            return true;
    return false;
}

static void judge(struct p11prof_ramps *out, struct p11prof_ramp *ramp)
{
    p11prof_ramp_judge(&ramp->verdict, ramp->of, ramp->steps, ramp->count, ramp->limit_ns);
    for (size_t i = 0; i < ramp->count; i++)
        p11prof_table_set_text(&out->steps, p11prof_table_row(&out->steps, ramp->first + i),
                               "verdict", word_of(ramp, i));
    add_finding(out, ramp);
}

enum p11prof_status p11prof_ramp_load(struct p11prof_ramps *out, const struct p11prof_table *loads,
                                      struct sqlite3 *db, int64_t run_id,
                                      struct p11prof_error *error)
{
    struct p11prof_table run = {.columns = NULL};
    const char *column = NULL;
    if (out->steps.column_count == 0) {
        p11prof_table_add_columns(&out->steps, P11PROF_RAMP_STEP_COLUMNS);
        p11prof_table_add_columns(&out->findings, P11PROF_RAMP_COLUMNS);
    }
    if (!has_ramp(loads, run_id))
        return P11PROF_OK;
    enum p11prof_status status = p11prof_query_table(db, options_sql, run_id, &run, error);
    if (status == P11PROF_OK) {
        out->ramps =
            p11prof_grow(out->ramps, &out->ramp_capacity, out->ramp_count + 1, sizeof *out->ramps);
        struct p11prof_ramp *ramp = &out->ramps[out->ramp_count++];
        *ramp = (struct p11prof_ramp){.run_id = run_id, .of = guess_of(loads, run_id)};
        options_take(ramp, &column, p11prof_table_text(&run, 0, "options", ""));
        status = p11prof_ramp_steps_load(ramp, &out->steps, loads, column, db, error);
        if (status == P11PROF_OK && ramp->count > 0)
            judge(out, ramp);
        else
            free(out->ramps[--out->ramp_count].steps);
    }
    p11prof_table_clear(&run);
    return status;
}

enum p11prof_status p11prof_ramp_read(struct p11prof_ramps *out, struct sqlite3 *db, int64_t run_id,
                                      struct p11prof_error *error)
{
    struct p11prof_scan scan = {.loads.grouping = p11prof_load_grouping};
    struct p11prof_bench_results results = {.loads = {.columns = NULL}};
    enum p11prof_status status = p11prof_scan_runs(&scan, db, &run_id, 1, error);
    if (status == P11PROF_OK)
        status = p11prof_bench_results_load(&results, &scan, db, run_id, error);
    if (status == P11PROF_OK)
        status = p11prof_ramp_load(out, &results.loads, db, run_id, error);
    p11prof_bench_results_clear(&results);
    p11prof_scan_clear(&scan);
    return status;
}

void p11prof_ramps_clear(struct p11prof_ramps *ramps)
{
    for (size_t i = 0; i < ramps->ramp_count; i++)
        free(ramps->ramps[i].steps);
    free(ramps->ramps);
    p11prof_table_clear(&ramps->steps);
    p11prof_table_clear(&ramps->findings);
    *ramps = (struct p11prof_ramps){.ramps = NULL};
}
