/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Documents come from anywhere: nothing in them is believed before it was looked at. */
#include "allocate.h"
#include "document_read.h"
#include "p11prof/histogram.h"
#include "samples_parts.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_MOST = 10000, RUNS_MOST = 10000 };

/* A document, and where its runs stand in the samples. */
struct document {
    struct p11prof_document_reader reader;
    struct p11prof_samples *out;
    const char *only;
    size_t first_run; /* row of out->runs */
    int64_t *run_ids; /* of each run, as the document calls it */
    bool *of_tests;   /* of each run: a bench of tests, whose calls are no rows */
    size_t run_count;
};

static bool complain_of_number(struct document *document, const char *what, size_t most)
{
    p11prof_error_set(document->reader.error, P11PROF_BAD_INPUT, "%.200s has more than %zu %s",
                      document->reader.name, most, what);
    return false;
}

/* The place of a run in the samples; false if the document has none of that number. */
static bool find_run(const struct document *document, int64_t run_id, size_t *run)
{
    for (size_t i = 0; i < document->run_count; i++) {
        if (document->run_ids[i] == run_id) {
            *run = document->first_run + i;
            return true;
        }
    }
    return false;
}

/* The run that an object names; `otherwise` if it names none. False, after it said so, if it is not
 * there. */
static bool read_run(struct document *document, const cJSON *object,
                     const struct p11prof_document_path *path, size_t otherwise, size_t *run)
{
    int64_t run_id = -1;
    if (!p11prof_document_optional(&document->reader, object, path, "run_id", &run_id))
        return false;
    *run = otherwise;
    if (run_id < 0 || find_run(document, run_id, run))
        return true;
    return p11prof_document_complain(&document->reader, path, "run_id",
                                     "is no run of this document");
}

static bool read_bucket(struct document *document, const cJSON *item,
                        const struct p11prof_document_path *path, struct p11prof_window *window,
                        size_t *capacity)
{
    uint64_t numbers[3] = {0};
    size_t count = 0;
    for (const cJSON *number = item->child; number; number = number->next, count++)
        if (count == 3 || !p11prof_document_count(number, &numbers[count]))
            return p11prof_document_complain(&document->reader, path, NULL,
                                             "is not [low_ns, high_ns, count]");
    uint64_t low_ns = numbers[0];
    unsigned octave = p11prof_octave(low_ns);
    if (!cJSON_IsArray(item) || count != 3)
        return p11prof_document_complain(&document->reader, path, NULL,
                                         "is not [low_ns, high_ns, count]");
    if (p11prof_bucket_low_ns(octave, p11prof_octave_bucket(low_ns, octave)) != low_ns ||
        low_ns + p11prof_bucket_width_ns(octave) != numbers[1])
        return p11prof_document_complain(&document->reader, path, NULL,
                                         "is no bucket of p11prof's histograms");
    if (window->bucket_count > 0 && window->buckets[window->bucket_count - 1].low_ns >= low_ns)
        return p11prof_document_complain(&document->reader, path, NULL,
                                         "does not come in the order of durations");
    window->buckets =
        p11prof_grow(window->buckets, capacity, window->bucket_count + 1, sizeof *window->buckets);
    window->buckets[window->bucket_count++] = (struct p11prof_window_bucket){low_ns, numbers[2]};
    return true;
}

static bool read_histogram(struct document *document, const cJSON *object,
                           const struct p11prof_document_path *path, struct p11prof_window *window)
{
    struct p11prof_document_path at = {.parent = path, .name = "histogram"};
    size_t capacity = 0;
    const cJSON *histogram, *item;
    if (!p11prof_document_array(&document->reader, object, path, "histogram", true, &histogram))
        return false;
    cJSON_ArrayForEach(item, histogram)
    {
        if (!read_bucket(document, item, &at, window, &capacity))
            return false;
        at.index++;
    }
    return true;
}

static bool read_window(struct document *document, const cJSON *object,
                        const struct p11prof_document_path *path, struct p11prof_window *window)
{
    struct p11prof_document_reader *reader = &document->reader;
    const struct {
        const char *name;
        uint64_t *out;
    } numbers[] = {{"start_ns", &window->start_ns},
                   {"duration_ns", &window->duration_ns},
                   {"count", &window->count},
                   {"error_count", &window->error_count}};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (!p11prof_document_number(reader, object, path, numbers[i].name, numbers[i].out))
            return false;
    if (window->error_count > window->count)
        return p11prof_document_complain(reader, path, "error_count", "is larger than count");
    if (!read_histogram(document, object, path, window))
        return false;
    uint64_t success_count = window->count - window->error_count;
    for (size_t i = 0; i < window->bucket_count; i++) {
        if (window->buckets[i].count > success_count)
            return p11prof_document_complain(reader, path, "histogram",
                                             "has more than did not fail");
        success_count -= window->buckets[i].count;
    }
    return true;
}

/* run: of windows that name none. */
static bool read_windows(struct document *document, const cJSON *windows,
                         const struct p11prof_document_path *row_path,
                         struct p11prof_sample_row *row, size_t run)
{
    struct p11prof_document_path path = {.parent = row_path, .name = "windows"};
    const cJSON *item;
    cJSON_ArrayForEach(item, windows)
    {
        size_t of = run;
        if (!cJSON_IsObject(item))
            return p11prof_document_complain(&document->reader, &path, NULL, "is no object");
        if (!read_run(document, item, &path, run, &of))
            return false;
        struct p11prof_sample *sample = p11prof_sample_of_run(row, of);
        if (!read_window(document, item, &path, p11prof_sample_add_window(sample)))
            return false;
        path.index++;
    }
    return true;
}

static bool read_step(struct p11prof_document_reader *reader, const cJSON *object,
                      const struct p11prof_document_path *path, struct p11prof_sample_key *key)
{
    key->suite = p11prof_document_text(reader, object, path, "suite");
    return key->suite && p11prof_document_optional(reader, object, path, "step", &key->step);
}

static bool read_schedule(struct p11prof_document_reader *reader, const cJSON *object,
                          const struct p11prof_document_path *path, struct p11prof_sample_key *key)
{
    double rate;
    char *arrivals = p11prof_document_text(reader, object, path, "arrivals");
    bool good =
        arrivals && p11prof_document_real(reader, object, path, "rate", &rate) &&
        p11prof_document_optional(reader, object, path, "think_time_ns", &key->think_time_ns);
    if (good) {
        key->rate = p11prof_sample_rate(rate);
        key->poisson = strcmp(arrivals, "poisson") == 0;
    }
    free(arrivals);
    return good;
}

/* What only the row of a test has. */
static bool read_load(struct p11prof_document_reader *reader, const cJSON *object,
                      const struct p11prof_document_path *path, struct p11prof_sample_key *key)
{
    double weight;
    if (!p11prof_document_optional(reader, object, path, "data_bytes", &key->data_bytes) ||
        !p11prof_document_optional(reader, object, path, "threads", &key->threads) ||
        !p11prof_document_optional(reader, object, path, "processes", &key->processes) ||
        !p11prof_document_part(reader, object, path, "weight", &weight) ||
        !read_schedule(reader, object, path, key))
        return false;
    key->weight = p11prof_sample_weight(weight);
    return p11prof_document_is_null(object, "suite") || read_step(reader, object, path, key);
}

/* The texts and numbers that tell rows apart. False if something is wrong; the key is to be cleared
 * anyway. */
static bool read_key(struct document *document, const cJSON *object,
                     const struct p11prof_document_path *path, struct p11prof_sample_key *key)
{
    static const char *const names[] = {[P11PROF_SAMPLE_TEST] = "test",
                                        [P11PROF_SAMPLE_OPERATION] = "operation",
                                        [P11PROF_SAMPLE_FUNCTION] = "function"};
    struct p11prof_document_reader *reader = &document->reader;
    bool test = key->kind == P11PROF_SAMPLE_TEST, function = key->kind == P11PROF_SAMPLE_FUNCTION;
    key->key_bits = key->data_bytes = key->threads = key->processes = -1;
    key->what = p11prof_document_text(reader, object, path, names[key->kind]);
    key->mechanism = p11prof_document_text(reader, object, path, "mechanism");
    key->key_type = p11prof_document_text(reader, object, path, "key_type");
    if (!key->what || !key->mechanism || !key->key_type)
        return false;
    if (!*key->what)
        return p11prof_document_complain(reader, path, names[key->kind], "is missing");
    if (function)
        key->mechanism[0] = key->key_type[0] = '\0';
    return function ||
           (p11prof_document_optional(reader, object, path, "key_bits", &key->key_bits) &&
            (!test || read_load(reader, object, path, key)));
}

static bool read_values(struct document *document, const cJSON *object,
                        const struct p11prof_document_path *path,
                        const struct p11prof_sample_place *place, struct p11prof_sample_key *key,
                        const char *name)
{
    struct p11prof_document_reader *reader = &document->reader;
    bool function = key->kind == P11PROF_SAMPLE_FUNCTION;
    uint64_t count, error_count;
    const cJSON *windows;
    if (!p11prof_document_number(reader, object, path, "count", &count) ||
        !p11prof_document_number(reader, object, path, "error_count", &error_count) ||
        !p11prof_document_array(reader, object, path, "windows", !function, &windows))
        return false;
    if (error_count > count)
        return p11prof_document_complain(reader, path, "error_count", "is larger than count");
    struct p11prof_sample_row *row = p11prof_samples_place(document->out, place, key, name);
    if (!row)
        return true;
    struct p11prof_sample *sample = p11prof_sample_of_run(row, place->run);
    sample->count += count;
    sample->error_count += error_count;
    return read_windows(document, windows, path, row, place->run);
}

/* A row of results (functions). */
static bool read_row(struct document *document, const cJSON *object,
                     const struct p11prof_document_path *path, bool function)
{
    struct p11prof_sample_place place = {.only = document->only};
    struct p11prof_sample_key key = {.kind = P11PROF_SAMPLE_OPERATION};
    if (!cJSON_IsObject(object))
        return p11prof_document_complain(&document->reader, path, NULL, "is no object");
    if (!read_run(document, object, path, document->first_run, &place.run))
        return false;
    bool *of_tests = &document->of_tests[place.run - document->first_run];
    if (function && *of_tests)
        return true;
    if (function) {
        key.kind = P11PROF_SAMPLE_FUNCTION;
    } else if (!p11prof_document_is_null(object, "test")) {
        key.kind = P11PROF_SAMPLE_TEST;
        *of_tests = true;
    }
    char *name = p11prof_document_text(&document->reader, object, path, "name");
    char *kind = p11prof_document_text(&document->reader, object, path, "kind");
    bool skipped = function && kind && *kind && strcmp(kind, "call") != 0;
    bool good = name && kind &&
                (skipped || (read_key(document, object, path, &key) &&
                             read_values(document, object, path, &place, &key, name)));
    p11prof_sample_key_clear(&key);
    free(name);
    free(kind);
    return good;
}

static bool read_rows(struct document *document, const cJSON *root, const char *name, bool function)
{
    struct p11prof_document_path path = {.name = name};
    const cJSON *rows, *item;
    if (!p11prof_document_array(&document->reader, root, NULL, name, true, &rows))
        return false;
    cJSON_ArrayForEach(item, rows)
    {
        if (path.index == ROWS_MOST)
            return complain_of_number(document, name, ROWS_MOST);
        if (!read_row(document, item, &path, function))
            return false;
        path.index++;
    }
    return true;
}

static bool read_run_row(struct document *document, const cJSON *object,
                         const struct p11prof_document_path *path)
{
    struct p11prof_table run = {.columns = NULL};
    size_t place;
    int64_t run_id = -1;
    p11prof_table_add_columns(&run, P11PROF_SAMPLE_RUN_COLUMNS);
    bool good = p11prof_document_cells(&document->reader, object, path, &run) &&
                p11prof_document_optional(&document->reader, object, path, "run_id", &run_id) &&
                p11prof_samples_add_of_run(document->out, &run, 0, &place,
                                           document->reader.error) == P11PROF_OK;
    document->run_ids[document->run_count] = run_id;
    document->run_count += good;
    p11prof_table_clear(&run);
    return good;
}

static bool read_runs(struct document *document, const cJSON *root)
{
    struct p11prof_document_path path = {.name = "runs"};
    const cJSON *runs, *item;
    if (!p11prof_document_array(&document->reader, root, NULL, "runs", true, &runs))
        return false;
    size_t count = (size_t)cJSON_GetArraySize(runs);
    if (count > RUNS_MOST)
        return complain_of_number(document, "runs", RUNS_MOST);
    document->run_ids = p11prof_zalloc(count, sizeof *document->run_ids);
    document->of_tests = p11prof_zalloc(count, sizeof *document->of_tests);
    cJSON_ArrayForEach(item, runs)
    {
        if (!read_run_row(document, item, &path))
            return false;
        path.index++;
    }
    return count > 0 || p11prof_document_complain(&document->reader, NULL, "runs", "is empty");
}

enum p11prof_status p11prof_samples_add_document(struct p11prof_samples *out, const char *text,
                                                 size_t bytes, const char *name, const char *only,
                                                 struct p11prof_error *error)
{
    struct document document = {.reader = {.name = name, .error = error},
                                .out = out,
                                .only = only,
                                .first_run = out->runs.row_count};
    cJSON *root = p11prof_document_parse(&document.reader, text, bytes);
    bool good = root && read_runs(&document, root) &&
                read_rows(&document, root, "results", false) &&
                read_rows(&document, root, "functions", true);
    cJSON_Delete(root);
    free(document.run_ids);
    free(document.of_tests);
    return good ? p11prof_samples_check_only(out, document.first_run, only, name, error)
                : error->status;
}

enum p11prof_status p11prof_samples_add_file(struct p11prof_samples *out, const char *path,
                                             const char *only, struct p11prof_error *error)
{
    char *text;
    size_t bytes;
    enum p11prof_status status = p11prof_document_file(path, &text, &bytes, error);
    if (status == P11PROF_OK)
        status = p11prof_samples_add_document(out, text, bytes, path, only, error);
    free(text);
    return status;
}
