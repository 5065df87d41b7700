/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "settings.h"

#include "../message.h"
#include "../report/allocate.h"
#include "../report/ramp.h"
#include "../report/slo.h"

#include <stdlib.h>
#include <string.h>

static const uint64_t usual_ns = UINT64_C(3000000000), rate_ns = UINT64_C(5000000000),
                      quick_ns = UINT64_C(500000000), quick_rate_ns = UINT64_C(2000000000);
enum { SLICES = 10 }; /* as many as an interval needs */

/* What a step would be several loads with, or another one than the step says. */
static bool check(const struct bench_settings *settings)
{
    const struct bench_ramp *ramp = &settings->ramp;
    bool rate = ramp->of == P11PROF_RAMP_RATE;
    const struct {
        bool wrong;
        const char *text;
    } rules[] = {
        {settings->vs.wanted, "--ramp and --slo are of one side: without --vs"},
        {settings->stress.wanted, "--ramp and --slo have steps of their own: without --stress"},
        {settings->suite_path != NULL, "--ramp and --slo are of one test: without --suite"},
        {settings->list_tests, "--ramp and --slo run one test: without --list-tests"},
        {settings->repeat > 1, "--ramp and --slo are one run: without --repeat"},
        {settings->measured.count > 0 && rate,
         "a step of rates lasts for a --duration: without --iterations"},
        {settings->threads.count > 1 ||
             (settings->threads.count > 0 && ramp->of == P11PROF_RAMP_THREADS),
         "--ramp says how many threads: without --threads, or with one number for other ramps"},
        {settings->processes.count > 1 ||
             (settings->processes.count > 0 && ramp->of == P11PROF_RAMP_PROCESSES),
         "--ramp says how many processes: without --processes, or with one number for other ramps"},
        {settings->rate > 0 && rate, "--ramp and --slo say the rates: without --rate"},
        {settings->data_sizes.count > 1, "--ramp and --slo are one load: one of --data-sizes"},
    };
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if (rules[i].wrong)
            return p11prof_complain(false, "%s", rules[i].text);
    return true;
}

/* The part of operations that may take longer than a percentile. */
static double tail_of(const char *column)
{
    static const struct {
        const char *column;
        double tail;
    } tails[] = {
        {"p50_ns", 0.5}, {"p90_ns", 0.1}, {"p95_ns", 0.05}, {"p99_ns", 0.01}, {"p999_ns", 0.001}};
    for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++)
        if (strcmp(tails[i].column, column) == 0)
            return tails[i].tail;
    return 0;
}

static bool slo_take(struct bench_ramp *ramp)
{
    struct p11prof_objective objective;
    struct p11prof_error error;
    if (p11prof_ramp_objective_read(&objective, ramp->slo, &error) != P11PROF_OK)
        return p11prof_complain(false, "--slo: %s", error.text);
    ramp->limit_ns = objective.limit;
    ramp->tail = tail_of(p11prof_objective_time_column(&objective));
    if (!ramp->wanted)
        ramp->of = P11PROF_RAMP_RATE;
    ramp->wanted = true;
    return true;
}

static void defaults_fill(struct bench_settings *settings)
{
    bool rate = settings->ramp.of == P11PROF_RAMP_RATE;
    bool own_key = settings->key_label || settings->target.key_uri;
    if (settings->measured.count == 0 && settings->measured.ns == 0 && settings->quick)
        settings->measured.ns = rate ? quick_rate_ns : quick_ns;
    else if (settings->measured.count == 0 && settings->measured.ns == 0)
        settings->measured.ns = rate ? rate_ns : usual_ns;
    if (settings->slices == 0)
        settings->slices = SLICES;
    if (settings->record == BENCH_RECORD_AUTO)
        settings->record = BENCH_RECORD_SUMMARY;
    if (!settings->tests && !own_key && settings->mix.count == 0)
        settings->tests = p11prof_copy("rsa-2048-sign");
}

bool ramp_settings_complete(struct bench_settings *settings)
{
    struct bench_ramp *ramp = &settings->ramp;
    if (ramp->slo && !slo_take(ramp))
        return false;
    if (!ramp->wanted)
        return true;
    if (!check(settings))
        return false;
    defaults_fill(settings);
    return true;
}
