/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* p11prof import: what other tools recorded, as runs. */
#include "import/import.h"
#include "commands.h"
#include "common_options.h"
#include "database_watch.h"
#include "message.h"
#include "report/safe_text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { OPTION_FORMAT = 'F', OPTION_NAME = 'N' };

static const struct p11prof_option options[] = {
    {"format", OPTION_FORMAT, "FORMAT", "pkcs11-spy or p11perftest (default: as it looks)",
     P11PROF_VALUE_WORDS, "pkcs11-spy p11perftest"},
    {"name", OPTION_NAME, "NAME", "a name for the runs"},
    P11PROF_OPTION_DB,
    {.name = NULL},
};

static const struct p11prof_usage usage = {
    .command = "import",
    .arguments = "FILE...",
    .summary = "Takes logs of pkcs11-spy and results of p11perftest into the database.",
    .options = options,
    .notes = "  p11prof import spy.log\n"
             "  TZ=America/New_York p11prof import --name customer spy.log\n"
             "  p11perftest … -j -d -o hsm.json; p11prof import hsm.json",
    .kind = P11PROF_VALUE_FILE,
};

struct settings {
    struct p11prof_common_options common;
    enum p11prof_import_format format;
    const char *name;
};

static bool take_format(struct settings *settings, const char *value)
{
    for (int i = P11PROF_IMPORT_SPY; i <= P11PROF_IMPORT_P11PERFTEST; i++)
        if (strcmp(value, p11prof_import_format_name((enum p11prof_import_format)i)) == 0) {
            settings->format = (enum p11prof_import_format)i;
            return true;
        }
    return false;
}

static bool take_option(void *payload, int id, const char *value)
{
    struct settings *settings = payload;
    switch (id) {
    case OPTION_FORMAT:
        return take_format(settings, value);
    case OPTION_NAME:
        settings->name = value;
        return true;
    default:
        return p11prof_common_option(&settings->common, id, value);
    }
}

static void say_imported(const char *file, enum p11prof_import_format format,
                         const struct p11prof_import_result *result)
{
    printf("%s: run %" PRId64 ": ", file, result->run_id);
    if (format == P11PROF_IMPORT_SPY)
        printf("%" PRIu64 " calls of %" PRIu64 " process%s, without durations", result->call_count,
               result->process_count, result->process_count == 1 ? "" : "es");
    else
        printf("%" PRIu64 " results", result->test_count);
    printf(" (%s)\n", p11prof_import_format_name(format));
    if (result->lost_count > 0)
        p11prof_warn("%s: the results of %" PRIu64 " calls cannot be told: counted as lost", file,
                     result->lost_count);
    if (result->odd_line_count > 0)
        p11prof_warn("%s: %" PRIu64 " lines not understood, the first is line %" PRIu64, file,
                     result->odd_line_count, result->first_odd_line);
    if (result->left_count > 0)
        p11prof_warn("%s: %" PRIu64 " results left out: they failed or have no figures", file,
                     result->left_count);
}

static int import_stream(struct p11prof_store *store, const struct settings *settings, FILE *stream,
                         const char *path)
{
    struct p11prof_lines *lines = malloc(sizeof *lines);
    if (!lines)
        return p11prof_complain(P11PROF_EXIT_FAILED, "no memory for an import");
    const char *slash = strrchr(path, '/');
    struct p11prof_import import = {.store = store,
                                    .lines = lines,
                                    .run_name = settings->name,
                                    .file_name = slash ? slash + 1 : path};
    enum p11prof_import_format format = settings->format;
    struct p11prof_import_result result;
    struct p11prof_error error;
    int64_t known_run;
    char *shown = p11prof_safe_copy(path);
    p11prof_lines_init(lines, stream, path, P11PROF_IMPORT_SPY_BYTES);
    enum p11prof_status status = p11prof_import_file(&import, &format, &result, &known_run, &error);
    int code = status ? p11prof_complain_of(&error) : P11PROF_EXIT_DONE;
    if (!status && known_run)
        printf("%s: already imported as run %" PRId64 "%s\n", shown, known_run,
               settings->name ? ", whose name stays: 'p11prof runs rename' changes it" : "");
    else if (!status)
        say_imported(shown, format, &result);
    free(shown);
    free(lines);
    return code;
}

static int import_path(struct p11prof_store *store, const struct settings *settings,
                       const char *path)
{
    if (strcmp(path, "-") == 0)
        return import_stream(store, settings, stdin, "stdin");
    FILE *stream = fopen(path, "re");
    if (!stream)
        return p11prof_complain(P11PROF_EXIT_USAGE, "%s: %s", path, strerror(errno));
    int code = import_stream(store, settings, stream, path);
    fclose(stream);
    return code;
}

int p11prof_command_import(int argc, char **argv)
{
    struct settings settings = {.format = P11PROF_IMPORT_UNKNOWN};
    struct p11prof_database database;
    struct p11prof_error error;
    int first, code;
    if (!p11prof_options_read(&usage, argc, argv, take_option, &settings, &first, &code))
        return code;
    if (first == argc) {
        p11prof_complain(0, "import wants a file, or '-' for the standard input");
        return p11prof_usage_hint(&usage);
    }
    if (!p11prof_database_choose(&database, settings.common.database.path))
        return P11PROF_EXIT_USAGE;
    database.watch = p11prof_database_watch_start(database.path);
    if (p11prof_store_open(&database.store, database.path,
                           P11PROF_STORE_CREATE | P11PROF_STORE_MIGRATE, &error) != P11PROF_OK)
        code = p11prof_complain_of(&error);
    for (int i = first; i < argc && database.store; i++) {
        int failed = import_path(database.store, &settings, argv[i]);
        code = failed > code ? failed : code;
    }
    p11prof_database_close(&database);
    return code;
}
