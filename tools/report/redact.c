/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "redact.h"
#include "allocate.h"
#include "query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum treatment { NUMBERED, DROPPED, FILE_NAME };

struct rule {
    const char *column;
    enum treatment treatment;
    const char *word; /* NUMBERED: what stands before the number */
    const char *sql;  /* NUMBERED: all texts, in the order of their numbers */
};

/* The numbered ones come first: their index is that of their texts. */
static const struct rule rules[] = {
    {"name", NUMBERED, "name",
     "SELECT name AS text FROM run WHERE name IS NOT NULL GROUP BY name ORDER BY min(id)"},
    {"host", NUMBERED, "host",
     "SELECT host AS text FROM run WHERE host IS NOT NULL GROUP BY host ORDER BY min(id)"},
    {"user", NUMBERED, "user",
     "SELECT user AS text FROM (SELECT id AS run, user FROM run UNION ALL SELECT run, user FROM "
     "process) WHERE user IS NOT NULL GROUP BY user ORDER BY min(run), user"},
    {"token_label", NUMBERED, "token",
     "SELECT label AS text FROM token WHERE label IS NOT NULL GROUP BY label ORDER BY min(id)"},
    {"program", NUMBERED, "program",
     "SELECT program AS text FROM (SELECT id AS run, 0 AS id, program FROM run UNION ALL "
     "SELECT run, id, program FROM process) WHERE program IS NOT NULL GROUP BY program "
     "ORDER BY min(run), min(id)"},
    {"caller", NUMBERED, "caller",
     "SELECT site AS text FROM caller_names GROUP BY site ORDER BY min(process), min(caller)"},
    {"caller_file", NUMBERED, "library",
     "SELECT name AS text FROM caller GROUP BY name ORDER BY min(process), min(caller)"},
    {"suite", NUMBERED, "suite",
     "SELECT suite AS text FROM bench_load WHERE suite IS NOT NULL GROUP BY suite "
     "ORDER BY min(run), min(load)"},
    {"token_serial", DROPPED, NULL, NULL},
    {"uuid", DROPPED, NULL, NULL},
    {"options", DROPPED, NULL, NULL},
    {"differences", DROPPED, NULL, NULL}, /* of runs: their hosts, programs and options */
    {"module_path", FILE_NAME, NULL, NULL},
    {"caller_path", DROPPED, NULL, NULL},
    {"caller_symbol", DROPPED, NULL, NULL},
    {"caller_offset_bytes", DROPPED, NULL, NULL},
};
enum { RULES = sizeof rules / sizeof rules[0] };

enum p11prof_status p11prof_redaction_load(struct p11prof_redaction *out, struct sqlite3 *db,
                                           struct p11prof_error *error)
{
    for (size_t i = 0; i < RULES; i++)
        if (rules[i].treatment == NUMBERED &&
            p11prof_query_table(db, rules[i].sql, 0, &out->texts[i], error) != P11PROF_OK)
            return error->status;
    return P11PROF_OK;
}

void p11prof_redaction_clear(struct p11prof_redaction *redaction)
{
    for (size_t i = 0; i < sizeof redaction->texts / sizeof redaction->texts[0]; i++)
        p11prof_table_clear(&redaction->texts[i]);
}

/* "caller 3"; NULL if the text has no number. The caller frees it. */
static char *numbered(const struct rule *rule, const struct p11prof_table *texts, const char *text)
{
    for (size_t i = 0; i < texts->row_count; i++) {
        if (strcmp(p11prof_table_text(texts, i, "text", ""), text) == 0) {
            char name[64];
            snprintf(name, sizeof name, "%s %zu", rule->word, i + 1);
            return p11prof_copy(name);
        }
    }
    return NULL;
}

static char *treated(const struct p11prof_redaction *redaction, size_t rule, const char *text)
{
    const char *slash = strrchr(text, '/');
    switch (rules[rule].treatment) {
    case NUMBERED:
        return numbered(&rules[rule], &redaction->texts[rule], text);
    case FILE_NAME:
        return p11prof_copy(slash ? slash + 1 : text);
    case DROPPED:
        break;
    }
    return NULL;
}

static void set_text(struct p11prof_cell *cell, char *text)
{
    free((char *)cell->text);
    *cell = text ? (struct p11prof_cell){.kind = P11PROF_CELL_TEXT, .text = text}
                 : (struct p11prof_cell){.kind = P11PROF_CELL_NULL};
}

static void redact(const struct p11prof_redaction *redaction, size_t rule,
                   struct p11prof_table *table)
{
    size_t column = p11prof_table_find(table, rules[rule].column);
    for (size_t i = 0; i < table->row_count && column < table->column_count; i++) {
        struct p11prof_cell *cell = &p11prof_table_row(table, i)[column];
        if (cell->kind == P11PROF_CELL_TEXT)
            set_text(cell, treated(redaction, rule, cell->text));
    }
}

void p11prof_redact_table(const struct p11prof_redaction *redaction, struct p11prof_table *table)
{
    for (size_t rule = 0; rule < RULES; rule++)
        redact(redaction, rule, table);
}

void p11prof_redact_suites(const struct p11prof_redaction *redaction, struct p11prof_table *loads)
{
    for (size_t rule = 0; rule < RULES; rule++)
        if (strcmp(rules[rule].column, "suite") == 0)
            redact(redaction, rule, loads);
}

void p11prof_redact_reasons(struct p11prof_table *skipped)
{
    size_t column = p11prof_table_find(skipped, "reason");
    for (size_t i = 0; i < skipped->row_count && column < skipped->column_count; i++) {
        struct p11prof_cell *cell = &p11prof_table_row(skipped, i)[column];
        size_t plain = cell->kind == P11PROF_CELL_TEXT ? strcspn(cell->text, "\"/") : 0;
        if (cell->kind != P11PROF_CELL_TEXT || cell->text[plain] == '\0')
            continue;
        char *text;
        size_t bytes;
        FILE *stream = p11prof_text_open(&text, &bytes);
        fprintf(stream, "%.*s…", (int)plain, cell->text);
        fclose(stream);
        set_text(cell, text);
    }
}

bool p11prof_is_redacted(enum p11prof_dimension_id id)
{
    for (size_t i = 0; i < RULES; i++)
        if (strcmp(rules[i].column, p11prof_dimensions[id].column) == 0)
            return true;
    return false;
}
