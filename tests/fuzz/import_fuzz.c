/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Imports any bytes as each format: they are refused with a reason and leave nothing behind, or
 * become one run without a duration below 0, in a database that is whole. */
#include "fuzz.h"
#include "import/import.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/p11prof-import-fuzz.XXXXXX";
static char path[64];

static void database_remove(void)
{
    static const char *const ends[] = {"", "-wal", "-shm", "-writer"};
    char file[80];
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        snprintf(file, sizeof file, "%s%s", path, ends[i]);
        unlink(file);
    }
    rmdir(folder);
}

/* One for all inputs: what an input made is taken out again. */
static struct p11prof_store *store_get(void)
{
    static struct p11prof_store *store;
    struct p11prof_error error;
    if (store)
        return store;
    check(mkdtemp(folder) != NULL, "no folder");
    snprintf(path, sizeof path, "%s/db", folder);
    atexit(database_remove);
    setenv("TZ", "UTC", 1);
    check(p11prof_store_open(&store, path,
                             P11PROF_STORE_CREATE | P11PROF_STORE_MIGRATE |
                                 P11PROF_STORE_NO_CHECKPOINT,
                             &error) == P11PROF_OK,
          "no database");
    return store;
}

static int64_t number(struct p11prof_store *store, const char *sql)
{
    sqlite3_stmt *row;
    check(sqlite3_prepare_v2(p11prof_store_sqlite(store), sql, -1, &row, NULL) == SQLITE_OK, sql);
    check(sqlite3_step(row) == SQLITE_ROW, sql);
    int64_t value = sqlite3_column_int64(row, 0);
    sqlite3_finalize(row);
    return value;
}

static void check_run(struct p11prof_store *store, const struct p11prof_import_result *result)
{
    check(number(store, "SELECT count(*) FROM runs WHERE state = 'finished'") == 1, "no run");
    check(number(store, "SELECT coalesce(sum(call_count), 0) FROM runs") ==
              (int64_t)(result->call_count + result->lost_count),
          "calls that nobody counted");
    check(number(store, "SELECT count(*) FROM calls") == (int64_t)result->call_count, "no rows");
    check(number(store,
                 "SELECT count(*) FROM calls WHERE duration_ns IS NOT NULL OR start_ns < 0") == 0,
          "a time that the log has not");
    check(number(store, "SELECT count(*) FROM operations WHERE duration_ns IS NOT NULL") == 0,
          "an operation with a time");
    check(number(store,
                 "SELECT count(*) FROM bench_figure WHERE min(mean_ns, p99_ns, max_ns) < 0") == 0,
          "a figure below 0");
    check(number(store, "SELECT count(*) FROM bench_load") == (int64_t)result->test_count,
          "results that nobody counted");
}

static void clear(struct p11prof_store *store)
{
    static const char sql[] =
        "DELETE FROM bench_figure; DELETE FROM bench_load; DELETE FROM bench_skip;"
        "DELETE FROM window_bucket; DELETE FROM group_window; DELETE FROM group_bucket;"
        "DELETE FROM call_group; DELETE FROM error_count; DELETE FROM session; DELETE FROM token;"
        "DELETE FROM state; DELETE FROM loss; DELETE FROM spool; DELETE FROM segment;"
        "DELETE FROM call; DELETE FROM process; DELETE FROM run;";
    check(sqlite3_exec(p11prof_store_sqlite(store), sql, NULL, NULL, NULL) == SQLITE_OK, "clear");
}

static void try_format(enum p11prof_import_format format, const uint8_t *data, size_t size)
{
    static struct p11prof_lines lines;
    struct p11prof_store *store = store_get();
    struct p11prof_error error = {.text = ""};
    struct p11prof_import_result result;
    int64_t known_run;
    FILE *stream = fmemopen((void *)data, size, "r");
    check(stream != NULL, "no stream");
    struct p11prof_import import = {.store = store, .lines = &lines, .file_name = "a"};
    p11prof_lines_init(&lines, stream, "a", 1 << 20);
    enum p11prof_status status = p11prof_import_file(&import, &format, &result, &known_run, &error);
    fclose(stream);
    check(status == P11PROF_OK || (status == P11PROF_BAD_INPUT && error.text[0]), "no reason");
    if (status == P11PROF_OK) {
        check_run(store, &result);
        clear(store);
    } else {
        check(number(store, "SELECT count(*) FROM run") == 0, "it left something behind");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    try_format(P11PROF_IMPORT_UNKNOWN, data, size);
    try_format(P11PROF_IMPORT_SPY, data, size);
    return 0;
}
