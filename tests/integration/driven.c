/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "driven.h"

#include "p11prof/drain.h"

#include <fcntl.h>
#include <ftw.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

void driven_set_up(struct driven *driven)
{
    const char *temporary = getenv("TMPDIR");
    memset(driven, 0, sizeof *driven);
    snprintf(driven->folder, sizeof driven->folder, "%s/p11prof-test-XXXXXX",
             temporary ? temporary : "/tmp");
    driven->module = getenv("P11PROF_TEST_NULL");
    driven->limit = "512MB";
    assert_non_null(mkdtemp(driven->folder));
    snprintf(driven->db, sizeof driven->db, "%s/test.db", driven->folder);
    snprintf(driven->counts_path, sizeof driven->counts_path, "%s/counts", driven->folder);
    snprintf(driven->spool, sizeof driven->spool, "/dev/shm/test-p11prof-XXXXXX");
    assert_non_null(mkdtemp(driven->spool));
    int fd = open(driven->counts_path, O_RDWR | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, sizeof *driven->counts), 0);
    driven->counts = mmap(NULL, sizeof *driven->counts, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_ptr_not_equal(driven->counts, MAP_FAILED);
    close(fd);
}

static int remove_one(const char *path, const struct stat *facts, int kind, struct FTW *place)
{
    (void)facts, (void)kind, (void)place;
    return remove(path);
}

void driven_tear_down(struct driven *driven)
{
    munmap(driven->counts, sizeof *driven->counts);
    nftw(driven->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    nftw(driven->spool, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

pid_t driven_start(struct driven *driven, const char *scenario, const char *drain, unsigned threads,
                   unsigned long calls)
{
    char thread_text[16], call_text[32];
    const char *driver = getenv("P11PROF_TEST_DRIVER"), *shim = getenv("P11PROF_TEST_SHIM");
    const char *loaded = driven->plain ? driven->module : shim;
    snprintf(thread_text, sizeof thread_text, "%u", threads);
    snprintf(call_text, sizeof call_text, "%lu", calls);
    int ends[2]; /* every descendant holds the write end */
    assert_int_equal(pipe(ends), 0);
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    pid_t child = fork();
    if (child == 0) {
        setenv("P11PROF_MODULE", driven->module, 1);
        setenv("P11PROF_DB", driven->db, 1);
        if (!driven->own_folders)
            setenv("P11PROF_SPOOL", driven->spool, 1);
        setenv("P11PROF_DRAIN", drain, 1);
        setenv("P11PROF_SPOOL_LIMIT", driven->limit, 1);
        if (fcntl(ends[1], F_DUPFD, 100) >= 0) /* out of the way of small limits */
            close(ends[1]);
        if (driven->in_child)
            driven->in_child(driven);
        execl(driver, driver, loaded, driven->counts_path, scenario, thread_text, call_text, NULL);
        _exit(98);
    }
    assert_true(child > 0);
    close(ends[1]);
    driven->end = ends[0];
    return child;
}

void driven_wait(struct driven *driven)
{
    char byte;
    if (driven->end < 0)
        return;
    assert_int_equal(read(driven->end, &byte, 1), 0);
    close(driven->end);
    driven->end = -1;
}

static bool count_live(void *payload, const struct p11prof_found_spool *spool)
{
    *(unsigned *)payload += !spool->gone;
    return true;
}

void driven_collect(struct driven *driven)
{
    struct p11prof_store *store;
    struct p11prof_error error = {0};
    const char *folder = driven->own_folders ? NULL : driven->spool;
    struct p11prof_collect_options options = {.folder = folder, .wait_ms = 10000};
    struct p11prof_collect_result result;
    unsigned live = 1;
    driven_wait(driven);
    for (int i = 0; i < 1000 && live; i++) {
        live = 0;
        p11prof_spools_visit(folder, count_live, &live);
        if (live)
            usleep(20000);
    }
    assert_int_equal(live, 0);
    unsigned flags = P11PROF_STORE_CREATE | P11PROF_STORE_MIGRATE;
    if (p11prof_store_open(&store, driven->db, flags, &error) != P11PROF_OK)
        fail_msg("%s", error.text);
    if (p11prof_collect(store, &options, &result, &error) != P11PROF_OK)
        fail_msg("%s", error.text);
    p11prof_store_close(store);
}

long long driven_ask(struct driven *driven, const char *query)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    long long answer = -1;
    int result = sqlite3_open_v2(driven->db, &db, SQLITE_OPEN_READONLY, NULL);
    if (result == SQLITE_OK)
        result = sqlite3_prepare_v2(db, query, -1, &statement, NULL);
    if (result != SQLITE_OK)
        fail_msg("%s: %s", query, sqlite3_errmsg(db));
    if (sqlite3_step(statement) == SQLITE_ROW)
        answer = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return answer;
}

unsigned long long driven_returned(const struct driven *driven)
{
    unsigned long long sum = 0;
    for (uint32_t i = 0; i < driven->counts->slot_count; i++)
        sum += driven->counts->slots[i].returned_count;
    return sum;
}

/* What the database has of one thread. */
struct thread_rows {
    long long found, distinct, last;
};

static sqlite3_stmt *thread_rows_prepare(sqlite3 *db)
{
    static const char query[] =
        "SELECT pid, thread_id, count(*), count(DISTINCT out_bytes), max(out_bytes) FROM calls "
        "JOIN processes USING (process_id) WHERE function = 'C_GenerateRandom' GROUP BY 1, 2";
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(db, query, -1, &statement, NULL) != SQLITE_OK)
        fail_msg("%s: %s", query, sqlite3_errmsg(db));
    return statement;
}

/* For each slot its thread's, in one scan. */
static void thread_rows_read(const struct driven *driven, struct thread_rows *rows)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open_v2(driven->db, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    sqlite3_stmt *statement = thread_rows_prepare(db);
    while (sqlite3_step(statement) == SQLITE_ROW)
        for (uint32_t i = 0; i < driven->counts->slot_count; i++)
            if (driven->counts->slots[i].pid == sqlite3_column_int64(statement, 0) &&
                driven->counts->slots[i].thread_id == sqlite3_column_int64(statement, 1))
                rows[i] = (struct thread_rows){sqlite3_column_int64(statement, 2),
                                               sqlite3_column_int64(statement, 3),
                                               sqlite3_column_int64(statement, 4)};
    sqlite3_finalize(statement);
    sqlite3_close(db);
}

void driven_assert_exact(struct driven *driven, bool killed)
{
    static struct thread_rows all[DRIVER_SLOTS];
    memset(all, 0, sizeof all);
    thread_rows_read(driven, all);
    for (uint32_t i = 0; i < driven->counts->slot_count; i++) {
        const struct driver_slot *slot = &driven->counts->slots[i];
        const struct thread_rows *rows = &all[i];
        if (slot->returned_count == 0)
            continue;
        long long same = 0; /* slots of one thread, one after the other */
        for (uint32_t j = 0; j < driven->counts->slot_count; j++)
            same += driven->counts->slots[j].pid == slot->pid &&
                    driven->counts->slots[j].thread_id == slot->thread_id;
        long long returned = (long long)slot->returned_count;
        if (rows->distinct != rows->last || rows->found != same * rows->distinct ||
            rows->last < returned || rows->last > returned + killed)
            fail_msg("thread %u of process %u: %lld calls returned (%lld times), %lld rows, %lld "
                     "different, the last is number %lld",
                     slot->thread_id, slot->pid, returned, same, rows->found, rows->distinct,
                     rows->last);
    }
}
