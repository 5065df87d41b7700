/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Parents and children in spools: who is taken first, and what a child knows from the database. */
#include "drain/lineage.h"
#include "spool_image.h"
#include "store_fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MIB = 1 << 20 };

static struct lineage lineage;

static struct p11prof_spool_header header(uint8_t number, uint8_t parent)
{
    struct p11prof_spool_header out = {.spool_id = {number, 1}, .process_id = {number}};
    out.parent_id[0] = parent;
    return out;
}

static unsigned depth(uint8_t number, uint8_t parent)
{
    const struct p11prof_spool_header asked = header(number, parent);
    return lineage_depth(&lineage, &asked);
}

static void note(uint8_t number, uint8_t parent)
{
    const struct p11prof_spool_header noted = header(number, parent);
    lineage_add(&lineage, &noted);
}

static void test_order(void **state)
{
    (void)state;
    memset(&lineage, 0, sizeof lineage);
    note(3, 2), note(2, 1), note(4, 9), note(1, 0), note(5, 6), note(6, 5);
    lineage_finish(&lineage);
    assert_int_equal(depth(1, 0), 0);
    assert_int_equal(depth(2, 1), 1);
    assert_int_equal(depth(3, 2), 2);
    assert_int_equal(depth(4, 9), 0); /* its parent is not here */
    assert_true(depth(5, 6) <= LINEAGE_DEPTH_MOST && depth(6, 5) <= LINEAGE_DEPTH_MOST);
    assert_int_equal(depth(7, 1), 1); /* it came later */
    assert_int_equal(depth(8, 0), 0);
}

static void test_many(void **state)
{
    (void)state;
    memset(&lineage, 0, sizeof lineage);
    for (unsigned i = 0; i < LINEAGE_SPOOLS_MOST + 10; i++)
        note((uint8_t)i, (uint8_t)(i + 1));
    lineage_finish(&lineage);
    assert_int_equal(lineage.count, LINEAGE_SPOOLS_MOST);
    assert_true(lineage.deepest <= LINEAGE_DEPTH_MOST);
}

/* The parent found key 7 in session 1 of slot 3, forked, and gave up everything. */
static void parent_fill(struct spool_image *image)
{
    static const uint64_t slot[3] = {3};
    static const uint64_t key[7] = {7, CKO_SECRET_KEY, CKK_AES, 256};
    const uint64_t head = p11prof_record_head(P11PROF_C_GetAttributeValue, P11PROF_RECORD_OBJECT, 0,
                                              P11PROF_OBJECT_KEY_TYPE | P11PROF_OBJECT_KEY_BITS);
    spool_image_call(image, 0, P11PROF_C_OpenSession, CKR_OK, 1, slot);
    spool_image_record(image, 0, head, key);
    spool_image_call(image, 0, P11PROF_C_GetAttributeValue, CKR_OK, 1, key);
    spool_image_call(image, 0, P11PROF_C_Finalize, CKR_OK, P11PROF_NO_SESSION, NULL);
    spool_image_header(image)->fork_count = 1;
}

static void child_fill(struct spool_image *image)
{
    static const uint64_t mechanism[3] = {CKM_AES_CMAC, 7}, bytes[3] = {32, 16};
    spool_image_call(image, 0, P11PROF_C_SignInit, CKR_OK, 1, mechanism);
    spool_image_call(image, 0, P11PROF_C_Sign, CKR_OK, 1, bytes);
    spool_image_header(image)->fork_count = 1;
}

/* A spool of process `number`, forked by `parent`, all of run 1. */
static void spool_make(const char *name, uint64_t number, uint8_t parent,
                       void (*fill)(struct spool_image *image))
{
    struct spool_image image;
    spool_image_make(&image, MIB, number);
    struct p11prof_spool_header *made = spool_image_header(&image);
    memset(made->run_id, 1, sizeof made->run_id);
    if (parent) {
        made->parent_id[0] = parent;
        made->parent_id[15] = 1;
    }
    fill(&image);
    int fd = open(fixture_path(name), O_RDWR | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0);
    spool_image_write(&image, fd);
    close(fd);
    spool_image_free(&image);
}

static void collect(uint64_t spool_count)
{
    struct p11prof_collect_options options = {.folder = fixture_folder, .wait_ms = 1000};
    struct p11prof_collect_result result;
    struct p11prof_error error = {0};
    if (p11prof_collect(fixture_store, &options, &result, &error) != P11PROF_OK)
        fail_msg("%s", error.text);
    assert_int_equal(result.spool_count, spool_count);
}

static const char known_signatures[] =
    "SELECT count(*) FROM calls WHERE function IN ('C_SignInit', 'C_Sign') AND "
    "key_type = 'CKK_AES' AND key_bits = 256 AND key_id = 1 AND slot_id = 3";

static void test_parents_first(void **state)
{
    (void)state;
    spool_make("1.spool", 3, 2, child_fill);
    spool_make("2.spool", 2, 1, child_fill);
    spool_make("3.spool", 1, 0, parent_fill);
    spool_make("4.spool", 4, 1, child_fill);
    collect(4);
    fixture_expect(known_signatures, "6");
    fixture_expect("SELECT count(*) FROM state WHERE kind IN (4, 5)", "8");
    fixture_expect("SELECT count(*) FROM state", "8");
}

static void test_later(void **state)
{
    (void)state;
    spool_make("1.spool", 1, 0, parent_fill);
    collect(1);
    spool_make("2.spool", 2, 1, child_fill);
    collect(1);
    fixture_expect(known_signatures, "2");
}

/* A stranger's process is nobody's parent. */
static void test_other_run(void **state)
{
    (void)state;
    spool_make("1.spool", 1, 0, parent_fill);
    collect(1);
    fixture_integer(fixture_store, "UPDATE run SET uuid = randomblob(16) RETURNING 1");
    spool_make("2.spool", 2, 1, child_fill);
    collect(1);
    fixture_expect(known_signatures, "0");
}

int main(void)
{
#define STORE_TEST(test)                                                                           \
    cmocka_unit_test_setup_teardown(test, fixture_store_setup, fixture_store_teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order), cmocka_unit_test(test_many), STORE_TEST(test_parents_first),
        STORE_TEST(test_later),       STORE_TEST(test_other_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
