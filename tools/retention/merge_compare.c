/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Which of two copies of a run has more of it. */
#include "change.h"
#include "merge_parts.h"

#include <sqlite3.h>

/* The spools of both copies. */
struct spools {
    int64_t here, there, both; /* how many */
    int64_t newer, older;      /* of those in both, where the source has more, or less, batches */
};

/* What else grows while a run is recorded. */
enum { MEASURES = 3 };

static enum p11prof_status find(struct sqlite3 *db, struct p11prof_merge_run *run, bool *bench,
                                struct p11prof_error *error)
{
    int64_t columns[3];
    bool found;
    enum p11prof_status status = p11prof_look(
        db,
        "SELECT n.id, iif(o.boot_id IS n.boot_id, o.start_monotonic_ns - n.start_monotonic_ns, "
        "o.start_wall_ns - n.start_wall_ns), n.kind = 'bench' "
        "FROM source.run AS o JOIN main.run AS n ON n.uuid = o.uuid WHERE o.id = ?1",
        P11PROF_NUMBERS(run->source_id), columns, 3, &found, error);
    run->id = columns[0];
    run->shift_ns = columns[1];
    *bench = columns[2] != 0;
    return status;
}

static enum p11prof_status count_spools(struct sqlite3 *db, const struct p11prof_merge_run *run,
                                        struct spools *out, struct p11prof_error *error)
{
    int64_t columns[5];
    bool found;
    enum p11prof_status status =
        p11prof_look(db,
                     "WITH here AS (SELECT s.spool_id, s.batch FROM main.process AS p "
                     "JOIN main.spool AS s ON s.process = p.id WHERE p.run = ?2), "
                     "there AS (SELECT s.spool_id, s.batch FROM source.process AS p "
                     "JOIN source.spool AS s ON s.process = p.id WHERE p.run = ?1), "
                     "both AS (SELECT there.batch - here.batch AS more FROM there JOIN here "
                     "ON here.spool_id = there.spool_id) "
                     "SELECT (SELECT count(*) FROM here), (SELECT count(*) FROM there), count(*), "
                     "count(*) FILTER (WHERE more > 0), count(*) FILTER (WHERE more < 0) FROM both",
                     P11PROF_NUMBERS(run->source_id, run->id), columns, 5, &found, error);
    *out = (struct spools){columns[0], columns[1], columns[2], columns[3], columns[4]};
    return status;
}

/* Whether it ended, how many calls and operations were counted, what there is of its loads. */
static enum p11prof_status measure(struct sqlite3 *db, const char *schema, int64_t run_id,
                                   int64_t out[MEASURES], struct p11prof_error *error)
{
    bool found;
    char *sql = sqlite3_mprintf(
        "SELECT state IS NOT NULL, "
        "(SELECT CAST(total(count) AS INTEGER) FROM %s.call_group WHERE run = r.id), "
        "(SELECT count(*) FROM %s.bench_load WHERE run = r.id) "
        "+ (SELECT count(*) FROM %s.bench_slice WHERE run = r.id) "
        "+ (SELECT count(*) FROM %s.bench_thread WHERE run = r.id) "
        "+ (SELECT count(*) FROM %s.bench_interval WHERE run = r.id) "
        "+ (SELECT count(*) FROM %s.bench_skip WHERE run = r.id) FROM %s.run AS r WHERE r.id = ?1",
        schema, schema, schema, schema, schema, schema, schema);
    enum p11prof_status status =
        p11prof_look(db, sql, P11PROF_NUMBERS(run_id), out, MEASURES, &found, error);
    sqlite3_free(sql);
    return status;
}

/* With the same spools: who saw more of what comes from elsewhere. */
static enum p11prof_status compare_measures(struct sqlite3 *db, const struct p11prof_merge_run *run,
                                            enum p11prof_merge_outcome *outcome,
                                            struct p11prof_error *error)
{
    int64_t there[MEASURES], here[MEASURES];
    bool more = false, less = false;
    if (measure(db, "source", run->source_id, there, error) != P11PROF_OK ||
        measure(db, "main", run->id, here, error) != P11PROF_OK)
        return error->status;
    for (size_t i = 0; i < MEASURES; i++) {
        more = more || there[i] > here[i];
        less = less || there[i] < here[i];
    }
    *outcome = more && less ? P11PROF_MERGE_REFUSED
               : more       ? P11PROF_MERGE_REPLACED
               : less       ? P11PROF_MERGE_OLDER
                            : P11PROF_MERGE_SAME;
    return P11PROF_OK;
}

/* Why parts that have no spool in common cannot be put together; NULL if they can. */
static const char *check_parts(const struct p11prof_merge_run *run, bool bench)
{
    if (bench)
        return "the two copies of this bench have different processes";
    if (run->shift_ns < 0)
        return "its start is known better there: merge the other way round";
    return NULL;
}

enum p11prof_status p11prof_merge_compare(struct sqlite3 *db, struct p11prof_merge_run *run,
                                          enum p11prof_merge_outcome *outcome,
                                          struct p11prof_error *error)
{
    struct spools spools;
    bool bench;
    const char *problem = NULL;
    *outcome = P11PROF_MERGE_COPIED;
    if (find(db, run, &bench, error) != P11PROF_OK)
        return error->status;
    if (run->id == 0)
        return P11PROF_OK;
    if (count_spools(db, run, &spools, error) != P11PROF_OK)
        return error->status;
    bool all_there = spools.here == spools.both && spools.older == 0;
    bool all_here = spools.there == spools.both && spools.newer == 0;
    if (all_there && all_here && compare_measures(db, run, outcome, error) != P11PROF_OK)
        return error->status;
    if (all_there && all_here)
        problem = *outcome == P11PROF_MERGE_REFUSED ? "the two copies differ" : NULL;
    else if (all_there || all_here)
        *outcome = all_there ? P11PROF_MERGE_REPLACED : P11PROF_MERGE_OLDER;
    else if (spools.both == 0)
        problem = check_parts(run, bench);
    else
        problem = "each copy has calls that the other has not";
    if (!all_there && !all_here)
        *outcome = P11PROF_MERGE_ADDED;
    if (problem) {
        *outcome = P11PROF_MERGE_REFUSED;
        p11prof_error_set(error, P11PROF_BAD_INPUT, "%s", problem);
    }
    return P11PROF_OK;
}
