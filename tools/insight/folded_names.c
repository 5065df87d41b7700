/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "folded_names.h"
#include "p11prof/batch.h"
#include "report/allocate.h"
#include "report/query.h"
#include "report/redact.h"
#include "report/safe_text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Text 0. */
#define UNKNOWN_TEXT "[unknown]"

/* Two calls of one function are one frame; a redaction numbers each site. */
static const char texts_sql[] =
    "SELECT p.id AS process_id, 0 AS number, p.program AS program, NULL AS caller, NULL AS frame "
    "FROM process AS p WHERE p.run = ?1 UNION ALL "
    "SELECT w.process, w.caller, NULL, w.site, CASE WHEN w.symbol IS NULL THEN w.site "
    "ELSE w.name || ':' || w.symbol END "
    "FROM process AS p JOIN caller_names AS w ON w.process = p.id WHERE p.run = ?1";

/* What separates frames and weights, and what no terminal wants. */
static char *frame_text(const char *text)
{
    char *safe = p11prof_safe_copy(text);
    for (char *at = safe; *at; at++)
        if (*at == ';' || *at == ' ')
            *at = '_';
    return safe;
}

static uint32_t text_number(struct p11prof_folded_names *names, const char *text)
{
    char *safe = frame_text(*text ? text : UNKNOWN_TEXT);
    for (size_t i = names->text_count; i-- > 0;) {
        if (strcmp(names->texts[i], safe) == 0) {
            free(safe);
            return (uint32_t)i;
        }
    }
    names->texts = p11prof_grow(names->texts, &names->text_capacity, names->text_count + 1,
                                sizeof *names->texts);
    names->texts[names->text_count] = safe;
    return (uint32_t)names->text_count++;
}

static int compare(const void *a, const void *b)
{
    const struct p11prof_folded_text *first = a, *second = b;
    if (first->process_id != second->process_id)
        return first->process_id < second->process_id ? -1 : 1;
    return (first->caller > second->caller) - (first->caller < second->caller);
}

enum p11prof_status p11prof_folded_names_open(struct p11prof_folded_names *names,
                                              struct sqlite3 *db, struct p11prof_error *error)
{
    const struct {
        struct p11prof_code_names *names;
        const char *table;
    } tables[] = {{&names->functions, "function_name"},
                  {&names->operations, "operation_name"},
                  {&names->mechanisms, "mechanism_name"},
                  {&names->key_types, "key_type_name"},
                  {&names->kinds, "kind_name"}};
    text_number(names, "");
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        if (p11prof_code_names_load(tables[i].names, db, tables[i].table, error) != P11PROF_OK)
            return error->status;
    return P11PROF_OK;
}

static const char *row_text(const struct p11prof_table *rows, size_t row, bool redact)
{
    const char *program = p11prof_table_text(rows, row, "program", "");
    return *program ? program : p11prof_table_text(rows, row, redact ? "caller" : "frame", "");
}

static void add_rows(struct p11prof_folded_names *names, const struct p11prof_table *rows,
                     bool redact)
{
    for (size_t i = 0; i < rows->row_count; i++) {
        names->entries = p11prof_grow(names->entries, &names->capacity, names->count + 1,
                                      sizeof *names->entries);
        names->entries[names->count++] =
            (struct p11prof_folded_text){p11prof_table_integer(rows, i, "process_id", 0),
                                         p11prof_table_integer(rows, i, "number", 0),
                                         text_number(names, row_text(rows, i, redact))};
    }
    if (names->count > 1)
        qsort(names->entries, names->count, sizeof *names->entries, compare);
}

enum p11prof_status p11prof_folded_names_load(struct p11prof_folded_names *names,
                                              struct sqlite3 *db, int64_t run_id, bool redact,
                                              struct p11prof_error *error)
{
    struct p11prof_table rows = {.columns = NULL};
    struct p11prof_redaction redaction = {.texts = {{.columns = NULL}}};
    enum p11prof_status status = p11prof_query_table(db, texts_sql, run_id, &rows, error);
    if (status == P11PROF_OK && redact)
        status = p11prof_redaction_load(&redaction, db, error);
    if (status == P11PROF_OK && redact)
        p11prof_redact_table(&redaction, &rows);
    if (status == P11PROF_OK)
        add_rows(names, &rows, redact);
    p11prof_redaction_clear(&redaction);
    p11prof_table_clear(&rows);
    return status;
}

void p11prof_folded_names_clear(struct p11prof_folded_names *names)
{
    for (size_t i = 0; i < names->text_count; i++)
        free(names->texts[i]);
    free(names->texts);
    free(names->entries);
    p11prof_code_names_clear(&names->functions);
    p11prof_code_names_clear(&names->operations);
    p11prof_code_names_clear(&names->mechanisms);
    p11prof_code_names_clear(&names->key_types);
    p11prof_code_names_clear(&names->kinds);
    *names = (struct p11prof_folded_names){.count = 0};
}

static uint32_t find(const struct p11prof_folded_names *names, int64_t process_id, int64_t caller)
{
    struct p11prof_folded_text key = {process_id, caller, 0};
    const struct p11prof_folded_text *found =
        names->count ? bsearch(&key, names->entries, names->count, sizeof key, compare) : NULL;
    return found ? found->text : 0;
}

struct p11prof_folded_place p11prof_folded_names_place(const struct p11prof_folded_names *names,
                                                       const struct p11prof_event *event)
{
    bool known = event->caller != P11PROF_EVENT_UNKNOWN;
    return (struct p11prof_folded_place){find(names, event->process_id, 0),
                                         known ? find(names, event->process_id, event->caller) : 0};
}

static void write_code(FILE *stream, const char *before, const struct p11prof_code_names *names,
                       int64_t code)
{
    char buffer[P11PROF_CODE_BYTES];
    if (code != P11PROF_EVENT_UNKNOWN)
        fprintf(stream, "%s%s", before, p11prof_code_names_text(names, code, buffer));
}

/* "sign(CKM_ECDSA,CKK_EC,256)"; what is unknown is left out. */
static void write_operation(FILE *stream, const struct p11prof_folded_names *names,
                            const int64_t words[4])
{
    const char *before = "(";
    write_code(stream, "", &names->operations, words[0]);
    write_code(stream, before, &names->mechanisms, words[1]);
    before = words[1] != P11PROF_EVENT_UNKNOWN ? "," : before;
    write_code(stream, before, &names->key_types, words[2]);
    before = words[2] != P11PROF_EVENT_UNKNOWN ? "," : before;
    if (words[3] != P11PROF_EVENT_UNKNOWN)
        fprintf(stream, "%s%" PRId64, before, words[3]);
    before = words[3] != P11PROF_EVENT_UNKNOWN ? "," : before;
    if (*before == ',')
        putc(')', stream);
}

void p11prof_folded_names_write(FILE *stream, const struct p11prof_folded_names *names,
                                const struct p11prof_frame *frame)
{
    switch (frame->kind) {
    case P11PROF_FRAME_PROGRAM:
    case P11PROF_FRAME_SITE:
        fputs(names->texts[frame->words[0]], stream);
        break;
    case P11PROF_FRAME_OPERATION:
        write_operation(stream, names, frame->words);
        break;
    case P11PROF_FRAME_FUNCTION:
        write_code(stream, "", &names->functions, frame->words[0]);
        if (frame->words[1] != P11PROF_KIND_CALL) {
            write_code(stream, "(", &names->kinds, frame->words[1]);
            putc(')', stream);
        }
        break;
    }
}
