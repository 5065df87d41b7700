/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "dimensions.h"
#include "nearest.h"

#include <stdio.h>
#include <string.h>

/* A column that histograms of calls and of operations have alike, NULL where it is -1. */
#define OF_GROUP(column) "nullif(g." column ", -1)", "nullif(g." column ", -1)"
#define ALIKE(sql)       sql, sql
#define NOT_IN_GROUPS    NULL, NULL

/* A site is known by its function and its file, too. */
static const char caller_texts[] =
    "SELECT w.process, w.caller, w.site, w.name, w.symbol FROM process AS p "
    "JOIN caller_names AS w ON w.process = p.id WHERE p.run = ?1";
static const char library_texts[] =
    "SELECT w.process, w.caller, w.name FROM process AS p JOIN caller AS w ON w.process = p.id "
    "WHERE p.run = ?1";
static const char program_texts[] = "SELECT id, id, program FROM process WHERE run = ?1";
static const char test_texts[] = "SELECT run, load, test FROM bench_load WHERE run = ?1";
static const char name_texts[] = "SELECT id, id, name FROM run WHERE id = ?1";
static const char host_texts[] = "SELECT id, id, host FROM run WHERE id = ?1";
static const char token_texts[] = "SELECT run_id, run_id, token_label FROM runs WHERE run_id = ?1";

/* The time of a call or window in units since 1970. */
#define CALL_TIME(unit)   "(?2 + c.start_ns) / " unit "000000000"
#define WINDOW_TIME(unit) ALIKE("(?2 + w.start_ns) / " unit "000000000")

const struct p11prof_dimension p11prof_dimensions[P11PROF_DIMENSIONS] = {
    [P11PROF_BY_FUNCTION] = {"function", "function", "c.function", "g.code", NULL,
                             P11PROF_DIMENSION_CODE, "function_name", false, 0},
    [P11PROF_BY_OPERATION] = {"operation", "operation", "c.operation", NULL, "g.code",
                              P11PROF_DIMENSION_CODE, "operation_name", false, 0},
    [P11PROF_BY_MECHANISM] = {"mechanism", "mechanism", "c.mechanism", OF_GROUP("mechanism"),
                              P11PROF_DIMENSION_CODE, "mechanism_name", false, 0},
    [P11PROF_BY_KIND] = {"kind", "kind", "c.kind", ALIKE("g.kind"), P11PROF_DIMENSION_CODE,
                         "kind_name", false, 0},
    [P11PROF_BY_KEY_TYPE] = {"key_type", "key_type", "c.key_type", OF_GROUP("key_type"),
                             P11PROF_DIMENSION_CODE, "key_type_name", false, 0},
    [P11PROF_BY_KEY_BITS] = {"key_bits", "key_bits", "c.key_bits", OF_GROUP("key_bits"),
                             P11PROF_DIMENSION_NUMBER, NULL, false, 0},
    [P11PROF_BY_KEY] = {"key", "key_id", "c.key_id", NOT_IN_GROUPS, P11PROF_DIMENSION_NUMBER, NULL,
                        false, 0},
    [P11PROF_BY_TEST] = {"test", "test", "c.part >> 2", ALIKE("nullif(g.part >> 2, 0)"),
                         P11PROF_DIMENSION_OF_RUN, test_texts, false, 0},
    [P11PROF_BY_CALLER] = {"caller", "caller", "c.caller", NOT_IN_GROUPS,
                           P11PROF_DIMENSION_OF_PROCESS, caller_texts, false, 0},
    [P11PROF_BY_LIBRARY] = {"library", "caller_file", "c.caller", NOT_IN_GROUPS,
                            P11PROF_DIMENSION_OF_PROCESS, library_texts, false, 0},
    [P11PROF_BY_PROCESS] = {"process", "process_id", "s.process", NOT_IN_GROUPS,
                            P11PROF_DIMENSION_NUMBER, NULL, false, 0},
    [P11PROF_BY_PROGRAM] = {"program", "program", "s.process", NOT_IN_GROUPS,
                            P11PROF_DIMENSION_OF_PROCESS, program_texts, false, 0},
    [P11PROF_BY_THREAD] = {"thread", "thread_id", "c.thread_id", NOT_IN_GROUPS,
                           P11PROF_DIMENSION_NUMBER, NULL, false, 0},
    [P11PROF_BY_SESSION] = {"session", "session", "c.session", NOT_IN_GROUPS,
                            P11PROF_DIMENSION_NUMBER, NULL, false, 0},
    [P11PROF_BY_SLOT] = {"slot", "slot_id", "c.slot_id", NOT_IN_GROUPS, P11PROF_DIMENSION_NUMBER,
                         NULL, false, 0},
    [P11PROF_BY_RV] = {"rv", "rv", "c.rv", NOT_IN_GROUPS, P11PROF_DIMENSION_CODE, "rv_name", false,
                       0},
    [P11PROF_BY_MINUTE] = {"minute", "minute", CALL_TIME("60"), WINDOW_TIME("60"),
                           P11PROF_DIMENSION_TIME, NULL, true, 60},
    [P11PROF_BY_HOUR] = {"hour", "hour", CALL_TIME("3600"), WINDOW_TIME("3600"),
                         P11PROF_DIMENSION_TIME, NULL, true, 3600},
    [P11PROF_BY_DAY] = {"day", "day", CALL_TIME("86400"), WINDOW_TIME("86400"),
                        P11PROF_DIMENSION_TIME, NULL, true, 86400},
    [P11PROF_BY_RUN] = {"run", "run_id", "?1", ALIKE("?1"), P11PROF_DIMENSION_NUMBER, NULL, false,
                        0},
    [P11PROF_BY_NAME] = {"name", "name", "?1", ALIKE("?1"), P11PROF_DIMENSION_OF_RUN, name_texts,
                         false, 0},
    [P11PROF_BY_HOST] = {"host", "host", "?1", ALIKE("?1"), P11PROF_DIMENSION_OF_RUN, host_texts,
                         false, 0},
    [P11PROF_BY_TOKEN] = {"token", "token_label", "?1", ALIKE("?1"), P11PROF_DIMENSION_OF_RUN,
                          token_texts, false, 0},
    [P11PROF_BY_PART] = {NULL, "part", "c.part", ALIKE("nullif(g.part, 0)"),
                         P11PROF_DIMENSION_NUMBER, NULL, false, 0},
};

const struct p11prof_grouping p11prof_default_grouping = {
    {P11PROF_BY_FUNCTION, P11PROF_BY_MECHANISM, P11PROF_BY_KIND}, 3};

bool p11prof_grouping_has(const struct p11prof_grouping *grouping, enum p11prof_dimension_id id)
{
    for (size_t i = 0; i < grouping->count; i++)
        if (grouping->ids[i] == id)
            return true;
    return false;
}

static void add(struct p11prof_grouping *grouping, enum p11prof_dimension_id id)
{
    if (!p11prof_grouping_has(grouping, id))
        grouping->ids[grouping->count++] = id;
}

/* "key-type" is key_type, as the option is called. */
static bool same_word(const char *name, const char *word)
{
    while (*name && (*name == *word || (*name == '_' && *word == '-'))) {
        name++;
        word++;
    }
    return *name == *word;
}

static size_t find(const char *word)
{
    size_t i = 0;
    while (i < P11PROF_DIMENSIONS &&
           (!p11prof_dimensions[i].name || (!same_word(p11prof_dimensions[i].name, word) &&
                                            !same_word(p11prof_dimensions[i].column, word))))
        i++;
    return i;
}

static const char *nearest_name(const char *word)
{
    const char *names[P11PROF_DIMENSIONS];
    size_t count = 0;
    for (size_t i = 0; i < P11PROF_DIMENSIONS; i++)
        if (p11prof_dimensions[i].name)
            names[count++] = p11prof_dimensions[i].name;
    return p11prof_nearest(word, names, count);
}

const char *p11prof_grouping_read(struct p11prof_grouping *out, const char *text,
                                  const char **nearest)
{
    static char word[32];
    *out = (struct p11prof_grouping){.count = 0};
    for (const char *at = text;; at++) {
        size_t length = strcspn(at, ",");
        snprintf(word, sizeof word, "%.*s", (int)length, at);
        size_t id = find(word);
        if (id == P11PROF_DIMENSIONS) {
            *nearest = nearest_name(word);
            return word;
        }
        add(out, (enum p11prof_dimension_id)id);
        at += length;
        if (*at == '\0')
            break;
    }
    add(out, P11PROF_BY_KIND);
    return NULL;
}

const struct p11prof_dimension *p11prof_grouping_needs_rows(const struct p11prof_grouping *grouping,
                                                            bool operations)
{
    for (size_t i = 0; i < grouping->count; i++) {
        const struct p11prof_dimension *dimension = &p11prof_dimensions[grouping->ids[i]];
        if (!(operations ? dimension->of_operation : dimension->of_group))
            return dimension;
    }
    return NULL;
}

bool p11prof_grouping_needs_windows(const struct p11prof_grouping *grouping)
{
    for (size_t i = 0; i < grouping->count; i++)
        if (p11prof_dimensions[grouping->ids[i]].of_window)
            return true;
    return false;
}
