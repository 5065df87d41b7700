/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* SQLite's memory in an application. */
#include "store_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BLOCK_PAGES = 64, /* valgrind maps a few by itself */
    PIECES = 1000,
    ROUNDS = 50000,
};

/* Pages of address space that this process has. */
static long mapped_pages(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%ld", &pages), 1);
    fclose(file);
    return pages;
}

static void write_process(struct p11prof_store *store, uint8_t number)
{
    struct p11prof_spool_header *header = fixture_header(number, number);
    const struct p11prof_batch batch = {.process_ended = true};
    fixture_write(store, header, &batch);
    free(header);
}

static void make(const char *path)
{
    struct p11prof_store *store = fixture_open(path, P11PROF_STORE_CREATE);
    write_process(store, 1);
    assert_string_equal(fixture_text(store, "PRAGMA integrity_check"), "ok");
    p11prof_store_close(store);
}

static void gives_all_back_at_the_close(void **state)
{
    (void)state;
    make(fixture_path("first.db")); /* what libc and SQLite keep for good */
    long before_pages = mapped_pages();
    make(fixture_path("second.db"));
    assert_true(mapped_pages() < before_pages + BLOCK_PAGES);
    struct p11prof_store *store = fixture_open(fixture_path("second.db"), 0);
    assert_true(mapped_pages() >= before_pages + BLOCK_PAGES);
    p11prof_store_close(store);
    assert_true(mapped_pages() < before_pages + BLOCK_PAGES);
}

/* Mostly small sizes, some of more than a block. */
static int some_bytes(void)
{
    return 1 + rand() % (rand() % 100 ? 1 << (4 + rand() % 12) : 1000000);
}

static void check(const unsigned char *piece, int bytes, int index)
{
    assert_int_equal((uintptr_t)piece % 8, 0);
    assert_true(sqlite3_msize((void *)(uintptr_t)piece) >= (uint64_t)bytes);
    assert_int_equal(piece[0], (unsigned char)index);
    assert_int_equal(piece[bytes - 1], (unsigned char)index);
}

static void keeps_pieces_apart(void **state)
{
    (void)state;
    static unsigned char *pieces[PIECES];
    static int bytes[PIECES];
    for (int round = 0; round < ROUNDS; round++) {
        int index = rand() % PIECES;
        if (pieces[index])
            check(pieces[index], bytes[index], index);
        if (pieces[index] && rand() % 2) {
            sqlite3_free(pieces[index]);
            pieces[index] = NULL;
            continue;
        }
        int kept_bytes = bytes[index], now_bytes = some_bytes();
        unsigned char *piece = sqlite3_realloc(pieces[index], now_bytes);
        assert_non_null(piece);
        if (pieces[index])
            assert_int_equal(piece[(kept_bytes < now_bytes ? kept_bytes : now_bytes) / 2],
                             (unsigned char)index);
        memset(piece, index, (size_t)now_bytes);
        pieces[index] = piece;
        bytes[index] = now_bytes;
    }
    for (int index = 0; index < PIECES; index++)
        sqlite3_free(pieces[index]);
}

int main(void)
{
    p11prof_store_one_thread();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(keeps_pieces_apart, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(gives_all_back_at_the_close, fixture_setup,
                                        fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
