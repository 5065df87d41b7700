/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "../report/nearest.h"
#include "../report/units.h"
#include "checks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct setting {
    const char *name, *variable;
    void (*show)(char *out, size_t out_bytes, const struct p11prof_config *config);
};

#define SHOW(name, ...)                                                                            \
    static void show_##name(char *out, size_t out_bytes, const struct p11prof_config *config)      \
    {                                                                                              \
        snprintf(out, out_bytes, __VA_ARGS__);                                                     \
    }

static const char *const record_modes[] = {"calls", "summary", "off"};
static const char *const drain_modes[] = {"auto", "thread", "exit", "external"};
static const char *const clock_choices[] = {"auto", "tsc", "monotonic"};

SHOW(module, "%s", config->module)
SHOW(db, "%s", config->db)
SHOW(name, "%s", config->name)
SHOW(record, "%s", record_modes[config->record])
SHOW(drain, "%s", drain_modes[config->drain])
SHOW(spool, "%s", config->spool)
SHOW(clock, "%s", clock_choices[config->clock])
SHOW(debug, "%s", config->debug ? "on" : "off")
SHOW(run, "%s", config->run)

static void show_limit(char *out, size_t out_bytes, const struct p11prof_config *config)
{
    char size[P11PROF_UNIT_TEXT_BYTES];
    p11prof_format_bytes(size, config->spool_limit_bytes);
    snprintf(out, out_bytes, "%s", size);
}

static const struct setting settings[] = {
    {"module", "P11PROF_MODULE", show_module},
    {"db", "P11PROF_DB", show_db},
    {"name", "P11PROF_NAME", show_name},
    {"record", "P11PROF_RECORD", show_record},
    {"drain", "P11PROF_DRAIN", show_drain},
    {"spool", "P11PROF_SPOOL", show_spool},
    {"spool_limit", "P11PROF_SPOOL_LIMIT", show_limit},
    {"clock", "P11PROF_CLOCK", show_clock},
    {"debug", "P11PROF_DEBUG", show_debug},
    {"run", "P11PROF_RUN", show_run},
};

/* The settings of a shim that nobody configured. */
static void load_defaults(struct p11prof_config *defaults)
{
    memset(defaults, 0, sizeof *defaults);
    defaults->spool_limit_bytes = P11PROF_SPOOL_DEFAULT_BYTES;
    p11prof_config_default_db(defaults->db, sizeof defaults->db);
}

static const char *source_of(const struct setting *setting, const char *value,
                             const char *default_value)
{
    const char *variable = secure_getenv(setting->variable);
    if (variable && *variable)
        return setting->variable;
    return strcmp(value, default_value) == 0 ? "default" : "configuration file";
}

/* "foo.conf:3: modul is no setting of p11prof": the one that is meant; NULL: nothing near. */
static const char *meant_by(const char *warning)
{
    static const char is_none[] = " is no setting of p11prof";
    const char *names[sizeof settings / sizeof settings[0]];
    char word[64];
    const char *end = strstr(warning, is_none), *begin = end;
    if (!end)
        return NULL;
    while (begin > warning && begin[-1] != ' ')
        begin--;
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
        names[i] = settings[i].name;
    snprintf(word, sizeof word, "%.*s", (int)(end - begin), begin);
    return p11prof_nearest(word, names, sizeof names / sizeof names[0] - 1); /* run is none */
}

static void check_refused(struct p11prof_checks *checks, const char *warning)
{
    const char *meant = meant_by(warning);
    p11prof_check_add(checks, P11PROF_VERDICT_NOTE, "refused", NULL,
                      "correct it; until then the default holds", "%s%s%s%s", warning,
                      meant ? ": did you mean '" : "", meant ? meant : "", meant ? "'?" : "");
}

void p11prof_check_settings(struct p11prof_checks *checks)
{
    static struct p11prof_config defaults;
    char value[P11PROF_PATH_BYTES], default_value[P11PROF_PATH_BYTES];
    const struct p11prof_config *config = &checks->config;
    checks->section = "settings";
    load_defaults(&defaults);
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        settings[i].show(value, sizeof value, config);
        settings[i].show(default_value, sizeof default_value, &defaults);
        const char *source = source_of(&settings[i], value, default_value);
        if (i == 0 && config->module_source[0])
            source = config->module_source;
        p11prof_check_add(checks, P11PROF_VERDICT_OK, settings[i].name, source, NULL, "%s",
                          value[0] ? value : "not set");
    }
    if (config->warning[0])
        check_refused(checks, config->warning);
    if (config->record == P11PROF_RECORDING_OFF)
        p11prof_check_add(checks, P11PROF_VERDICT_PROBLEM, "recording", NULL,
                          "set record to calls or summary", "off: calls pass through unrecorded");
}
