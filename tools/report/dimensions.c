/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "dimensions.h"
#include "nearest.h"

#include <stdio.h>
#include <string.h>

const struct p11prof_dimension p11prof_dimensions[P11PROF_DIMENSIONS] = {
    [P11PROF_BY_FUNCTION] = {"function", "function", "c.function", "g.code", "function_name"},
    [P11PROF_BY_OPERATION] = {NULL, "operation", "c.operation", "g.code", "operation_name"},
    [P11PROF_BY_MECHANISM] = {"mechanism", "mechanism", "c.mechanism", "nullif(g.mechanism, -1)",
                              "mechanism_name"},
    [P11PROF_BY_KIND] = {"kind", "kind", "c.kind", "g.kind", "kind_name"},
    [P11PROF_BY_KEY_TYPE] = {"key_type", "key_type", "c.key_type", "nullif(g.key_type, -1)",
                             "key_type_name"},
    [P11PROF_BY_KEY_BITS] = {"key_bits", "key_bits", "c.key_bits", "nullif(g.key_bits, -1)", NULL},
    [P11PROF_BY_CALLER] = {"caller", "caller", "c.caller", NULL, NULL},
    [P11PROF_BY_PROCESS] = {"process", "process_id", "s.process", NULL, NULL},
    [P11PROF_BY_THREAD] = {"thread", "thread_id", "c.thread_id", NULL, NULL},
    [P11PROF_BY_SESSION] = {"session", "session", "c.session", NULL, NULL},
    [P11PROF_BY_SLOT] = {"slot", "slot_id", "c.slot_id", NULL, NULL},
    [P11PROF_BY_RV] = {"rv", "rv", "c.rv", NULL, "rv_name"},
    [P11PROF_BY_PART] = {NULL, "part", "c.part", "nullif(g.part, 0)", NULL},
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

static size_t find(const char *word)
{
    size_t i = 0;
    while (i < P11PROF_DIMENSIONS &&
           (!p11prof_dimensions[i].name || (strcmp(p11prof_dimensions[i].name, word) != 0 &&
                                            strcmp(p11prof_dimensions[i].column, word) != 0)))
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

const struct p11prof_dimension *p11prof_grouping_needs_rows(const struct p11prof_grouping *grouping)
{
    for (size_t i = 0; i < grouping->count; i++)
        if (!p11prof_dimensions[grouping->ids[i]].of_group)
            return &p11prof_dimensions[grouping->ids[i]];
    return NULL;
}
