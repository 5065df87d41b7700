/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "database.h"
#include "commands.h"
#include "database_watch.h"
#include "message.h"
#include "record/parts.h"
#include "report/hint_database.h"
#include "report/query.h"
#include "waiting.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void p11prof_database_settings(struct p11prof_config *config)
{
    char shim[P11PROF_PATH_BYTES];
    struct p11prof_error error;
    bool found = p11prof_find_shim(shim, sizeof shim, &error) == P11PROF_OK;
    p11prof_config_load(config, found ? shim : NULL);
}

static bool same_file(const char *a, const char *b)
{
    struct stat first, second;
    return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

/* As the store does: the folder's links are resolved, the file's own name stays. False if there is
 * no such folder. */
static bool resolve(char out[P11PROF_PATH_BYTES], const char *path)
{
    char folder[P11PROF_PATH_BYTES];
    const char *slash = strrchr(path, '/');
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) + 1 : 1,
             slash ? path : ".");
    char *real = realpath(folder, NULL);
    int length = real ? snprintf(out, P11PROF_PATH_BYTES, "%s/%s", strcmp(real, "/") ? real : "",
                                 slash ? slash + 1 : path)
                      : -1;
    free(real);
    return length > 0 && length < P11PROF_PATH_BYTES;
}

bool p11prof_database_is(const char *path, const char *other, bool trusted)
{
    char first[P11PROF_PATH_BYTES], second[P11PROF_PATH_BYTES];
    if (strcmp(path, other) == 0)
        return true;
    bool resolved = resolve(first, path);
    if (!trusted)
        return resolved && strcmp(first, other) == 0;
    return same_file(path, other) ||
           (resolved && resolve(second, other) && strcmp(first, second) == 0);
}

/* Those are looked into anyway: not twice. */
static bool is_default_folder(const char *folder)
{
    static const char prefix[] = "/dev/shm/p11prof-";
    return strncmp(folder, prefix, sizeof prefix - 1) == 0;
}

void p11prof_database_name(struct p11prof_database *out, const struct p11prof_config *config,
                           const char *path)
{
    *out = (struct p11prof_database){.store = NULL};
    snprintf(out->path, sizeof out->path, "%s", path ? path : config->db);
    if (!is_default_folder(config->spool))
        snprintf(out->spool_folder, sizeof out->spool_folder, "%s", config->spool);
    out->configured = p11prof_database_is(out->path, config->db, true);
    if (!out->configured)
        p11prof_hint_database_set(out->path);
}

bool p11prof_database_choose(struct p11prof_database *out, const char *path)
{
    struct p11prof_config config;
    p11prof_database_settings(&config);
    p11prof_database_name(out, &config, path);
    if (out->path[0])
        return true;
    p11prof_complain(0, "no database: HOME and XDG_STATE_HOME are not set; name one with --db or "
                        "P11PROF_DB");
    return false;
}

static int complain_empty(const struct p11prof_database *database)
{
    p11prof_complain(0, "%s has no recording yet; a first one is made by", database->path);
    p11prof_note("  p11prof record --module /path/module.so -- "
                 "pkcs11-tool --module /path/module.so -L");
    p11prof_note("  p11prof report");
    return P11PROF_EXIT_USAGE;
}

static int check_not_empty(struct p11prof_database *database)
{
    struct p11prof_error error;
    int64_t runs;
    if (p11prof_query_integer(p11prof_store_sqlite(database->store),
                              "SELECT EXISTS (SELECT 1 FROM runs)", 0, 0, &runs,
                              &error) != P11PROF_OK)
        return p11prof_complain_of(&error);
    return runs ? P11PROF_EXIT_DONE : complain_empty(database);
}

static int open_with(struct p11prof_database *out, const struct p11prof_database_options *options,
                     unsigned flags)
{
    struct p11prof_error error;
    if (!p11prof_database_choose(out, options->path))
        return P11PROF_EXIT_USAGE;
    if (!options->no_collect)
        p11prof_waiting_collect(out);
    out->watch = p11prof_database_watch_start(out->path);
    enum p11prof_status status = p11prof_store_open(&out->store, out->path, flags, &error);
    int code = status == P11PROF_OK        ? check_not_empty(out)
               : status == P11PROF_MISSING ? complain_empty(out)
                                           : p11prof_complain_of(&error);
    if (code != P11PROF_EXIT_DONE)
        p11prof_database_close(out);
    return code;
}

int p11prof_database_open(struct p11prof_database *out,
                          const struct p11prof_database_options *options)
{
    return open_with(out, options, P11PROF_STORE_READ_ONLY);
}

int p11prof_database_open_to_change(struct p11prof_database *out,
                                    const struct p11prof_database_options *options)
{
    return open_with(out, options, P11PROF_STORE_MIGRATE);
}

void p11prof_database_close(struct p11prof_database *database)
{
    p11prof_database_watch_stop(database->watch);
    p11prof_store_close(database->store);
    database->watch = NULL;
    database->store = NULL;
}
