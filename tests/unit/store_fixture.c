/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "store_fixture.h"

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char fixture_folder[64];

int fixture_setup(void **state)
{
    (void)state;
    strcpy(fixture_folder, "/tmp/p11prof-test-XXXXXX");
    return mkdtemp(fixture_folder) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *file, int type, struct FTW *place)
{
    (void)file, (void)type, (void)place;
    return remove(path);
}

int fixture_teardown(void **state)
{
    (void)state;
    return nftw(fixture_folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

struct p11prof_store *fixture_store;
struct p11prof_spool_header *fixture_spool;

int fixture_store_setup(void **state)
{
    int failed = fixture_setup(state);
    fixture_store = failed ? NULL : fixture_open(fixture_path("p.db"), P11PROF_STORE_CREATE);
    fixture_spool = fixture_header(1, 1);
    return failed;
}

int fixture_store_teardown(void **state)
{
    free(fixture_spool);
    p11prof_store_close(fixture_store);
    return fixture_teardown(state);
}

const char *fixture_path(const char *name)
{
    static char paths[4][256];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", fixture_folder, name);
    return path;
}

struct p11prof_spool_header *fixture_header(uint8_t process, uint8_t spool)
{
    struct p11prof_spool_header *header = calloc(1, sizeof *header);
    assert_non_null(header);
    header->run_id[0] = 1;
    header->process_id[0] = process;
    header->spool_id[0] = spool;
    header->pid = 1000 + process;
    header->run_start = (struct p11prof_anchor){5000, 5000, UINT64_C(1700000000123000000)};
    header->start = header->run_start;
    strcpy(header->boot_id, "6a1f0a3e-0000-4000-8000-000000000001");
    strcpy(header->program, "program");
    strcpy(header->module_path, "/usr/lib/module.so");
    return header;
}

struct p11prof_store *fixture_open(const char *path, unsigned flags)
{
    struct p11prof_error error = {0};
    struct p11prof_store *store = NULL;
    if (p11prof_store_open(&store, path, flags, &error)) {
        fail_msg("%s", error.text);
    }
    sqlite3_db_config(p11prof_store_sqlite(store), SQLITE_DBCONFIG_ENABLE_VIEW, 1, NULL);
    return store;
}

void fixture_write(struct p11prof_store *store, const struct p11prof_spool_header *header,
                   const struct p11prof_batch *batch)
{
    struct p11prof_error error = {0};
    struct p11prof_process_rows rows;
    if (p11prof_store_begin(store, 5000, &error) ||
        p11prof_store_enter(store, header, &rows, &error) ||
        p11prof_store_write(store, &rows, batch, true, &error) ||
        p11prof_store_commit(store, &error)) {
        fail_msg("%s", error.text);
    }
}

void fixture_group_init(struct fixture_group *group, uint16_t function, uint64_t start_ns)
{
    memset(group, 0, sizeof *group);
    group->group = (struct p11prof_group){.code = function,
                                          .mechanism = P11PROF_UNKNOWN,
                                          .key_type = P11PROF_UNKNOWN,
                                          .key_bits = P11PROF_UNKNOWN,
                                          .window_start_ns = start_ns,
                                          .window_ns = 1000000000,
                                          .min_ns = UINT64_MAX};
}

void fixture_group_add(struct fixture_group *group, uint64_t duration_ns)
{
    struct p11prof_group *sums = &group->group;
    unsigned octave = p11prof_octave(duration_ns);
    sums->octaves[octave] = group->counts[octave];
    group->counts[octave][p11prof_octave_bucket(duration_ns, octave)]++;
    sums->count++;
    sums->sum_ns += duration_ns;
    sums->sum_squares += (double)duration_ns * (double)duration_ns;
    sums->min_ns = duration_ns < sums->min_ns ? duration_ns : sums->min_ns;
    sums->max_ns = duration_ns > sums->max_ns ? duration_ns : sums->max_ns;
}

const char *fixture_text(struct p11prof_store *store, const char *sql)
{
    static char text[1024];
    sqlite3_stmt *statement;
    sqlite3 *sqlite = p11prof_store_sqlite(store);
    if (sqlite3_prepare_v2(sqlite, sql, -1, &statement, NULL) ||
        sqlite3_step(statement) != SQLITE_ROW) {
        fail_msg("%s: %s", sql, sqlite3_errmsg(sqlite));
    }
    const char *value = (const char *)sqlite3_column_text(statement, 0);
    snprintf(text, sizeof text, "%s", value ? value : "");
    assert_int_equal(sqlite3_step(statement), SQLITE_DONE);
    sqlite3_finalize(statement);
    return text;
}

int64_t fixture_integer(struct p11prof_store *store, const char *sql)
{
    const char *text = fixture_text(store, sql);
    char *end;
    int64_t value = strtoll(text, &end, 10);
    if (end == text || *end) {
        fail_msg("%s: '%s' is no integer", sql, text);
    }
    return value;
}

void fixture_expect(const char *sql, const char *text)
{
    const char *found = fixture_text(fixture_store, sql);
    if (strcmp(found, text) != 0) {
        fail_msg("%s: '%s' is not '%s'", sql, found, text);
    }
}

void fixture_refused(const char *path, unsigned flags, enum p11prof_status status, const char *text)
{
    struct p11prof_error error = {0};
    struct p11prof_store *store = (void *)1;
    assert_int_equal(p11prof_store_open(&store, path, flags, &error), status);
    assert_null(store);
    assert_int_equal(error.status, status);
    if (!strstr(error.text, text) || strncmp(error.text, path, strlen(path)) != 0) {
        fail_msg("'%s' is not '%s … %s'", error.text, path, text);
    }
}

int fixture_files_with(const char *part)
{
    int count = 0;
    DIR *folder = opendir(fixture_folder);
    for (struct dirent *entry; (entry = readdir(folder));) {
        count += strstr(entry->d_name, part) != NULL;
    }
    closedir(folder);
    return count;
}
