/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Calls that are repeated stand once; what they count, last and carry stays. */
#include "like_fixture.h"

#include <stdlib.h>

static uint64_t seed = 20261129;

static uint64_t draw(uint64_t below)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (seed >> 33) % below;
}

static size_t nodes_of(const struct like_node *nodes, size_t count)
{
    size_t sum = count;
    for (size_t i = 0; i < count; i++)
        sum += nodes_of(nodes[i].nodes, nodes[i].count);
    return sum;
}

static size_t lines(const struct like_script *script)
{
    size_t sum = 0;
    for (size_t i = 0; i < script->process_count; i++)
        for (size_t j = 0; j < script->processes[i].thread_count; j++)
            sum += nodes_of(script->processes[i].threads[j].nodes,
                            script->processes[i].threads[j].count);
    return sum;
}

/* What all calls of the first thread wait and carry. */
struct sums {
    uint64_t think_ns, in_bytes, out_bytes;
};

static struct sums sums_of_thread(const struct like_script *script, size_t thread)
{
    struct sums sums = {0};
    struct like_walk walk;
    like_walk_start(&walk, &script->processes[0].threads[thread]);
    for (const struct like_call *call; (call = like_walk_next(&walk));) {
        sums.think_ns += call->think_ns;
        sums.in_bytes += call->in_bytes > 0 ? (uint64_t)call->in_bytes : 0;
        sums.out_bytes += call->out_bytes > 0 ? (uint64_t)call->out_bytes : 0;
    }
    return sums;
}

static struct sums sums_of(const struct like_script *script)
{
    return sums_of_thread(script, 0);
}

static void near(uint64_t value, uint64_t wanted, double part)
{
    double off = (double)value - (double)wanted;
    if (off < -part * (double)wanted || off > part * (double)wanted)
        fail_msg("%llu is not within %g of %llu", (unsigned long long)value, part,
                 (unsigned long long)wanted);
}

static struct p11prof_row *sized(struct p11prof_row *row, uint64_t in_bytes, uint64_t out_bytes)
{
    row->in_bytes = in_bytes;
    row->out_bytes = out_bytes;
    row->known |= P11PROF_ROW_IN_BYTES | P11PROF_ROW_OUT_BYTES;
    return row;
}

/* The order of functions is the recorded one. */
static void same_order(const struct like_script *script)
{
    struct like_walk walk;
    sqlite3_stmt *rows;
    like_walk_start(&walk, &script->processes[0].threads[0]);
    sqlite3_prepare_v2(p11prof_store_sqlite(fixture_store), "SELECT function FROM call ORDER BY id",
                       -1, &rows, NULL);
    while (sqlite3_step(rows) == SQLITE_ROW)
        assert_int_equal(like_walk_next(&walk)->function, sqlite3_column_int(rows, 0));
    assert_null(like_walk_next(&walk));
    sqlite3_finalize(rows);
}

/* A TLS server: ten thousand handshakes, of which every one is a bit different. */
static void handshakes(void **state)
{
    (void)state;
    uint64_t think_ns = 0, out_bytes = 0;
    like_row(1, P11PROF_C_Initialize, 0);
    for (int i = 0; i < 10000; i++) {
        uint64_t wait_ns = 1000 + draw(1000000), bytes = 70 + draw(3);
        like_call_row(1, P11PROF_C_OpenSession, 100 + i, -1, -1);
        like_call_row(1, P11PROF_C_SignInit, 100 + i, CKM_ECDSA, 1);
        sized(like_call_row(1, P11PROF_C_Sign, 100 + i, CKM_ECDSA, 1), 32, bytes);
        like_call_row(1, P11PROF_C_CloseSession, 100 + i, -1, -1);
        like_row(1, P11PROF_C_GetInfo, wait_ns);
        think_ns += wait_ns + 40;
        out_bytes += bytes;
    }
    like_row(1, P11PROF_C_Finalize, 0);
    like_write(1);
    struct like_script script = like_made();
    assert_int_equal(lines(&script), 8);
    assert_int_equal(script.processes[0].threads[0].nodes[1].times, 10000);
    like_counts_match(&script);
    same_order(&script);
    struct sums sums = sums_of(&script);
    assert_in_range(sums.think_ns, think_ns - 25000, think_ns + 25000);
    near(sums.out_bytes, out_bytes, 0.02);
    assert_int_equal(sums.in_bytes, 320000);
    like_script_clear(&script);
}

/* Repeats in repeats, whose rounds begin and end with the same call. */
static void nested(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        for (int j = 0; j < 7; j++) {
            like_call_row(1, P11PROF_C_DigestInit, 1, CKM_SHA256, -1);
            for (int k = 0; k < 3; k++)
                sized(like_call_row(1, P11PROF_C_DigestUpdate, 1, CKM_SHA256, -1), 1000, 0);
            like_call_row(1, P11PROF_C_DigestFinal, 1, CKM_SHA256, -1);
        }
        like_row(1, P11PROF_C_GetInfo, 5);
    }
    like_write(1);
    struct like_script script = like_made();
    assert_in_range(lines(&script), 1, 12);
    like_counts_match(&script);
    same_order(&script);
    like_script_clear(&script);
}

/* Sizes of a block cipher stay multiples of its block. */
static void blocks_stay_whole(void **state)
{
    (void)state;
    uint64_t in_bytes = 0;
    for (int i = 0; i < 1000; i++) {
        uint64_t bytes = 1024 + 16 * draw(64);
        sized(like_call_row(1, P11PROF_C_Encrypt, 1, CKM_AES_CBC, 1), bytes, bytes);
        in_bytes += bytes;
    }
    like_write(1);
    struct like_script script = like_made();
    assert_int_equal(lines(&script), 1);
    assert_int_equal(like_nth(&script, 0, 0)->in_bytes % 16, 0);
    near(sums_of(&script).in_bytes, in_bytes, 0.02);
    like_script_clear(&script);
}

/* Whatever the sizes are, the bytes of a thread stay: small ones, blocks, any. */
static void bytes_stay(void **state)
{
    (void)state;
    enum { KINDS = 6, TIMES = 2000 };
    static const unsigned functions[KINDS] = {P11PROF_C_DigestUpdate, P11PROF_C_EncryptUpdate,
                                              P11PROF_C_Encrypt,      P11PROF_C_Sign,
                                              P11PROF_C_Decrypt,      P11PROF_C_SignUpdate};
    uint64_t in_bytes[KINDS] = {0};
    for (uint32_t kind = 0; kind < KINDS; kind++)
        for (int i = 0; i < TIMES; i++) {
            const uint64_t bytes[KINDS] = {1 + draw(40),       16 * (1 + draw(40)),
                                           16 * (1 + draw(3)), UINT64_C(1) << draw(20),
                                           1 + draw(1000),     31 + draw(2)};
            sized(like_call_row(kind + 1, functions[kind], 1, CKM_AES_CBC, 1), bytes[kind], 64);
            in_bytes[kind] += bytes[kind];
        }
    like_write(1);
    struct like_script script = like_made();
    for (size_t kind = 0; kind < KINDS; kind++)
        near(sums_of_thread(&script, kind).in_bytes, in_bytes[kind], 0.02);
    like_counts_match(&script);
    like_script_clear(&script);
}

/* Sizes that are far from one another do not become one. */
static void sizes_apart(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) {
        sized(like_call_row(1, P11PROF_C_Digest, 1, CKM_SHA256, -1), 100, 32);
        sized(like_call_row(1, P11PROF_C_Digest, 1, CKM_SHA256, -1), 1 << 20, 32);
    }
    like_write(1);
    struct like_script script = like_made();
    assert_int_equal(lines(&script), 3);
    assert_int_equal(like_nth(&script, 0, 0)->in_bytes, 100);
    assert_int_equal(like_nth(&script, 0, 1)->in_bytes, 1 << 20);
    like_script_clear(&script);
}

/* Few operations in no order: the file stays short, the counts exact, each operation whole. */
static void at_random(void **state)
{
    (void)state;
    static const struct {
        unsigned init, one;
        int64_t mechanism, key_id;
    } kinds[] = {{P11PROF_C_SignInit, P11PROF_C_Sign, CKM_ECDSA, 1},
                 {P11PROF_C_VerifyInit, P11PROF_C_Verify, CKM_ECDSA, 2},
                 {P11PROF_C_DigestInit, P11PROF_C_Digest, CKM_SHA256, -1},
                 {P11PROF_C_EncryptInit, P11PROF_C_Encrypt, CKM_AES_GCM, 3}};
    uint64_t in_bytes = 0;
    like_row(1, P11PROF_C_Initialize, 0);
    like_call_row(1, P11PROF_C_OpenSession, 1, -1, -1);
    for (int i = 0; i < 40000; i++) {
        uint64_t kind = draw(10), bytes = 64 + draw(4000);
        kind = kind < 5 ? 0 : kind < 8 ? 1 : kind - 6;
        like_call_row(1, kinds[kind].init, 1, kinds[kind].mechanism, kinds[kind].key_id);
        sized(like_call_row(1, kinds[kind].one, 1, kinds[kind].mechanism, kinds[kind].key_id),
              bytes, 64);
        in_bytes += bytes;
    }
    like_call_row(1, P11PROF_C_CloseSession, 1, -1, -1);
    like_row(1, P11PROF_C_Finalize, 0);
    like_write(1);
    struct like_script script = like_made();
    assert_in_range(lines(&script), 1, 200);
    like_counts_match(&script);
    near(sums_of(&script).in_bytes, in_bytes, 0.02);
    unsigned under_way = 0;
    struct like_walk walk;
    like_walk_start(&walk, &script.processes[0].threads[0]);
    for (const struct like_call *call; (call = like_walk_next(&walk));) {
        if (under_way)
            assert_int_equal(call->function, under_way);
        under_way = 0;
        for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
            if (call->function == kinds[i].init)
                under_way = kinds[i].one;
    }
    like_script_clear(&script);
}

/* Repeats at random in repeats, nothing of which may be lost or come in another order. */
static void write_random(unsigned depth)
{
    for (uint64_t i = draw(4); i < 4; i++) {
        uint64_t times = draw(3) == 0 ? 1 + draw(12) : 1, first = seed;
        bool deeper = depth < 4 && draw(2) == 0;
        uint64_t again = seed;
        for (uint64_t j = 0; j < times; j++) {
            seed = again;
            if (deeper)
                write_random(depth + 1);
            else
                like_row(1, (unsigned)(P11PROF_C_GetInfo + draw(3)), draw(100));
        }
        seed ^= first;
    }
}

static void random_repeats(void **state)
{
    (void)state;
    for (int i = 0; i < 60; i++)
        write_random(0);
    like_write(1);
    struct like_script script = like_made();
    like_counts_match(&script);
    same_order(&script);
    like_script_clear(&script);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, like_setup, like_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(handshakes), TEST(nested),    TEST(blocks_stay_whole), TEST(sizes_apart),
        TEST(bytes_stay), TEST(at_random), TEST(random_repeats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
