/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* p11prof doctor: what a shim started here would see and do. */
#include "commands.h"
#include "common_options.h"
#include "doctor/checks.h"
#include "message.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

enum { OPTION_SHIM = 's' };

static const struct p11prof_option options[] = {
    {"shim", OPTION_SHIM, "FILE", "a copy of the shim: with the .conf beside it",
     P11PROF_VALUE_FILE},
    P11PROF_OPTION_FORMAT,
    P11PROF_OPTION_DB,
    {.name = NULL},
};

static const struct p11prof_usage usage = {
    .command = "doctor",
    .arguments = "",
    .summary = "Checks what a shim started here would see and do, and what lies in spools.",
    .options = options,
};

struct settings {
    struct p11prof_common_options common;
    const char *shim;
};

static bool take_option(void *payload, int id, const char *value)
{
    struct settings *settings = payload;
    if (id != OPTION_SHIM)
        return p11prof_common_option(&settings->common, id, value);
    settings->shim = value;
    return true;
}

static char *cell(const struct p11prof_table *rows, size_t row, const char *name)
{
    size_t column = p11prof_table_find(rows, name);
    return p11prof_cell_text(&rows->columns[column], &p11prof_table_row(rows, row)[column]);
}

static void print_row(const struct p11prof_table *rows, size_t row)
{
    char *verdict = cell(rows, row, "verdict"), *item = cell(rows, row, "item");
    char *value = cell(rows, row, "value"), *source = cell(rows, row, "source");
    char *advice = cell(rows, row, "advice");
    bool plain = strcmp(source, "-") == 0;
    printf("  %-8s %-20s %s%s%s%s\n", strcmp(verdict, "ok") == 0 ? "" : verdict, item, value,
           plain ? "" : "  (", plain ? "" : source, plain ? "" : ")");
    if (strcmp(advice, "-") != 0)
        printf("  %-8s %-20s -> %s\n", "", "", advice);
    free(verdict);
    free(item);
    free(value);
    free(source);
    free(advice);
}

static void print_text(const struct p11prof_checks *checks)
{
    const char *section = "";
    for (size_t i = 0; i < checks->rows.row_count; i++) {
        const char *next = p11prof_table_text(&checks->rows, i, "section", "");
        if (strcmp(section, next) != 0)
            printf("%s%s\n", i > 0 ? "\n" : "", next);
        section = next;
        print_row(&checks->rows, i);
    }
    if (checks->problem_count == 0)
        printf("\nNothing would stop recording.\n");
    else
        printf("\nProblems that would stop recording: %u\n", checks->problem_count);
    if (checks->problem_count == 1 && !checks->config.module[0])
        printf("It is one for a shim that an application loads by itself; "
               "'p11prof record --module FILE -- COMMAND' would record.\n");
}

static void print_json(const struct p11prof_checks *checks)
{
    cJSON *document = cJSON_CreateObject();
    cJSON_AddStringToObject(document, "schema", "p11prof/doctor/v1");
    cJSON_AddNumberToObject(document, "problem_count", checks->problem_count);
    cJSON_AddItemToObject(document, "checks", p11prof_json_rows(&checks->rows));
    char *text = cJSON_Print(document);
    puts(text ? text : "null");
    cJSON_free(text);
    cJSON_Delete(document);
}

static void print_csv(const struct p11prof_checks *checks)
{
    p11prof_write_table(stdout, &checks->rows, P11PROF_FORMAT_CSV);
}

static void print_markdown(const struct p11prof_checks *checks)
{
    p11prof_write_table(stdout, &checks->rows, P11PROF_FORMAT_MARKDOWN);
}

static void load_settings(struct p11prof_checks *checks, const struct settings *settings)
{
    if (settings->shim)
        p11prof_config_load(&checks->config, settings->shim);
    else
        p11prof_database_settings(&checks->config);
    p11prof_database_name(checks->database, &checks->config, settings->common.database.path);
}

int p11prof_command_doctor(int argc, char **argv)
{
    static void (*const print[])(const struct p11prof_checks *checks) = {
        [P11PROF_FORMAT_TEXT] = print_text,
        [P11PROF_FORMAT_JSON] = print_json,
        [P11PROF_FORMAT_CSV] = print_csv,
        [P11PROF_FORMAT_MARKDOWN] = print_markdown,
    };
    static struct p11prof_checks checks;
    struct settings settings = {.shim = NULL};
    struct p11prof_database database = {.store = NULL};
    int first, code;
    if (!p11prof_options_read(&usage, argc, argv, take_option, &settings, &first, &code))
        return code;
    if (first < argc) {
        p11prof_complain(0, "doctor takes no arguments, not '%s'", argv[first]);
        return p11prof_usage_hint(&usage);
    }
    checks.database = &database;
    load_settings(&checks, &settings);
    p11prof_check_settings(&checks);
    p11prof_check_module(&checks);
    p11prof_check_places(&checks);
    p11prof_check_kernel(&checks);
    p11prof_check_spools(&checks);
    print[settings.common.format](&checks);
    p11prof_database_close(&database);
    p11prof_table_clear(&checks.rows);
    return checks.problem_count ? P11PROF_EXIT_NO : P11PROF_EXIT_DONE;
}
