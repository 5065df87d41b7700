/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "failures.h"
#include "allocate.h"
#include "failure_tally.h"
#include "group_names.h"
#include "query.h"
#include "row_scan.h"
#include "rv_meaning.h"
#include "stats_table.h"

#include <sqlite3.h>
#include <stdlib.h>

/* Behind function, rv and what else they are grouped by. */
#define COLUMNS                                                                                    \
    "class count share total_ns mean_ns stddev_ns min_ns p50_ns p90_ns p95_ns p99_ns p999_ns "     \
    "max_ns first_ns last_ns rv_code unsupported meaning"

struct load {
    struct p11prof_failures *out;
    struct sqlite3 *db;
    int64_t run_id;
    const struct p11prof_failure_options *options;
    struct p11prof_texts texts;
    struct p11prof_failure_tally results; /* by function, rv and more */
    struct p11prof_tally calls;           /* by function and more */
};

static void make_groupings(struct load *load)
{
    const struct p11prof_grouping *by = &load->options->by;
    struct p11prof_grouping *results = &load->results.tally.grouping,
                            *calls = &load->calls.grouping;
    *results = (struct p11prof_grouping){{P11PROF_BY_FUNCTION, P11PROF_BY_RV}, 2};
    *calls = (struct p11prof_grouping){{P11PROF_BY_FUNCTION}, 1};
    for (size_t i = 0; i < by->count; i++) {
        if (p11prof_grouping_has(results, by->ids[i]))
            continue;
        results->ids[results->count++] = by->ids[i];
        calls->ids[calls->count++] = by->ids[i];
    }
}

/* --- rows or sums --- */

/* What the sums cannot tell, as an option spells it; NULL: they can. */
static const char *what_needs_rows(const struct load *load)
{
    const struct p11prof_selection *selection = &load->options->selection;
    for (size_t i = 0; i < selection->filter_count; i++)
        if (selection->filters[i].id != P11PROF_BY_FUNCTION &&
            selection->filters[i].id != P11PROF_BY_RV)
            return p11prof_dimensions[selection->filters[i].id].name;
    if (load->results.tally.grouping.count > 2)
        return "by";
    if (selection->slower_than_ns > 0)
        return "slower-than";
    bool since = selection->since.kind != P11PROF_MOMENT_NONE;
    bool until = selection->until.kind != P11PROF_MOMENT_NONE;
    return since ? "since" : until ? "until" : NULL;
}

/* Rows, unless some are gone and the sums can tell. */
static enum p11prof_status choose_way(struct load *load, struct p11prof_error *error)
{
    static const char calls[] = "SELECT sum(count) FROM call_group WHERE run = ?1 AND "
                                "NOT is_operation";
    uint64_t row_count;
    int64_t call_count;
    if (p11prof_row_scan_count(load->db, &load->run_id, 1, &row_count, error) != P11PROF_OK ||
        p11prof_query_integer(load->db, calls, load->run_id, 0, &call_count, error) != P11PROF_OK)
        return error->status;
    const char *needed = what_needs_rows(load);
    load->out->from_rows = row_count > 0 && (needed || row_count >= (uint64_t)call_count);
    if (load->out->from_rows && row_count < (uint64_t)call_count)
        load->out->missing_count = (uint64_t)call_count - row_count;
    if (!needed || row_count > 0 || call_count == 0)
        return P11PROF_OK;
    return p11prof_error_set(
        error, P11PROF_BAD_INPUT,
        "run %lld keeps no calls one by one (record = summary, or pruned): its "
        "errors are known by function and result only, and --%s needs the calls",
        (long long)load->run_id, needed);
}

static enum p11prof_status tally_all(struct load *load, struct p11prof_error *error)
{
    const struct p11prof_selection *selection = &load->options->selection;
    if (choose_way(load, error) != P11PROF_OK ||
        p11prof_texts_load_grouping(&load->texts, &load->calls.grouping, load->db, load->run_id,
                                    error) != P11PROF_OK ||
        p11prof_failures_all_calls(&load->calls, load->db, load->run_id, selection, &load->texts,
                                   error) != P11PROF_OK)
        return error->status;
    if (load->out->from_rows)
        return p11prof_failures_of_rows(&load->results, load->db, load->run_id, selection,
                                        &load->texts, error);
    return p11prof_failures_of_sums(&load->results, load->db, load->run_id, selection, error);
}

/* --- the table --- */

static struct p11prof_rv_meaning meaning_of(const struct load *load,
                                            const struct p11prof_tally_group *group)
{
    int64_t function = 0, rv;
    p11prof_tally_value(&load->results.tally, &group->key, P11PROF_BY_FUNCTION, &function);
    if (!p11prof_tally_value(&load->results.tally, &group->key, P11PROF_BY_RV, &rv))
        return p11prof_rv_undisclosed();
    return p11prof_rv_meaning((unsigned)function, (uint64_t)rv);
}

static int part_of(enum p11prof_rv_class class)
{
    return class == P11PROF_RV_UNDISCLOSED ? 2 : class == P11PROF_RV_BENIGN ? 1 : 0;
}

struct place {
    const struct p11prof_tally_group *group;
    int part;
};

/* Groups have a reproducible order: failures, benign, undisclosed; by count, then by key. */
static int by_part(const void *a, const void *b)
{
    const struct place *first = a, *second = b;
    if (first->part != second->part)
        return first->part < second->part ? -1 : 1;
    if (first->group->count != second->group->count)
        return first->group->count > second->group->count ? -1 : 1;
    for (size_t i = 0; i < P11PROF_DIMENSIONS; i++) {
        int64_t x = first->group->key.values[i], y = second->group->key.values[i];
        if (x != y)
            return x < y ? -1 : 1;
    }
    return 0;
}

/* Calls of the same function (and what else they are grouped by), whatever they returned. */
static uint64_t calls_like(const struct load *load, const struct p11prof_tally_group *group)
{
    struct p11prof_key key = {.known = 0};
    for (size_t i = 0; i < load->calls.grouping.count; i++)
        if (p11prof_tally_value(&load->results.tally, &group->key, load->calls.grouping.ids[i],
                                &key.values[i]))
            key.known |= 1U << i;
    size_t index = p11prof_tally_index(&load->calls, &key);
    return index < load->calls.group_count ? load->calls.groups[index].count : 0;
}

static void set_times(const struct load *load, struct p11prof_cell *row,
                      struct p11prof_tally_group *group)
{
    const struct p11prof_table *table = &load->out->rows;
    if (load->out->from_rows) {
        const struct p11prof_failure_span *span =
            &load->results.spans[group - load->results.tally.groups];
        p11prof_stats_row(table, row, group);
        p11prof_table_set_integer(table, row, "first_ns", span->first_ns);
        p11prof_table_set_integer(table, row, "last_ns", span->last_ns);
        return;
    }
    p11prof_table_set_integer(table, row, "count", (int64_t)group->count);
    if (group->sums.count == 0)
        return;
    p11prof_table_set_integer(table, row, "total_ns", (int64_t)group->sums.sum_ns);
    p11prof_table_set_integer(
        table, row, "mean_ns",
        (int64_t)((group->sums.sum_ns + group->sums.count / 2) / group->sums.count));
    p11prof_table_set_integer(table, row, "min_ns", (int64_t)group->sums.min_ns);
    p11prof_table_set_integer(table, row, "max_ns", (int64_t)group->sums.max_ns);
}

static void count_part(struct p11prof_failures *out, const struct place *place)
{
    uint64_t *const counts[] = {&out->failed_count, &out->benign_count, &out->undisclosed_count};
    *counts[place->part] += place->group->count;
}

static enum p11prof_status add_row(const struct load *load, struct p11prof_tally_group *group,
                                   struct p11prof_error *error)
{
    struct p11prof_table *table = &load->out->rows;
    struct p11prof_cell *row = p11prof_table_add_row(table);
    struct p11prof_rv_meaning meaning = meaning_of(load, group);
    uint64_t calls = calls_like(load, group);
    int64_t rv;
    set_times(load, row, group);
    p11prof_table_set_integer(table, row, "run_id", load->run_id);
    if (calls > 0)
        p11prof_table_set_real(table, row, "share", (double)group->count / (double)calls);
    if (p11prof_tally_value(&load->results.tally, &group->key, P11PROF_BY_RV, &rv))
        p11prof_table_set_integer(table, row, "rv_code", rv);
    p11prof_table_set_text(table, row, "class", p11prof_rv_class_name(meaning.class));
    p11prof_table_set_text(table, row, "meaning", meaning.sentence);
    return p11prof_group_names(table, row, &load->results.tally, &group->key, &load->texts,
                               load->db, error);
}

static void make_columns(const struct load *load)
{
    const struct p11prof_grouping *grouping = &load->results.tally.grouping;
    if (!p11prof_grouping_has(grouping, P11PROF_BY_RUN))
        p11prof_table_add_columns(&load->out->rows, "run_id");
    for (size_t i = 0; i < grouping->count; i++)
        p11prof_table_add_columns(&load->out->rows, p11prof_dimensions[grouping->ids[i]].column);
    p11prof_table_add_columns(&load->out->rows, COLUMNS);
}

static enum p11prof_status make_table(struct load *load, struct p11prof_error *error)
{
    struct p11prof_tally *tally = &load->results.tally;
    struct place *places = p11prof_zalloc(tally->group_count + 1, sizeof *places);
    enum p11prof_status status = P11PROF_OK;
    for (size_t i = 0; i < tally->group_count; i++)
        places[i] =
            (struct place){&tally->groups[i], part_of(meaning_of(load, &tally->groups[i]).class)};
    qsort(places, tally->group_count, sizeof *places, by_part);
    make_columns(load);
    for (size_t i = 0; i < tally->group_count && status == P11PROF_OK; i++) {
        count_part(load->out, &places[i]);
        status = add_row(load, &tally->groups[places[i].group - tally->groups], error);
    }
    free(places);
    return status;
}

/* --- all of it --- */

/* Nothing found: is there nothing to be found in? */
static enum p11prof_status check_selection(const struct load *load, struct p11prof_error *error)
{
    const struct p11prof_selection *selection = &load->options->selection;
    bool by_result = false;
    for (size_t i = 0; i < selection->filter_count; i++)
        by_result |= selection->filters[i].id == P11PROF_BY_RV;
    if (p11prof_selection_is_all(selection) || (load->out->call_count > 0 && !by_result))
        return P11PROF_OK;
    return p11prof_selection_empty(selection, load->db, &load->run_id, 1, error);
}

static enum p11prof_status load_all(struct load *load, struct p11prof_error *error)
{
    static const char losses[] = "SELECT lost_count FROM runs WHERE run_id = ?1";
    int64_t lost_count;
    make_groupings(load);
    if (tally_all(load, error) != P11PROF_OK ||
        p11prof_query_integer(load->db, losses, load->run_id, 0, &lost_count, error) !=
            P11PROF_OK ||
        make_table(load, error) != P11PROF_OK)
        return error->status;
    load->out->lost_count = (uint64_t)lost_count;
    for (size_t i = 0; i < load->calls.group_count; i++)
        load->out->call_count += load->calls.groups[i].count;
    return load->out->rows.row_count > 0 ? P11PROF_OK : check_selection(load, error);
}

enum p11prof_status p11prof_failures_load(struct p11prof_failures *out, struct sqlite3 *db,
                                          int64_t run_id,
                                          const struct p11prof_failure_options *options,
                                          struct p11prof_error *error)
{
    struct load load = {.out = out, .db = db, .run_id = run_id, .options = options};
    sqlite3_exec(db, "BEGIN", NULL, NULL, NULL);
    enum p11prof_status status = load_all(&load, error);
    sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    p11prof_tally_clear(&load.calls);
    p11prof_failure_tally_clear(&load.results);
    p11prof_texts_clear(&load.texts);
    return status;
}

void p11prof_failures_clear(struct p11prof_failures *failures)
{
    p11prof_table_clear(&failures->rows);
    *failures = (struct p11prof_failures){.call_count = 0};
}
