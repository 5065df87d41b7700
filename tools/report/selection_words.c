/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "selection_words.h"
#include "allocate.h"
#include "nearest.h"
#include "query.h"

#include <errno.h>
#include <fnmatch.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORD_BYTES = 128 };

static void add_code(struct p11prof_codes *codes, int64_t owner, int64_t code)
{
    codes->codes =
        p11prof_grow(codes->codes, &codes->capacity, codes->count + 1, sizeof *codes->codes);
    codes->codes[codes->count++] = (struct p11prof_code){owner, code};
}

/* A CK_ULONG as the database has it: signed, of the same bits. */
static bool read_number(const char *word, int64_t *out)
{
    char *end;
    bool hex = word[0] == '0' && (word[1] == 'x' || word[1] == 'X');
    errno = 0;
    *out = (int64_t)strtoull(word, &end, hex ? 16 : 10);
    return word[0] >= '0' && word[0] <= '9' && *end == '\0' && errno == 0;
}

/* "rsa-pkcs" and "RSA_PKCS" are one word. */
static void unite(char out[WORD_BYTES], const char *word)
{
    snprintf(out, WORD_BYTES, "%s", word);
    for (char *at = out; *at; at++)
        if (*at == '-')
            *at = '_';
}

static bool is_like(const char *word, const char *name)
{
    char united_word[WORD_BYTES], united_name[WORD_BYTES];
    unite(united_word, word);
    unite(united_name, name);
    return fnmatch(united_word, united_name, FNM_CASEFOLD) == 0;
}

/* Whether a word means a name of the database, with or without its prefix up to "_". */
static bool means_name(const char *word, const char *name)
{
    const char *rest = strchr(name, '_');
    return is_like(word, name) || (rest && is_like(word, rest + 1));
}

static bool means_text(const char *word, const char *text)
{
    return text && fnmatch(word, text, FNM_CASEFOLD) == 0;
}

static enum p11prof_status complain_name(const char *word,
                                         const struct p11prof_dimension *dimension,
                                         const struct p11prof_table *names,
                                         struct p11prof_error *error)
{
    static const char *const special[] = {"failed", "undisclosed"}; /* of results */
    const char **list = p11prof_zalloc(2 * names->row_count + 2, sizeof *list);
    size_t count = 0;
    if (dimension == &p11prof_dimensions[P11PROF_BY_RV])
        for (; count < 2; count++)
            list[count] = special[count];
    for (size_t i = 0; i < names->row_count; i++) {
        const char *name = p11prof_table_text(names, i, "name", "");
        const char *rest = strchr(name, '_');
        list[count++] = name;
        if (rest)
            list[count++] = rest + 1;
    }
    const char *nearest = p11prof_nearest(word, list, count);
    if (nearest)
        p11prof_error_set(error, P11PROF_BAD_INPUT, "there is no %s '%.100s': did you mean '%s'?",
                          dimension->name, word, nearest);
    else
        p11prof_error_set(error, P11PROF_BAD_INPUT, "there is no %s '%.100s'", dimension->name,
                          word);
    free(list);
    return P11PROF_BAD_INPUT;
}

static enum p11prof_status read_name(struct p11prof_codes *out, const char *word,
                                     const struct p11prof_dimension *dimension, struct sqlite3 *db,
                                     struct p11prof_error *error)
{
    struct p11prof_table names = {.columns = NULL};
    char sql[128];
    size_t before = out->count;
    int64_t number;
    if (read_number(word, &number)) {
        add_code(out, 0, number);
        return P11PROF_OK;
    }
    snprintf(sql, sizeof sql, "SELECT name, code FROM %s", dimension->names);
    enum p11prof_status status = p11prof_query_table(db, sql, 0, &names, error);
    for (size_t i = 0; i < names.row_count && status == P11PROF_OK; i++)
        if (means_name(word, p11prof_table_text(&names, i, "name", "")))
            add_code(out, 0, p11prof_table_integer(&names, i, "code", 0));
    if (status == P11PROF_OK && out->count == before)
        status = complain_name(word, dimension, &names, error);
    p11prof_table_clear(&names);
    return status;
}

static bool means_row(const char *word, sqlite3_stmt *texts)
{
    for (int column = 2; column < sqlite3_column_count(texts); column++)
        if (means_text(word, p11prof_query_text(texts, column)))
            return true;
    return false;
}

/* A text that this run does not have selects nothing. */
static enum p11prof_status read_text(struct p11prof_codes *out, const char *word,
                                     const struct p11prof_dimension *dimension, struct sqlite3 *db,
                                     int64_t run_id, struct p11prof_error *error)
{
    sqlite3_stmt *texts;
    int result;
    if (p11prof_query_prepare(db, dimension->names, run_id, &texts, error) != P11PROF_OK)
        return error->status;
    while ((result = sqlite3_step(texts)) == SQLITE_ROW)
        if (means_row(word, texts))
            add_code(out, sqlite3_column_int64(texts, 0), sqlite3_column_int64(texts, 1));
    return p11prof_query_end(texts, result, error);
}

/* A process is known by its number here and by its pid. */
static enum p11prof_status read_process(struct p11prof_codes *out, int64_t number,
                                        struct sqlite3 *db, int64_t run_id,
                                        struct p11prof_error *error)
{
    sqlite3_stmt *processes;
    int result;
    if (p11prof_query_prepare(db, "SELECT id FROM process WHERE run = ?1 AND ?2 IN (id, pid)",
                              run_id, &processes, error) != P11PROF_OK)
        return error->status;
    sqlite3_bind_int64(processes, 2, number);
    while ((result = sqlite3_step(processes)) == SQLITE_ROW)
        add_code(out, 0, sqlite3_column_int64(processes, 0));
    return p11prof_query_end(processes, result, error);
}

static enum p11prof_status read_plain(struct p11prof_codes *out, const char *word,
                                      enum p11prof_dimension_id id, struct sqlite3 *db,
                                      int64_t run_id, struct p11prof_error *error)
{
    int64_t number;
    if (!read_number(word, &number))
        return p11prof_error_set(error, P11PROF_BAD_INPUT, "a %s is a number, not '%.100s'",
                                 p11prof_dimensions[id].name, word);
    if (id == P11PROF_BY_PROCESS)
        return read_process(out, number, db, run_id, error);
    add_code(out, 0, number);
    return P11PROF_OK;
}

/* Words that are no values. */
static bool read_special(struct p11prof_codes *out, const char *word, enum p11prof_dimension_id id)
{
    bool unknown =
        strcmp(word, "-") == 0 || (id == P11PROF_BY_RV && strcasecmp(word, "undisclosed") == 0);
    bool failed = id == P11PROF_BY_RV && strcasecmp(word, "failed") == 0;
    out->unknown = out->unknown || unknown;
    out->failed = out->failed || failed;
    return unknown || failed;
}

static enum p11prof_status read_word(struct p11prof_codes *out, const char *word,
                                     enum p11prof_dimension_id id, struct sqlite3 *db,
                                     int64_t run_id, struct p11prof_error *error)
{
    const struct p11prof_dimension *dimension = &p11prof_dimensions[id];
    if (read_special(out, word, id))
        return P11PROF_OK;
    switch (dimension->kind) {
    case P11PROF_DIMENSION_CODE:
        return read_name(out, word, dimension, db, error);
    case P11PROF_DIMENSION_OF_PROCESS:
    case P11PROF_DIMENSION_OF_RUN:
        return read_text(out, word, dimension, db, run_id, error);
    case P11PROF_DIMENSION_NUMBER:
    case P11PROF_DIMENSION_TIME:
        break;
    }
    return read_plain(out, word, id, db, run_id, error);
}

enum p11prof_status p11prof_codes_read(struct p11prof_codes *out,
                                       const struct p11prof_filter *filter, struct sqlite3 *db,
                                       int64_t run_id, struct p11prof_error *error)
{
    enum p11prof_status status = P11PROF_OK;
    out->negated = filter->words[0] == '!';
    out->of_process = p11prof_dimensions[filter->id].kind == P11PROF_DIMENSION_OF_PROCESS;
    char *copy = p11prof_copy(filter->words + out->negated), *rest = copy;
    for (char *word; status == P11PROF_OK && (word = strsep(&rest, ","));)
        if (*word)
            status = read_word(out, word, filter->id, db, run_id, error);
    free(copy);
    return status;
}

void p11prof_codes_clear(struct p11prof_codes *codes)
{
    free(codes->codes);
    *codes = (struct p11prof_codes){.codes = NULL};
}
