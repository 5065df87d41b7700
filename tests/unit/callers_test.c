/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Return addresses as call sites: what a drain makes of the map in a spool. */
#include "spool_image.h"
#include "store_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct spool_image image;
static uint64_t number;

static void make_spool(const char *map)
{
    spool_image_make(&image, P11PROF_SPOOL_MIN_BYTES * 16, ++number);
    memcpy(image.bytes + image.layout.object_map_offset, map, strlen(map));
    spool_image_header(&image)->object_map_bytes = (uint32_t)strlen(map);
}

static void call_from(uint64_t address)
{
    const uint64_t words[7] = {address};
    assert_true(spool_image_record(
        &image, 0, p11prof_record_head(P11PROF_C_Sign, P11PROF_RECORD_CALLER, 0, 0), words));
    assert_true(spool_image_call(&image, 0, P11PROF_C_Sign, CKR_OK, 1, NULL));
}

static void drain(void)
{
    struct p11prof_drain_result result;
    struct p11prof_error error;
    int fd = spool_image_open(&image);
    assert_int_equal(
        spool_image_drain(fd, image.layout.file_bytes, fixture_store, true, 0, &result, &error),
        P11PROF_OK);
    close(fd);
    spool_image_free(&image);
}

/* "3 engine.so+0x1010|1 …": the callers of all calls. */
#define SITES                                                                                      \
    "SELECT group_concat(line, '|') FROM (SELECT count(*) || ' ' || caller_site AS line "          \
    "FROM calls GROUP BY caller_site ORDER BY min(call_id))"

static void addresses_are_offsets(void **state)
{
    (void)state;
    make_spool("1000-3000 40 /usr/lib/engine.so\n"
               "7f0000000000-7f0000001000 25000 /opt/with blanks/a b.so\n"
               "8000-9000 1000 /usr/lib/gone.so (deleted)\n");
    call_from(0x1000);
    call_from(0x2fff);
    call_from(0x2fff);
    call_from(0x3000); /* of no file */
    call_from(0x7f0000000010);
    call_from(0x8001);
    drain();
    fixture_expect(SITES, "1 engine.so+0x40|2 engine.so+0x203f|1 [anonymous]|1 a b.so+0x25010|"
                          "1 gone.so (deleted)+0x1001");
    fixture_expect("SELECT caller_path || ' ' || caller_offset_bytes || ' ' || "
                   "(caller_symbol IS NULL) FROM calls WHERE caller = 'a b.so'",
                   "/opt/with blanks/a b.so 151568 1");
}

/* Shims wrote no offsets once. */
static void older_maps_tell_files(void **state)
{
    (void)state;
    make_spool("1000-2000 /usr/lib/engine.so\n2000-3000 /abcdef 1/x.so\n");
    call_from(0x1010);
    call_from(0x1020);
    call_from(0x2020);
    drain();
    fixture_expect(SITES, "2 engine.so|1 x.so");
    fixture_expect("SELECT count(*) FROM caller WHERE offset_bytes IS NOT NULL", "0");
}

/* Lines as /proc/PID/maps has them. */
static void lines_of_proc_are_understood(void **state)
{
    (void)state;
    make_spool("1000-2000 r-xp 00003000 fe:01 1234567                    /usr/lib/engine.so\n"
               "2000-3000 r-xp 00000000 00:00 0                          [vdso]\n");
    call_from(0x1010);
    call_from(0x2020);
    drain();
    fixture_expect(SITES, "1 engine.so+0x3010|1 [anonymous]");
}

static void sites_are_bounded(void **state)
{
    (void)state;
    make_spool("10000-90000 0 /usr/lib/engine.so\n");
    for (uint64_t i = 0; i < 5000; i++)
        call_from(0x10010 + i * 16);
    call_from(0x10010); /* is known still */
    drain();
    fixture_expect("SELECT count(*) FROM caller WHERE offset_bytes IS NOT NULL", "4096");
    fixture_expect("SELECT count(*) FROM caller", "4097");
    fixture_expect("SELECT count(*) FROM calls WHERE caller_site = 'engine.so'", "904");
    fixture_expect("SELECT count(*) FROM calls WHERE caller_site = 'engine.so+0x10'", "2");
    fixture_expect("SELECT count(*) FROM calls WHERE caller = 'engine.so'", "5001");
}

/* A later drain goes on with the numbers of an earlier one. */
static void numbers_go_on(void **state)
{
    (void)state;
    struct p11prof_drain_result result;
    struct p11prof_error error;
    make_spool("1000-3000 0 /usr/lib/engine.so\n");
    call_from(0x1010);
    call_from(0x1020);
    int fd = spool_image_open(&image);
    assert_int_equal(spool_image_drain(fd, image.layout.file_bytes, fixture_store, false,
                                       P11PROF_DRAIN_ALL, &result, &error),
                     P11PROF_OK);
    call_from(0x1020);
    call_from(0x1030);
    struct p11prof_spool_header written; /* the database's name is in the file by now */
    assert_int_equal(pread(fd, &written, sizeof written, 0), (ssize_t)sizeof written);
    spool_image_header(&image)->database_id[0] = written.database_id[0];
    spool_image_header(&image)->database_id[1] = written.database_id[1];
    spool_image_write(&image, fd);
    assert_int_equal(
        spool_image_drain(fd, image.layout.file_bytes, fixture_store, true, 0, &result, &error),
        P11PROF_OK);
    close(fd);
    spool_image_free(&image);
    fixture_expect(SITES, "1 engine.so+0x10|2 engine.so+0x20|1 engine.so+0x30");
    fixture_expect("SELECT count(*) || ' ' || max(caller) FROM caller", "3 3");
}

#define TEST(function)                                                                             \
    cmocka_unit_test_setup_teardown(function, fixture_store_setup, fixture_store_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(addresses_are_offsets),
        TEST(older_maps_tell_files),
        TEST(lines_of_proc_are_understood),
        TEST(sites_are_bounded),
        TEST(numbers_go_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
