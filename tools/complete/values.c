/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "values.h"

#include "../bench/test.h"
#include "../report/call_columns.h"
#include "../report/run_report.h"
#include "../select_options.h"
#include "../sql/ready.h"

#include <stdio.h>
#include <string.h>

static bool is_path(const char *typed)
{
    return strchr(typed, '/') || typed[0] == '.' || typed[0] == '~';
}

/* A file that holds a run may stand wherever a run may. */
static void offer_runs(struct offer *offer, struct stored *stored)
{
    if (!is_path(offer_typed(offer)))
        stored_runs(stored, offer);
    if (offer->count == 0)
        offer_of_shell(offer, "files");
}

static bool is_first_of_family(const struct p11prof_bench_test *tests, size_t i)
{
    for (size_t before = 0; before < i; before++)
        if (strcmp(tests[before].family, tests[i].family) == 0)
            return false;
    return true;
}

static void offer_test(struct offer *offer, const char *word, const char *what, bool in_mix)
{
    char weighted[P11PROF_BENCH_ID_BYTES + 1];
    snprintf(weighted, sizeof weighted, "%s%s", word, in_mix ? ":" : "");
    offer_one(offer, weighted, what);
}

static void offer_tests(struct offer *offer, bool in_mix)
{
    size_t count;
    const struct p11prof_bench_test *tests = p11prof_bench_tests(&count);
    for (size_t i = 0; i < count; i++)
        if (is_first_of_family(tests, i))
            offer_test(offer, tests[i].family, "the first test of this family", in_mix);
    if (!in_mix)
        offer_one(offer, "all", "all tests");
    for (size_t i = 0; i < count; i++)
        offer_test(offer, tests[i].id, tests[i].name, in_mix);
}

static void offer_dimensions(struct offer *offer)
{
    for (size_t i = 0; i < P11PROF_DIMENSIONS; i++)
        if (p11prof_dimensions[i].name)
            offer_one(offer, p11prof_dimensions[i].name, NULL);
}

/* Those that --sort and --columns take without --by. */
static void offer_columns(struct offer *offer)
{
    const struct p11prof_grouping by = {.count = 0};
    struct p11prof_table table = {.columns = NULL};
    p11prof_run_report_columns(&table, &by);
    for (size_t i = 0; i < table.column_count; i++)
        offer_one(offer, table.columns[i].name, table.columns[i].meaning);
    p11prof_table_clear(&table);
}

static void offer_call_columns(struct offer *offer)
{
    for (size_t i = 0; i < P11PROF_CALL_COLUMNS; i++)
        offer_one(offer, p11prof_call_column_table[i].name, NULL);
}

static void offer_queries(struct offer *offer)
{
    struct p11prof_table list = {.columns = NULL};
    struct p11prof_error error;
    char name[128];
    if (p11prof_ready_list(&list, &error) == P11PROF_OK) {
        for (size_t i = 0; i < list.row_count; i++) {
            snprintf(name, sizeof name, "@%s", p11prof_table_text(&list, i, "name", ""));
            offer_one(offer, name, p11prof_table_text(&list, i, "question", ""));
        }
    }
    p11prof_table_clear(&list);
}

static void offer_kind(struct offer *offer, struct stored *stored, enum p11prof_value_kind kind)
{
    switch (kind) {
    case P11PROF_VALUE_FILE:
        offer_of_shell(offer, "files");
        return;
    case P11PROF_VALUE_FOLDER:
        offer_of_shell(offer, "folders");
        return;
    case P11PROF_VALUE_RUN:
        offer_runs(offer, stored);
        return;
    case P11PROF_VALUE_RUN_NAME:
        stored_run_names(stored, offer);
        return;
    case P11PROF_VALUE_BASELINE:
        stored_baselines(stored, offer);
        return;
    case P11PROF_VALUE_QUERY:
        offer_queries(offer);
        return;
    case P11PROF_VALUE_TEST:
    case P11PROF_VALUE_MIX:
        offer_tests(offer, kind == P11PROF_VALUE_MIX);
        return;
    case P11PROF_VALUE_DIMENSION:
        offer_dimensions(offer);
        return;
    case P11PROF_VALUE_COLUMN:
        offer_columns(offer);
        return;
    case P11PROF_VALUE_CALL_COLUMN:
        offer_call_columns(offer);
        return;
    case P11PROF_VALUE_TEXT:
    case P11PROF_VALUE_PROGRAM:
    case P11PROF_VALUE_WORDS:
    case P11PROF_VALUE_FILTER:
        return;
    }
}

static bool is_list(const struct p11prof_option *option)
{
    return strstr(option->value, ",…") || option->kind == P11PROF_VALUE_MIX;
}

void values_of_option(struct offer *offer, struct stored *stored,
                      const struct p11prof_option *option, size_t lead)
{
    offer_begin(offer, lead, is_list(option));
    if (option->kind == P11PROF_VALUE_FILTER) {
        if (offer_typed(offer)[0] == '!' && offer->lead == lead)
            offer_begin(offer, lead + 1, is_list(option));
        stored_words(stored, offer, (enum p11prof_dimension_id)(option->id - P11PROF_SELECT_FIRST));
        return;
    }
    offer_words(offer, option->words ? option->words : "");
    if (option->words && strncmp(offer_typed(offer), "file:", 5) == 0)
        offer_of_shell(offer, "files");
    offer_kind(offer, stored, option->kind);
}

static enum p11prof_value_kind kind_of_baseline(const char *action, size_t number)
{
    bool saves = strcmp(action, "save") == 0;
    if (number == 1)
        return strcmp(action, "list") == 0 ? P11PROF_VALUE_TEXT : P11PROF_VALUE_BASELINE;
    return saves ? P11PROF_VALUE_RUN : P11PROF_VALUE_TEXT;
}

static enum p11prof_value_kind kind_of(const struct p11prof_usage *usage, size_t number,
                                       const char *first)
{
    if (!usage->words)
        return usage->kind;
    if (number == 0)
        return P11PROF_VALUE_TEXT;
    if (strcmp(usage->command, "baseline") == 0)
        return kind_of_baseline(first, number);
    return number > 1 && strcmp(first, "rename") == 0 ? P11PROF_VALUE_TEXT : P11PROF_VALUE_RUN;
}

void values_of_argument(struct offer *offer, struct stored *stored,
                        const struct p11prof_usage *usage, size_t number, const char *first)
{
    enum p11prof_value_kind kind = kind_of(usage, number, first);
    offer_begin(offer, 0, kind == P11PROF_VALUE_RUN);
    if (usage->words && number == 0)
        offer_words(offer, usage->words);
    if (kind != P11PROF_VALUE_QUERY || number == 0)
        offer_kind(offer, stored, kind);
}
