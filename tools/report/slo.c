/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "slo.h"
#include "allocate.h"
#include "moments.h"
#include "nearest.h"
#include "p11prof/batch.h"
#include "query.h"
#include "stats_table.h"
#include "units.h"

#include <math.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

enum unit { UNIT_TIME, UNIT_SHARE, UNIT_NUMBER };

struct p11prof_objective_metric {
    const char *name;
    enum unit unit;
    const char *column; /* of a row of statistics; NULL: not read from one */
};

static const struct p11prof_objective_metric metrics[] = {
    {"p50", UNIT_TIME, "p50_ns"},
    {"p90", UNIT_TIME, "p90_ns"},
    {"p95", UNIT_TIME, "p95_ns"},
    {"p99", UNIT_TIME, "p99_ns"},
    {"p999", UNIT_TIME, "p999_ns"},
    {"mean", UNIT_TIME, "mean_ns"},
    {"min", UNIT_TIME, "min_ns"},
    {"max", UNIT_TIME, "max_ns"},
    {"errors", UNIT_SHARE, NULL},
    {"count", UNIT_NUMBER, "count"},
    {"ops_per_s", UNIT_NUMBER, "ops_per_s"},
    {"lost", UNIT_NUMBER, NULL},
};
enum { METRICS = sizeof metrics / sizeof *metrics };

/* What objectives are looked up in: all calls, functions, operations, tests. */
struct subjects {
    struct p11prof_table all, functions, operations, tests;
    int64_t lost_count;
    uint64_t duration_ns; /* of all runs: of what is selected of it */
};

static const struct p11prof_objective_metric *find_metric(const char *name)
{
    for (size_t i = 0; i < METRICS; i++)
        if (strcmp(metrics[i].name, name) == 0)
            return &metrics[i];
    return NULL;
}

static enum p11prof_status complain_metric(const char *name, struct p11prof_error *error)
{
    const char *names[METRICS];
    for (size_t i = 0; i < METRICS; i++)
        names[i] = metrics[i].name;
    const char *nearest = p11prof_nearest(name, names, METRICS);
    return p11prof_error_set(error, P11PROF_BAD_INPUT, "an objective has no metric '%.60s': %s%s%s",
                             name,
                             nearest ? "did you mean '"
                                     : "it has p50 to p999, mean, min, max, "
                                       "errors, count, lost and ops_per_s",
                             nearest ? nearest : "", nearest ? "'?" : "");
}

static bool read_limit(const char *text, enum unit unit, double *out)
{
    uint64_t ns = 0;
    char *end;
    bool number = text[0] >= '0' && text[0] <= '9';
    if (unit == UNIT_TIME) {
        bool has_unit = number && text[strspn(text, "0123456789.")] != '\0';
        bool read = p11prof_read_duration(text, &ns);
        *out = (double)ns;
        return read && (has_unit || ns == 0);
    }
    *out = strtod(text, &end);
    if (unit == UNIT_SHARE && *end == '%') {
        *out /= 100;
        end++;
    }
    return number && *end == '\0' && isfinite(*out);
}

static enum p11prof_status complain_limit(const char *word, const char *limit, enum unit unit,
                                          struct p11prof_error *error)
{
    static const char *const wanted[] = {[UNIT_TIME] = "a time such as 20ms",
                                         [UNIT_SHARE] = "a share such as 0.1%",
                                         [UNIT_NUMBER] = "a number"};
    return p11prof_error_set(error, P11PROF_BAD_INPUT,
                             "objective '%.80s' wants %s as its limit, not '%.40s'", word,
                             wanted[unit], limit);
}

/* SUBJECT.METRIC; the last dot parts them. */
static enum p11prof_status read_name(struct p11prof_objective *out, char *name,
                                     struct p11prof_error *error)
{
    char *dot = strrchr(name, '.');
    const char *metric = dot ? dot + 1 : name;
    if (dot)
        *dot = '\0';
    if (dot && (dot == name || strlen(name) >= P11PROF_SUBJECT_BYTES))
        return p11prof_error_set(error, P11PROF_BAD_INPUT, "an objective has no subject '%.60s'",
                                 name);
    snprintf(out->subject, sizeof out->subject, "%s", dot ? name : "");
    out->metric = find_metric(metric);
    return out->metric ? P11PROF_OK : complain_metric(metric, error);
}

static enum p11prof_status read_objective(struct p11prof_objective *out, const char *word,
                                          struct p11prof_error *error)
{
    size_t length = strcspn(word, "<>");
    const char *comparison = word + length;
    if (length == 0 || *comparison == '\0')
        return p11prof_error_set(error, P11PROF_BAD_INPUT,
                                 "'%.80s' is no objective: one is SUBJECT.METRIC<LIMIT, such as "
                                 "C_Sign.p99<20ms",
                                 word);
    out->above = *comparison == '>';
    out->or_equal = comparison[1] == '=';
    const char *limit = comparison + 1 + out->or_equal;
    char *name = p11prof_copy(word);
    name[length] = '\0';
    enum p11prof_status status = read_name(out, name, error);
    free(name);
    if (status == P11PROF_OK && !read_limit(limit, out->metric->unit, &out->limit))
        status = complain_limit(word, limit, out->metric->unit, error);
    return status;
}

enum p11prof_status p11prof_objectives_read(struct p11prof_objectives *out, const char *text,
                                            struct p11prof_error *error)
{
    enum p11prof_status status = P11PROF_OK;
    char *copy = p11prof_copy(text), *rest = copy;
    for (char *word; status == P11PROF_OK && (word = strsep(&rest, ","));) {
        if (out->count == P11PROF_OBJECTIVES_MAX)
            status = p11prof_error_set(error, P11PROF_BAD_INPUT, "more than %d objectives",
                                       P11PROF_OBJECTIVES_MAX);
        else
            status = read_objective(&out->all[out->count], word, error);
        if (status == P11PROF_OK)
            out->count++;
    }
    free(copy);
    return status;
}

const char *p11prof_objective_time_column(const struct p11prof_objective *objective)
{
    return objective->metric->unit == UNIT_TIME ? objective->metric->column : NULL;
}

static enum p11prof_status load_calls(struct p11prof_table *out, bool by_function,
                                      struct sqlite3 *db, const struct p11prof_run_set *runs,
                                      const struct p11prof_selection *selection,
                                      struct p11prof_error *error)
{
    struct p11prof_scan scan = {
        .selection = selection,
        .calls.grouping = {{P11PROF_BY_KIND, P11PROF_BY_FUNCTION}, by_function ? 2 : 1}};
    struct p11prof_table others = {.columns = NULL};
    enum p11prof_status status =
        p11prof_scan_runs(&scan, db, runs->run_ids, runs->run_count, error);
    if (status == P11PROF_OK)
        status = p11prof_stats_tables(&scan, -1, db, out, &others, error);
    p11prof_table_clear(&others);
    p11prof_scan_clear(&scan);
    return status;
}

static enum p11prof_status load_operations(struct subjects *out, struct sqlite3 *db,
                                           const struct p11prof_run_set *runs,
                                           const struct p11prof_selection *selection,
                                           struct p11prof_error *error)
{
    struct p11prof_scan scan = {.selection = selection,
                                .operations.grouping = {{P11PROF_BY_OPERATION}, 1},
                                .loads.grouping = p11prof_load_grouping};
    struct p11prof_bench_results results = {.loads = {.columns = NULL}};
    enum p11prof_status status =
        p11prof_scan_runs(&scan, db, runs->run_ids, runs->run_count, error);
    if (status == P11PROF_OK)
        status = p11prof_results_table(&scan, -1, db, out->duration_ns, &out->operations, error);
    for (size_t i = 0; i < runs->run_count && status == P11PROF_OK; i++)
        status = p11prof_bench_results_load(&results, &scan, db, runs->run_ids[i], error);
    out->tests = results.loads;
    results.loads = (struct p11prof_table){.columns = NULL};
    p11prof_bench_results_clear(&results);
    p11prof_scan_clear(&scan);
    return status;
}

static enum p11prof_status load_sums(struct subjects *out, struct sqlite3 *db,
                                     const struct p11prof_run_set *runs,
                                     const struct p11prof_selection *selection,
                                     struct p11prof_error *error)
{
    static const char sql[] =
        "SELECT lost_count, start_wall_ns, duration_ns FROM runs WHERE run_id = ?1";
    static const struct p11prof_selection everything = {.filter_count = 0};
    struct p11prof_table sums = {.columns = NULL};
    const struct p11prof_selection *of = selection ? selection : &everything;
    enum p11prof_status status = P11PROF_OK;
    for (size_t i = 0; i < runs->run_count && status == P11PROF_OK; i++)
        status = p11prof_query_table(db, sql, runs->run_ids[i], &sums, error);
    for (size_t i = 0; i < sums.row_count; i++) {
        out->lost_count += p11prof_table_integer(&sums, i, "lost_count", 0);
        out->duration_ns += p11prof_moments_overlap_ns(
            &of->since, &of->until, p11prof_table_integer(&sums, i, "start_wall_ns", 0),
            p11prof_table_integer(&sums, i, "duration_ns", 0));
    }
    p11prof_table_clear(&sums);
    return status;
}

static enum p11prof_status load_subjects(struct subjects *out, struct sqlite3 *db,
                                         const struct p11prof_run_set *runs,
                                         const struct p11prof_selection *selection,
                                         struct p11prof_error *error)
{
    if (load_sums(out, db, runs, selection, error) != P11PROF_OK ||
        load_calls(&out->all, false, db, runs, selection, error) != P11PROF_OK ||
        load_calls(&out->functions, true, db, runs, selection, error) != P11PROF_OK)
        return error->status;
    return load_operations(out, db, runs, selection, error);
}

static void subjects_clear(struct subjects *subjects)
{
    p11prof_table_clear(&subjects->all);
    p11prof_table_clear(&subjects->functions);
    p11prof_table_clear(&subjects->operations);
    p11prof_table_clear(&subjects->tests);
}

/* Rows whose subject has that name: several where a test was measured in several ways. */
struct found {
    const struct p11prof_table *table;
    const char *column; /* of the name; NULL: the one row */
};

static bool is_row(const struct found *found, size_t row, const char *subject)
{
    return !found->column ||
           strcmp(p11prof_table_text(found->table, row, found->column, ""), subject) == 0;
}

static bool has_subject(const struct found *found, const char *subject)
{
    for (size_t i = 0; i < found->table->row_count; i++)
        if (is_row(found, i, subject))
            return true;
    return false;
}

static enum p11prof_status complain_subject(const struct subjects *subjects, const char *subject,
                                            struct p11prof_error *error)
{
    const struct found places[] = {{&subjects->functions, "function"},
                                   {&subjects->operations, "operation"},
                                   {&subjects->tests, "test"}};
    const char *names[256];
    size_t count = 0;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        for (size_t k = 0; k < places[i].table->row_count && count < 256; k++)
            names[count++] = p11prof_table_text(places[i].table, k, places[i].column, "");
    const char *nearest = p11prof_nearest(subject, names, count);
    return p11prof_error_set(error, P11PROF_BAD_INPUT,
                             "no function, operation or test '%s' was called in these runs%s%s%s",
                             subject, nearest ? ": did you mean '" : "", nearest ? nearest : "",
                             nearest ? "'?" : "");
}

static enum p11prof_status find_subject(const struct subjects *subjects, const char *subject,
                                        struct found *out, struct p11prof_error *error)
{
    const struct found places[] = {{&subjects->functions, "function"},
                                   {&subjects->operations, "operation"},
                                   {&subjects->tests, "test"}};
    *out = (struct found){&subjects->all, NULL};
    if (!*subject)
        return P11PROF_OK;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        if (has_subject(&places[i], subject)) {
            *out = places[i];
            return P11PROF_OK;
        }
    }
    return complain_subject(subjects, subject, error);
}

/* NaN: unknown, which meets nothing. */
static double value_of(const struct p11prof_objective *objective, const struct subjects *subjects,
                       const struct p11prof_table *table, size_t row)
{
    const char *name = objective->metric->name;
    double count = (double)p11prof_table_integer(table, row, "count", 0);
    double errors = (double)p11prof_table_integer(table, row, "error_count", 0);
    if (strcmp(name, "lost") == 0)
        return (double)subjects->lost_count;
    if (strcmp(name, "errors") == 0)
        return count > 0 ? errors / count : 0;
    const struct p11prof_cell *cell = p11prof_table_get(table, row, objective->metric->column);
    if (cell->kind == P11PROF_CELL_NULL && strcmp(name, "ops_per_s") == 0 &&
        subjects->duration_ns > 0)
        return (count - errors) / ((double)subjects->duration_ns / 1e9);
    return cell->kind == P11PROF_CELL_REAL      ? cell->real
           : cell->kind == P11PROF_CELL_INTEGER ? (double)cell->integer
                                                : (double)NAN;
}

static bool is_met(const struct p11prof_objective *objective, double value)
{
    if (objective->or_equal && value == objective->limit)
        return true;
    return objective->above ? value > objective->limit : value < objective->limit;
}

static void format_value(char *out, size_t bytes, enum unit unit, double value)
{
    if (isnan(value))
        snprintf(out, bytes, "unknown");
    else if (unit == UNIT_TIME)
        p11prof_format_ns(out, (uint64_t)value);
    else if (unit == UNIT_SHARE)
        snprintf(out, bytes, "%.3g %%", 100 * value);
    else
        snprintf(out, bytes, value == floor(value) ? "%.0f" : "%.6g", value);
}

static void describe(char *out, size_t bytes, const struct p11prof_objective *objective,
                     const struct found *found, size_t row)
{
    int64_t data_bytes = p11prof_table_integer(found->table, row, "data_bytes", -1);
    int64_t threads = p11prof_table_integer(found->table, row, "threads", 1);
    int used = snprintf(out, bytes, "%s%s%s", objective->subject, *objective->subject ? "." : "",
                        objective->metric->name);
    if (data_bytes >= 0)
        used += snprintf(out + used, bytes - (size_t)used, ", %lld B", (long long)data_bytes);
    if (threads > 1)
        snprintf(out + used, bytes - (size_t)used, ", %lld threads", (long long)threads);
}

static void add_row(struct p11prof_table *out, const struct p11prof_objective *objective,
                    const struct found *found, size_t row, double value)
{
    char text[128], limit[64];
    struct p11prof_cell *cells = p11prof_table_add_row(out);
    bool met = is_met(objective, value);
    describe(text, sizeof text, objective, found, row);
    p11prof_table_set_text(out, cells, "objective", text);
    format_value(text, sizeof text, objective->metric->unit, value);
    p11prof_table_set_text(out, cells, "value", text);
    format_value(text, sizeof text, objective->metric->unit, objective->limit);
    snprintf(limit, sizeof limit, "%s%s %.48s", objective->above ? ">" : "<",
             objective->or_equal ? "=" : "", text);
    p11prof_table_set_text(out, cells, "limit", limit);
    if (!isnan(value))
        p11prof_table_set_real(out, cells, "measured", value);
    p11prof_table_set_real(out, cells, "bound", objective->limit);
    if (!met && objective->limit > 0 && !isnan(value))
        p11prof_table_set_real(out, cells, "missed_by",
                               fabs(value - objective->limit) / objective->limit);
    p11prof_table_set_text(out, cells, "verdict", met ? "met" : "missed");
}

static enum p11prof_status check_one(const struct p11prof_objective *objective,
                                     const struct subjects *subjects, struct p11prof_table *out,
                                     struct p11prof_error *error)
{
    struct found found;
    if (find_subject(subjects, objective->subject, &found, error) != P11PROF_OK)
        return error->status;
    for (size_t i = 0; i < found.table->row_count; i++)
        if (is_row(&found, i, objective->subject))
            add_row(out, objective, &found, i, value_of(objective, subjects, found.table, i));
    return P11PROF_OK;
}

enum p11prof_status p11prof_objectives_check(const struct p11prof_objectives *objectives,
                                             struct sqlite3 *db, const struct p11prof_run_set *runs,
                                             const struct p11prof_selection *selection,
                                             struct p11prof_table *out, struct p11prof_error *error)
{
    struct subjects subjects = {.lost_count = 0};
    if (out->column_count == 0)
        p11prof_table_add_columns(out, "objective value limit measured bound missed_by verdict");
    enum p11prof_status status = load_subjects(&subjects, db, runs, selection, error);
    for (size_t i = 0; i < objectives->count && status == P11PROF_OK; i++)
        status = check_one(&objectives->all[i], &subjects, out, error);
    subjects_clear(&subjects);
    return status;
}
