/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "settings.h"

#include <cjson/cJSON.h>

static void add_list(cJSON *object, const char *name, const struct bench_list *list)
{
    cJSON *array = cJSON_AddArrayToObject(object, name);
    for (unsigned i = 0; i < list->count; i++)
        cJSON_AddItemToArray(array, cJSON_CreateNumber((double)list->values[i]));
}

static void add_amount(cJSON *object, const char *name, const struct bench_amount *amount)
{
    cJSON *member = cJSON_AddObjectToObject(object, name);
    if (amount->count)
        cJSON_AddNumberToObject(member, "count", (double)amount->count);
    if (amount->ns)
        cJSON_AddNumberToObject(member, "duration_ns", (double)amount->ns);
}

/* As it was asked for: {"sign": 0.5, ...}. */
static void add_mix(cJSON *object, const struct bench_mix *mix)
{
    cJSON *member = cJSON_AddObjectToObject(object, "mix");
    for (unsigned i = 0; i < mix->count; i++)
        cJSON_AddNumberToObject(member, mix->words[i], mix->weights[i]);
}

static void add_ramp(cJSON *object, const struct bench_ramp *ramp)
{
    cJSON *member = cJSON_AddObjectToObject(object, "ramp");
    cJSON_AddStringToObject(member, "of", p11prof_ramp_word(ramp->of));
    cJSON *values = cJSON_AddArrayToObject(member, "values");
    for (unsigned i = 0; i < ramp->count; i++)
        cJSON_AddItemToArray(values, cJSON_CreateNumber(ramp->values[i]));
    if (ramp->slo)
        cJSON_AddStringToObject(object, "slo", ramp->slo);
}

static const char *const record[] = {"auto", "calls", "summary", "off"};

/* A script says all the rest itself. */
static void add_like(cJSON *object, const struct bench_settings *settings)
{
    cJSON_AddStringToObject(object, "like", settings->like);
    if (settings->suite_path)
        cJSON_AddStringToObject(object, "suite", settings->suite_path);
    add_list(object, "threads", &settings->threads);
    add_list(object, "processes", &settings->processes);
    cJSON_AddNumberToObject(object, "seed", (double)settings->seed);
    cJSON_AddStringToObject(object, "record", record[settings->record]);
}

static void add_rate(cJSON *object, const struct bench_settings *settings)
{
    if (settings->rate <= 0)
        return;
    cJSON_AddNumberToObject(object, "rate", settings->rate);
    cJSON_AddStringToObject(object, "arrivals", settings->poisson ? "poisson" : "constant");
}

static void add_stress(cJSON *object, const struct bench_stress *stress)
{
    if (!stress->wanted)
        return;
    cJSON *member = cJSON_AddObjectToObject(object, "stress");
    cJSON_AddNumberToObject(member, "interval_ns", (double)stress->interval_ns);
    if (stress->max_errors)
        cJSON_AddNumberToObject(member, "max_errors", (double)stress->max_errors);
}

static void add_tests(cJSON *object, const struct bench_settings *settings)
{
    static const char *const verify[] = {"sample", "all", "none"};
    if (settings->suite_path)
        cJSON_AddStringToObject(object, "suite", settings->suite_path);
    else if (settings->mix.count > 0)
        add_mix(object, &settings->mix);
    else
        cJSON_AddStringToObject(object, "tests", settings->tests ? settings->tests : "default");
    add_amount(object, "measured", &settings->measured);
    if (settings->has_warmup)
        add_amount(object, "warmup", &settings->warmup);
    add_amount(object, "cooldown", &settings->cooldown);
    add_rate(object, settings);
    add_list(object, "threads", &settings->threads);
    add_list(object, "processes", &settings->processes);
    if (settings->data_sizes.count)
        add_list(object, "data_sizes_bytes", &settings->data_sizes);
    cJSON_AddNumberToObject(object, "slices", (double)settings->slices);
    cJSON_AddNumberToObject(object, "seed", (double)settings->seed);
    cJSON_AddStringToObject(object, "verify", verify[settings->verify]);
    cJSON_AddStringToObject(object, "record", record[settings->record]);
    cJSON_AddBoolToObject(object, "token_keys", settings->token_keys);
    cJSON_AddBoolToObject(object, "own_key",
                          settings->key_label || settings->target.key_uri ||
                              settings->target.key_of);
    add_stress(object, &settings->stress);
    if (settings->ramp.wanted)
        add_ramp(object, &settings->ramp);
    if (settings->side)
        cJSON_AddStringToObject(object, "side", settings->side);
    if (settings->pair_uuid)
        cJSON_AddStringToObject(object, "pair_uuid", settings->pair_uuid);
}

char *settings_json(const struct bench_settings *settings)
{
    cJSON *object = cJSON_CreateObject();
    if (settings->like)
        add_like(object, settings);
    else
        add_tests(object, settings);
    char *text = cJSON_PrintUnformatted(object);
    cJSON_Delete(object);
    return text;
}
