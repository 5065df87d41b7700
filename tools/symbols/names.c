/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "names.h"
#include "ask.h"
#include "report/allocate.h"
#include "report/query.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { AT_ONCE = 16384, WAIT_MS = 500 };

/* What stands in table caller, and what is asked about it. */
struct names {
    struct name {
        int64_t process, caller;
        char *path;
        bool asked; /* there is a question about it */
    } * all;
    struct p11prof_symbol_question *questions;
    size_t count, capacity, question_count;
};

static void take_row(struct names *names, sqlite3_stmt *row, const char *host)
{
    const char *path = p11prof_query_text(row, 2), *of_host = p11prof_query_text(row, 5);
    bool here = path && of_host && strcmp(of_host, host) == 0 && !strchr(path, '\n');
    names->all = p11prof_grow(names->all, &names->capacity, names->count + 1, sizeof *names->all);
    names->all[names->count++] =
        (struct name){sqlite3_column_int64(row, 0), sqlite3_column_int64(row, 1),
                      p11prof_copy(path ? path : ""), here};
    if (here)
        names->questions[names->question_count++] =
            (struct p11prof_symbol_question){.path = names->all[names->count - 1].path,
                                             .offset_bytes = (uint64_t)sqlite3_column_int64(row, 3),
                                             .before_ns = (uint64_t)sqlite3_column_int64(row, 4)};
}

static enum p11prof_status read_names(struct names *names, struct sqlite3 *db,
                                      struct p11prof_error *error)
{
    static const char sql[] =
        "SELECT w.process, w.caller, w.path, w.offset_bytes, p.start_wall_ns, r.host "
        "FROM caller AS w JOIN process AS p ON p.id = w.process JOIN run AS r ON r.id = p.run "
        "WHERE w.symbol IS NULL AND w.offset_bytes IS NOT NULL ORDER BY w.path LIMIT ?2";
    char host[65] = "";
    sqlite3_stmt *rows;
    int result;
    gethostname(host, sizeof host - 1);
    if (p11prof_query_prepare(db, sql, 0, &rows, error) != P11PROF_OK)
        return error->status;
    sqlite3_bind_int64(rows, 2, AT_ONCE);
    while ((result = sqlite3_step(rows)) == SQLITE_ROW)
        take_row(names, rows, host);
    return p11prof_query_end(rows, result, error);
}

/* Root believes none of the files of another user, who does, and asks later. */
static bool is_ours(struct sqlite3 *db)
{
    struct stat found;
    const char *path = sqlite3_db_filename(db, "main");
    return path && stat(path, &found) == 0 && found.st_uid == geteuid();
}

/* '' where there is no function. */
static bool write_name(sqlite3_stmt *update, const struct name *name,
                       const struct p11prof_symbol_question *question)
{
    bool found = question && question->symbol;
    sqlite3_reset(update);
    sqlite3_bind_int64(update, 1, name->process);
    sqlite3_bind_int64(update, 2, name->caller);
    sqlite3_bind_text(update, 3, found ? question->symbol : "", -1, SQLITE_STATIC);
    if (found)
        sqlite3_bind_int64(update, 4, (int64_t)question->symbol_offset_bytes);
    else
        sqlite3_bind_null(update, 4);
    return sqlite3_step(update) == SQLITE_DONE;
}

static bool write_names(const struct names *names, struct sqlite3 *db)
{
    struct p11prof_error error;
    sqlite3_stmt *update;
    bool written = true, ours = is_ours(db);
    if (p11prof_query_prepare(db,
                              "UPDATE caller SET symbol = ?3, symbol_offset_bytes = ?4 "
                              "WHERE process = ?1 AND caller = ?2",
                              0, &update, &error) != P11PROF_OK)
        return false;
    size_t next = 0;
    for (size_t i = 0; i < names->count && written; i++) {
        const struct p11prof_symbol_question *question =
            names->all[i].asked ? &names->questions[next++] : NULL;
        if (!question || (question->answered && (ours || question->symbol)))
            written = write_name(update, &names->all[i], question);
    }
    sqlite3_finalize(update);
    return written;
}

static void store_names(const struct names *names, struct p11prof_store *store)
{
    struct p11prof_error error;
    if (p11prof_store_begin(store, WAIT_MS, &error) != P11PROF_OK)
        return;
    if (!write_names(names, p11prof_store_sqlite(store)) ||
        p11prof_store_commit(store, &error) != P11PROF_OK)
        p11prof_store_rollback(store);
}

static void clear(struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->all[i].path);
    for (size_t i = 0; i < names->question_count; i++)
        free(names->questions[i].symbol);
    free(names->all);
    free(names->questions);
}

void p11prof_symbols_name(struct p11prof_store *store, const char *helper)
{
    struct sqlite3 *db = p11prof_store_sqlite(store);
    struct p11prof_error error;
    int64_t any = 0;
    if (p11prof_query_integer(db,
                              "SELECT EXISTS (SELECT 1 FROM caller WHERE symbol IS NULL "
                              "AND offset_bytes IS NOT NULL)",
                              0, 0, &any, &error) != P11PROF_OK ||
        !any)
        return;
    struct names names = {.questions = p11prof_zalloc(AT_ONCE, sizeof *names.questions)};
    if (read_names(&names, db, &error) == P11PROF_OK) {
        p11prof_symbols_ask(helper, names.questions, names.question_count);
        store_names(&names, store);
    }
    clear(&names);
}
