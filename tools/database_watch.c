/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "database_watch.h"
#include "commands.h"
#include "message.h"
#include "p11prof/store.h"
#include "report/query.h"

#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* A larger file is read once more only when the command has taken as long as many readings. */
enum { PATIENCE_S = 5, PATIENCE_S_A_GIB = 60, STEPS = 10000 };
/* Steps of SQLite's machine for a schema, in STEPS: ours takes less than one. */
enum { SCHEMA_LOOKS_MOST = 1000 };

struct p11prof_database_watch {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool stopped;
    unsigned looks_left; /* until the schema is known; then not counted */
    bool knows_schema;
    char *path;
};

static bool is_stopped(struct p11prof_database_watch *watch)
{
    pthread_mutex_lock(&watch->mutex);
    bool stopped = watch->stopped;
    pthread_mutex_unlock(&watch->mutex);
    return stopped;
}

static int look_for_stop(void *payload)
{
    struct p11prof_database_watch *watch = payload;
    return is_stopped(watch) || (!watch->knows_schema && watch->looks_left-- == 0);
}

/* By what it has on the disk: a hole costs nothing to read. */
static unsigned patience_s(const char *path)
{
    struct stat file;
    uint64_t bytes = stat(path, &file) == 0 ? (uint64_t)file.st_blocks * 512 : 0;
    uint64_t seconds = (bytes >> 30) * PATIENCE_S_A_GIB;
    return seconds > PATIENCE_S ? (unsigned)seconds : PATIENCE_S;
}

/* False if it was stopped meanwhile. */
static bool wait_patiently(struct p11prof_database_watch *watch)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += patience_s(watch->path);
    pthread_mutex_lock(&watch->mutex);
    while (!watch->stopped && pthread_cond_timedwait(&watch->changed, &watch->mutex, &until) == 0)
        ;
    bool stopped = watch->stopped;
    pthread_mutex_unlock(&watch->mutex);
    return !stopped;
}

/* A change that has begun is rolled back by whoever opens the database next. */
static void end_command(const struct p11prof_database_watch *watch, const char *why)
{
    p11prof_complain(0,
                     "%s: the database is damaged (%.200s): move it away and save what is "
                     "left of it with sqlite3's .recover",
                     watch->path, why);
    _exit(P11PROF_EXIT_FAILED);
}

static void end_if_damaged(struct p11prof_database_watch *watch, sqlite3 *db)
{
    sqlite3_stmt *check = NULL;
    int result = sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &check, NULL);
    if (result == SQLITE_INTERRUPT && !is_stopped(watch))
        end_command(watch, "its schema has no end");
    watch->knows_schema = true;
    if (result == SQLITE_OK && sqlite3_step(check) == SQLITE_ROW && !is_stopped(watch)) {
        const char *answer = p11prof_query_text(check, 0), *line = strrchr(answer, '\n');
        if (strcmp(answer, "ok") != 0)
            end_command(watch, line ? line + 1 : answer);
    }
    sqlite3_finalize(check);
}

static void *look(void *payload)
{
    struct p11prof_database_watch *watch = payload;
    sqlite3 *db = NULL;
    if (!wait_patiently(watch))
        return NULL;
    if (sqlite3_open_v2(watch->path, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) ==
        SQLITE_OK) {
        p11prof_store_defend(db);
        watch->looks_left = SCHEMA_LOOKS_MOST;
        sqlite3_progress_handler(db, STEPS, look_for_stop, watch);
        end_if_damaged(watch, db);
    }
    sqlite3_close(db);
    return NULL;
}

/* Signals are the command's. */
static bool start_thread(struct p11prof_database_watch *watch)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    bool started = pthread_create(&watch->thread, NULL, look, watch) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

struct p11prof_database_watch *p11prof_database_watch_start(const char *path)
{
    struct p11prof_database_watch *watch = calloc(1, sizeof *watch);
    if (!watch)
        return NULL;
    pthread_mutex_init(&watch->mutex, NULL);
    pthread_cond_init(&watch->changed, NULL);
    watch->path = strdup(path);
    if (watch->path && start_thread(watch))
        return watch;
    free(watch->path);
    free(watch);
    return NULL;
}

void p11prof_database_watch_stop(struct p11prof_database_watch *watch)
{
    if (!watch)
        return;
    pthread_mutex_lock(&watch->mutex);
    watch->stopped = true;
    pthread_cond_signal(&watch->changed);
    pthread_mutex_unlock(&watch->mutex);
    pthread_join(watch->thread, NULL);
    pthread_cond_destroy(&watch->changed);
    pthread_mutex_destroy(&watch->mutex);
    free(watch->path);
    free(watch);
}
