/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "runs/change.h"
#include "commands.h"
#include "message.h"
#include "report/allocate.h"
#include "report/progress.h"
#include "report/query.h"
#include "report/units.h"
#include "retention/delete.h"
#include "retention/space.h"
#include "run_select.h"
#include "runs/recorded.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WAIT_MS = 5000 };

/* A name that a RUN could mean something else by. */
static bool is_ambiguous(const char *name)
{
    return name[0] != '\0' &&
           (strspn(name, "0123456789") == strlen(name) || name[0] == '@' ||
            strcmp(name, "last") == 0 || strncmp(name, "last~", 5) == 0 || strpbrk(name, "/,:"));
}

static enum p11prof_status set_name(struct p11prof_store *store, int64_t run_id, const char *name,
                                    struct p11prof_error *error)
{
    sqlite3_stmt *statement;
    if (p11prof_store_begin(store, WAIT_MS, error) != P11PROF_OK)
        return error->status;
    enum p11prof_status status = p11prof_query_prepare(
        p11prof_store_sqlite(store), "UPDATE run SET name = nullif(?2, '') WHERE id = ?1", run_id,
        &statement, error);
    if (status == P11PROF_OK) {
        sqlite3_bind_text(statement, 2, name, -1, SQLITE_STATIC);
        status = p11prof_query_end(statement, sqlite3_step(statement), error);
    }
    if (status == P11PROF_OK)
        return p11prof_store_commit(store, error);
    p11prof_store_rollback(store);
    return status;
}

int p11prof_runs_rename(struct p11prof_database *database, char **words, int count)
{
    struct p11prof_error error;
    int64_t run_id;
    if (count != 2)
        return p11prof_complain(
            P11PROF_EXIT_USAGE,
            "rename wants a run and its new name: p11prof runs rename RUN NAME");
    if (is_ambiguous(words[1]))
        return p11prof_complain(P11PROF_EXIT_USAGE,
                                "'%s' is no name that a run can be found by: no number, last, "
                                "@, '/', ',' or ':'",
                                words[1]);
    if (p11prof_run_select(p11prof_store_sqlite(database->store), words[0], &run_id, &error) !=
            P11PROF_OK ||
        set_name(database->store, run_id, words[1], &error) != P11PROF_OK)
        return p11prof_complain_of(&error);
    if (words[1][0])
        p11prof_note("run %" PRId64 " is now named '%s'", run_id, words[1]);
    else
        p11prof_note("run %" PRId64 " has no name any more", run_id);
    return P11PROF_EXIT_DONE;
}

/* "12 nightly (profile of p11tool, 2026-01-02T03:04:05.678Z, 1234 calls)". The caller frees it. */
static char *describe(struct sqlite3 *db, int64_t run_id)
{
    struct p11prof_table run = {.columns = NULL};
    struct p11prof_error error;
    char *text;
    size_t bytes;
    FILE *stream = p11prof_text_open(&text, &bytes);
    p11prof_query_table(db, "SELECT * FROM runs WHERE run_id = ?1", run_id, &run, &error);
    fprintf(stream, "%" PRId64 " %s (%s of %s, %s, %" PRId64 " calls)", run_id,
            p11prof_table_text(&run, 0, "name", "without a name"),
            p11prof_table_text(&run, 0, "kind", ""),
            p11prof_table_text(&run, 0, "program", "unknown"),
            p11prof_table_text(&run, 0, "started_at", ""),
            p11prof_table_integer(&run, 0, "call_count", 0));
    fclose(stream);
    p11prof_table_clear(&run);
    return text;
}

static void name_runs(struct sqlite3 *db, const struct p11prof_run_set *runs, const char *before)
{
    for (size_t i = 0; i < runs->run_count; i++) {
        char *text = describe(db, runs->run_ids[i]);
        p11prof_note("%s%s", before, text);
        free(text);
    }
}

static enum p11prof_status check(const struct p11prof_database *database, int64_t run_id,
                                 struct p11prof_error *error)
{
    enum p11prof_status status = p11prof_run_check_ended(database, run_id, error);
    return status == P11PROF_OK ? p11prof_run_check_baselines(database->store, run_id, error)
                                : status;
}

/* False, with *code, if nobody may delete them, or nobody wants to. */
static bool confirm(struct sqlite3 *db, const struct p11prof_run_set *runs, int *code)
{
    char answer[16] = "";
    if (!isatty(STDIN_FILENO)) {
        *code = p11prof_complain(P11PROF_EXIT_USAGE,
                                 "there is no terminal to ask at: --yes deletes without asking");
        return false;
    }
    name_runs(db, runs, "run ");
    fprintf(stderr, "Delete %s? [y/N] ", runs->run_count == 1 ? "this run" : "these runs");
    fflush(stderr);
    if (fgets(answer, sizeof answer, stdin) && (answer[0] == 'y' || answer[0] == 'Y'))
        return true;
    p11prof_note("nothing is deleted");
    *code = P11PROF_EXIT_NO;
    return false;
}

static int delete_all(struct p11prof_database *database, const struct p11prof_run_set *runs)
{
    struct p11prof_store *store = database->store;
    struct p11prof_progress progress;
    struct p11prof_error error;
    char text[P11PROF_UNIT_TEXT_BYTES];
    uint64_t calls = 0, before_bytes = p11prof_free_bytes(store);
    size_t deleted = 0;
    enum p11prof_status status = P11PROF_OK;
    p11prof_progress_begin(&progress, p11prof_store_sqlite(store), "deleting");
    while (deleted < runs->run_count && status == P11PROF_OK) {
        status = p11prof_run_delete(store, runs->run_ids[deleted], &calls, &error);
        deleted += status == P11PROF_OK;
    }
    p11prof_progress_end(&progress);
    uint64_t after_bytes = p11prof_free_bytes(store);
    p11prof_format_bytes(text, after_bytes > before_bytes ? after_bytes - before_bytes : 0);
    p11prof_note("%zu run%s with %" PRIu64 " rows of calls deleted, %s freed in the database; "
                 "'p11prof prune --vacuum' gives them back to the file system",
                 deleted, deleted == 1 ? "" : "s", calls, text);
    return status == P11PROF_OK ? P11PROF_EXIT_DONE : p11prof_complain_of(&error);
}

/* "3,4 nightly" as one list: nothing is deleted before all of it is understood. */
static char *join(char **words, int count)
{
    char *text;
    size_t bytes;
    FILE *stream = p11prof_text_open(&text, &bytes);
    for (int i = 0; i < count; i++)
        fprintf(stream, "%s%s", i > 0 ? "," : "", words[i]);
    fclose(stream);
    return text;
}

int p11prof_runs_delete(struct p11prof_database *database, char **words, int count, bool yes)
{
    struct sqlite3 *db = p11prof_store_sqlite(database->store);
    struct p11prof_run_set runs = {.run_ids = NULL};
    struct p11prof_error error;
    int code = P11PROF_EXIT_DONE;
    if (count == 0)
        return p11prof_complain(P11PROF_EXIT_USAGE, "delete wants a run: p11prof runs delete RUN");
    char *list = join(words, count);
    enum p11prof_status status = p11prof_run_set_select(db, list, &runs, &error);
    for (size_t i = 0; i < runs.run_count && status == P11PROF_OK; i++)
        status = check(database, runs.run_ids[i], &error);
    if (status != P11PROF_OK)
        code = p11prof_complain_of(&error);
    else if (yes || confirm(db, &runs, &code))
        code = delete_all(database, &runs);
    p11prof_run_set_clear(&runs);
    free(list);
    return code;
}
