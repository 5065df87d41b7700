/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "series.h"

#include "report/allocate.h"
#include "report/metrics_parts.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

/* Of a hostile database: what is remembered of sets that are folded, and where they go. */
enum { FOLDED_MOST = 100000, FOLDS_MOST = 1024, VALUE_BYTES = 256 };

#define OTHER "other"

const char *const exporter_labels[EXPORTER_TABLES][EXPORTER_LABELS + 1] = {
    [EXPORTER_CALLS] = {"program", "token", "function", "kind", "mechanism", "key_type",
                        "key_bits"},
    [EXPORTER_OPERATIONS] = {"program", "token", "operation", "mechanism", "key_type", "key_bits"},
    [EXPORTER_RESULTS] = {"program", "token", "function", "rv"},
    [EXPORTER_LOST] = {"program", "token", "function", "cause"},
    [EXPORTER_LAST_CALL] = {"program"},
};

/* Lines of a page for one set of labels: counters, buckets, +Inf, sum and count. */
static const size_t lines_of[EXPORTER_TABLES] = {
    [EXPORTER_CALLS] = 4 + EXPORTER_BOUNDS + 3,
    [EXPORTER_OPERATIONS] = 4 + EXPORTER_BOUNDS + 3,
    [EXPORTER_RESULTS] = 1,
    [EXPORTER_LOST] = 1,
    [EXPORTER_LAST_CALL] = 1,
};

/* Labels that are folded: the others have few values. */
static bool is_open(const char *label)
{
    static const char *const open[] = {"program",  "token",    "mechanism",
                                       "key_type", "key_bits", "rv"};
    for (size_t i = 0; i < sizeof open / sizeof *open; i++)
        if (strcmp(label, open[i]) == 0)
            return true;
    return false;
}

static int compare(const void *a, const void *b)
{
    const struct exporter_series *first = a, *second = b;
    if (first->table != second->table)
        return first->table < second->table ? -1 : 1;
    return strcmp(first->labels, second->labels);
}

static char *labels_make(enum exporter_table table, const char *const *values)
{
    char *labels;
    size_t bytes;
    FILE *stream = p11prof_text_open(&labels, &bytes);
    for (size_t i = 0; exporter_labels[table][i]; i++) {
        char value[VALUE_BYTES + 1];
        strncpy(value, values[i] ? values[i] : "", VALUE_BYTES);
        value[VALUE_BYTES] = '\0';
        fprintf(stream, "%s%s=\"", i > 0 ? "," : "", exporter_labels[table][i]);
        metrics_label_write(stream, value);
        fputc('"', stream);
    }
    fclose(stream);
    return labels;
}

static struct exporter_series *find(const struct exporter_book *book, enum exporter_table table,
                                    char *labels)
{
    const struct exporter_series wanted = {.table = table, .labels = labels};
    void *found = tfind(&wanted, &book->root, compare);
    return found ? *(struct exporter_series **)found : NULL;
}

/* Takes `labels` over. */
static struct exporter_series *insert(struct exporter_book *book, enum exporter_table table,
                                      char *labels)
{
    struct exporter_series *series = p11prof_zalloc(1, sizeof *series);
    series->table = table;
    series->labels = labels;
    if (!tsearch(series, &book->root, compare)) {
        fputs("p11prof: error: out of memory\n", stderr);
        exit(3);
    }
    return series;
}

static struct exporter_series *fold_find(struct exporter_book *book, enum exporter_table table,
                                         const char *const *values)
{
    const char *folded[EXPORTER_LABELS];
    bool all = book->fold_count >= FOLDS_MOST;
    for (size_t i = 0; exporter_labels[table][i]; i++)
        folded[i] = all || is_open(exporter_labels[table][i]) ? OTHER : values[i];
    char *labels = labels_make(table, folded);
    struct exporter_series *series = find(book, table, labels);
    if (!series) {
        book->fold_count++;
        return insert(book, table, labels);
    }
    free(labels);
    return series;
}

/* Takes `labels` over. */
static struct exporter_series *fold(struct exporter_book *book, enum exporter_table table,
                                    const char *const *values, char *labels)
{
    struct exporter_series *into = fold_find(book, table, values);
    if (book->folded_count == FOLDED_MOST || strcmp(labels, into->labels) == 0) {
        free(labels);
        return into;
    }
    book->folded_count++;
    insert(book, table, labels)->folded_into = into;
    return into;
}

/* Results without a name are numbers that a module may choose as it likes. */
static const char *code_of(struct exporter_book *book, const char *rv)
{
    if (!rv || strncmp(rv, "0x", 2) != 0)
        return rv;
    for (size_t i = 0; i < book->code_count; i++)
        if (strcmp(book->codes[i], rv) == 0)
            return rv;
    if (book->code_count == sizeof book->codes / sizeof *book->codes ||
        strlen(rv) >= sizeof *book->codes)
        return OTHER;
    strcpy(book->codes[book->code_count++], rv);
    return rv;
}

static void values_choose(struct exporter_book *book, enum exporter_table table,
                          const char *const *values, const char **chosen)
{
    for (size_t i = 0; exporter_labels[table][i]; i++) {
        const char *label = exporter_labels[table][i];
        bool hidden = (book->no_programs && strcmp(label, "program") == 0) ||
                      (book->no_tokens && strcmp(label, "token") == 0);
        chosen[i] = hidden ? "" : strcmp(label, "rv") == 0 ? code_of(book, values[i]) : values[i];
    }
}

struct exporter_series *exporter_series_find(struct exporter_book *book, enum exporter_table table,
                                             const char *const *values)
{
    const char *chosen[EXPORTER_LABELS];
    values_choose(book, table, values, chosen);
    char *labels = labels_make(table, chosen);
    struct exporter_series *series = find(book, table, labels);
    if (series) {
        free(labels);
        return series->folded_into ? series->folded_into : series;
    }
    if (book->series_count + lines_of[table] > book->series_max)
        return fold(book, table, chosen, labels);
    book->series_count += lines_of[table];
    return insert(book, table, labels);
}

struct visiting {
    void (*visit)(void *payload, struct exporter_series *series);
    void *payload;
};

static void visit_one(const void *node, VISIT order, void *payload)
{
    struct exporter_series *series = *(struct exporter_series *const *)node;
    const struct visiting *visiting = payload;
    if ((order == postorder || order == leaf) && !series->folded_into)
        visiting->visit(visiting->payload, series);
}

void exporter_series_visit(const struct exporter_book *book,
                           void (*visit)(void *payload, struct exporter_series *series),
                           void *payload)
{
    struct visiting visiting = {visit, payload};
    twalk_r(book->root, visit_one, &visiting);
}

static void series_free(void *node)
{
    struct exporter_series *series = node;
    free(series->labels);
    free(series);
}

void exporter_book_clear(struct exporter_book *book)
{
    tdestroy(book->root, series_free);
    *book = (struct exporter_book){.series_max = book->series_max,
                                   .no_programs = book->no_programs,
                                   .no_tokens = book->no_tokens};
}

/* factor: 1 adds, UINT64_MAX takes away. */
static void values_add(struct exporter_values *sum, const struct exporter_values *values,
                       uint64_t factor)
{
    sum->count += factor * values->count;
    sum->error_count += factor * values->error_count;
    sum->in_bytes += factor * values->in_bytes;
    sum->out_bytes += factor * values->out_bytes;
    sum->sum_ns += factor * values->sum_ns;
    for (size_t i = 0; i <= EXPORTER_BOUNDS; i++)
        sum->buckets[i] += factor * values->buckets[i];
}

void exporter_series_add(struct exporter_series *series, const struct exporter_values *values)
{
    struct exporter_values *sum = &series->values;
    if (series->table == EXPORTER_LAST_CALL) {
        sum->count = values->count > sum->count ? values->count : sum->count;
        return;
    }
    values_add(sum, values, 1);
    sum->timed = sum->timed || values->timed;
}

void exporter_series_take(struct exporter_series *series, const struct exporter_values *values)
{
    if (series->table != EXPORTER_LAST_CALL)
        values_add(&series->values, values, UINT64_MAX);
}

void exporter_bucket_add(struct exporter_values *values, uint64_t high_ns, uint64_t count)
{
    size_t i = 0;
    while (i < EXPORTER_BOUNDS && high_ns > (UINT64_C(1) << (EXPORTER_FIRST_OCTAVE + i)) + 1)
        i++;
    values->buckets[i] += count;
}
