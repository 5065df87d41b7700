/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "stored.h"

#include "../database.h"
#include "../report/query.h"
#include "../run_select.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A person waits: a query that takes longer answers nothing. In processor time: what a busy machine
 * offers does not depend on what else it does. */
enum { QUERY_MS = 300, STEPS = 1000 };
static const int64_t MS_NS = 1000000;

static int64_t used_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * (1000 * MS_NS) + now.tv_nsec;
}

static int is_late(void *deadline_ns)
{
    return used_ns() > *(const int64_t *)deadline_ns;
}

/* NULL: there is none that can be read. */
static struct sqlite3 *open_once(struct stored *stored)
{
    static int64_t deadline_ns;
    struct p11prof_database database;
    struct p11prof_error error;
    if (!stored->tried && p11prof_database_choose(&database, stored->path))
        p11prof_store_open(&stored->store, database.path,
                           P11PROF_STORE_READ_ONLY | P11PROF_STORE_AT_ONCE, &error);
    stored->tried = true;
    if (!stored->store)
        return NULL;
    struct sqlite3 *db = p11prof_store_sqlite(stored->store);
    deadline_ns = used_ns() + QUERY_MS * MS_NS;
    sqlite3_progress_handler(db, STEPS, is_late, &deadline_ns);
    return db;
}

void stored_close(struct stored *stored)
{
    p11prof_store_close(stored->store);
    stored->store = NULL;
}

/* Offers the first column of each row, and what the second one says of it. number: ?1. */
static void offer_query(struct offer *offer, struct sqlite3 *db, const char *sql, int64_t number)
{
    struct p11prof_error error;
    sqlite3_stmt *rows;
    if (!db || p11prof_query_prepare(db, sql, number, &rows, &error) != P11PROF_OK)
        return;
    int result;
    while ((result = sqlite3_step(rows)) == SQLITE_ROW)
        offer_one(offer, p11prof_query_text(rows, 0),
                  sqlite3_column_count(rows) > 1 ? p11prof_query_text(rows, 1) : NULL);
    p11prof_query_end(rows, result, &error);
}

#define COUNT "count(*) || iif(count(*) = 1, ' run', ' runs')"
#define DESCRIPTION                                                                                \
    "coalesce(nullif(name, '') || ', ', '') || kind || ' of ' || "                                 \
    "coalesce(program, 'a program') || ', ' || substr(started_at, 1, 16)"
/* Names that mean themselves: no number, and none of the signs of RUN. */
#define NAMES                                                                                      \
    "FROM runs WHERE name GLOB '*[^0-9]*' AND NOT name GLOB '*[,:/@]*' AND name != 'last' "        \
    "GROUP BY name ORDER BY max(run_id) DESC LIMIT ?1"

/* The newest runs are enough for somebody who has typed nothing yet. */
static int64_t most(const struct offer *offer)
{
    return offer_typed(offer)[0] ? 100000 : 20;
}

/* What there is in a run that other words name: "RUN:". */
static void offer_rows(struct offer *offer, struct sqlite3 *db)
{
    struct p11prof_error error;
    char run[256];
    int64_t run_id;
    const char *typed = offer_typed(offer), *colon = strchr(typed, ':');
    snprintf(run, sizeof run, "%.*s", (int)(colon - typed), typed);
    if (!db || p11prof_run_select(db, run, &run_id, &error) != P11PROF_OK)
        return;
    offer->lead += (size_t)(colon + 1 - typed);
    offer_query(offer, db, "SELECT DISTINCT test FROM loads WHERE run_id = ?1", run_id);
    offer_query(offer, db, "SELECT DISTINCT function FROM function_stats WHERE run_id = ?1",
                run_id);
}

void stored_runs(struct stored *stored, struct offer *offer)
{
    struct sqlite3 *db = open_once(stored);
    if (strchr(offer_typed(offer), ':')) {
        offer_rows(offer, db);
        return;
    }
    offer_one(offer, "last", "the newest run");
    offer_query(offer, db, "SELECT name, " COUNT " " NAMES, most(offer));
    offer_query(offer, db, "SELECT run_id, " DESCRIPTION " FROM runs ORDER BY run_id DESC LIMIT ?1",
                most(offer));
    offer_query(offer, db, "SELECT '@' || name, " COUNT " FROM baselines GROUP BY 1", 0);
}

void stored_run_names(struct stored *stored, struct offer *offer)
{
    offer_query(offer, open_once(stored), "SELECT name " NAMES, most(offer));
}

void stored_baselines(struct stored *stored, struct offer *offer)
{
    offer_query(offer, open_once(stored), "SELECT name, " COUNT " FROM baselines GROUP BY 1", 0);
}

void stored_words(struct stored *stored, struct offer *offer, enum p11prof_dimension_id id)
{
    static const char *const texts[P11PROF_DIMENSIONS] = {
        [P11PROF_BY_PROGRAM] = "SELECT DISTINCT program FROM processes LIMIT 1000",
        [P11PROF_BY_TEST] = "SELECT DISTINCT test FROM loads LIMIT 1000",
    };
    char sql[128];
    struct sqlite3 *db = open_once(stored);
    if (texts[id]) {
        offer_query(offer, db, texts[id], 0);
    } else if (p11prof_dimensions[id].kind == P11PROF_DIMENSION_CODE) {
        snprintf(sql, sizeof sql, "SELECT name FROM %s ORDER BY code",
                 p11prof_dimensions[id].names);
        offer_query(offer, db, sql, 0);
    }
}
