/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Scripts of every function, kind and mechanism, played in this process on modules that answer
 * everything: what is called is counted, and nothing crashes. */
#include "bench/like/player.h"
#include "bench/target.h"
#include "p11prof/batch.h"
#include "report/allocate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { KINDS = 3, NODES_MOST = 4096, THREADS = 2 };

static const int64_t mechanisms[] = {LIKE_UNKNOWN,
                                     CKM_RSA_PKCS,
                                     CKM_RSA_PKCS_PSS,
                                     CKM_SHA256_RSA_PKCS_PSS,
                                     CKM_RSA_PKCS_OAEP,
                                     CKM_ECDSA,
                                     CKM_ECDH1_DERIVE,
                                     CKM_AES_CBC,
                                     CKM_AES_CBC_PAD,
                                     CKM_AES_CTR,
                                     CKM_AES_GCM,
                                     CKM_AES_CCM,
                                     CKM_AES_KEY_WRAP,
                                     CKM_SHA256_HMAC,
                                     CKM_DES3_CBC,
                                     CKM_AES_CMAC_GENERAL,
                                     CKM_AES_ECB_ENCRYPT_DATA};

/* A key that is there, its other half, a secret key, one of each that is made, data. */
static struct like_object objects[] = {
    {.number = 1,
     .class = CKO_PRIVATE_KEY,
     .key_type = CKK_RSA,
     .key_bits = 2048,
     .pair = 2,
     .uses = ~0u},
    {.number = 2,
     .class = CKO_PUBLIC_KEY,
     .key_type = CKK_RSA,
     .key_bits = 2048,
     .pair = 1,
     .uses = ~0u},
    {.number = 3, .class = CKO_SECRET_KEY, .key_type = CKK_AES, .key_bits = 256, .uses = ~0u},
    {.number = 4,
     .class = CKO_PRIVATE_KEY,
     .key_type = CKK_EC,
     .key_bits = 256,
     .pair = 5,
     .uses = ~0u,
     .made = true},
    {.number = 5,
     .class = CKO_PUBLIC_KEY,
     .key_type = CKK_EC,
     .key_bits = 256,
     .pair = 4,
     .uses = ~0u,
     .made = true},
    {.number = 6, .class = LIKE_UNKNOWN, .key_type = LIKE_UNKNOWN, .key_bits = LIKE_UNKNOWN},
    {.number = 7,
     .class = CKO_CERTIFICATE,
     .key_type = LIKE_UNKNOWN,
     .key_bits = LIKE_UNKNOWN,
     .made = true},
};
enum { OBJECTS = sizeof objects / sizeof objects[0] };

static struct like_node nodes[THREADS][NODES_MOST];
static struct like_thread threads[THREADS];
static struct like_process process;
static struct like_script script;
static bool joins; /* the second call of each thread waits for the other's end */

static void node_add(struct like_thread *thread, const struct like_call *call)
{
    assert_true(thread->count < NODES_MOST);
    thread->nodes[thread->count++] = (struct like_node){.times = 1, .call = *call};
}

/* Sizes that are odd, large and unknown, and numbers of objects and sessions that are none. */
static void script_make(unsigned thread_count)
{
    script = (struct like_script){.name = "all", .objects = objects, .object_count = OBJECTS};
    script.processes = &process;
    script.process_count = 1;
    process = (struct like_process){.threads = threads, .thread_count = thread_count};
    for (unsigned t = 0; t < thread_count; t++) {
        unsigned n = 0;
        threads[t] = (struct like_thread){.nodes = nodes[t]};
        node_add(&threads[t], &(struct like_call){.function = P11PROF_C_Initialize});
        node_add(&threads[t], &(struct like_call){.function = P11PROF_C_OpenSession,
                                                  .session = t + 1,
                                                  .join_thread = joins ? THREADS - t : 0,
                                                  .join_count = 9});
        for (unsigned function = 1; function <= P11PROF_CALLS; function++)
            for (unsigned kind = 0; kind < KINDS; kind++, n++)
                node_add(
                    &threads[t],
                    &(struct like_call){
                        .function = function,
                        .kind = kind,
                        .mechanism = mechanisms[n % (sizeof mechanisms / sizeof mechanisms[0])],
                        .session = n % 7 == 6 ? 0 : t + 1,
                        .object = n % 11 == 10 ? 999 : n % (OBJECTS + 1),
                        .made = {n % 5 ? 4 : 999, n % 3 ? 5 : 7},
                        .in_bytes = n % 4 ? (int64_t)(n * 37 % 5000) : -1,
                        .out_bytes = n % 3 ? 4000 : -1,
                        .item_count = n % 6 ? n % 50 : 1 << 20,
                        .user = n % 2 ? (int64_t)CKU_USER : LIKE_UNKNOWN,
                        .flags = LIKE_UNKNOWN});
        script.call_count += threads[t].count;
    }
}

static void play(const char *path, unsigned function_count, unsigned thread_count)
{
    static struct p11prof_bench_target target;
    static struct bench_thread_state states[THREADS];
    static _Atomic(uint32_t) stop;
    struct like_stage stage;
    struct p11prof_error error;
    struct like_player *player = p11prof_zalloc(1, sizeof *player);
    script_make(thread_count);
    assert_int_equal(like_stage_open(&stage, &script, 1, "p11prof-test", &error), P11PROF_OK);
    *player = (struct like_player){.stage = &stage,
                                   .process = &process,
                                   .target = &target,
                                   .stop = &stop,
                                   .states = states,
                                   .tally = &stage.tallies[0]};
    assert_int_equal(like_module_load(&player->raw, path, &error), P11PROF_OK);
    player->timed = player->raw;
    assert_true(like_play(player));
    for (unsigned i = 1; i <= P11PROF_CALLS; i++) {
        const struct like_tally *tally = &stage.tallies[0];
        bool has = like_call_is_played(i) && like_function_get(&player->raw, i);
        uint64_t least = thread_count * KINDS;
        assert_true(tally->counts[i] + tally->left_out[i] >= least);
        assert_true(has ? tally->counts[i] > 0 : tally->counts[i] == 0);
        assert_true(i > function_count || i == P11PROF_C_InitToken || i == P11PROF_C_InitPIN ||
                    i == P11PROF_C_SetPIN || has);
    }
    like_stage_close(&stage);
    like_player_clear(player);
    free(player);
}

static void test_null(void **state)
{
    (void)state;
    play(P11PROF_TEST_NULL, P11PROF_CALLS_2_40, THREADS);
}

static void test_all_functions(void **state)
{
    (void)state;
    play(P11PROF_TEST_LOG, P11PROF_CALLS, 1); /* its log is of one thread */
}

/* A vendor's own mechanism has parameters that nobody knows. */
static void test_refused(void **state)
{
    struct like_stage stage;
    struct p11prof_error error;
    (void)state;
    script_make(THREADS);
    nodes[1][5].call.mechanism = 0x80000001;
    nodes[1][5].call.function = P11PROF_C_SignInit;
    assert_int_equal(like_stage_open(&stage, &script, 1, "p11prof-test", &error),
                     P11PROF_BAD_INPUT);
    assert_non_null(strstr(error.text, "0x80000001"));
    assert_non_null(strstr(error.text, "C_SignInit"));
    like_stage_close(&stage);
    nodes[1][5].call.mechanism = CKM_ECDSA;
    nodes[1][5].call.in_bytes = INT64_C(1) << 40;
    assert_int_equal(like_stage_open(&stage, &script, 1, "p11prof-test", &error),
                     P11PROF_BAD_INPUT);
    assert_non_null(strstr(error.text, "1 GiB"));
    like_stage_close(&stage);
}

/* Threads that wait for each other's end, as a file may say. */
static void test_circle(void **state)
{
    (void)state;
    joins = true;
    play(P11PROF_TEST_NULL, P11PROF_CALLS_2_40, THREADS);
    joins = false;
}

/* A thread that never ends keeps nothing of another one from being looked at. */
static void test_endless(void **state)
{
    struct like_stage stage;
    struct p11prof_error error;
    (void)state;
    script_make(THREADS);
    nodes[0][2].times = UINT64_MAX;
    nodes[1][5].call.function = P11PROF_C_DigestUpdate;
    nodes[1][5].call.in_bytes = INT64_C(1) << 40;
    assert_int_equal(like_stage_open(&stage, &script, 1, "p11prof-test", &error),
                     P11PROF_BAD_INPUT);
    like_stage_close(&stage);
}

static const struct like_call verify_init = {
    .function = P11PROF_C_VerifyInit, .mechanism = CKM_SHA256_RSA_PKCS, .session = 1, .object = 4};

/* Data of thousands of parts can be signed before, to be verified. */
static void test_many_parts(void **state)
{
    struct like_walk walk;
    struct like_ahead ahead;
    struct like_input input;
    (void)state;
    threads[0] = (struct like_thread){.nodes = nodes[0]};
    node_add(&threads[0], &verify_init);
    for (int64_t bytes = 64; bytes > 0; bytes -= 59)
        node_add(&threads[0], &(struct like_call){.function = P11PROF_C_VerifyUpdate,
                                                  .session = 1,
                                                  .in_bytes = bytes});
    nodes[0][1].times = 100000;
    node_add(&threads[0], &(struct like_call){.function = P11PROF_C_VerifyFinal, .session = 1});
    like_walk_start(&walk, &threads[0]);
    assert_true(like_input_of(&walk, like_walk_next(&walk), &input, &ahead));
    assert_int_equal(input.part_count, 2);
    assert_int_equal(input.parts[0].bytes, 64);
    assert_int_equal(input.parts[0].count, 100000);
    assert_int_equal(input.parts[1].bytes, 5);
    assert_int_equal(ahead.total_bytes, 6400005);
}

/* More operations than signatures are kept for, while a session still waits for the first one. */
static void test_many_inputs(void **state)
{
    static struct like_actor actor;
    struct like_player player = {.begun = true, .initialized = true};
    struct like_stage stage;
    struct p11prof_error error;
    const struct like_call *call;
    const CK_BYTE *given = NULL;
    struct like_call init = verify_init;
    struct like_call verify = {.function = P11PROF_C_Verify, .session = 2, .out_bytes = -1};
    (void)state;
    script_make(1);
    threads[0].count = 0;
    for (verify.in_bytes = 1; verify.in_bytes < 2 * LIKE_FRESH_MOST; verify.in_bytes++) {
        node_add(&threads[0], &init);
        init.session = 2;
        node_add(&threads[0], &verify);
    }
    verify.session = 1;
    node_add(&threads[0], &verify);
    assert_int_equal(like_stage_open(&stage, &script, 1, "p11prof-test", &error), P11PROF_OK);
    player.stage = &stage;
    player.process = &process;
    assert_int_equal(like_module_load(&player.raw, P11PROF_TEST_NULL, &error), P11PROF_OK);
    like_player_open(&player);
    actor.player = &player;
    actor.takings = p11prof_zalloc(stage.sessions_most + 1, sizeof *actor.takings);
    like_walk_start(&actor.walk, &threads[0]);
    while ((call = like_walk_next(&actor.walk))) {
        assert_true(like_arguments_make(&actor, call));
        if (call->session == 2)
            given = actor.arguments.signature;
    }
    assert_ptr_not_equal(given, stage.data);
    assert_ptr_equal(actor.arguments.signature, stage.data); /* not one that is gone */
    like_fresh_clear(&actor);
    free(actor.takings);
    like_player_clear(&player);
    like_stage_close(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_null),        cmocka_unit_test(test_all_functions),
        cmocka_unit_test(test_refused),     cmocka_unit_test(test_circle),
        cmocka_unit_test(test_endless),     cmocka_unit_test(test_many_parts),
        cmocka_unit_test(test_many_inputs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
