/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "summary.h"

#include "../message.h"
#include "../report/hint_database.h"
#include "../report/units.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdlib.h>

static const char totals_sql[] =
    "SELECT call_count, process_count, lost_count, (SELECT coalesce(sum(total_ns), 0)"
    " FROM function_stats WHERE run_id = ?1 AND kind != 'blocking'), name"
    " FROM runs WHERE run_id = ?1";

/* Keys of several kinds have histograms of their own: p99 is that of all of them together. */
static const char top_sql[] =
    "WITH top AS (SELECT function, mechanism, sum(count) AS count, sum(total_ns) AS total_ns,"
    " sum(success_count) AS success_count, max(max_ns) AS max_ns FROM function_stats"
    " WHERE run_id = ?1 AND kind != 'blocking' GROUP BY function, mechanism"
    " ORDER BY sum(total_ns) DESC LIMIT 5)"
    "SELECT function, mechanism, count, total_ns,"
    " (SELECT min(max_ns, min(low_ns + (high_ns - low_ns - 1) / 2)) FROM"
    "  (SELECT low_ns, high_ns, sum(count) OVER (ORDER BY low_ns) AS rank FROM"
    "   (SELECT low_ns, high_ns, sum(count) AS count FROM run_histogram AS h"
    "    WHERE h.run_id = ?1 AND h.function = top.function AND h.mechanism IS top.mechanism"
    "    AND h.kind != 'blocking' GROUP BY low_ns, high_ns))"
    "  WHERE rank >= (success_count * 99 + 99) / 100)"
    " FROM top ORDER BY total_ns DESC";

static const char open_sql[] = "SELECT count(*), min(function) FROM in_flight WHERE run_id = ?1";

static sqlite3_stmt *query(sqlite3 *db, const char *sql, int64_t run_id)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK)
        sqlite3_bind_int64(statement, 1, run_id);
    else
        p11prof_warn("no summary: %s", sqlite3_errmsg(db));
    return statement;
}

static const char *text(sqlite3_stmt *statement, int column)
{
    const char *value = (const char *)sqlite3_column_text(statement, column);
    return value ? value : "";
}

static void print_top(sqlite3 *db, int64_t run_id)
{
    sqlite3_stmt *top = query(db, top_sql, run_id);
    while (top && sqlite3_step(top) == SQLITE_ROW) {
        char total[P11PROF_UNIT_TEXT_BYTES], p99[P11PROF_UNIT_TEXT_BYTES] = "none succeeded";
        p11prof_format_ns(total, (uint64_t)sqlite3_column_int64(top, 3));
        if (sqlite3_column_type(top, 4) != SQLITE_NULL)
            p11prof_format_ns(p99, (uint64_t)sqlite3_column_int64(top, 4));
        p11prof_note("  %-22s %-24s %8lld calls  total %8s  p99 %s", text(top, 0), text(top, 1),
                     (long long)sqlite3_column_int64(top, 2), total, p99);
    }
    sqlite3_finalize(top);
}

/* What may be why the program was stopped. */
static void print_open(sqlite3 *db, int64_t run_id)
{
    sqlite3_stmt *open = query(db, open_sql, run_id);
    if (open && sqlite3_step(open) == SQLITE_ROW && sqlite3_column_int64(open, 0) > 0) {
        long long count = sqlite3_column_int64(open, 0);
        p11prof_warn("%lld call%s had not returned when %s process ended: %s%s", count,
                     count == 1 ? "" : "s", count == 1 ? "its" : "their", text(open, 1),
                     count == 1 ? "" : ", …");
    }
    sqlite3_finalize(open);
}

static void list_modules(const struct p11prof_modules *modules)
{
    for (unsigned i = 0; i < modules->count; i++)
        p11prof_note("  %s", modules->entries[i].path);
}

static void explain_nothing(const struct p11prof_modules *modules)
{
    const char *spool = getenv("P11PROF_SPOOL");
    p11prof_warn("no PKCS#11 call was recorded; nothing that was started called a function of:");
    list_modules(modules);
    p11prof_note(
        "static, set-uid and musl programs, and those that are started with a clean "
        "environment (env -i, sudo, su -), are not covered; --module names another module");
    if (spool && *spool)
        p11prof_note("nor is a process that may not write %s (P11PROF_SPOOL): it says so in syslog",
                     spool);
}

/* What the user most likely wanted to name. */
static void offer_passed(const struct p11prof_modules *passed, bool nothing)
{
    if (nothing)
        p11prof_warn("no PKCS#11 call was recorded; these modules were loaded, but were not to be "
                     "recorded:");
    else
        p11prof_note("loaded as well, but not recorded:");
    list_modules(passed);
    p11prof_note("'p11prof record --module %s -- …' records %s", passed->entries[0].path,
                 passed->count == 1 ? "it" : "the first");
}

static void print_totals(sqlite3_stmt *totals, int64_t run_id)
{
    char time[P11PROF_UNIT_TEXT_BYTES];
    long long calls = sqlite3_column_int64(totals, 0), processes = sqlite3_column_int64(totals, 1);
    p11prof_format_ns(time, (uint64_t)sqlite3_column_int64(totals, 3));
    p11prof_note("run %lld%s%s: %lld call%s in %lld process%s, %s in the module, %lld lost",
                 (long long)run_id, *text(totals, 4) ? " " : "", text(totals, 4), calls,
                 calls == 1 ? "" : "s", processes, processes == 1 ? "" : "es", time,
                 (long long)sqlite3_column_int64(totals, 2));
}

void p11prof_summary_print(sqlite3 *db, int64_t run_id, const struct p11prof_modules *modules,
                           const struct p11prof_modules *passed)
{
    sqlite3_stmt *totals = query(db, totals_sql, run_id);
    if (totals && sqlite3_step(totals) == SQLITE_ROW) {
        print_totals(totals, run_id);
        bool nothing = sqlite3_column_int64(totals, 0) == 0;
        if (nothing && passed->count == 0)
            explain_nothing(modules);
        if (!nothing) {
            print_top(db, run_id);
            print_open(db, run_id);
            if (sqlite3_column_int64(totals, 2) > 0)
                p11prof_warn("lost calls are counted, not timed: a larger P11PROF_SPOOL_LIMIT "
                             "keeps more");
            p11prof_note("'p11prof report %lld%s' shows all", (long long)run_id,
                         p11prof_hint_database());
        }
        if (passed->count > 0)
            offer_passed(passed, nothing);
    }
    sqlite3_finalize(totals);
}
