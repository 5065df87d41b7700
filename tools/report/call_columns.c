/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "call_columns.h"
#include "allocate.h"
#include "nearest.h"

#include <stdio.h>
#include <string.h>

#define NUMBER(name, sql, for_people)                                                              \
    {                                                                                              \
        name, sql, P11PROF_CALL_NUMBER, 0, for_people, NULL, NULL                                  \
    }
#define NAME(name, sql, names, for_people, otherwise)                                              \
    {                                                                                              \
        name, sql, P11PROF_CALL_NAME, P11PROF_NAMES_##names, for_people, NULL, otherwise           \
    }

const struct p11prof_call_column p11prof_call_column_table[P11PROF_CALL_COLUMNS] = {
    {"relation", NULL, P11PROF_CALL_RELATION, 0, true, "", NULL},
    NUMBER("run_id", "s.run", false),
    NUMBER("call_id", "c.id", true),
    NUMBER("start_ns", "c.start_ns", true),
    {"started_at", NULL, P11PROF_CALL_WALL, 0, true, "UTC", NULL},
    NUMBER("process_id", "s.process", true),
    NUMBER("pid", "(SELECT nullif(p.pid, 0) FROM process AS p WHERE p.id = s.process)", false),
    {"program", NULL, P11PROF_CALL_PROGRAM, 0, false, NULL, NULL},
    NUMBER("thread_id", "nullif(c.thread_id, 0)", true),
    NAME("function", "c.function", FUNCTION, true, NULL),
    NAME("kind", "c.kind", KIND, false, NULL),
    NUMBER("nested", "c.flags & 1", false),
    NUMBER("overlapped", "c.flags >> 1 & 1", false),
    NAME("operation", "c.operation", OPERATION, false, NULL),
    NAME("mechanism", "c.mechanism", MECHANISM, true, NULL),
    NAME("key_type", "c.key_type", KEY_TYPE, true, NULL),
    NUMBER("key_bits", "c.key_bits", true),
    NUMBER("key_id", "c.key_id", false),
    NUMBER("session", "c.session", true),
    NUMBER("slot_id", "c.slot_id", false),
    NUMBER("in_bytes", "c.in_bytes", true),
    NUMBER("out_bytes", "c.out_bytes", true),
    NUMBER("duration_ns", "nullif(c.duration_ns, -1)", true),
    NAME("rv", "c.rv", RV, true, "undisclosed"),
    NUMBER("rv_code", "c.rv", false),
    {"gap_ns", NULL, P11PROF_CALL_GAP, 0, true, NULL, NULL},
    {"caller", "c.caller", P11PROF_CALL_CALLER, 0, false, NULL, NULL},
    {"caller_file", "c.caller", P11PROF_CALL_LIBRARY, 0, false, NULL, NULL},
    NUMBER("load", "nullif(c.part >> 2, 0)", false),
};
_Static_assert(sizeof p11prof_call_column_table / sizeof p11prof_call_column_table[0] ==
                   P11PROF_CALL_COLUMNS,
               "every column is there");

const char *const p11prof_call_columns_optional[] = {
    "key_type", "process_id", "in_bytes",  "out_bytes", "started_at", "session",
    "key_bits", "gap_ns",     "mechanism", "thread_id", "call_id",    NULL};

void p11prof_call_columns_default(struct p11prof_call_columns *out, bool for_people,
                                  bool with_relation)
{
    out->count = 0;
    for (size_t i = 0; i < P11PROF_CALL_COLUMNS; i++) {
        const struct p11prof_call_column *column = &p11prof_call_column_table[i];
        bool wanted = column->how == P11PROF_CALL_RELATION ? with_relation
                                                           : column->for_people || !for_people;
        if (wanted)
            out->ids[out->count++] = i;
    }
}

static size_t find(const char *word)
{
    size_t i = 0;
    while (i < P11PROF_CALL_COLUMNS && strcmp(p11prof_call_column_table[i].name, word) != 0)
        i++;
    return i;
}

static const char *nearest_name(const char *word)
{
    const char *names[P11PROF_CALL_COLUMNS];
    for (size_t i = 0; i < P11PROF_CALL_COLUMNS; i++)
        names[i] = p11prof_call_column_table[i].name;
    return p11prof_nearest(word, names, P11PROF_CALL_COLUMNS);
}

static void add(struct p11prof_call_columns *columns, size_t id)
{
    for (size_t i = 0; i < columns->count; i++)
        if (columns->ids[i] == id)
            return;
    columns->ids[columns->count++] = id;
}

const char *p11prof_call_columns_read(struct p11prof_call_columns *out, const char *text,
                                      const char **nearest)
{
    static char word[32];
    out->count = 0;
    for (const char *at = text;; at++) {
        size_t length = strcspn(at, ",");
        snprintf(word, sizeof word, "%.*s", (int)length, at);
        size_t id = find(word);
        if (id == P11PROF_CALL_COLUMNS) {
            *nearest = nearest_name(word);
            return word;
        }
        add(out, id);
        at += length;
        if (*at == '\0')
            return NULL;
    }
}

char *p11prof_call_columns_list(void)
{
    char *list;
    size_t bytes;
    FILE *stream = p11prof_text_open(&list, &bytes);
    for (size_t i = 0; i < P11PROF_CALL_COLUMNS; i++)
        fprintf(stream, "%s%s", i > 0 ? ", " : "", p11prof_call_column_table[i].name);
    fclose(stream);
    return list;
}
