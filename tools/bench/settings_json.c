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

char *settings_json(const struct bench_settings *settings)
{
    static const char *const verify[] = {"sample", "all", "none"};
    static const char *const record[] = {"auto", "calls", "summary", "off"};
    cJSON *object = cJSON_CreateObject();
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
                          settings->key_label != NULL || settings->target.key_uri != NULL);
    if (settings->stress.wanted) {
        cJSON *stress = cJSON_AddObjectToObject(object, "stress");
        cJSON_AddNumberToObject(stress, "interval_ns", (double)settings->stress.interval_ns);
        if (settings->stress.max_errors)
            cJSON_AddNumberToObject(stress, "max_errors", (double)settings->stress.max_errors);
    }
    if (settings->side)
        cJSON_AddStringToObject(object, "side", settings->side);
    if (settings->pair_uuid)
        cJSON_AddStringToObject(object, "pair_uuid", settings->pair_uuid);
    char *text = cJSON_PrintUnformatted(object);
    cJSON_Delete(object);
    return text;
}
