/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "config_values.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DB_FILE "p11prof/p11prof.db"

static const char *const too_long = "is too long";

static const char *take_module(struct p11prof_config *config, const struct p11prof_value *value)
{
    if (value->text[0] != '/')
        return "is not an absolute path";
    if (strlen(value->text) >= sizeof config->module)
        return too_long;
    strcpy(config->module, value->text);
    snprintf(config->module_source, sizeof config->module_source, "%s",
             value->path ? value->path : "P11PROF_MODULE");
    return NULL;
}

/* A path of ours. In the environment it may be relative: it is fixed now, before the application
 * changes its folder. */
static const char *take_path(char *path, const struct p11prof_value *value)
{
    char here[P11PROF_PATH_BYTES] = "";
    bool relative = value->text[0] != '/';
    if (relative && value->path)
        return "is not an absolute path";
    if (relative && !getcwd(here, sizeof here))
        return "is relative and the working directory is unknown";
    if (strlen(here) + strlen(value->text) + 2 > P11PROF_PATH_BYTES)
        return too_long;
    stpcpy(stpcpy(stpcpy(path, here), relative ? "/" : ""), value->text);
    return NULL;
}

static const char *take_db(struct p11prof_config *config, const struct p11prof_value *value)
{
    return take_path(config->db, value);
}

static const char *take_spool(struct p11prof_config *config, const struct p11prof_value *value)
{
    return take_path(config->spool, value);
}

/* So many bytes at most, and not inside a UTF-8 character, which has no more than three that
 * continue it. */
static size_t cut_length(const char *text, size_t most)
{
    size_t length = most;
    while (length > most - 3 && (text[length] & 0xC0) == 0x80)
        length--;
    return length;
}

static const char *take_name(struct p11prof_config *config, const struct p11prof_value *value)
{
    size_t length = strlen(value->text);
    bool cut = length >= sizeof config->name;
    if (cut)
        length = cut_length(value->text, sizeof config->name - 1);
    memcpy(config->name, value->text, length);
    config->name[length] = '\0';
    return cut ? "is longer than 127 bytes and was cut" : NULL;
}

static const char *take_limit(struct p11prof_config *config, const struct p11prof_value *value)
{
    uint64_t bytes;
    if (!p11prof_config_parse_size(value->text, &bytes))
        return "is no size such as 64MB";
    if (bytes < P11PROF_SPOOL_MIN_BYTES || bytes > P11PROF_SPOOL_MAX_BYTES)
        return "is not between 1MB and 1GB";
    config->spool_limit_bytes = bytes;
    return NULL;
}

/* Index of `text` in `words`, -1 if it is none of them. */
static int word_index(const char *text, const char *const *words)
{
    for (int i = 0; words[i]; i++)
        if (strcmp(text, words[i]) == 0)
            return i;
    return -1;
}

static const char *take_record(struct p11prof_config *config, const struct p11prof_value *value)
{
    static const char *const words[] = {"calls", "summary", "off", NULL};
    int index = word_index(value->text, words);
    if (index < 0)
        return "is none of calls, summary, off";
    config->record = (enum p11prof_record_mode)index;
    return NULL;
}

static const char *take_drain(struct p11prof_config *config, const struct p11prof_value *value)
{
    static const char *const words[] = {"auto", "thread", "exit", "external", NULL};
    int index = word_index(value->text, words);
    if (index < 0)
        return "is none of auto, thread, exit, external";
    config->drain = (enum p11prof_drain_mode)index;
    return NULL;
}

static const char *take_clock(struct p11prof_config *config, const struct p11prof_value *value)
{
    static const char *const words[] = {"auto", "tsc", "monotonic", NULL};
    int index = word_index(value->text, words);
    if (index < 0)
        return "is none of auto, tsc, monotonic";
    config->clock = (enum p11prof_clock_choice)index;
    return NULL;
}

static const char *take_debug(struct p11prof_config *config, const struct p11prof_value *value)
{
    static const char *const words[] = {"0", "no", "off", "false", NULL};
    config->debug = word_index(value->text, words) < 0;
    return NULL;
}

static const char *take_run(struct p11prof_config *config, const struct p11prof_value *value)
{
    static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    for (size_t i = 0; i < sizeof form; i++)
        if (form[i] == 'x' ? !isxdigit((unsigned char)value->text[i]) : value->text[i] != form[i])
            return "is no UUID";
    memcpy(config->run, value->text, sizeof form);
    return NULL;
}

const struct p11prof_setting p11prof_settings[] = {
    {"module", "P11PROF_MODULE", take_module},
    {"db", "P11PROF_DB", take_db},
    {"name", "P11PROF_NAME", take_name},
    {"record", "P11PROF_RECORD", take_record},
    {"drain", "P11PROF_DRAIN", take_drain},
    {"spool", "P11PROF_SPOOL", take_spool},
    {"spool_limit", "P11PROF_SPOOL_LIMIT", take_limit},
    {"clock", "P11PROF_CLOCK", take_clock},
    {"debug", "P11PROF_DEBUG", take_debug},
    {NULL, "P11PROF_RUN", take_run},
};
const unsigned p11prof_setting_count = sizeof p11prof_settings / sizeof *p11prof_settings;

_Static_assert(sizeof p11prof_settings / sizeof *p11prof_settings <= 32,
               "config.c keeps a bit of each setting in 32");

bool p11prof_config_parse_size(const char *text, uint64_t *bytes)
{
    static const char units[] = "BKMGT";
    if (!isdigit((unsigned char)*text))
        return false;
    uint64_t number = 0;
    const char *end = text;
    for (; isdigit((unsigned char)*end); end++)
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, (uint64_t)(*end - '0'), &number))
            return false;
    end += strspn(end, " ");
    const char *unit = *end ? strchr(units, toupper((unsigned char)*end)) : units;
    if (!unit)
        return false;
    end += *end != '\0';
    if (unit != units && *end == 'i')
        end++;
    if (unit != units && toupper((unsigned char)*end) == 'B')
        end++;
    return *end == '\0' &&
           !__builtin_mul_overflow(number, UINT64_C(1) << (10 * (unit - units)), bytes);
}

void p11prof_config_default_db(char *path, size_t path_bytes)
{
    const char *state = secure_getenv("XDG_STATE_HOME"), *home = secure_getenv("HOME");
    int needed = 0;
    if (geteuid() == 0)
        needed = snprintf(path, path_bytes, "/var/lib/" DB_FILE);
    else if (state && state[0] == '/')
        needed = snprintf(path, path_bytes, "%s/" DB_FILE, state);
    else if (home && home[0] == '/')
        needed = snprintf(path, path_bytes, "%s/.local/state/" DB_FILE, home);
    if (needed <= 0 || (size_t)needed >= path_bytes)
        path[0] = '\0';
}
