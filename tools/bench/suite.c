/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "suite.h"

#include "report/allocate.h"
#include "report/nearest.h"
#include "settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A suite while it is read. */
struct reading {
    struct bench_suite *suite;
    struct p11prof_error *error;
    char test[BENCH_SUITE_NAME_BYTES]; /* name of the one in hand */
    struct suite_place test_place;
    unsigned number; /* of its operations so far; 0: its own values are read */
    bool size_said, data_size_said;
};

/* --- errors --- */

static enum p11prof_status refuse_at(struct p11prof_error *error, const char *path,
                                     struct suite_place place, const char *format, va_list values)
{
    char text[320];
    vsnprintf(text, sizeof text, format, values);
    return p11prof_error_set(error, P11PROF_BAD_INPUT, "%.150s:%u:%u: %s", path, place.line,
                             place.column, text);
}

enum p11prof_status bench_step_refuse(const struct bench_suite *suite,
                                      const struct bench_step *step, struct p11prof_error *error,
                                      const char *format, ...)
{
    va_list values;
    va_start(values, format);
    enum p11prof_status status = refuse_at(error, suite->path, step->place, format, values);
    va_end(values);
    return status;
}

__attribute__((format(printf, 3, 4))) static bool refuse(const struct reading *reading,
                                                         struct suite_place place,
                                                         const char *format, ...)
{
    va_list values;
    va_start(values, format);
    refuse_at(reading->error, reading->suite->path, place, format, values);
    va_end(values);
    return false;
}

/* --- values --- */

static bool wants(const struct reading *reading, const struct suite_member *member,
                  const char *what)
{
    return refuse(reading, member->place, "%.60s wants %s", member->key, what);
}

/* A text that fits, and is not empty. */
static bool take_text(const struct reading *reading, const struct suite_member *member, char *out,
                      size_t bytes)
{
    if (member->type != SUITE_TEXT || !*member->text)
        return wants(reading, member, "a text");
    if (strlen(member->text) >= bytes)
        return refuse(reading, member->place, "%.60s is longer than %zu bytes", member->key,
                      bytes - 1);
    strcpy(out, member->text);
    return true;
}

static bool take_number(const struct reading *reading, const struct suite_member *member,
                        uint64_t most, uint64_t *out)
{
    if (member->type != SUITE_NUMBER || member->number < 1 || (uint64_t)member->number > most)
        return refuse(reading, member->place, "%.60s wants a number from 1 to %llu", member->key,
                      (unsigned long long)most);
    *out = (uint64_t)member->number;
    return true;
}

static bool take_size(struct reading *reading, const struct suite_member *member,
                      struct bench_step *step)
{
    static const uint64_t most = UINT64_C(1) << 30;
    if (member->type == SUITE_NUMBER)
        return take_number(reading, member, most, &step->data_bytes);
    return (member->type == SUITE_TEXT && amounts_size(member->text, &step->data_bytes) &&
            step->data_bytes <= most) ||
           wants(reading, member, "a size of at most 1 GB (32B, 10KB, 1MB)");
}

static bool take_threads(const struct reading *reading, const struct suite_member *member,
                         struct bench_step *step)
{
    uint64_t threads = 0;
    if (!take_number(reading, member, BENCH_THREADS_MOST, &threads))
        return false;
    step->threads = (unsigned)threads;
    return true;
}

static bool take_duration(const struct reading *reading, const struct suite_member *member,
                          struct bench_step *step)
{
    return (member->type == SUITE_TEXT && amounts_time(member->text, &step->measured.ns)) ||
           wants(reading, member, "a time (500ms, 10s, 2m)");
}

static bool take_rate(const struct reading *reading, const struct suite_member *member,
                      struct bench_step *step)
{
    char number[24];
    snprintf(number, sizeof number, "%lld", (long long)member->number);
    const char *text = member->type == SUITE_NUMBER ? number : member->text;
    return (member->type != SUITE_OTHER && amounts_rate(text, &step->rate)) ||
           wants(reading, member,
                 "operations in a time, at most a million a second (\"500/s\", \"30/m\")");
}

static bool take_think_time(const struct reading *reading, const struct suite_member *member,
                            struct bench_step *step)
{
    return (member->type == SUITE_TEXT && amounts_time(member->text, &step->think_time_ns)) ||
           wants(reading, member, "a time (5ms, 1s)");
}

static const char *const members[] = {"algorithm", "data_size",  "duration", "iterations",
                                      "key",       "mechanism",  "rate",     "size",
                                      "threads",   "think_time", "type"};

static bool take_member(struct reading *reading, const struct suite_member *member,
                        struct bench_step *step)
{
    const char *key = member->key;
    if (strcmp(key, "type") == 0)
        return take_text(reading, member, step->type, sizeof step->type);
    if (strcmp(key, "algorithm") == 0)
        return take_text(reading, member, step->algorithm, sizeof step->algorithm);
    if (strcmp(key, "mechanism") == 0)
        return take_text(reading, member, step->mechanism, sizeof step->mechanism);
    if (strcmp(key, "key") == 0)
        return take_text(reading, member, step->key, sizeof step->key);
    if (strcmp(key, "iterations") == 0)
        return take_number(reading, member, UINT64_C(1) << 48, &step->measured.count);
    if (strcmp(key, "threads") == 0)
        return take_threads(reading, member, step);
    if (strcmp(key, "duration") == 0)
        return take_duration(reading, member, step);
    if (strcmp(key, "rate") == 0)
        return take_rate(reading, member, step);
    if (strcmp(key, "think_time") == 0)
        return take_think_time(reading, member, step);
    bool size = strcmp(key, "size") == 0, data_size = strcmp(key, "data_size") == 0;
    reading->size_said = reading->size_said || size;
    reading->data_size_said = reading->data_size_said || data_size;
    if (size || data_size)
        return take_size(reading, member, step);
    const char *nearest = p11prof_nearest(key, members, sizeof members / sizeof members[0]);
    return refuse(reading, member->key_place, "an operation has no '%.60s'%s%s%s", key,
                  nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
}

/* --- tests and operations --- */

/* What only all values of an operation show. */
static bool step_end(struct reading *reading)
{
    const struct p11prof_bench_own_key none = {.wanted = false};
    struct p11prof_bench_selection tests;
    const struct bench_suite *suite = reading->suite;
    if (reading->number == 0)
        return true;
    struct bench_step *step = &suite->steps[suite->step_count - 1];
    bool random = strcmp(step->type, "gen_random") == 0;
    if (!*step->type)
        return refuse(reading, step->place, "this operation has no type");
    if (reading->size_said && !random)
        return refuse(reading, step->place, "size is of gen_random; others have data_size");
    if (reading->size_said && reading->data_size_said)
        return refuse(reading, step->place, "size and data_size are the same: give one");
    if (step->rate > 0 && step->think_time_ns > 0)
        return refuse(reading, step->place,
                      "rate says when operations begin, think_time what lies between: give one");
    if (*step->key) /* it decides */
        return true;
    if (bench_step_select(&tests, suite, step, &none, reading->error) != P11PROF_OK)
        return false;
    free(tests.tests);
    return true;
}

static bool on_test(void *payload, struct suite_place place)
{
    struct reading *reading = payload;
    if (!step_end(reading))
        return false;
    reading->test[0] = '\0';
    reading->test_place = place;
    reading->number = 0;
    return true;
}

static bool on_operation(void *payload, struct suite_place place)
{
    struct reading *reading = payload;
    struct bench_suite *suite = reading->suite;
    if (!step_end(reading))
        return false;
    if (!reading->test[0])
        return refuse(reading, reading->test_place, "this test has no name");
    if (suite->step_count == BENCH_STEPS_MOST)
        return refuse(reading, place, "more than %d operations", BENCH_STEPS_MOST);
    suite->steps = p11prof_grow(suite->steps, &suite->step_capacity, suite->step_count + 1,
                                sizeof *suite->steps);
    struct bench_step *step = &suite->steps[suite->step_count++];
    *step = (struct bench_step){.number = ++reading->number, .place = place};
    strcpy(step->suite, reading->test);
    reading->size_said = reading->data_size_said = false;
    return true;
}

static bool name_is_new(const struct reading *reading, const struct suite_member *member)
{
    for (size_t i = 0; i < reading->suite->step_count; i++)
        if (strcmp(reading->suite->steps[i].suite, reading->test) == 0)
            return refuse(reading, member->place, "there is a test of that name already");
    return true;
}

static bool on_member(void *payload, const struct suite_member *member)
{
    struct reading *reading = payload;
    struct bench_suite *suite = reading->suite;
    if (reading->number > 0)
        return take_member(reading, member, &suite->steps[suite->step_count - 1]);
    if (strcmp(member->key, "name") != 0)
        return refuse(reading, member->key_place, "a test has name and operations, not '%.60s'",
                      member->key);
    return take_text(reading, member, reading->test, sizeof reading->test) &&
           name_is_new(reading, member);
}

/* --- all of it --- */

enum p11prof_status bench_suite_parse(struct bench_suite *out, const char *text, size_t bytes,
                                      const char *path, struct p11prof_error *error)
{
    static const struct suite_reader reader = {on_test, on_operation, on_member};
    struct reading reading = {.suite = out, .error = error};
    *out = (struct bench_suite){.path = path};
    enum p11prof_status status = suite_toml_read(text, bytes, path, &reader, &reading, error);
    if (status == P11PROF_OK && !step_end(&reading))
        status = P11PROF_CHANGED;
    if (status != P11PROF_OK)
        bench_suite_clear(out);
    return status == P11PROF_CHANGED ? error->status : status;
}

void bench_suite_clear(struct bench_suite *suite)
{
    free(suite->steps);
    *suite = (struct bench_suite){.path = NULL};
}
