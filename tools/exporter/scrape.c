/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "scrape.h"

#include "message.h"
#include "page.h"
#include "report/allocate.h"
#include "report/query.h"
#include "waiting.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { BUSY_MS = 1000, STEPS = 10000 };

static double now_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* --- what is wrong, once --- */

/* Gathers what is wrong in one scrape. */
struct problems {
    char text[1024];
};

static void problem_add(void *payload, const char *text)
{
    struct problems *problems = payload;
    size_t length = strlen(problems->text);
    snprintf(problems->text + length, sizeof problems->text - length, "%s%s",
             length > 0 ? "; " : "", text);
}

static void problems_say(struct exporter *exporter, const struct problems *problems)
{
    if (strcmp(exporter->said, problems->text) == 0)
        return;
    if (problems->text[0])
        p11prof_warn("%s", problems->text);
    else
        p11prof_note("%s: the problem is gone", exporter->database.path);
    strcpy(exporter->said, problems->text);
}

/* --- the database --- */

static bool is_same(const struct exporter *exporter)
{
    struct stat now;
    return stat(exporter->database.path, &now) == 0 && now.st_dev == exporter->file.st_dev &&
           now.st_ino == exporter->file.st_ino;
}

static void close_database(struct exporter *exporter)
{
    p11prof_store_close(exporter->database.store);
    exporter->database.store = NULL;
    exporter_sums_clear(&exporter->sums);
}

/* The one that is there now; P11PROF_MISSING: nothing was recorded yet. */
static enum p11prof_status open_database(struct exporter *exporter, struct p11prof_error *error)
{
    struct p11prof_database *database = &exporter->database;
    if (database->store && is_same(exporter))
        return P11PROF_OK;
    close_database(exporter);
    if (stat(database->path, &exporter->file) != 0)
        exporter->file.st_ino = 0;
    enum p11prof_status status =
        p11prof_store_open(&database->store, database->path, P11PROF_STORE_READ_ONLY, error);
    if (status == P11PROF_OK)
        sqlite3_busy_timeout(p11prof_store_sqlite(database->store), BUSY_MS);
    return status;
}

static uint64_t file_bytes(const char *path, const char *suffix)
{
    char name[P11PROF_PATH_BYTES + 8];
    struct stat file;
    snprintf(name, sizeof name, "%s%s", path, suffix);
    return stat(name, &file) == 0 ? (uint64_t)file.st_size : 0;
}

/* A damaged database may never come to an end. */
struct limit {
    const sigset_t *end_signals;
    double until_seconds; /* 0: none */
    bool passed;
};

static bool must_end(const sigset_t *end_signals)
{
    sigset_t waiting;
    sigpending(&waiting);
    return sigandset(&waiting, &waiting, end_signals) == 0 && !sigisemptyset(&waiting);
}

static int is_late(void *payload)
{
    struct limit *limit = payload;
    limit->passed = limit->passed ||
                    (limit->until_seconds > 0 && now_seconds() > limit->until_seconds) ||
                    must_end(limit->end_signals);
    return limit->passed;
}

/* What was read before the limit is kept: the next scrape goes on. After other failures the
 * database is opened anew. */
static enum p11prof_status read_failed(struct exporter *exporter, const struct limit *limit,
                                       struct p11prof_error *error)
{
    if (limit->passed)
        return p11prof_error_set(error, P11PROF_BUSY,
                                 "%s: reading all of it takes long; the next scrape goes on",
                                 exporter->database.path);
    close_database(exporter);
    return error->status;
}

static enum p11prof_status read_database(struct exporter *exporter, double max_seconds,
                                         struct p11prof_error *error)
{
    struct sqlite3 *db = p11prof_store_sqlite(exporter->database.store);
    struct limit limit = {.end_signals = &exporter->end_signals,
                          .until_seconds = max_seconds > 0 ? now_seconds() + max_seconds : 0};
    sqlite3_progress_handler(db, STEPS, is_late, &limit);
    enum p11prof_status status = exporter_sums_refresh(&exporter->sums, db, error);
    sqlite3_progress_handler(db, 0, NULL, NULL);
    return status == P11PROF_OK ? status : read_failed(exporter, &limit, error);
}

/* --- the page --- */

static char *make_page(struct exporter *exporter, const struct exporter_live *live, double begun,
                       size_t *bytes)
{
    char *text;
    const char *path = exporter->database.path;
    struct exporter_page page = {.sums = exporter->failed ? NULL : &exporter->sums,
                                 .live = live,
                                 .database_bytes = file_bytes(path, "") + file_bytes(path, "-wal")};
    FILE *stream = p11prof_text_open(&text, bytes);
    exporter_page_write(stream, &page);
    exporter_page_end(stream, exporter->failed, now_seconds() - begun);
    fclose(stream);
    return text;
}

static void look(struct exporter *exporter, struct exporter_live *live)
{
    exporter_live_clear(live);
    exporter_live_look(live, &exporter->database, exporter->sums.book.no_programs);
}

/* Whether to take what waits, with the database as it is. One that is missing is made by that, an
 * older one is brought up to date; one that is locked would only be waited for once more. */
static bool has_to_take(const struct exporter *exporter, enum p11prof_status status,
                        const struct exporter_live *live)
{
    if (exporter->no_collect)
        return false;
    return status == P11PROF_OK ? live->waiting_count > 0
                                : status == P11PROF_MISSING || status == P11PROF_REFUSED;
}

static enum p11prof_status prepare(struct exporter *exporter, struct exporter_live *live,
                                   struct problems *problems, struct p11prof_error *error)
{
    enum p11prof_status status = open_database(exporter, error);
    look(exporter, live);
    if (!has_to_take(exporter, status, live))
        return status;
    p11prof_waiting_take(&exporter->database, problem_add, problems);
    status = open_database(exporter, error);
    look(exporter, live);
    return status;
}

char *exporter_scrape(struct exporter *exporter, double max_seconds, size_t *bytes)
{
    struct problems problems = {""};
    struct exporter_live live = {.programs = NULL};
    struct p11prof_error error = {.status = P11PROF_OK};
    double begun = now_seconds();
    enum p11prof_status status = prepare(exporter, &live, &problems, &error);
    if (status == P11PROF_OK)
        status = read_database(exporter, max_seconds, &error);
    exporter->failed = status != P11PROF_OK && status != P11PROF_MISSING;
    if (exporter->failed)
        problem_add(&problems, error.text);
    problems_say(exporter, &problems);
    char *page = make_page(exporter, &live, begun, bytes);
    exporter_live_clear(&live);
    return page;
}

void exporter_clear(struct exporter *exporter)
{
    close_database(exporter);
}
