/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "run_head.h"

#include "report/query.h"

#include <stdio.h>

struct head {
    struct like_script *script;
    int64_t run_id;
    struct p11prof_error *error;
};

static enum p11prof_status refuse(const struct head *head, const char *what, const char *advice)
{
    return p11prof_error_set(head->error, P11PROF_BAD_INPUT, "run %lld %s: %s",
                             (long long)head->run_id, what, advice);
}

/* What there must be: calls, each with a row of its own. */
static enum p11prof_status head_check(const struct head *head, const struct p11prof_table *run)
{
    if (run->row_count == 0)
        return refuse(head, "is not there", "'p11prof runs' lists them");
    if (p11prof_table_integer(run, 0, "call_count", 0) == 0)
        return refuse(head, "has no calls", "nothing can be played");
    if (p11prof_table_integer(run, 0, "row_count", 0) == 0)
        return refuse(head, "does not keep its calls one by one",
                      "it has sums only, or was pruned; record the application with 'p11prof "
                      "record'");
    return P11PROF_OK;
}

/* Names come from anywhere; a file in TOML is UTF-8, and a comment one line. */
static void text_clean(char *text)
{
    for (; *text; text++)
        if (*text < ' ' || *text > '~')
            *text = '?';
}

static void head_take(const struct head *head, const struct p11prof_table *run)
{
    struct like_script *script = head->script;
    int64_t calls = p11prof_table_integer(run, 0, "call_count", 0);
    int64_t rows = p11prof_table_integer(run, 0, "row_count", 0);
    const char *program = p11prof_table_text(run, 0, "program", "");
    const char *name = *program ? program : p11prof_table_text(run, 0, "name", "no name");
    snprintf(script->uuid, sizeof script->uuid, "%s", p11prof_table_text(run, 0, "uuid", ""));
    snprintf(script->name, sizeof script->name, "run %lld (%.80s)", (long long)head->run_id, name);
    snprintf(script->origin, sizeof script->origin, "token model %.40s, recorded %.24s",
             p11prof_table_text(run, 0, "token_model", "unknown"),
             p11prof_table_text(run, 0, "started_at", ""));
    text_clean(script->name);
    text_clean(script->origin);
    script->missing_count = calls > rows ? (uint64_t)(calls - rows) : 0;
}

enum p11prof_status like_run_head_read(struct like_script *script, struct sqlite3 *db,
                                       int64_t run_id, struct p11prof_error *error)
{
    static const char sql[] =
        "SELECT r.uuid, r.name, r.program, r.call_count, r.token_model, r.started_at, "
        "(SELECT CAST(total(s.last_call - s.first_call + 1) AS INTEGER) FROM segment AS s "
        "WHERE s.run = ?1) AS row_count FROM runs AS r WHERE r.run_id = ?1";
    struct p11prof_table run = {.columns = NULL};
    const struct head given = {script, run_id, error}, *head = &given;
    enum p11prof_status status = p11prof_query_table(db, sql, head->run_id, &run, head->error);
    if (status == P11PROF_OK)
        status = head_check(head, &run);
    if (status == P11PROF_OK)
        head_take(head, &run);
    p11prof_table_clear(&run);
    return status;
}
