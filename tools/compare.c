/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* p11prof compare: whether one side is slower than another, and how sure that is. */
#include "chart_options.h"
#include "commands.h"
#include "common_options.h"
#include "compare_options.h"
#include "message.h"
#include "report/allocate.h"
#include "report/compare_report.h"
#include "run_side.h"
#include "untimed_note.h"

#include <stdlib.h>
#include <string.h>

enum { OPTION_THRESHOLD = 't', OPTION_FAIL_ON = 'o' };

static const struct p11prof_option options[] = {
    {"threshold", OPTION_THRESHOLD, "METRIC=N%,…",
     "slower by more is a regression (default: 5% of time, 0% of errors)"},
    {"fail-on", OPTION_FAIL_ON, "VERDICT,…", "exit code 1 if a row has it (default: regressed)",
     P11PROF_VALUE_TEXT, "regressed improved same unclear insufficient unmatched none"},
    {"format", P11PROF_OPTION_ID_FORMAT, "FORMAT", "text (default), json, csv, markdown or junit",
     P11PROF_VALUE_WORDS, P11PROF_FORMAT_WORDS " junit"},
    P11PROF_OPTION_DB,
    P11PROF_OPTION_NO_COLLECT,
    {.name = NULL},
};

static const struct p11prof_usage usage = {
    .command = "compare",
    .arguments = "BASE CURRENT...",
    .summary = "Compares runs, row by row, with statistics.",
    .options = options,
    .notes = "  p11prof compare 12 last\n"
             "  p11prof compare 12,13,14 15,16,17 --threshold 3%,p99=20%\n"
             "  p11prof compare last:rsa-2048-sign last:rsa-4096-sign\n"
             "  p11prof compare base.json last --format junit > compare.xml",
    .kind = P11PROF_VALUE_RUN,
};

struct settings {
    struct p11prof_common_options common;
    struct p11prof_thresholds thresholds;
    struct p11prof_compare_report report;
    bool junit;
};

static bool take_option(void *payload, int id, const char *value)
{
    struct settings *settings = payload;
    switch (id) {
    case OPTION_THRESHOLD:
        return p11prof_option_thresholds(&settings->thresholds, value);
    case OPTION_FAIL_ON:
        return p11prof_option_fail_on(&settings->report, value);
    case P11PROF_OPTION_ID_FORMAT:
        settings->junit = strcmp(value, "junit") == 0;
        return settings->junit || p11prof_format_named(value, &settings->common.format);
    default:
        return p11prof_common_option(&settings->common, id, value);
    }
}

static void write_report(const struct settings *settings,
                         const struct p11prof_compare_report *report)
{
    const struct p11prof_chart_options automatic = {.width = 0};
    if (settings->junit) {
        p11prof_compare_junit(stdout, report);
        return;
    }
    switch (settings->common.format) {
    case P11PROF_FORMAT_JSON:
        p11prof_compare_json(stdout, report);
        return;
    case P11PROF_FORMAT_CSV:
        p11prof_compare_csv(stdout, report);
        return;
    case P11PROF_FORMAT_TEXT:
    case P11PROF_FORMAT_MARKDOWN:
        break;
    }
    enum p11prof_format format = settings->common.format;
    p11prof_compare_page(stdout, report, format,
                         p11prof_chart_style_choose(&automatic, stdout, format).colour);
}

/* All sides, the base first. */
struct sides {
    struct p11prof_run_side *selected;
    struct p11prof_compare_side *sides;
    struct p11prof_comparison *comparisons; /* of sides[1] and so on with sides[0] */
    size_t count;
};

static void note_untimed(const struct p11prof_run_side *side, struct sqlite3 *db)
{
    for (size_t i = 0; i < side->source_count; i++)
        if (!side->sources[i].path)
            p11prof_note_untimed(db, &side->sources[i].run_id, 1);
}

static enum p11prof_status load_sides(struct sides *sides, struct sqlite3 *db, char **texts,
                                      struct p11prof_error *error)
{
    enum p11prof_status status = P11PROF_OK;
    for (size_t i = 0; i < sides->count && status == P11PROF_OK; i++) {
        sides->sides[i].text = texts[i];
        status = p11prof_run_side_select(db, texts[i], &sides->selected[i], error);
        if (status == P11PROF_OK)
            note_untimed(&sides->selected[i], db);
        if (status == P11PROF_OK)
            status =
                p11prof_run_side_samples(db, &sides->selected[i], &sides->sides[i].samples, error);
    }
    return status;
}

static int compare_sides(const struct settings *settings, struct sides *sides)
{
    struct p11prof_compare_report report = settings->report;
    size_t matched = 0;
    for (size_t i = 1; i < sides->count; i++) {
        bool rows = p11prof_run_side_has_rows(&sides->selected[0]) &&
                    p11prof_run_side_has_rows(&sides->selected[i]);
        p11prof_comparison_make(&sides->comparisons[i - 1], &sides->sides[0].samples,
                                &sides->sides[i].samples, rows, &settings->thresholds);
        matched += sides->comparisons[i - 1].matched_count;
    }
    if (matched == 0)
        return p11prof_complain(
            P11PROF_EXIT_USAGE,
            "nothing of one side is on the other: no test with the same data "
            "size, threads, processes, key and rate, no operation with the same "
            "mechanism and key; RUN:TEST compares different tests");
    report.base = &sides->sides[0];
    report.currents = &sides->sides[1];
    report.comparisons = sides->comparisons;
    report.count = sides->count - 1;
    write_report(settings, &report);
    return p11prof_compare_fails(&report) ? P11PROF_EXIT_NO : P11PROF_EXIT_DONE;
}

static int compare(const struct settings *settings, struct sqlite3 *db, char **texts, size_t count)
{
    struct p11prof_error error;
    struct sides sides = {.selected = p11prof_zalloc(count, sizeof *sides.selected),
                          .sides = p11prof_zalloc(count, sizeof *sides.sides),
                          .comparisons = p11prof_zalloc(count, sizeof *sides.comparisons),
                          .count = count};
    int code = load_sides(&sides, db, texts, &error) == P11PROF_OK ? compare_sides(settings, &sides)
                                                                   : p11prof_complain_of(&error);
    for (size_t i = 0; i < count; i++) {
        p11prof_run_side_clear(&sides.selected[i]);
        p11prof_samples_clear(&sides.sides[i].samples);
        p11prof_comparison_clear(&sides.comparisons[i]);
    }
    free(sides.selected);
    free(sides.sides);
    free(sides.comparisons);
    return code;
}

static bool needs_database(char **texts, size_t count)
{
    bool needed = false;
    for (size_t i = 0; i < count; i++)
        needed = needed || p11prof_run_side_needs_database(texts[i]);
    return needed;
}

int p11prof_command_compare(int argc, char **argv)
{
    struct settings settings = {.common = {.format = P11PROF_FORMAT_TEXT}};
    struct p11prof_database database = {.store = NULL};
    int first, code = P11PROF_EXIT_DONE;
    p11prof_thresholds_init(&settings.thresholds);
    settings.report.fails[P11PROF_VERDICT_REGRESSED] = true;
    if (!p11prof_options_read(&usage, argc, argv, take_option, &settings, &first, &code))
        return code;
    size_t count = (size_t)(argc - first);
    if (count < 2) {
        p11prof_complain(0, "compare takes a baseline and one or more sides to compare with it");
        return p11prof_usage_hint(&usage);
    }
    bool with_database = needs_database(argv + first, count);
    if (with_database)
        code = p11prof_database_open(&database, &settings.common.database);
    if (code != P11PROF_EXIT_DONE)
        return code;
    code = compare(&settings, with_database ? p11prof_store_sqlite(database.store) : NULL,
                   argv + first, count);
    if (with_database)
        p11prof_database_close(&database);
    return code;
}
