/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* JSON of p11perftest: objects within objects by test, key and vector (newer versions: by number of
 * threads first), numbers written as strings, units beside them. An object with a latency is a
 * result. */
#include "import/import.h"
#include "import/p11perftest_names.h"
#include "p11prof/histogram.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

enum { DEPTH_MAX = 6, RESULTS_MAX = 10000 };
static const double MOST = 0x1p49;

struct reader {
    const struct p11prof_import *import;
    struct p11prof_import_result *result;
    struct p11prof_error *error;
    uint32_t load;
    char (*ids)[80]; /* test id of each load, for the number of its step */
};

/* --- values --- */

static double number_of(const cJSON *item)
{
    char *end;
    if (cJSON_IsNumber(item))
        return item->valuedouble;
    if (!cJSON_IsString(item) || !item->valuestring[0])
        return NAN;
    double value = strtod(item->valuestring, &end);
    return *end ? NAN : value;
}

/* A value with its unit in it; NAN: none, or one that we do not know. Without a unit, `unit` is. */
static double quantity(const cJSON *item, const char *unit)
{
    static const struct {
        const char *unit;
        double factor;
    } units[] = {{"ns", 1},    {"us", 1e3},  {"µs", 1e3}, {"ms", 1e6},    {"s", 1e9},    {"1/s", 1},
                 {"Tnx/s", 1}, {"TNX/s", 1}, {"TPS", 1},  {"Bytes/s", 1}, {"bytes/s", 1}};
    double value = number_of(cJSON_IsObject(item) ? cJSON_GetObjectItem(item, "value") : item);
    const cJSON *said = cJSON_IsObject(item) ? cJSON_GetObjectItem(item, "unit") : NULL;
    if (cJSON_IsString(said))
        unit = said->valuestring;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(units[i].unit, unit) == 0)
            return value * units[i].factor;
    return NAN;
}

/* More than MOST no test takes or does, 6 days in ns; sums of it fit 64 bits. */
static int64_t whole(double value)
{
    return isfinite(value) && value >= 0 && value <= MOST ? (int64_t)llround(value) : -1;
}

static const cJSON *at(const cJSON *object, const char *outer, const char *inner)
{
    return cJSON_GetObjectItem(cJSON_GetObjectItem(object, outer), inner);
}

static int64_t latency_ns(const cJSON *result, const char *name)
{
    return whole(quantity(at(result, "latency", name), "ms"));
}

static double rate(const cJSON *result, const char *name, const char *unit)
{
    double value = quantity(at(result, name, "global"), unit);
    return isfinite(value) && value >= 0 && value <= MOST ? value : -1;
}

static int64_t count_of(const cJSON *result, int64_t threads)
{
    static const char *const names[] = {"total iterations", "totalcount"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        int64_t count = whole(number_of(cJSON_GetObjectItem(result, names[i])));
        if (count > 0)
            return count;
    }
    int64_t each = whole(number_of(cJSON_GetObjectItem(result, "iterations")));
    return each > 0 && each < INT32_MAX ? each * threads : -1;
}

/* --- operations, and the durations of option -d --- */

static void group_add(struct p11prof_group *group, uint64_t duration_ns)
{
    unsigned octave = p11prof_octave(duration_ns);
    if (!group->octaves[octave])
        group->octaves[octave] = calloc(P11PROF_OCTAVE_BUCKETS, sizeof **group->octaves);
    if (!group->octaves[octave])
        return;
    group->octaves[octave][p11prof_octave_bucket(duration_ns, octave)]++;
    group->count++;
    group->sum_ns += duration_ns;
    group->sum_squares += (double)duration_ns * (double)duration_ns;
    group->min_ns = duration_ns < group->min_ns ? duration_ns : group->min_ns;
    group->max_ns = duration_ns > group->max_ns ? duration_ns : group->max_ns;
}

/* The operations of a load; without the single durations, only how many there were. */
static enum p11prof_status group_write(struct reader *reader, const cJSON *points,
                                       const struct p11prof_p11perftest_test *test, int64_t count)
{
    struct p11prof_group group = {.operation = true,
                                  .windowless = true,
                                  .code = (uint16_t)test->operation,
                                  .mechanism = test->mechanism,
                                  .key_type = test->key_type,
                                  .key_bits = test->key_bits,
                                  .part = p11prof_part(reader->load, P11PROF_PHASE_MEASURED),
                                  .min_ns = UINT64_MAX};
    const cJSON *point;
    cJSON_ArrayForEach(point, points)
    {
        int64_t duration_ns = whole(quantity(point, "ms"));
        if (duration_ns >= 0)
            group_add(&group, (uint64_t)duration_ns);
    }
    group.count = group.count ? group.count : (uint64_t)count;
    enum p11prof_status status = p11prof_store_group_add(
        reader->import->store, reader->result->run_id, &group, reader->error);
    for (size_t octave = 0; octave < P11PROF_OCTAVES; octave++)
        free(group.octaves[octave]);
    return status;
}

/* --- one result --- */

/* How many loads of this test there are with this one, the last. */
static unsigned step_of(struct reader *reader, const char *id)
{
    unsigned step = 1;
    for (uint32_t i = 1; i < reader->load; i++)
        step += strcmp(reader->ids[i], id) == 0;
    snprintf(reader->ids[reader->load], sizeof *reader->ids, "%s", id);
    return step;
}

static enum p11prof_status load_write(struct reader *reader, const cJSON *result,
                                      const struct p11prof_p11perftest_test *test, const char *name,
                                      int64_t threads, int64_t count)
{
    struct p11prof_store *store = reader->import->store;
    int64_t run_id = reader->result->run_id;
    reader->load++;
    const struct p11prof_load_row load = {.load = reader->load,
                                          .test = test->id,
                                          .name = name,
                                          .operation = test->operation,
                                          .mechanism = test->mechanism,
                                          .key_type = test->key_type,
                                          .key_bits = test->key_bits,
                                          .data_bytes = test->data_bytes,
                                          .threads = (unsigned)threads,
                                          .processes = 1,
                                          .step = step_of(reader, test->id),
                                          .unchecked = false};
    const struct p11prof_figure_row figure = {
        .load = load.load,
        .count = count,
        .error_count = 0,
        .duration_ns = whole(quantity(cJSON_GetObjectItem(result, "wallclock"), "ms")),
        .ops_per_s = rate(result, "tps", "1/s"),
        .bytes_per_s = rate(result, "throughput", "Bytes/s"),
        .mean_ns = latency_ns(result, "average"),
        .stddev_ns = latency_ns(result, "stddev"),
        .min_ns = latency_ns(result, "minimum"),
        .p95_ns = latency_ns(result, "p95"),
        .p99_ns = latency_ns(result, "p99"),
        .max_ns = latency_ns(result, "maximum")};
    enum p11prof_status status = p11prof_store_load_add(store, run_id, &load, reader->error);
    status = status ? status : p11prof_store_figure_add(store, run_id, &figure, reader->error);
    reader->result->test_count++;
    return status ? status
                  : group_write(reader, cJSON_GetObjectItem(result, "datapoints"), test, count);
}

/* A failing test stops at its first error and says nothing of what it did before. */
static const char *failure_of(const cJSON *result)
{
    const cJSON *code = cJSON_GetObjectItem(result, "errorcode");
    if (!cJSON_IsString(code) || strstr(code->valuestring, "CKR_OK") ||
        strcmp(code->valuestring, "0") == 0)
        return NULL;
    return code->valuestring;
}

static enum p11prof_status skip_write(struct reader *reader, const char *test, const char *reason)
{
    char text[128];
    snprintf(text, sizeof text, "it ended with %s", reason);
    reader->result->left_count++;
    return p11prof_store_skip_add(reader->import->store, reader->result->run_id, test, text,
                                  reader->error);
}

static const char *text_of(const cJSON *object, const char *name, const char *otherwise)
{
    const cJSON *item = cJSON_GetObjectItem(object, name);
    return cJSON_IsString(item) ? item->valuestring : otherwise;
}

/* names: of the objects around it, the outermost first. */
static enum p11prof_status result_read(struct reader *reader, const cJSON *result,
                                       const char *const *names, size_t depth)
{
    struct p11prof_p11perftest_test test;
    char name[256];
    const char *algorithm = text_of(result, "algorithm", depth >= 3 ? names[depth - 3] : "test");
    const char *label = text_of(result, "label", depth >= 2 ? names[depth - 2] : "");
    const cJSON *vector = cJSON_GetObjectItem(result, "vector_size");
    int64_t threads = whole(number_of(cJSON_GetObjectItem(result, "threads")));
    threads = threads > 0 && threads <= 65536 ? threads : 1;
    int64_t count = count_of(result, threads);
    p11prof_p11perftest_name(&test, algorithm, label,
                             whole(number_of(vector ? vector : at(result, "vector", "size"))));
    const char *failure = failure_of(result);
    if (reader->load == RESULTS_MAX)
        return p11prof_error_set(reader->error, P11PROF_BAD_INPUT, "%s: more than %d results",
                                 reader->import->lines->name, RESULTS_MAX);
    if (failure)
        return skip_write(reader, test.id, failure);
    if (count <= 0 || (latency_ns(result, "average") < 0 && rate(result, "tps", "1/s") < 0)) {
        reader->result->left_count++;
        return P11PROF_OK;
    }
    snprintf(name, sizeof name, "%s%s%s", algorithm, label[0] ? " using " : "", label);
    return load_write(reader, result, &test, name, threads, count);
}

static enum p11prof_status walk(struct reader *reader, const cJSON *object,
                                const char *names[DEPTH_MAX], size_t depth)
{
    enum p11prof_status status = P11PROF_OK;
    const cJSON *member;
    if (cJSON_GetObjectItem(object, "latency") || cJSON_GetObjectItem(object, "errorcode"))
        return result_read(reader, object, names, depth);
    if (depth == DEPTH_MAX)
        return P11PROF_OK;
    cJSON_ArrayForEach(member, object)
    {
        names[depth] = member->string ? member->string : "";
        if (!status && cJSON_IsObject(member))
            status = walk(reader, member, names, depth + 1);
    }
    return status;
}

/* --- the run --- */

static enum p11prof_status run_start(struct reader *reader)
{
    struct p11prof_store *store = reader->import->store;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    struct p11prof_run_start run = {.kind = "bench",
                                    .name = reader->import->run_name,
                                    .start.wall_ns =
                                        (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec};
    if (getrandom(run.uuid, sizeof run.uuid, 0) != sizeof run.uuid)
        return p11prof_error_set(reader->error, P11PROF_FAILED, "no random numbers");
    enum p11prof_status status =
        p11prof_store_run_start(store, &run, &reader->result->run_id, reader->error);
    return status ? status
                  : p11prof_store_run_elsewhere(store, reader->result->run_id, reader->error);
}

static enum p11prof_status document_read(struct reader *reader, const cJSON *document)
{
    const char *names[DEPTH_MAX];
    struct p11prof_import_result *result = reader->result;
    enum p11prof_status status = run_start(reader);
    status = status ? status : walk(reader, document, names, 0);
    if (!status && result->test_count == 0 && result->left_count == 0)
        return p11prof_error_set(reader->error, P11PROF_BAD_INPUT,
                                 "%s: there is no result of p11perftest in it",
                                 reader->import->lines->name);
    return status ? status
                  : p11prof_store_run_end(reader->import->store, result->run_id, "finished",
                                          P11PROF_NO_RUN_DURATION, reader->error);
}

enum p11prof_status p11prof_import_p11perftest(const struct p11prof_import *import,
                                               struct p11prof_import_result *result,
                                               struct p11prof_error *error)
{
    struct reader reader = {.import = import,
                            .result = result,
                            .error = error,
                            .ids = calloc(RESULTS_MAX + 1, sizeof *reader.ids)};
    size_t bytes;
    if (!reader.ids)
        return p11prof_error_set(error, P11PROF_FAILED, "no memory for an import");
    char *text = p11prof_lines_rest(import->lines, &bytes, error);
    if (!text) {
        free(reader.ids);
        return error->status;
    }
    cJSON *document = cJSON_ParseWithLength(text, bytes);
    enum p11prof_status status =
        cJSON_IsObject(document)
            ? document_read(&reader, document)
            : p11prof_error_set(error, P11PROF_BAD_INPUT, "%s: no whole JSON object",
                                import->lines->name);
    cJSON_Delete(document);
    free(reader.ids);
    free(text);
    return status;
}
