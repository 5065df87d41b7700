/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "settings.h"

#include "../message.h"

static const struct bench_list one = {.values = {1}, .count = 1};

static void defaults_fill(struct bench_settings *settings)
{
    if (settings->measured.count == 0 && settings->measured.ns == 0)
        settings->measured.ns = settings->quick ? UINT64_C(500000000) : UINT64_C(6000000000);
    if (settings->slices == 0 && settings->rate > 0) /* a queue begins anew with each */
        settings->slices = 10;
    else if (settings->slices == 0 && settings->vs.wanted)
        settings->slices = settings->quick ? 20 : 60;
    else if (settings->slices == 0)
        settings->slices = settings->quick ? 5 : 30;
    if (!settings->vs.has_threshold)
        settings->vs.threshold = 0.05;
    if (settings->threads.count == 0)
        settings->threads = one;
    if (settings->processes.count == 0)
        settings->processes = one;
    if (settings->repeat == 0)
        settings->repeat = 1;
}

/* What goes with --vs or --suite only, and what does not go with them or with --mix. */
static bool check(const struct bench_settings *settings)
{
    const struct bench_vs *vs = &settings->vs;
    const struct p11prof_bench_target_options *target = &vs->target;
    bool said = target->token_label || target->uri || target->key_uri || target->has_slot ||
                target->has_slot_index || target->pin_source || vs->key_label || vs->has_threshold;
    bool suite = settings->suite_path != NULL;
    bool load = suite || settings->tests || settings->mix.count > 0 || vs->wanted ||
                settings->stress.wanted || settings->target.module || settings->target.uri ||
                settings->target.token_label;
    const struct {
        bool wrong;
        const char *text;
    } rules[] = {
        {settings->key_label && settings->target.key_uri,
         "--key and --key-uri both name your key: give one"},
        {vs->key_label && target->key_uri, "--vs-key and --vs-key-uri both name it: give one"},
        {settings->suite_from && load,
         "--suite-from runs nothing: it goes with --db, --output and --quiet"},
        {settings->stress.wanted && (suite || settings->mix.count > 0),
         "--stress is one test: without --suite and --mix"},
        {suite && (settings->tests || settings->mix.count > 0 || vs->wanted),
         "--suite names its tests itself: without --test, --mix and --vs"},
        {suite &&
             (settings->key_label || settings->target.key_uri || settings->data_sizes.count > 0),
         "--suite names keys and sizes itself: without --key, --key-uri and --data-sizes"},
        {suite && (settings->threads.count > 1 || settings->processes.count > 1),
         "--suite takes one number of threads and processes: a run for each"},
        {settings->has_arrivals && settings->rate == 0 && !suite &&
             !(settings->ramp.wanted && settings->ramp.of == P11PROF_RAMP_RATE),
         "--arrivals is how the operations of a --rate come"},
        {settings->create_keys && !suite, "--create-keys is about the keys of a --suite"},
        {settings->mix.count > 0 && settings->tests,
         "--mix names its tests itself: without --test"},
        {settings->mix.count > 0 && vs->wanted, "--vs compares test by test: without --mix"},
        {settings->mix.count > 0 && settings->data_sizes.count > 1,
         "--mix takes one size of data: a run for each"},
        {said && !vs->wanted, "--vs-... and --threshold are about the other side: name its module "
                              "with --vs, or --vs same"},
        {vs->wanted && settings->list_tests, "--list-tests lists those of one token: without --vs"},
        {vs->wanted && settings->repeat > 1, "--repeat does not go with --vs: use more --slices"},
        {vs->wanted && settings->rate > 0,
         "--vs compares how fast each side goes: without --rate; compare two runs of one --rate "
         "with 'p11prof compare'"},
        {vs->wanted && settings->metrics, "--vs has no prometheus format"},
        {!vs->wanted && settings->junit, "--format junit is of verdicts: it needs --vs"},
    };
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if (rules[i].wrong)
            return p11prof_complain(false, "%s", rules[i].text);
    return true;
}

/* The first option that says how a load is: a script says that itself. */
static const char *shape_of(const struct bench_settings *settings)
{
    const struct {
        bool given;
        const char *option;
    } shapes[] = {
        {settings->tests != NULL, "--test"},
        {settings->mix.count > 0, "--mix"},
        {settings->stress.wanted, "--stress"},
        {settings->ramp.slo != NULL, "--slo"},
        {settings->ramp.wanted, "--ramp"},
        {settings->rate > 0, "--rate"},
        {settings->vs.wanted, "--vs"},
        {settings->threads.count > 0, "--threads"},
        {settings->processes.count > 0, "--processes"},
        {settings->data_sizes.count > 0, "--data-sizes"},
        {settings->measured.count > 0, "--iterations"},
        {settings->measured.ns > 0, "--duration"},
        {settings->has_warmup, "--warmup"},
        {settings->cooldown.count > 0 || settings->cooldown.ns > 0, "--cooldown"},
        {settings->slices > 0, "--slices"},
        {settings->repeat > 0, "--repeat"},
        {settings->quick, "--quick"},
        {settings->token_keys, "--token-keys"},
        {settings->create_keys, "--create-keys"},
        {settings->list_tests, "--list-tests"},
        {settings->key_label || settings->target.key_uri, "--key"},
    };
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        if (shapes[i].given)
            return shapes[i].option;
    return NULL;
}

bool settings_complete(struct bench_settings *settings)
{
    settings->shape = shape_of(settings);
    if (settings->like && settings->suite_path)
        return p11prof_complain(false, "--like is a suite itself: without --suite");
    if (settings->suite_from && (settings->like || settings->shape))
        return p11prof_complain(false, "--suite-from runs nothing: without %s",
                                settings->like ? "--like" : settings->shape);
    if (settings->like && settings->shape)
        return p11prof_complain(false, "--like plays what was recorded: without %s",
                                settings->shape);
    if (!stress_settings_complete(settings) || !ramp_settings_complete(settings))
        return false;
    defaults_fill(settings);
    return check(settings);
}
