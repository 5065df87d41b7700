/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "run_title.h"
#include "query.h"

enum p11prof_status p11prof_run_title(struct p11prof_page *page, struct sqlite3 *db, int64_t run_id,
                                      struct p11prof_error *error)
{
    static const char sql[] = "SELECT name, kind, state, started_at FROM runs WHERE run_id = ?1";
    struct p11prof_table run = {.columns = NULL};
    enum p11prof_status status = p11prof_query_table(db, sql, run_id, &run, error);
    const char *name = p11prof_table_text(&run, 0, "name", "");
    if (status == P11PROF_OK)
        p11prof_page_title(page, "Run %lld%s%s (%s, %s), started %s", (long long)run_id,
                           name[0] ? " " : "", name, p11prof_table_text(&run, 0, "kind", ""),
                           p11prof_table_text(&run, 0, "state", ""),
                           p11prof_table_text(&run, 0, "started_at", ""));
    p11prof_table_clear(&run);
    return status;
}
