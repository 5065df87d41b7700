/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What an insight found out, as sentences and tables: the same in a page, in JSON and in HTML. One
 * thread. */
#ifndef P11PROF_INSIGHT_SECTION_H
#define P11PROF_INSIGHT_SECTION_H

#include "report/page.h"
#include "report/table.h"

struct cJSON;

enum { P11PROF_SECTION_TABLES_MAX = 8 };

struct p11prof_section_table {
    const char *name;    /* in JSON: "in_flight" */
    const char *title;   /* above it on a page; NULL: none */
    const char *columns; /* "a b c" that people see; NULL: all. JSON has all of them */
    struct p11prof_table table;
};

/* Starts as {0}. Texts that are borrowed are constants. Sentences hold no name of a program, host,
 * user or token, since a redaction looks at cells only, and of a caller what `redact` allows. */
struct p11prof_section {
    bool redact;       /* set before it is filled: callers are called as a redaction does */
    const char *name;  /* in JSON and in --sections: "concurrency" */
    const char *title; /* on a page: "Concurrency" */
    int64_t run_id;
    struct p11prof_section_table tables[P11PROF_SECTION_TABLES_MAX];
    size_t table_count;
    char **sentences; /* owned; the verdict first */
    size_t sentence_count, sentence_capacity;
};
void p11prof_section_clear(struct p11prof_section *section);

/* Adds a sentence. */
__attribute__((format(printf, 2, 3))) void p11prof_section_say(struct p11prof_section *section,
                                                               const char *format, ...);

/* Adds an empty table with the columns "a b c" (columns.h), of which people see `shown` (NULL:
 * all). The section owns it. */
struct p11prof_table *p11prof_section_add(struct p11prof_section *section, const char *name,
                                          const char *title, const char *columns,
                                          const char *shown);

/* Whether there is anything to show. */
bool p11prof_section_has(const struct p11prof_section *section);

/* As a section of a page: sentences, then the tables that have rows, each cut to `top` rows (0:
 * all), and said to be. */
void p11prof_section_print(struct p11prof_page *page, const struct p11prof_section *section,
                           size_t top);

/* {"run_id", "sentences": [], "<table>": [rows], …}. The caller deletes it. */
struct cJSON *p11prof_section_json(const struct p11prof_section *section);

#endif
