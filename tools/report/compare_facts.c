/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "compare_facts.h"
#include "allocate.h"
#include "units.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *column, *what;
} facts[] = {
    {"kind", "kind"},
    {"token_label", "token"},
    {"token_manufacturer", "token manufacturer"},
    {"token_model", "token model"},
    {"token_serial", "token serial"},
    {"token_hardware", "token hardware"},
    {"token_firmware", "firmware"},
    {"library", "library"},
    {"cryptoki_version", "cryptoki"},
    {"program", "program"},
    {"host", "host"},
    {"os", "os"},
    {"kernel", "kernel"},
    {"cpu", "cpu"},
    {"cpu_count", "cpus"},
    {"memory_bytes", "memory"},
    {"governor", "governor"},
    {"clock", "clock"},
    {"tool_version", "p11prof"},
};

/* Different texts, in their order. */
struct values {
    char **texts; /* owned */
    size_t count, capacity;
};

static void add_value(struct values *values, const char *text)
{
    for (size_t i = 0; i < values->count; i++)
        if (strcmp(values->texts[i], text) == 0)
            return;
    values->texts =
        p11prof_grow(values->texts, &values->capacity, values->count + 1, sizeof *values->texts);
    values->texts[values->count++] = p11prof_copy(text);
}

static void clear_values(struct values *values)
{
    for (size_t i = 0; i < values->count; i++)
        free(values->texts[i]);
    free(values->texts);
    *values = (struct values){.texts = NULL};
}

static bool has_value(const struct values *values, const char *text)
{
    for (size_t i = 0; i < values->count; i++)
        if (strcmp(values->texts[i], text) == 0)
            return true;
    return false;
}

static bool same_values(const struct values *a, const struct values *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; i < a->count && same; i++)
        same = has_value(b, a->texts[i]);
    return same;
}

static char *join(const struct values *values)
{
    char *text;
    size_t bytes;
    FILE *stream = p11prof_text_open(&text, &bytes);
    for (size_t i = 0; i < values->count; i++)
        fprintf(stream, "%s%s", i > 0 ? ", " : "", values->texts[i]);
    fclose(stream);
    return text;
}

/* Adds a row unless the sides have the same values; clears both. */
static void add_difference(struct p11prof_table *out, const char *what, struct values *base,
                           struct values *current)
{
    if (!same_values(base, current)) {
        struct p11prof_cell *row = p11prof_table_add_row(out);
        char *base_text = join(base), *current_text = join(current);
        p11prof_table_set_text(out, row, "what", what);
        p11prof_table_set_text(out, row, "in_baseline", base_text);
        p11prof_table_set_text(out, row, "in_current", current_text);
        free(base_text);
        free(current_text);
    }
    clear_values(base);
    clear_values(current);
}

static void take_fact(struct values *out, const struct p11prof_samples *side, const char *column)
{
    for (size_t i = 0; i < side->runs.row_count; i++) {
        char number[P11PROF_UNIT_TEXT_BYTES];
        const struct p11prof_cell *cell = p11prof_table_get(&side->runs, i, column);
        if (cell->kind == P11PROF_CELL_TEXT)
            add_value(out, cell->text);
        else if (cell->kind == P11PROF_CELL_INTEGER && strcmp(column, "memory_bytes") == 0)
            p11prof_format_bytes(number, (uint64_t)cell->integer);
        else if (cell->kind == P11PROF_CELL_INTEGER)
            snprintf(number, sizeof number, "%" PRId64, cell->integer);
        else
            snprintf(number, sizeof number, "unknown");
        if (cell->kind != P11PROF_CELL_TEXT)
            add_value(out, number);
    }
}

/* The options of each run; NULL where it has none. The caller deletes them. */
static cJSON **options_of(const struct p11prof_samples *side)
{
    cJSON **options = p11prof_zalloc(side->runs.row_count, sizeof *options);
    for (size_t i = 0; i < side->runs.row_count; i++) {
        cJSON *parsed = cJSON_Parse(p11prof_table_text(&side->runs, i, "options", "{}"));
        options[i] = cJSON_IsObject(parsed) ? parsed : NULL;
        if (!options[i])
            cJSON_Delete(parsed);
    }
    return options;
}

static void take_option(struct values *out, cJSON *const *options, size_t count, const char *key)
{
    for (size_t i = 0; i < count; i++) {
        const cJSON *value = options[i] ? cJSON_GetObjectItemCaseSensitive(options[i], key) : NULL;
        char *text = value ? cJSON_PrintUnformatted(value) : NULL;
        add_value(out, text ? text : "not given");
        cJSON_free(text);
    }
}

static void take_keys(struct values *out, cJSON *const *options, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (const cJSON *item = options[i] ? options[i]->child : NULL; item; item = item->next)
            add_value(out, item->string);
}

static void delete_options(cJSON **options, size_t count)
{
    for (size_t i = 0; i < count; i++)
        cJSON_Delete(options[i]);
    free(options);
}

static void compare_options(struct p11prof_table *out, const struct p11prof_samples *base,
                            const struct p11prof_samples *current)
{
    struct values keys = {.texts = NULL};
    size_t base_count = base->runs.row_count, current_count = current->runs.row_count;
    cJSON **base_options = options_of(base), **current_options = options_of(current);
    take_keys(&keys, base_options, base_count);
    take_keys(&keys, current_options, current_count);
    for (size_t i = 0; i < keys.count; i++) {
        struct values base_values = {.texts = NULL}, current_values = {.texts = NULL};
        char what[80];
        take_option(&base_values, base_options, base_count, keys.texts[i]);
        take_option(&current_values, current_options, current_count, keys.texts[i]);
        snprintf(what, sizeof what, "option %.60s", keys.texts[i]);
        add_difference(out, what, &base_values, &current_values);
    }
    clear_values(&keys);
    delete_options(base_options, base_count);
    delete_options(current_options, current_count);
}

void p11prof_compare_facts(struct p11prof_table *out, const struct p11prof_samples *base,
                           const struct p11prof_samples *current)
{
    p11prof_table_add_columns(out, "what in_baseline in_current");
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++) {
        struct values base_values = {.texts = NULL}, current_values = {.texts = NULL};
        take_fact(&base_values, base, facts[i].column);
        take_fact(&current_values, current, facts[i].column);
        add_difference(out, facts[i].what, &base_values, &current_values);
    }
    compare_options(out, base, current);
}

char *p11prof_compare_runs_text(const struct p11prof_samples *side)
{
    char *text;
    size_t bytes;
    FILE *stream = p11prof_text_open(&text, &bytes);
    for (size_t i = 0; i < side->runs.row_count; i++) {
        int64_t run_id = p11prof_table_integer(&side->runs, i, "run_id", -1);
        const char *name = p11prof_table_text(&side->runs, i, "name", "");
        fputs(i > 0 ? ", run" : "run", stream);
        if (run_id >= 0)
            fprintf(stream, " %" PRId64, run_id);
        fprintf(stream, "%s%s (%s)", *name ? " " : "", name,
                p11prof_table_text(&side->runs, i, "started_at", "start unknown"));
    }
    fclose(stream);
    return text;
}
