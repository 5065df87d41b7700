/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "../../report/page.h"
#include "../../message.h"
#include "../../output_file.h"
#include "../../report/query.h"
#include "../../report/run_report.h"
#include "../../report/units.h"
#include "../output.h"
#include "like.h"
#include "p11prof/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* What one side did of a function. */
struct side {
    uint64_t count, error_count;
    bool timed;
    uint64_t mean_ns, p99_ns; /* p99_ns 0: unknown */
};

struct sides {
    struct side recorded[P11PROF_CALLS + 1], played[P11PROF_CALLS + 1];
    bool recorded_known; /* the recorded run is in the database */
    int64_t recorded_id;
    int64_t recorded_tests; /* it is a bench of so many, which have no operations to compare */
    uint64_t recorded_token_ns;
};

/* --- what each side did --- */

/* Of the calls themselves; counts have size queries and too small buffers, too. */
static void rows_take(struct side *sides, const struct p11prof_table *table, bool timed)
{
    for (size_t row = 0; row < table->row_count; row++) {
        unsigned function = p11prof_function_named(p11prof_table_text(table, row, "function", ""));
        struct side *side = &sides[function];
        side->count += (uint64_t)p11prof_table_integer(table, row, "count", 0);
        if (!timed)
            continue;
        side->error_count += (uint64_t)p11prof_table_integer(table, row, "error_count", 0);
        side->timed = p11prof_table_get(table, row, "mean_ns") &&
                      p11prof_table_integer(table, row, "mean_ns", -1) >= 0;
        side->mean_ns = (uint64_t)p11prof_table_integer(table, row, "mean_ns", 0);
        side->p99_ns = (uint64_t)p11prof_table_integer(table, row, "p99_ns", 0);
    }
}

static enum p11prof_status run_take(struct side *sides, struct sqlite3 *db, int64_t run_id,
                                    uint64_t *token_ns, struct p11prof_error *error)
{
    struct p11prof_run_report report = {.exact = false};
    struct p11prof_report_options options = {.top = 0};
    const char *nearest;
    p11prof_grouping_read(&options.by, "function", &nearest);
    enum p11prof_status status = p11prof_run_report_load_one(&report, db, run_id, &options, error);
    if (status == P11PROF_OK) {
        rows_take(sides, &report.functions, true);
        rows_take(sides, &report.others, false);
        *token_ns = (uint64_t)p11prof_table_integer(&report.times, 0, "total_ns", 0);
    }
    p11prof_run_report_clear(&report);
    return status;
}

static enum p11prof_status from_database(struct sides *sides, const char *path, const char *uuid,
                                         int64_t run_id, struct p11prof_error *error)
{
    struct p11prof_store *store;
    uint64_t ignored;
    char sql[128];
    enum p11prof_status status = p11prof_store_open(&store, path, P11PROF_STORE_READ_ONLY, error);
    struct sqlite3 *db = status == P11PROF_OK ? p11prof_store_sqlite(store) : NULL;
    if (db && uuid && strspn(uuid, "0123456789abcdef-") == strlen(uuid)) {
        snprintf(sql, sizeof sql, "SELECT run_id FROM runs WHERE uuid = '%s'", uuid);
        status = p11prof_query_integer(db, sql, 0, 0, &sides->recorded_id, error);
        sides->recorded_known = status == P11PROF_OK && sides->recorded_id > 0;
        if (sides->recorded_known)
            status =
                run_take(sides->recorded, db, sides->recorded_id, &sides->recorded_token_ns, error);
        snprintf(sql, sizeof sql, "SELECT count(*) FROM loads WHERE run_id = %" PRId64,
                 sides->recorded_id);
        if (status == P11PROF_OK && sides->recorded_known)
            status = p11prof_query_integer(db, sql, 0, 0, &sides->recorded_tests, error);
    }
    if (db && status == P11PROF_OK && run_id > 0)
        status = run_take(sides->played, db, run_id, &ignored, error);
    p11prof_store_close(store);
    return status;
}

/* What the players counted themselves. */
static void from_tallies(struct sides *sides, const struct like_played *played)
{
    for (size_t p = 0; p < played->script->process_count; p++) {
        const struct like_tally *tally = &played->stage->tallies[p];
        for (unsigned i = 1; i <= P11PROF_CALLS; i++) {
            sides->played[i].count += tally->counts[i];
            sides->played[i].error_count += tally->error_counts[i];
            sides->played[i].mean_ns += tally->sums_ns[i];
        }
    }
    for (unsigned i = 1; i <= P11PROF_CALLS; i++) {
        uint64_t good = sides->played[i].count - sides->played[i].error_count;
        sides->played[i].timed = good > 0;
        sides->played[i].mean_ns = good > 0 ? sides->played[i].mean_ns / good : 0;
    }
}

/* --- the page --- */

static void table_fill(struct p11prof_table *table, const struct sides *sides)
{
    p11prof_table_add_columns(table, "function recorded_count played_count recorded_error_count "
                                     "played_error_count recorded_mean_ns played_mean_ns "
                                     "recorded_p99_ns played_p99_ns");
    for (unsigned i = 1; i <= P11PROF_CALLS; i++) {
        const struct side *recorded = &sides->recorded[i], *played = &sides->played[i];
        if (recorded->count == 0 && played->count == 0)
            continue;
        struct p11prof_cell *row = p11prof_table_add_row(table);
        p11prof_table_set_text(table, row, "function", p11prof_calls[i].name);
        p11prof_table_set_integer(table, row, "recorded_count", (int64_t)recorded->count);
        p11prof_table_set_integer(table, row, "played_count", (int64_t)played->count);
        if (sides->recorded_known)
            p11prof_table_set_integer(table, row, "recorded_error_count",
                                      (int64_t)recorded->error_count);
        p11prof_table_set_integer(table, row, "played_error_count", (int64_t)played->error_count);
        if (recorded->timed)
            p11prof_table_set_integer(table, row, "recorded_mean_ns", (int64_t)recorded->mean_ns);
        if (played->timed)
            p11prof_table_set_integer(table, row, "played_mean_ns", (int64_t)played->mean_ns);
        if (recorded->p99_ns > 0)
            p11prof_table_set_integer(table, row, "recorded_p99_ns", (int64_t)recorded->p99_ns);
        if (played->p99_ns > 0)
            p11prof_table_set_integer(table, row, "played_p99_ns", (int64_t)played->p99_ns);
    }
}

static size_t thread_count(const struct like_script *script)
{
    size_t count = 0;
    for (size_t i = 0; i < script->process_count; i++)
        count += script->processes[i].thread_count;
    return count;
}

static void facts_print(struct p11prof_page *page, const struct like_played *played,
                        const struct sides *sides)
{
    char recorded[P11PROF_UNIT_TEXT_BYTES], now[P11PROF_UNIT_TEXT_BYTES],
        expected[P11PROF_UNIT_TEXT_BYTES], before[P11PROF_UNIT_TEXT_BYTES],
        token[P11PROF_UNIT_TEXT_BYTES];
    p11prof_format_ns(recorded, played->script->duration_ns);
    p11prof_format_ns(now, played->duration_ns);
    p11prof_format_ns(expected, played->expected_ns);
    p11prof_format_ns(before, sides->recorded_token_ns);
    p11prof_format_ns(token, played->token_ns);
    p11prof_page_title(page, "Played like %s", played->script->name);
    p11prof_page_fact(page, "total time", "%s recorded, %s played; %s of thinking and calls",
                      recorded, now, expected);
    if (sides->recorded_known)
        p11prof_page_fact(page, "in module", "%s recorded, %s played (all threads)", before, token);
    else
        p11prof_page_fact(page, "in module", "%s played (all threads)", token);
    p11prof_page_fact(page, "processes", "%zu, with %zu threads", played->script->process_count,
                      thread_count(played->script));
}

static void difference_print(struct p11prof_page *page, const struct like_difference *difference)
{
    char recorded[32], played[32];
    p11prof_page_note(page, "%s: %" PRIu64 " answered %s, recorded %s",
                      p11prof_calls[difference->function].name, difference->count,
                      p11prof_rv_text(difference->played, played),
                      p11prof_rv_text(difference->recorded, recorded));
}

/* The same difference of another process before this one. */
static bool is_said(const struct like_played *played, size_t process,
                    const struct like_difference *difference)
{
    for (size_t p = 0; p < process; p++)
        for (unsigned i = 0; i < played->stage->tallies[p].difference_count; i++) {
            const struct like_difference *other = &played->stage->tallies[p].differences[i];
            if (other->function == difference->function &&
                other->recorded == difference->recorded && other->played == difference->played)
                return true;
        }
    return false;
}

static uint64_t difference_sum(const struct like_played *played,
                               const struct like_difference *difference)
{
    uint64_t sum = 0;
    for (size_t p = 0; p < played->script->process_count; p++)
        for (unsigned i = 0; i < played->stage->tallies[p].difference_count; i++) {
            const struct like_difference *other = &played->stage->tallies[p].differences[i];
            if (other->function == difference->function &&
                other->recorded == difference->recorded && other->played == difference->played)
                sum += other->count;
        }
    return sum;
}

static void differences_print(struct p11prof_page *page, const struct like_played *played)
{
    uint64_t left_out[P11PROF_CALLS + 1] = {0};
    for (size_t p = 0; p < played->script->process_count; p++) {
        const struct like_tally *tally = &played->stage->tallies[p];
        for (unsigned i = 0; i < tally->difference_count; i++) {
            struct like_difference difference = tally->differences[i];
            if (is_said(played, p, &difference))
                continue;
            difference.count = difference_sum(played, &difference);
            difference_print(page, &difference);
        }
        for (unsigned i = 1; i <= P11PROF_CALLS; i++)
            left_out[i] += tally->left_out[i];
    }
    for (unsigned i = 1; i <= P11PROF_CALLS; i++)
        if (left_out[i] > 0)
            p11prof_page_note(page, "%s: %" PRIu64 " could not be played on this token",
                              p11prof_calls[i].name, left_out[i]);
}

static void page_print(FILE *stream, const struct like_played *played, const struct sides *sides)
{
    static const char *const optional[] = {"recorded_p99_ns", "played_p99_ns",
                                           "recorded_error_count", NULL};
    struct p11prof_table table = {.columns = NULL}, left_out = {.columns = NULL};
    struct p11prof_page page = {.stream = stream,
                                .format = played->settings->format,
                                .width = p11prof_terminal_width(stream)};
    table_fill(&table, sides);
    if (played->settings->format == P11PROF_FORMAT_CSV) {
        p11prof_write_table(stream, &table, P11PROF_FORMAT_CSV);
    } else {
        facts_print(&page, played, sides);
        p11prof_page_section(&page, "Functions, recorded and played");
        p11prof_page_table_fit(&page, &table,
                               "function recorded_count played_count recorded_error_count "
                               "played_error_count recorded_mean_ns played_mean_ns "
                               "recorded_p99_ns played_p99_ns",
                               optional, &left_out);
        differences_print(&page, played);
        if (sides->recorded_known && sides->recorded_tests == 0 && played->run_id > 0)
            p11prof_page_note(
                &page, "'p11prof compare %" PRId64 " %" PRId64 "' says which differences are sure",
                sides->recorded_id, played->run_id);
    }
    p11prof_table_clear(&table);
    p11prof_table_clear(&left_out);
}

int like_page_write(const struct like_played *played)
{
    static struct sides sides;
    struct p11prof_error error;
    struct output_file file;
    uint64_t counts[P11PROF_CALLS + 1] = {0};
    if ((played->settings->format == P11PROF_FORMAT_JSON || played->settings->metrics) &&
        played->run_id > 0)
        return output_results(played->settings, played->db, &played->run_id, 1);
    sides = (struct sides){.recorded_known = false};
    if (from_database(&sides, played->recorded_db, played->script->uuid, played->run_id, &error) !=
        P11PROF_OK)
        p11prof_warn("%s", error.text);
    like_script_count(played->script, counts);
    for (unsigned i = 1; !sides.recorded_known && i <= P11PROF_CALLS; i++)
        sides.recorded[i].count = counts[i];
    if (played->run_id == 0)
        from_tallies(&sides, played);
    int code = output_file_open(&file, played->settings->output);
    if (code)
        return code;
    page_print(file.stream, played, &sides);
    return output_file_close(&file);
}

/* --- the plan --- */

static void objects_print(struct p11prof_page *page, const struct like_stage *stage)
{
    struct p11prof_table table = {.columns = NULL};
    p11prof_table_add_columns(&table, "object object_class key_type key_bits");
    for (uint32_t i = 0; i < stage->script->object_count; i++) {
        const struct like_wish *wish = &stage->wishes[i];
        static const char *const classes[] = {"data", "certificate", "public key", "private key",
                                              "secret key"};
        if (stage->script->objects[i].made)
            continue;
        struct p11prof_cell *row = p11prof_table_add_row(&table);
        p11prof_table_set_integer(&table, row, "object", i + 1);
        p11prof_table_set_text(&table, row, "object_class",
                               wish->class < 5 ? classes[wish->class] : "other");
        if (wish->key_type == CK_UNAVAILABLE_INFORMATION)
            continue;
        p11prof_table_set_text(&table, row, "key_type", p11prof_key_type_name(wish->key_type));
        p11prof_table_set_integer(&table, row, "key_bits", wish->bits);
    }
    if (table.row_count > 0) {
        p11prof_page_section(page, "Objects to be made and destroyed");
        p11prof_page_table(page, &table, "object object_class key_type key_bits");
    }
    p11prof_table_clear(&table);
}

int like_plan_write(const struct bench_settings *settings, const struct like_stage *stage)
{
    struct output_file file;
    struct p11prof_table table = {.columns = NULL};
    uint64_t counts[P11PROF_CALLS + 1] = {0};
    char duration[P11PROF_UNIT_TEXT_BYTES];
    int code = output_file_open(&file, settings->output);
    if (code)
        return code;
    struct p11prof_page page = {.stream = file.stream,
                                .format = settings->format == P11PROF_FORMAT_MARKDOWN
                                              ? P11PROF_FORMAT_MARKDOWN
                                              : P11PROF_FORMAT_TEXT,
                                .width = p11prof_terminal_width(file.stream)};
    like_script_count(stage->script, counts);
    p11prof_format_ns(duration, stage->script->duration_ns);
    p11prof_table_add_columns(&table, "function count");
    for (unsigned i = 1; i <= P11PROF_CALLS; i++) {
        if (counts[i] == 0)
            continue;
        struct p11prof_cell *row = p11prof_table_add_row(&table);
        p11prof_table_set_text(&table, row, "function", p11prof_calls[i].name);
        p11prof_table_set_integer(&table, row, "count", (int64_t)counts[i]);
    }
    p11prof_page_title(&page, "Would play %s", stage->script->name);
    p11prof_page_fact(&page, "total time", "%s recorded", duration);
    p11prof_page_fact(&page, "processes", "%zu, with %zu threads", stage->script->process_count,
                      thread_count(stage->script));
    p11prof_page_section(&page, "Calls");
    p11prof_page_table(&page, &table, "function count");
    objects_print(&page, stage);
    p11prof_table_clear(&table);
    return output_file_close(&file);
}
