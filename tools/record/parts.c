/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "parts.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A file of ours, by its place relative to the folder of this program. */
struct part {
    const char *what, *variable, *installed, *built;
};

static bool own_folder(char *folder, size_t bytes)
{
    ssize_t length = readlink("/proc/self/exe", folder, bytes - 1);
    if (length <= 0)
        return false;
    folder[length] = '\0';
    char *slash = strrchr(folder, '/');
    if (slash)
        *slash = '\0';
    return slash != NULL;
}

static bool found_at(char *path, size_t path_bytes, const char *folder, const char *place)
{
    int needed = snprintf(path, path_bytes, "%s/%s", folder, place);
    return needed > 0 && (size_t)needed < path_bytes && access(path, R_OK) == 0;
}

static enum p11prof_status find(const struct part *part, char *path, size_t path_bytes,
                                struct p11prof_error *error)
{
    char folder[PATH_MAX] = "";
    const char *named = secure_getenv(part->variable);
    if (named && *named) {
        snprintf(path, path_bytes, "%s", named);
        return P11PROF_OK;
    }
    if (own_folder(folder, sizeof folder) && (found_at(path, path_bytes, folder, part->built) ||
                                              found_at(path, path_bytes, folder, part->installed)))
        return P11PROF_OK;
    return p11prof_error_set(error, P11PROF_MISSING,
                             "%s is not at %s/%s: install p11prof again, or name it in %s",
                             part->what, folder, part->installed, part->variable);
}

enum p11prof_status p11prof_find_shim(char *path, size_t path_bytes, struct p11prof_error *error)
{
    static const struct part shim = {"the shim", "P11PROF_SHIM",
                                     P11PROF_LIBDIR_FROM_BINDIR "/pkcs11/p11prof-shim.so",
                                     "../shim/p11prof-shim.so"};
    return find(&shim, path, path_bytes, error);
}

enum p11prof_status p11prof_find_audit(char *path, size_t path_bytes, struct p11prof_error *error)
{
    static const struct part audit = {"the audit library", "P11PROF_AUDIT",
                                      P11PROF_LIBDIR_FROM_BINDIR "/p11prof/p11prof-audit.so",
                                      "audit/p11prof-audit.so"};
    return find(&audit, path, path_bytes, error);
}

enum p11prof_status p11prof_find_sql_extension(char *path, size_t path_bytes,
                                               struct p11prof_error *error)
{
    static const struct part extension = {"the extension of SQLite", "P11PROF_SQL_EXTENSION",
                                          P11PROF_LIBDIR_FROM_BINDIR "/p11prof/p11prof-sql.so",
                                          "sql/p11prof-sql.so"};
    return find(&extension, path, path_bytes, error);
}

enum p11prof_status p11prof_find_queries(char *path, size_t path_bytes, struct p11prof_error *error)
{
    static const struct part queries = {"the folder of ready queries", "P11PROF_QUERIES",
                                        P11PROF_DATADIR_FROM_BINDIR "/p11prof/queries", "queries"};
    return find(&queries, path, path_bytes, error);
}
