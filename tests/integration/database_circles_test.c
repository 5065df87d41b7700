/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Databases whose pages point at each other, so that a small file has more rows than anybody can
 * read: commands say so, and end, and those that write leave everything as it was. */
#include "damage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum { CALLS = 1009, PAGE_BYTES = 16384, BRANCHES = 1000, LEVELS = 4 };

static void put_number(unsigned char *place, unsigned bytes, size_t number)
{
    while (bytes-- > 0) {
        place[bytes] = (unsigned char)number;
        number >>= 8;
    }
}

/* A page all of whose branches are one page, `child`, for the tree that `leaf` is of: a table's, or
 * an index's (a table without rowid is one), whose branches have a row each. */
static void branches_make(unsigned char *page, size_t child, const unsigned char *leaf)
{
    enum { HEAD_BYTES = 12, INDEX_LEAF = 10 };
    const unsigned char *row = leaf + (leaf[8] << 8 | leaf[9]);
    bool of_index = leaf[0] == INDEX_LEAF;
    size_t row_bytes = of_index ? 1 + (size_t)row[0] : 2, cell_bytes = 4 + row_bytes;
    size_t branches = (PAGE_BYTES - HEAD_BYTES) / (cell_bytes + 2);
    branches = branches < BRANCHES ? branches : BRANCHES;
    memset(page, 0, PAGE_BYTES);
    page[0] = of_index ? 2 : 5;
    put_number(page + 3, 2, branches);
    put_number(page + 5, 2, PAGE_BYTES - branches * cell_bytes);
    put_number(page + 8, 4, child);
    for (size_t i = 0; i < branches; i++) {
        const unsigned char rowid[] = {(unsigned char)(i >> 7 | 0x80), (unsigned char)(i & 0x7f)};
        size_t cell = PAGE_BYTES - (i + 1) * cell_bytes;
        put_number(page + HEAD_BYTES + 2 * i, 2, cell);
        put_number(page + cell, 4, child);
        memcpy(page + cell + 4, of_index ? row : rowid, row_bytes);
    }
}

/* All branches of the tree lead to its first page, which is the last of the file now. */
static void circle_make(const struct fault *fault, const char *original, size_t bytes, size_t root)
{
    size_t last = bytes / PAGE_BYTES;
    unsigned char *pages = calloc(last + LEVELS, PAGE_BYTES),
                  *top = pages + (root - 1) * PAGE_BYTES, *leaf = pages + bytes;
    assert_non_null(pages);
    memcpy(pages, original, bytes);
    memcpy(leaf, top, PAGE_BYTES);
    for (size_t level = 1; level < LEVELS; level++)
        branches_make(leaf + level * PAGE_BYTES, last + level, leaf);
    branches_make(top, last + LEVELS, leaf);
    put_number(pages + 28, 4, last + LEVELS);
    damage_db_remove(fault);
    damage_file_write(fault->driven.db, (char *)pages, bytes + LEVELS * PAGE_BYTES);
    free(pages);
}

/* In which table or index, what is done then, and that nothing has come of it. */
struct circle {
    const char *tree, *command, *kept;
};

static const struct circle rows_circles[] = {
    {"call", "sql 'SELECT count(*) FROM calls'", "SELECT 1"},
    {"call", "prune --vacuum", "SELECT 1"},
    {"sqlite_autoindex_run_1", "doctor", "SELECT 1"},
    {"sqlite_autoindex_run_1", "runs rename last new", "SELECT name IS NULL FROM run WHERE id = 1"},
    {"sqlite_autoindex_run_1", "runs delete last --yes", "SELECT count(*) > 0 FROM call"},
    {"sqlite_autoindex_run_1", "baseline save good last", "SELECT count(*) = 0 FROM baseline"},
    {"run", "prune --calls-older-than 1m", "SELECT count(*) > 0 FROM call"},
};

/* Of an older p11prof: before anything else, an index of this table is made. */
#define STILL_OLD "SELECT user_version = 5 FROM pragma_user_version"
static const struct circle schema_circles[] = {
    {"caller", "collect", STILL_OLD},
    {"caller", "import '" P11PROF_TEST_DATA "/import/spy-0.23.log'", STILL_OLD},
    {"caller", "merge %s.other", STILL_OLD},
};

static void circle_try(struct fault *fault, const struct circle *circle)
{
    static char said[DAMAGE_SAID_BYTES];
    char query[120], command[400];
    size_t bytes;
    char *original = damage_file_read(fault->driven.db, &bytes);
    snprintf(query, sizeof query, "SELECT rootpage FROM sqlite_schema WHERE name = '%s'",
             circle->tree);
    circle_make(fault, original, bytes, (size_t)driven_ask(&fault->driven, query));
    snprintf(command, sizeof command, circle->command, fault->driven.db);
    int status = damage_command(fault, command, said, sizeof said);
    if (!damage_ended_well(status, said) || WEXITSTATUS(status) == 0 ||
        !strstr(said, strcmp(circle->command, "doctor") ? "the database is damaged" : "contents"))
        fail_msg("%s in a circle, %s: status 0x%x: %s", circle->tree, circle->command,
                 (unsigned)status, said);
    if (strcmp(circle->command, "doctor") != 0)
        assert_int_equal(WEXITSTATUS(status), 3);
    assert_int_equal(driven_ask(&fault->driven, circle->kept), 1);
    damage_db_remove(fault);
    damage_file_write(fault->driven.db, original, bytes);
    free(original);
}

static void test_rows_without_end(void **state)
{
    struct fault fault;
    (void)state;
    fault_set_up(&fault);
    fault_run(&fault, "finalize", "exit", 2, CALLS);
    damage_sql(fault.driven.db, "UPDATE run SET start_wall_ns = 1; "
                                "PRAGMA wal_checkpoint(TRUNCATE)");
    for (size_t i = 0; i < sizeof rows_circles / sizeof *rows_circles; i++)
        circle_try(&fault, &rows_circles[i]);
    fault_tear_down(&fault);
}

/* The database that is merged is whole. */
static void test_a_change_of_schema_without_end(void **state)
{
    static const char page_size[] = "PRAGMA page_size = 16384;\n";
    static const char row[] = "INSERT INTO caller VALUES (1, 1, 'path', 'name');";
    struct fault fault;
    size_t bytes;
    char other[320], *schema = damage_file_read(P11PROF_TEST_DATA "/schema-5.sql", &bytes), *sql;
    (void)state;
    fault_set_up(&fault);
    fault_run(&fault, "finalize", "exit", 2, CALLS);
    damage_sql(fault.driven.db, "PRAGMA wal_checkpoint(TRUNCATE)");
    snprintf(other, sizeof other, "%s.other", fault.driven.db);
    assert_int_equal(rename(fault.driven.db, other), 0);
    assert_true(asprintf(&sql, "%s%.*s%s", page_size, (int)bytes, schema, row) > 0);
    damage_db_remove(&fault);
    damage_sql(fault.driven.db, sql);
    for (size_t i = 0; i < sizeof schema_circles / sizeof *schema_circles; i++)
        circle_try(&fault, &schema_circles[i]);
    free(sql);
    free(schema);
    fault_tear_down(&fault);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_without_end),
        cmocka_unit_test(test_a_change_of_schema_without_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
