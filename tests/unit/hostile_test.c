/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Spools that are damaged, or made to do harm: what is whole is taken once, what is torn is
 * counted, and a drain ends soon. */
#include "spool_image.h"
#include "store_fixture.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Processor time that the worst spool of 16 MiB may take, with a sanitizer too; without bounds it
 * was hours. */
enum { MIB = 1 << 20, SECONDS_MOST = 60 };

static struct spool_image image;
static struct p11prof_drain_result result;
static struct p11prof_error error;

static enum p11prof_status drain(int fd, bool gone)
{
    return spool_image_drain(fd, image.layout.file_bytes, fixture_store, gone, 0, &result, &error);
}

/* Drains the image as a dead process's spool, twice: the second time has nothing to take. */
static uint64_t drain_image(void)
{
    int fd = spool_image_open(&image);
    if (drain(fd, true) != P11PROF_OK)
        fail_msg("%s", error.text);
    uint64_t taken = result.call_count;
    assert_int_equal(drain(fd, true), P11PROF_OK);
    assert_int_equal(result.call_count, 0);
    close(fd);
    assert_int_equal(fixture_integer(fixture_store, "SELECT count(*) FROM calls"), taken);
    return taken;
}

static int64_t torn(void)
{
    return fixture_integer(fixture_store,
                           "SELECT coalesce(sum(count), 0) FROM losses WHERE cause = 'torn'");
}

static int image_setup(void **state)
{
    int failed = fixture_store_setup(state);
    spool_image_make(&image, MIB, 1);
    return failed;
}

static int image_teardown(void **state)
{
    spool_image_free(&image);
    return fixture_store_teardown(state);
}

/* `count` calls in ring 0. */
static void calls(unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        assert_true(spool_image_call(&image, 0, P11PROF_C_GenerateRandom, CKR_OK, 1, NULL));
}

/* --- damage --- */

static void test_whole(void **state)
{
    (void)state;
    unsigned count = spool_image_sample(&image);
    assert_int_equal(drain_image(), count);
    assert_int_equal(torn(), 0);
    fixture_expect("SELECT lost_count FROM runs", "5");
    fixture_expect("SELECT function FROM in_flight", "C_WaitForSlotEvent");
}

static void test_head_of_no_function(void **state)
{
    (void)state;
    calls(1500);
    spool_image_records(&image, 0)[7].head = p11prof_record_head(105, P11PROF_RECORD_CALL, 0, 0);
    spool_image_records(&image, 1)[7].head = UINT64_MAX;
    assert_int_equal(drain_image(), 1498);
    assert_int_equal(torn(), 2);
}

/* At the end of the ring no call comes after it. */
static void test_torn_at_the_end(void **state)
{
    (void)state;
    calls(10);
    spool_image_records(&image, 0)[9].head = UINT64_MAX;
    assert_int_equal(drain_image(), 9);
    assert_int_equal(torn(), 1);
}

static void test_holes(void **state)
{
    (void)state;
    calls(2500);
    spool_image_records(&image, 0)[100].head = 0;
    memset((void *)(spool_image_records(&image, 0) + 1000), 0, 24 * 64);
    spool_image_records(&image, 2)[20].head = 0;
    assert_int_equal(drain_image(), 2500 - 1 - 24 - 1);
    assert_int_equal(torn(), 26);
}

/* Its pages are there, whatever its descriptor says. */
static void test_made_bytes(void **state)
{
    (void)state;
    calls(500);
    spool_image_chunk(&image, 0)->made_bytes = 64;
    assert_int_equal(drain_image(), 500);
}

static void test_chunks(void **state)
{
    (void)state;
    calls(5000);
    spool_image_chunk(&image, 1)->ring = UINT32_MAX;
    spool_image_chunk(&image, 2)->sequence = 0;
    *spool_image_state(&image, 3) = 77;
    assert_int_equal(drain_image(), 1024 + 5000 - 4 * 1024);
    assert_true(torn() >= 2);
}

static void test_far_sequence(void **state)
{
    (void)state;
    calls(2000);
    spool_image_chunk(&image, 1)->sequence = INT64_MAX / P11PROF_CHUNK_RECORDS - 3;
    assert_int_equal(drain_image(), 2000);
    spool_image_chunk(&image, 1)->sequence = UINT64_MAX / P11PROF_CHUNK_RECORDS;
    spool_image_header(&image)->spool_id[1] = 1;
    int fd = spool_image_open(&image);
    assert_int_equal(drain(fd, true), P11PROF_OK);
    assert_int_equal(result.call_count, 1024);
    close(fd);
}

static void test_clocks(void **state)
{
    static const uint64_t numbers[] = {0, 1, INT64_MAX, UINT64_MAX, UINT64_C(1) << 62};
    struct p11prof_spool_header *header = spool_image_header(&image);
    (void)state;
    image.rings[0].clock = P11PROF_CLOCK_TSC;
    calls(1000);
    header->ticks_per_second = 1;
    header->anchor_count = UINT32_MAX;
    for (int i = 0; i < P11PROF_SPOOL_ANCHORS; i++)
        header->anchors[i] = (struct p11prof_anchor){numbers[i % 5], numbers[i / 5 % 5], 1};
    for (int i = 0; i < 25; i++) {
        spool_image_records(&image, 0)[i].start_ticks = numbers[i % 5];
        spool_image_records(&image, 0)[i].duration_ticks = numbers[i / 5 % 5];
    }
    assert_int_equal(drain_image(), 1000);
    fixture_expect("SELECT count(*) FROM calls WHERE start_ns < 0 OR duration_ns < 0", "0");
    fixture_integer(fixture_store, "SELECT count(*) FROM (SELECT * FROM function_stats)");
}

static void test_losses_past_all_numbers(void **state)
{
    (void)state;
    calls(10);
    memset((void *)spool_image_ring(&image, 0)->lost, 0x7f,
           sizeof spool_image_ring(&image, 0)->lost);
    memset((void *)spool_image_header(&image)->lost, 0xff, 64);
    assert_int_equal(drain_image(), 10);
    fixture_expect("SELECT call_count > 0 AND lost_count > 0 FROM runs", "1");
}

static void test_texts_without_end(void **state)
{
    struct p11prof_spool_header *header = spool_image_header(&image);
    (void)state;
    calls(10);
    memset(header->program, 'p', sizeof header->program);
    memset(header->module_path, 'm', sizeof header->module_path);
    memset(header->run_name, 'n', sizeof header->run_name);
    memset(header->boot_id, 'b', sizeof header->boot_id);
    memset(header->database_path, '/', sizeof header->database_path);
    header->object_map_bytes = UINT32_MAX;
    memset(image.bytes + image.layout.object_map_offset, '/', P11PROF_OBJECT_MAP_BYTES);
    assert_int_equal(drain_image(), 10);
    assert_string_equal(p11prof_spool_database(header), "");
    fixture_expect("SELECT length(program) FROM runs", "63");
    fixture_expect("SELECT length(module_path) FROM processes", "511");
}

static void test_intended_database(void **state)
{
    struct p11prof_spool_header *header = spool_image_header(&image);
    (void)state;
    assert_string_equal(p11prof_spool_database(header), "/var/lib/p11prof/p11prof.db");
    strcpy(header->database_path, "here.db");
    assert_string_equal(p11prof_spool_database(header), "");
    header->database_path[0] = '\0';
    assert_string_equal(p11prof_spool_database(header), "");
}

/* Whose a spool is says the file, not what is written in it. */
static void test_user(void **state)
{
    char owner[16];
    (void)state;
    calls(1);
    spool_image_header(&image)->user_id = geteuid() + 1;
    drain_image();
    snprintf(owner, sizeof owner, "%u", geteuid());
    fixture_expect("SELECT user FROM processes", geteuid() ? owner : "root");
}

/* --- no spool --- */

static void refused(void (*damage)(struct p11prof_spool_header *header), enum p11prof_status status)
{
    calls(10);
    damage(spool_image_header(&image));
    int fd = spool_image_open(&image);
    assert_int_equal(drain(fd, true), status);
    assert_true(strlen(error.text) > 10);
    close(fd);
    fixture_expect("SELECT count(*) FROM calls", "0");
    fixture_expect("SELECT count(*) FROM runs", "0");
    spool_image_free(&image);
    spool_image_make(&image, MIB, 1);
}

static void other_magic(struct p11prof_spool_header *header)
{
    header->magic[0] = 'Q';
}
static void other_version(struct p11prof_spool_header *header)
{
    header->version++;
}
static void other_header_size(struct p11prof_spool_header *header)
{
    header->header_bytes = UINT32_MAX;
}
static void huge_rings(struct p11prof_spool_header *header)
{
    header->ring_count = UINT32_MAX;
}
static void huge_chunks(struct p11prof_spool_header *header)
{
    header->chunk_count = UINT32_MAX;
}
static void huge_file(struct p11prof_spool_header *header)
{
    header->file_bytes = UINT64_C(1) << 62;
}
static void other_database(struct p11prof_spool_header *header)
{
    header->database_id[0] = 1;
}

/* A collector says which version it is, and leaves it. */
static void test_older_version(void **state)
{
    struct p11prof_collect_options options = {.folder = fixture_folder, .wait_ms = 1000};
    struct p11prof_collect_result collected;
    (void)state;
    calls(10);
    spool_image_header(&image)->version = P11PROF_SPOOL_VERSION - 1;
    int fd = open(fixture_path("old.spool"), O_RDWR | O_CREAT | O_EXCL, 0600);
    spool_image_write(&image, fd);
    close(fd);
    assert_int_equal(p11prof_collect(fixture_store, &options, &collected, &error), P11PROF_REFUSED);
    assert_int_equal(collected.waiting_count, 1);
    assert_non_null(strstr(error.text, "old.spool: a spool of version 1; this p11prof reads"));
    assert_int_equal(fixture_files_with("old.spool"), 1);
}

static void test_no_spools(void **state)
{
    (void)state;
    refused(other_magic, P11PROF_BAD_INPUT);
    refused(other_version, P11PROF_REFUSED);
    refused(other_header_size, P11PROF_REFUSED);
    refused(huge_rings, P11PROF_BAD_INPUT);
    refused(huge_chunks, P11PROF_BAD_INPUT);
    refused(huge_file, P11PROF_BAD_INPUT);
    refused(other_database, P11PROF_REFUSED);
}

/* --- while it is read --- */

static void test_short_file(void **state)
{
    (void)state;
    calls(5000);
    int fd = spool_image_open(&image);
    assert_int_equal(ftruncate(fd, MIB / 2), 0);
    assert_int_equal(drain(fd, true), P11PROF_BAD_INPUT);
    fixture_expect("SELECT count(*) FROM calls", "0");
    close(fd);
}

/* Flips and restores, cuts and lengthens, as fast as it can. */
static struct {
    int fd;
    char *map;
    _Atomic(bool) stop;
    bool cuts;
} attack;

static void *attack_run(void *unused)
{
    uint64_t random = 88172645463325252u;
    while (!attack.stop) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        if (attack.cuts && ftruncate(attack.fd, random % 2 ? MIB : (off_t)(random >> 8) % MIB) != 0)
            break;
        if (!attack.cuts)
            ((_Atomic(char) *)attack.map)[random % MIB] = (char)(random >> 32);
    }
    return unused;
}

static void under_attack(bool cuts)
{
    pthread_t thread;
    uint64_t taken = 0;
    time_t end = time(NULL) + 2;
    spool_image_sample(&image);
    attack.cuts = cuts;
    attack.stop = false;
    attack.fd = spool_image_open(&image);
    attack.map = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_SHARED, attack.fd, 0);
    assert_ptr_not_equal(attack.map, MAP_FAILED);
    assert_int_equal(pthread_create(&thread, NULL, attack_run, NULL), 0);
    while (time(NULL) < end) {
        spool_image_header(&image)->spool_id[2]++;
        spool_image_header(&image)->process_id[2]++;
        if (!cuts)
            memcpy(attack.map, image.bytes, MIB);
        for (int gone = 0; gone < 2; gone++) {
            enum p11prof_status status = drain(attack.fd, gone);
            taken += result.call_count;
            if (status != P11PROF_OK && status != P11PROF_BAD_INPUT && status != P11PROF_REFUSED)
                fail_msg("%s", error.text);
        }
    }
    attack.stop = true;
    pthread_join(thread, NULL);
    munmap(attack.map, MIB);
    close(attack.fd);
    assert_int_equal(
        fixture_integer(fixture_store, "SELECT coalesce(sum(call_count), 0) FROM process"), taken);
}

static void test_changed_while_read(void **state)
{
    (void)state;
    under_attack(false);
}

static void test_cut_while_read(void **state)
{
    (void)state;
    under_attack(true);
}

/* --- work without end --- */

static double processor_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Fills 16 MiB by `fill`, a call or note at a time, and drains them. */
static void work(const char *name, bool (*fill)(uint64_t number))
{
    spool_image_free(&image);
    spool_image_make(&image, 16 * MIB, 1);
    for (uint64_t number = 0; fill(number); number++)
        ;
    double start = processor_seconds();
    uint64_t taken = drain_image();
    double seconds = processor_seconds() - start;
    printf("%s: %llu calls in %.2f s\n", name, (unsigned long long)taken, seconds);
    assert_true(seconds < SECONDS_MOST);
}

static bool fill_results(uint64_t number)
{
    return spool_image_call(&image, 0, P11PROF_C_GenerateRandom, 0x80000000 + number, 1, NULL);
}

static bool fill_mechanisms(uint64_t number)
{
    const uint64_t facts[3] = {0x80000000 + (number << 44)};
    return spool_image_call(&image, 0, P11PROF_C_DigestInit, CKR_OK, 1, facts);
}

static bool fill_sessions(uint64_t number)
{
    const uint64_t facts[3] = {CKM_SHA256};
    return spool_image_call(&image, 0, P11PROF_C_DigestInit, CKR_OK, number, facts);
}

/* Handles that a known hash would put into one place. */
static bool fill_collisions(uint64_t number)
{
    const uint64_t inverse = 0xf1de83e19937733du; /* of the golden ratio, modulo 2^64 */
    return spool_image_call(&image, 0, P11PROF_C_GetSessionInfo, CKR_OK,
                            inverse * (number << 52 | (number >> 12 & 0xfffff)), NULL);
}

/* 60 000 public keys that a logout has to look at and keep. */
static bool fill_logouts(uint64_t number)
{
    const uint64_t words[7] = {number + 1, CKO_PUBLIC_KEY, CKK_RSA, 2048};
    if (number < 60000)
        return spool_image_record(&image, 0,
                                  p11prof_record_head(P11PROF_C_Logout, P11PROF_RECORD_OBJECT, 0,
                                                      P11PROF_OBJECT_CLASS),
                                  words) &&
               (number % 50 || spool_image_call(&image, 0, P11PROF_C_Logout, CKR_OK, 1, NULL));
    return spool_image_call(&image, 0, P11PROF_C_Logout, CKR_OK, 1, NULL);
}

static bool fill_closes(uint64_t number)
{
    const uint64_t slot[3] = {number < 60000 ? 1 : 2};
    return spool_image_call(&image, 0,
                            number < 60000 ? P11PROF_C_OpenSession : P11PROF_C_CloseAllSessions,
                            CKR_OK, number, slot);
}

/* Return addresses all over a map of as many lines as it can hold. */
static bool fill_callers(uint64_t number)
{
    const uint64_t words[7] = {number * 7919 % 5000 * 16 + number % 16};
    if (number == 0) {
        char *map = image.bytes + image.layout.object_map_offset;
        size_t used = 0;
        for (unsigned i = 0; used < P11PROF_OBJECT_MAP_BYTES - 32; i++)
            used += (size_t)sprintf(map + used, "%x-%x /%x\n", i * 16, i * 16 + 16, i);
        spool_image_header(&image)->object_map_bytes = (uint32_t)used;
    }
    return spool_image_record(&image, 0,
                              p11prof_record_head(P11PROF_C_Sign, P11PROF_RECORD_CALLER, 0, 0),
                              words) &&
           spool_image_call(&image, 0, P11PROF_C_Sign, CKR_OK, 1, NULL);
}

static void test_results(void **state)
{
    (void)state;
    work("results", fill_results);
}
static void test_mechanisms(void **state)
{
    (void)state;
    work("mechanisms", fill_mechanisms);
}
static void test_sessions(void **state)
{
    (void)state;
    work("sessions", fill_sessions);
}
static void test_collisions(void **state)
{
    (void)state;
    work("collisions", fill_collisions);
}
static void test_logouts(void **state)
{
    (void)state;
    work("logouts", fill_logouts);
}
static void test_closes(void **state)
{
    (void)state;
    work("closes", fill_closes);
}
static void test_callers(void **state)
{
    (void)state;
    work("callers", fill_callers);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, image_setup, image_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_whole),
        TEST(test_head_of_no_function),
        TEST(test_torn_at_the_end),
        TEST(test_holes),
        TEST(test_made_bytes),
        TEST(test_chunks),
        TEST(test_far_sequence),
        TEST(test_clocks),
        TEST(test_losses_past_all_numbers),
        TEST(test_texts_without_end),
        TEST(test_intended_database),
        TEST(test_user),
        TEST(test_no_spools),
        TEST(test_older_version),
        TEST(test_short_file),
        TEST(test_changed_while_read),
        TEST(test_cut_while_read),
        TEST(test_results),
        TEST(test_mechanisms),
        TEST(test_sessions),
        TEST(test_collisions),
        TEST(test_logouts),
        TEST(test_closes),
        TEST(test_callers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
