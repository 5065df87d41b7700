/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "settings.h"

#include "../message.h"
#include "../report/allocate.h"

#define SECOND_NS UINT64_C(1000000000)
static const uint64_t usual_duration_ns = 60 * SECOND_NS, interval_most_ns = 300 * SECOND_NS,
                      warmup_most_ns = 10 * SECOND_NS, slice_least_ns = SECOND_NS / 20,
                      slice_most_ns = 60 * SECOND_NS;
/* Tenths of 60 slices tell a slowdown of a percent from what slices differ by. */
enum { INTERVALS = 12, WARMUP_PART = 60, SLICES = 600 };

static uint64_t clamp(uint64_t value, uint64_t least, uint64_t most)
{
    return value < least ? least : value > most ? most : value;
}

/* One load, and a time that only ends: what would make several of it, or cut it otherwise. */
static bool check(const struct bench_settings *settings)
{
    const struct {
        bool wrong;
        const char *text;
    } rules[] = {
        {settings->vs.wanted, "--stress watches one side: without --vs"},
        {settings->list_tests, "--stress runs one test: without --list-tests"},
        {settings->repeat > 1, "--stress is one run: without --repeat"},
        {settings->measured.count > 0, "--stress lasts for a --duration: without --iterations"},
        {settings->slices > 0, "--stress cuts its time itself: without --slices"},
        {settings->quick, "--stress takes its time: without --quick"},
        {settings->threads.count > 1, "--stress is one load: one number of --threads"},
        {settings->processes.count > 1, "--stress is one load: one number of --processes"},
        {settings->data_sizes.count > 1, "--stress is one load: one of --data-sizes"},
    };
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if (rules[i].wrong)
            return p11prof_complain(false, "%s", rules[i].text);
    return true;
}

static bool has_key(const struct bench_settings *settings)
{
    return settings->key_label || settings->target.key_uri;
}

static void defaults_fill(struct bench_settings *settings)
{
    struct bench_stress *stress = &settings->stress;
    uint64_t *duration_ns = &settings->measured.ns;
    if (*duration_ns == 0)
        *duration_ns = usual_duration_ns;
    if (stress->interval_ns == 0)
        stress->interval_ns = clamp(*duration_ns / INTERVALS, SECOND_NS, interval_most_ns);
    if (!settings->has_warmup)
        settings->warmup.ns = clamp(*duration_ns / WARMUP_PART, 1, warmup_most_ns);
    settings->has_warmup = true;
    settings->slices = *duration_ns / clamp(*duration_ns / SLICES, slice_least_ns, slice_most_ns);
    settings->slices = settings->slices ? settings->slices : 1;
    if (settings->record == BENCH_RECORD_AUTO)
        settings->record = BENCH_RECORD_SUMMARY;
    if (!settings->tests && !has_key(settings))
        settings->tests = p11prof_copy("rsa-2048-sign");
}

bool stress_settings_complete(struct bench_settings *settings)
{
    const struct bench_stress *stress = &settings->stress;
    if (!stress->wanted)
        return !(stress->interval_ns || stress->max_errors) ||
               p11prof_complain(false, "--interval and --max-errors are of --stress");
    if (!check(settings))
        return false;
    uint64_t given_ns = stress->interval_ns;
    if (given_ns > 0 && given_ns < slice_least_ns)
        return p11prof_complain(false,
                                "--interval is shorter than a slice, which is 50 ms or more");
    defaults_fill(settings);
    if (given_ns > settings->measured.ns)
        return p11prof_complain(false, "--interval is longer than --duration: there would be no "
                                       "line before the end");
    settings->stress.interval_ns = clamp(stress->interval_ns, 1, settings->measured.ns);
    return true;
}
