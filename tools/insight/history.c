/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "history.h"
#include "report/change_points.h"
#include "report/query.h"
#include "report/trend.h"
#include "report/trend_changes.h"
#include "report/units.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { RUNS_LEAST = 2 * P11PROF_CHANGE_SIDE_LEAST };

static const char runs_sql[] =
    "SELECT r.* FROM runs AS r JOIN runs AS o ON o.run_id = ?1 WHERE r.kind = o.kind "
    "AND r.program IS o.program AND r.token_label IS o.token_label "
    "AND r.token_serial IS o.token_serial AND r.start_wall_ns <= o.start_wall_ns "
    "ORDER BY r.start_wall_ns DESC, r.run_id DESC LIMIT 200";
static const char operations_sql[] =
    "SELECT operation AS subject FROM operation_stats WHERE run_id = ?1 AND test IS NULL "
    "GROUP BY operation ORDER BY total(total_ns) DESC, operation LIMIT 3";
static const char tests_sql[] = "SELECT test AS subject FROM loads WHERE run_id = ?1 "
                                "GROUP BY test ORDER BY min(load) LIMIT 14";

struct history {
    struct p11prof_section *section;
    struct sqlite3 *db;
    struct p11prof_table runs, subjects;
    struct p11prof_table *rows, *changes; /* of the section */
    bool bench;
};

static enum p11prof_status history_open(struct history *history, int64_t run_id,
                                        struct p11prof_error *error)
{
    if (p11prof_query_table(history->db, runs_sql, run_id, &history->runs, error) != P11PROF_OK)
        return error->status;
    history->bench = strcmp(p11prof_table_text(&history->runs, 0, "kind", ""), "bench") == 0;
    return p11prof_query_table(history->db, history->bench ? tests_sql : operations_sql, run_id,
                               &history->subjects, error);
}

static void rows_take(struct history *history, const char *subject,
                      const struct p11prof_table *trend)
{
    for (size_t i = 0; i < trend->row_count; i++) {
        struct p11prof_cell *row = p11prof_table_add_row(history->rows);
        p11prof_table_copy_row(history->rows, row, trend, i);
        p11prof_table_set_text(history->rows, row, "subject", subject);
        p11prof_table_set_integer(history->rows, row, "value_ns",
                                  p11prof_table_integer(trend, i, "value", 0));
        row[p11prof_table_find(history->rows, "value_ns")].doubtful =
            p11prof_table_get(trend, i, "value")->doubtful;
    }
}

/* Of percentiles with too few durations beyond them: nothing to alarm anyone with. */
static bool is_doubtful(const struct p11prof_table *changes, size_t i)
{
    return p11prof_table_get(changes, i, "before")->doubtful ||
           p11prof_table_get(changes, i, "after")->doubtful;
}

/* "the median of sign" */
static const char *metric_name(const struct p11prof_table *changes, size_t i)
{
    return strcmp(p11prof_table_text(changes, i, "metric", ""), "p99_ns") == 0 ? "p99" : "median";
}

/* What the run itself has: one run is no level, and may be far from the newest. */
static void say_change(struct history *history, const char *subject,
                       const struct p11prof_table *changes, size_t i,
                       const struct p11prof_table *trend)
{
    char before[P11PROF_UNIT_TEXT_BYTES], after[P11PROF_UNIT_TEXT_BYTES];
    char here[P11PROF_UNIT_TEXT_BYTES];
    bool newest = i + 1 == changes->row_count;
    int64_t before_ns = p11prof_table_integer(changes, i, "before", 0);
    int64_t after_ns = p11prof_table_integer(changes, i, "after", 0);
    p11prof_format_ns(before, (uint64_t)before_ns);
    p11prof_format_ns(after, (uint64_t)after_ns);
    p11prof_format_ns(here,
                      (uint64_t)p11prof_table_integer(trend, trend->row_count - 1, "value", 0));
    p11prof_section_say(history->section,
                        "%s run %" PRId64 "%s the %s of %s %s %.1f %% %s: %s -> %s, after %" PRId64
                        " runs before it%s%s.",
                        newest ? "Since" : "From", p11prof_table_integer(changes, i, "run_id", 0),
                        newest ? "" : " on, until a later one,", metric_name(changes, i), subject,
                        newest ? "is" : "was",
                        100 * fabs(p11prof_table_get(changes, i, "change")->real),
                        after_ns > before_ns ? "higher" : "lower", before, after,
                        p11prof_table_integer(changes, i, "before_count", 0),
                        newest ? "; in this run it is " : "", newest ? here : "");
}

static void changes_take(struct history *history, const char *subject,
                         const struct p11prof_table *changes, const struct p11prof_table *trend)
{
    for (size_t i = 0; i < changes->row_count; i++) {
        if (is_doubtful(changes, i))
            continue;
        struct p11prof_cell *row = p11prof_table_add_row(history->changes);
        p11prof_table_copy_row(history->changes, row, changes, i);
        p11prof_table_set_text(history->changes, row, "subject", subject);
        p11prof_table_set_integer(history->changes, row, "before_ns",
                                  p11prof_table_integer(changes, i, "before", 0));
        p11prof_table_set_integer(history->changes, row, "after_ns",
                                  p11prof_table_integer(changes, i, "after", 0));
        say_change(history, subject, changes, i, trend);
    }
}

static enum p11prof_status subject_take(struct history *history, const char *subject,
                                        enum p11prof_trend_metric metric,
                                        struct p11prof_error *error)
{
    struct p11prof_trend trend = {
        .metric = metric, .operations = true, .tests = history->bench, .mix = false};
    struct p11prof_table table = {.columns = NULL}, changes = {.columns = NULL};
    p11prof_selection_add(&trend.selection, history->bench ? P11PROF_BY_TEST : P11PROF_BY_OPERATION,
                          subject);
    p11prof_selection_add(&trend.selection, P11PROF_BY_KIND, "call");
    enum p11prof_status status =
        p11prof_trend_load(&table, history->db, &history->runs, &trend, error);
    if (status == P11PROF_OK) {
        p11prof_trend_changes(&changes, &table, &history->runs);
        rows_take(history, subject, &table);
        changes_take(history, subject, &changes, &table);
    }
    p11prof_table_clear(&table);
    p11prof_table_clear(&changes);
    return status;
}

static enum p11prof_status subjects_take(struct history *history, struct p11prof_error *error)
{
    static const enum p11prof_trend_metric metrics[] = {P11PROF_TREND_P50, P11PROF_TREND_P99};
    enum p11prof_status status = P11PROF_OK;
    for (size_t i = 0; i < history->subjects.row_count; i++)
        for (size_t j = 0; j < 2 && status == P11PROF_OK; j++)
            status = subject_take(history, p11prof_table_text(&history->subjects, i, "subject", ""),
                                  metrics[j], error);
    return status;
}

enum p11prof_status p11prof_history_section(struct p11prof_section *out, struct sqlite3 *db,
                                            int64_t run_id,
                                            const struct p11prof_selection *selection, bool full,
                                            struct p11prof_error *error)
{
    struct history history = {.section = out, .db = db};
    if (selection && !p11prof_selection_is_all(selection))
        return P11PROF_OK;
    enum p11prof_status status = history_open(&history, run_id, error);
    if (status == P11PROF_OK && history.runs.row_count >= RUNS_LEAST) {
        history.changes = p11prof_section_add(
            out, "changes", NULL,
            "subject metric run_id started_at name before_ns after_ns change "
            "effect_low effect_high p_value before_count after_count differences",
            "subject metric run_id before_ns after_ns change effect_low effect_high differences");
        history.rows = p11prof_section_add(out, "trend", full ? "Earlier runs" : NULL,
                                           "subject metric run_id started_at name token_firmware "
                                           "count error_count value_ns unsupported",
                                           "subject metric run_id started_at name count value_ns");
        status = subjects_take(&history, error);
        if (!full)
            p11prof_table_clear_rows(history.rows);
        if (full && out->sentence_count == 0)
            p11prof_section_say(out, "No level changed over the last %zu runs.",
                                history.runs.row_count);
    }
    p11prof_table_clear(&history.runs);
    p11prof_table_clear(&history.subjects);
    return status;
}
