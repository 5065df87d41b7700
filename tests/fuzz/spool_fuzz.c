/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Drains damaged spools: whatever is in one, the drain ends, counts no call twice, and leaves a
 * database that every view can be read from.
 *
 * An input is a byte of options and a list of edits, or 4 and the text of the map of objects. */
#include "fuzz.h"
#include "spool_edits.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { INPUTS_PER_DATABASE = 64, OPTION_LIVE = 1, OPTION_SHORT = 2, ONLY_MAP = 4 };

static struct p11prof_store *store;
static char database[64];
static uint64_t input_count, calls_in_database;

static void database_remove(void)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", "-writer"};
    p11prof_store_close(store);
    store = NULL;
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        char path[80];
        snprintf(path, sizeof path, "%s%s", database, suffixes[i]);
        unlink(path);
    }
}

static void database_open(void)
{
    struct p11prof_error error = {0};
    if (!database[0]) {
        snprintf(database, sizeof database, "/dev/shm/fuzz.p11prof.%ld.db", (long)getpid());
        atexit(database_remove);
    }
    if (store)
        database_remove();
    enum p11prof_status status = p11prof_store_open(
        &store, database,
        P11PROF_STORE_CREATE | P11PROF_STORE_MIGRATE | P11PROF_STORE_NO_CHECKPOINT, &error);
    check(status == P11PROF_OK, error.text);
    calls_in_database = 0;
}

static uint64_t ask(const char *query)
{
    sqlite3_stmt *statement = NULL;
    sqlite3 *sqlite = p11prof_store_sqlite(store);
    uint64_t answer = 0;
    int code = sqlite3_prepare_v2(sqlite, query, -1, &statement, NULL);
    while (code == SQLITE_OK || code == SQLITE_ROW) {
        code = sqlite3_step(statement);
        if (code == SQLITE_ROW)
            answer = (uint64_t)sqlite3_column_int64(statement, 0);
    }
    check(code == SQLITE_DONE, sqlite3_errmsg(sqlite));
    sqlite3_finalize(statement);
    return answer;
}

static void views_read(void)
{
    static const char *const views[] = {"runs",           "processes",       "windows", "histogram",
                                        "function_stats", "operation_stats", "errors",  "sessions",
                                        "losses",         "in_flight"};
    for (size_t i = 0; i < sizeof views / sizeof *views; i++) {
        char query[64];
        snprintf(query, sizeof query, "SELECT * FROM %s", views[i]);
        ask(query);
    }
    ask("SELECT * FROM calls WHERE call_id > (SELECT max(id) FROM call) - 5000");
    ask("SELECT * FROM operations WHERE operation_id > (SELECT max(id) FROM call) - 5000");
}

/* The text that names the files of callers. */
static void map_set(struct spool_image *image, const uint8_t *data, size_t size)
{
    size = size < P11PROF_OBJECT_MAP_BYTES ? size : P11PROF_OBJECT_MAP_BYTES;
    memcpy(image->bytes + image->layout.object_map_offset, data, size);
    spool_image_header(image)->object_map_bytes = (uint32_t)size;
}

/* Drains it until it is empty; the last time has nothing to take. */
static void drain_all(const struct spool_image *image, int fd, bool live)
{
    struct p11prof_drain_result result;
    struct p11prof_error error = {0};
    uint64_t taken = 0;
    for (int time = live ? 0 : 1; time < 3; time++) {
        enum p11prof_status status = spool_image_drain(
            fd, image->layout.file_bytes, store, time > 0, P11PROF_DRAIN_ADOPT, &result, &error);
        taken += result.call_count;
        check(status != P11PROF_FAILED && status != P11PROF_BUSY, error.text);
        check(time < 2 || result.call_count == 0, "calls were taken twice");
    }
    check(taken <= (uint64_t)image->layout.chunk_count * P11PROF_CHUNK_RECORDS,
          "more calls than records");
    calls_in_database += taken;
    check(ask("SELECT CAST(total(call_count) AS INTEGER) FROM process") == calls_in_database,
          "the database counts other calls than the drain");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if (input_count++ % INPUTS_PER_DATABASE == 0)
        database_open();
    struct spool_image *image = spool_edits_image();
    if (data[0] == ONLY_MAP)
        map_set(image, data + 1, size - 1);
    else
        spool_edits_make(image, data + 1, size - 1);
    const char *path = p11prof_spool_database(spool_image_header(image));
    check(strlen(path) < P11PROF_SPOOL_PATH_BYTES && (!*path || *path == '/'),
          "a database without a path");
    int fd = spool_image_open(image);
    if (data[0] & OPTION_SHORT)
        check(ftruncate(fd, data[0] * INT64_C(4096)) == 0, "ftruncate");
    drain_all(image, fd, data[0] & OPTION_LIVE);
    close(fd);
    if (input_count % INPUTS_PER_DATABASE == 0)
        views_read();
    return 0;
}
