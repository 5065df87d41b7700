/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "../intended.h"
#include "../report/query.h"
#include "../report/units.h"
#include "checks.h"

#include <stdio.h>
#include <string.h>

enum { SPOOLS_SHOWN = 20 };

struct looking {
    struct p11prof_checks *checks;
    unsigned count;
};

/* Which command takes what waits. */
static void advise(char *out, size_t out_bytes, const struct p11prof_database *database,
                   const struct p11prof_found_spool *spool)
{
    char command[P11PROF_SPOOL_PATH_BYTES] = "p11prof collect";
    bool here =
        !spool->database_path[0] || (database->configured && p11prof_spool_is_for(spool, database));
    if (!here)
        p11prof_spool_command(command, sizeof command, spool->database_path);
    snprintf(out, out_bytes, "`%s` takes it", command);
}

static void show_spool(struct p11prof_checks *checks, const struct p11prof_found_spool *spool)
{
    bool waits = p11prof_spool_waits(spool);
    char used[P11PROF_UNIT_TEXT_BYTES], advice[P11PROF_SPOOL_PATH_BYTES + 32];
    p11prof_format_bytes(used, spool->used_bytes);
    advise(advice, sizeof advice, checks->database, spool);
    if (spool->problem.status != P11PROF_OK)
        p11prof_check_add(checks, P11PROF_VERDICT_NOTE, "spool", spool->path,
                          "it stays where it is; remove it if it is not wanted", "%s",
                          spool->problem.text);
    else
        p11prof_check_add(checks, waits ? P11PROF_VERDICT_NOTE : P11PROF_VERDICT_OK, "spool",
                          spool->path, waits ? advice : NULL, "%s, pid %d, %s, %s in use, for %s",
                          spool->program, (int)spool->pid,
                          spool->gone ? "ended"
                          : waits     ? "running, drained from outside"
                                      : "running, drains itself",
                          used, spool->database_path[0] ? spool->database_path : "no database");
}

static bool take_spool(void *payload, const struct p11prof_found_spool *spool)
{
    struct looking *looking = payload;
    if (looking->count++ < SPOOLS_SHOWN)
        show_spool(looking->checks, spool);
    return true;
}

static void check_waiting(struct p11prof_checks *checks)
{
    struct looking looking = {checks, 0};
    p11prof_spools_visit(NULL, take_spool, &looking);
    if (checks->database->spool_folder[0])
        p11prof_spools_visit(checks->database->spool_folder, take_spool, &looking);
    p11prof_check_add(checks, P11PROF_VERDICT_OK, "spools", NULL, NULL, "%u in all", looking.count);
}

struct cause {
    const char *name, *advice;
};
static const struct cause causes[] = {
    {"limit", "raise P11PROF_SPOOL_LIMIT, or P11PROF_RECORD=summary"},
    {"no_drainer", "let 'p11prof collect --follow' run"},
    {"no_memory",
     "make room in the folder of the spools, or let the process open more files (ulimit -n)"},
    {"torn", "records were damaged: a process wrote into memory that is not its own"},
};

static const char *advice_for(const char *cause)
{
    for (size_t i = 0; i < sizeof causes / sizeof causes[0]; i++)
        if (strcmp(causes[i].name, cause) == 0)
            return causes[i].advice;
    return NULL;
}

static void check_losses(struct p11prof_checks *checks)
{
    static const char sql[] = "SELECT cause, sum(count) AS count, count(DISTINCT run_id) AS runs "
                              "FROM losses GROUP BY cause";
    struct p11prof_table losses = {.columns = NULL};
    struct p11prof_error error;
    checks->section = "lost calls";
    if (p11prof_query_table(p11prof_store_sqlite(checks->database->store), sql, 0, &losses,
                            &error) != P11PROF_OK)
        p11prof_check_add(checks, P11PROF_VERDICT_PROBLEM, "losses", NULL, NULL, "%s", error.text);
    else if (losses.row_count == 0)
        p11prof_check_add(checks, P11PROF_VERDICT_OK, "losses", NULL, NULL, "none");
    for (size_t i = 0; i < losses.row_count; i++) {
        const char *cause = p11prof_table_text(&losses, i, "cause", "unknown");
        p11prof_check_add(checks, P11PROF_VERDICT_NOTE, cause, NULL, advice_for(cause),
                          "%lld calls in %lld runs",
                          (long long)p11prof_table_integer(&losses, i, "count", 0),
                          (long long)p11prof_table_integer(&losses, i, "runs", 0));
    }
    p11prof_table_clear(&losses);
}

/* What lies in memory only until it is drained: at most the last second of calls. */
static void check_limits(struct p11prof_checks *checks)
{
    checks->section = "not covered";
    p11prof_check_add(checks, P11PROF_VERDICT_NOTE, "logout", NULL,
                      "enable p11prof-collect.service ('p11prof collect --follow'), or "
                      "'loginctl enable-linger'",
                      "systemd removes what users that log out, and services with DynamicUser= "
                      "that end, have in /dev/shm");
    p11prof_check_add(checks, P11PROF_VERDICT_NOTE, "container", NULL,
                      "mount a folder of the host and set P11PROF_SPOOL to it",
                      "its own /dev/shm ends with it");
    p11prof_check_add(checks, P11PROF_VERDICT_NOTE, "reboot", NULL, NULL,
                      "what is not drained is gone: a second of calls at most");
}

void p11prof_check_spools(struct p11prof_checks *checks)
{
    checks->section = "in spools";
    check_waiting(checks);
    if (checks->database->store)
        check_losses(checks);
    check_limits(checks);
}
