/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "parts.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

/* A file of ours, by its place relative to the folder of this program. */
struct part {
    const char *what, *variable;
    const char *installed;
    const char *debian; /* where Debian's packages have it, NULL for the same place */
    const char *built;
};

/* Where /proc is not mounted, by the name that this program was started by. */
static bool own_path(char path[PATH_MAX])
{
    ssize_t length = readlink("/proc/self/exe", path, PATH_MAX - 1);
    if (length > 0)
        path[length] = '\0';
    const char *started = (const char *)getauxval(AT_EXECFN);
    return length > 0 || (started && realpath(started, path));
}

static bool own_folder(char folder[PATH_MAX])
{
    if (!own_path(folder))
        return false;
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

static bool found_installed(char *path, size_t path_bytes, const char *folder,
                            const struct part *part)
{
    return (part->debian && found_at(path, path_bytes, folder, part->debian)) ||
           found_at(path, path_bytes, folder, part->installed);
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
    if (own_folder(folder) && (found_at(path, path_bytes, folder, part->built) ||
                               found_installed(path, path_bytes, folder, part)))
        return P11PROF_OK;
    return p11prof_error_set(error, P11PROF_MISSING,
                             "%s is not at %s/%s: install p11prof again, or name it in %s",
                             part->what, folder, part->installed, part->variable);
}

/* A library's places: below the folders of libraries, and in the build. */
#define LIBRARY(name, built_at)                                                                    \
    .installed = P11PROF_LIBDIR_FROM_BINDIR "/" name,                                              \
    .debian = P11PROF_DEBIAN_LIBDIR_FROM_BINDIR "/" name, .built = (built_at)

enum p11prof_status p11prof_find_shim(char *path, size_t path_bytes, struct p11prof_error *error)
{
    static const struct part shim = {"the shim", "P11PROF_SHIM",
                                     LIBRARY("pkcs11/p11prof-shim.so", "../shim/p11prof-shim.so")};
    return find(&shim, path, path_bytes, error);
}

enum p11prof_status p11prof_find_audit(char *path, size_t path_bytes, struct p11prof_error *error)
{
    static const struct part audit = {"the audit library", "P11PROF_AUDIT",
                                      LIBRARY("pkcs11/p11prof-audit.so", "audit/p11prof-audit.so")};
    return find(&audit, path, path_bytes, error);
}

enum p11prof_status p11prof_find_sql_extension(char *path, size_t path_bytes,
                                               struct p11prof_error *error)
{
    static const struct part extension = {"the extension of SQLite", "P11PROF_SQL_EXTENSION",
                                          LIBRARY("p11prof/p11prof-sql.so", "sql/p11prof-sql.so")};
    return find(&extension, path, path_bytes, error);
}

enum p11prof_status p11prof_find_queries(char *path, size_t path_bytes, struct p11prof_error *error)
{
    static const struct part queries = {"the folder of ready queries", "P11PROF_QUERIES",
                                        .installed = P11PROF_DATADIR_FROM_BINDIR "/p11prof/queries",
                                        .built = "queries"};
    return find(&queries, path, path_bytes, error);
}

enum p11prof_status p11prof_find_symbols(char *path, size_t path_bytes, struct p11prof_error *error)
{
    static const struct part symbols = {
        "the reader of symbols", "P11PROF_SYMBOLS",
        LIBRARY("p11prof/p11prof-symbols", "symbols/p11prof-symbols")};
    return find(&symbols, path, path_bytes, error);
}

enum p11prof_status p11prof_find_http(char *path, size_t path_bytes, struct p11prof_error *error)
{
    static const struct part http = {
        "the web server", "P11PROF_HTTP",
        LIBRARY("p11prof/p11prof-http.so", "exporter/p11prof-http.so")};
    return find(&http, path, path_bytes, error);
}
