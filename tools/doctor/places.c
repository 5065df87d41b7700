/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "../report/query.h"
#include "../report/units.h"
#include "../spool_folder.h"
#include "checks.h"

#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

enum {
    LITTLE_BYTES = 64 << 20, /* less room than this is worth a word */
    CHECKED_BYTES = 1 << 30, /* a larger database takes too long to read through */
};

/* The folder of a path, or the nearest one above that exists. */
static void existing_folder(char *folder, size_t folder_bytes, const char *path)
{
    snprintf(folder, folder_bytes, "%s", path);
    do {
        char *slash = strrchr(folder, '/');
        if (!slash)
            snprintf(folder, folder_bytes, ".");
        else
            slash[slash == folder] = '\0';
    } while (access(folder, F_OK) != 0 && strcmp(folder, "/") != 0 && strcmp(folder, ".") != 0);
}

static uint64_t free_bytes(const char *folder)
{
    struct statvfs fs;
    return statvfs(folder, &fs) == 0 ? (uint64_t)fs.f_bavail * fs.f_frsize : 0;
}

static void check_room(struct p11prof_checks *checks, const char *folder)
{
    char room[P11PROF_UNIT_TEXT_BYTES];
    uint64_t bytes = free_bytes(folder);
    p11prof_format_bytes(room, bytes);
    p11prof_check_add(checks, bytes < LITTLE_BYTES ? P11PROF_VERDICT_NOTE : P11PROF_VERDICT_OK,
                      "free space", NULL, bytes < LITTLE_BYTES ? "make room" : NULL, "%s in %s",
                      room, folder);
}

static void check_schema(struct p11prof_checks *checks)
{
    struct p11prof_error error;
    int64_t version, runs;
    struct sqlite3 *db = p11prof_store_sqlite(checks->database->store);
    if (p11prof_query_integer(db, "PRAGMA user_version", 0, 0, &version, &error) != P11PROF_OK ||
        p11prof_query_integer(db, "SELECT count(*) FROM runs", 0, 0, &runs, &error) != P11PROF_OK) {
        p11prof_check_add(checks, P11PROF_VERDICT_PROBLEM, "schema", NULL, NULL, "%s", error.text);
        return;
    }
    bool old = version < P11PROF_SCHEMA_VERSION;
    p11prof_check_add(checks, old ? P11PROF_VERDICT_NOTE : P11PROF_VERDICT_OK, "schema", NULL,
                      old ? "'p11prof collect' brings it up" : NULL, "version %lld, runs: %lld",
                      (long long)version, (long long)runs);
}

/* Whether pages and rows fit together: what flipped bits and broken disks leave. False: a query may
 * never end. */
static bool check_contents(struct p11prof_checks *checks)
{
    struct p11prof_table found = {.columns = NULL};
    struct p11prof_error error;
    struct stat file;
    if (stat(checks->database->path, &file) == 0 && file.st_size > CHECKED_BYTES) {
        p11prof_check_add(checks, P11PROF_VERDICT_OK, "contents", NULL, NULL,
                          "not checked, it is large: p11prof sql 'PRAGMA quick_check'");
        return true;
    }
    enum p11prof_status status = p11prof_query_table(p11prof_store_sqlite(checks->database->store),
                                                     "PRAGMA quick_check(1)", 0, &found, &error);
    const char *answer = status == P11PROF_OK
                             ? p11prof_table_text(&found, 0, "quick_check", "it cannot be checked")
                             : error.text;
    bool whole = strcmp(answer, "ok") == 0;
    p11prof_check_add(checks, whole ? P11PROF_VERDICT_OK : P11PROF_VERDICT_PROBLEM, "contents",
                      NULL,
                      whole ? NULL : "move it away and save what is left with sqlite3's .recover",
                      "%s", whole ? "whole" : answer);
    p11prof_table_clear(&found);
    return whole;
}

static void check_writable(struct p11prof_checks *checks, const char *path, const char *folder)
{
    bool exists = access(path, F_OK) == 0;
    const char *blocked = exists && access(path, W_OK) != 0  ? path
                          : access(folder, W_OK | X_OK) != 0 ? folder
                                                             : NULL;
    checks->database_writable = !blocked;
    if (blocked)
        p11prof_check_add(checks, P11PROF_VERDICT_PROBLEM, "database", NULL,
                          "name another one with P11PROF_DB, or drain as a user who may write",
                          "%s: %s cannot be written: %s", path, blocked, strerror(errno));
    else
        p11prof_check_add(checks, P11PROF_VERDICT_OK, "database", NULL, NULL, "%s %s", path,
                          exists ? "is writable" : "will be made");
}

static void check_database(struct p11prof_checks *checks)
{
    struct p11prof_database *database = checks->database;
    struct p11prof_error error;
    char folder[P11PROF_PATH_BYTES];
    checks->section = "database";
    existing_folder(folder, sizeof folder, database->path);
    enum p11prof_status status =
        p11prof_store_open(&database->store, database->path, P11PROF_STORE_READ_ONLY, &error);
    if (status != P11PROF_OK && status != P11PROF_MISSING) {
        p11prof_check_add(checks, P11PROF_VERDICT_PROBLEM, "database", NULL,
                          "name another one with P11PROF_DB", "%s", error.text);
        return;
    }
    check_writable(checks, database->path, folder);
    if (database->store && check_contents(checks))
        check_schema(checks);
    check_room(checks, folder);
}

/* As the shim does: the limit, half of what is free, RLIMIT_FSIZE. */
static uint64_t spool_bytes(const struct p11prof_config *config, const char *folder)
{
    struct rlimit limit;
    uint64_t bytes = config->spool_limit_bytes;
    uint64_t half = free_bytes(folder) / 2;
    if (half < bytes)
        bytes = half;
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur < bytes)
        bytes = limit.rlim_cur;
    return bytes;
}

static void check_memory_fs(struct p11prof_checks *checks, const char *folder)
{
    struct statfs fs;
    if (statfs(folder, &fs) == 0 && fs.f_type != TMPFS_MAGIC && fs.f_type != RAMFS_MAGIC)
        p11prof_check_add(checks, P11PROF_VERDICT_NOTE, "file system", NULL,
                          "a folder in /dev/shm disturbs the application less",
                          "%s is on a disk: its write-back delays some calls", folder);
}

static void check_spool_folder(struct p11prof_checks *checks)
{
    char folder[P11PROF_PATH_BYTES], size[P11PROF_UNIT_TEXT_BYTES];
    const char *advice;
    struct p11prof_error error;
    checks->section = "spools";
    if (p11prof_spool_folder_find(folder, &checks->config, &advice, &error) != P11PROF_OK) {
        p11prof_check_add(checks, P11PROF_VERDICT_PROBLEM, "folder", NULL, advice, "%s",
                          error.text);
        return;
    }
    uint64_t bytes = spool_bytes(&checks->config, folder);
    bool little = bytes < P11PROF_SPOOL_MIN_BYTES;
    p11prof_format_bytes(size, bytes);
    p11prof_check_add(checks, little ? P11PROF_VERDICT_PROBLEM : P11PROF_VERDICT_OK, "folder", NULL,
                      little ? "make room, or name another folder with P11PROF_SPOOL" : NULL,
                      "%s: a process gets %s", folder, size);
    check_memory_fs(checks, folder);
}

void p11prof_check_places(struct p11prof_checks *checks)
{
    if (checks->database->path[0]) {
        check_database(checks);
    } else {
        checks->section = "database";
        p11prof_check_add(checks, P11PROF_VERDICT_PROBLEM, "database", NULL,
                          "set P11PROF_DB, HOME or XDG_STATE_HOME", "none can be derived");
    }
    check_spool_folder(checks);
}
