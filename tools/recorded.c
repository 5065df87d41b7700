/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "recorded.h"
#include "message.h"
#include "report/query.h"

#include <string.h>

void p11prof_note_unreturned(struct sqlite3 *db, const struct p11prof_run_set *runs)
{
    for (size_t i = 0; i < runs->run_count; i++) {
        struct p11prof_error error;
        int64_t count = 0;
        if (p11prof_query_integer(db, "SELECT count(*) FROM in_flight WHERE run_id = ?1",
                                  runs->run_ids[i], 0, &count, &error) == P11PROF_OK &&
            count > 0)
            p11prof_warn("%lld call%s of run %lld did not return: no objective is about %s",
                         (long long)count, count == 1 ? "" : "s", (long long)runs->run_ids[i],
                         count == 1 ? "it" : "them");
    }
}

void p11prof_note_recorded(struct sqlite3 *db, const struct p11prof_run_set *runs)
{
    for (size_t i = 0; i < runs->run_count; i++) {
        struct p11prof_table run = {.columns = NULL};
        struct p11prof_error error;
        long long run_id = (long long)runs->run_ids[i], lost;
        if (p11prof_query_table(db, "SELECT state, lost_count FROM runs WHERE run_id = ?1",
                                runs->run_ids[i], &run, &error) != P11PROF_OK) {
            p11prof_table_clear(&run);
            return;
        }
        lost = (long long)p11prof_table_integer(&run, 0, "lost_count", 0);
        if (strcmp(p11prof_table_text(&run, 0, "state", ""), "running") == 0)
            p11prof_note("run %lld is still being recorded: this is what it has so far", run_id);
        if (lost > 0)
            p11prof_warn("%lld calls of run %lld were lost: they are counted, but not timed", lost,
                         run_id);
        p11prof_table_clear(&run);
    }
}
