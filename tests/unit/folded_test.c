/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Calls as time of stacks: nesting, operations, sums. */
#include "insight/folded_walk.h"
#include "p11prof/batch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define UNKNOWN P11PROF_EVENT_UNKNOWN

static struct p11prof_folded_walk walk;

static int tear_down(void **state)
{
    (void)state;
    p11prof_folded_walk_clear(&walk);
    return 0;
}

struct call {
    int64_t start_ns, end_ns;
    unsigned function, flags, kind;
    unsigned operation; /* that it ended */
    uint32_t site;
    int64_t key_bits; /* of an RSA key, 0: nothing is known of it */
    int64_t session, thread_id, process_id;
};

static void take(struct call call)
{
    struct p11prof_event event = {
        .process_id = call.process_id ? call.process_id : 1,
        .thread_id = call.thread_id ? call.thread_id : 1,
        .start_ns = call.start_ns,
        .duration_ns = call.end_ns - call.start_ns,
        .function = call.function,
        .kind = call.kind,
        .flags = call.flags,
        .operation = call.operation,
        .session = call.session ? call.session : 5,
        .mechanism = call.key_bits ? CKM_RSA_PKCS : UNKNOWN,
        .key_type = call.key_bits ? CKK_RSA : UNKNOWN,
        .key_bits = call.key_bits ? call.key_bits : UNKNOWN,
    };
    p11prof_folded_take(&walk, &event, &(struct p11prof_folded_place){0, call.site});
}

/* "p0;s1;4,1,0,2048;C_Sign", the words of operations as numbers. */
static void write_path(char *out, uint32_t node)
{
    const struct p11prof_frame *frame = &walk.tree.nodes[node].frame;
    const int64_t *words = frame->words;
    if (frame->parent != P11PROF_FRAME_ROOT) {
        write_path(out, frame->parent);
        strcat(out, ";");
    }
    out += strlen(out);
    if (frame->kind == P11PROF_FRAME_PROGRAM)
        sprintf(out, "p%d", (int)words[0]);
    else if (frame->kind == P11PROF_FRAME_SITE)
        sprintf(out, "s%d", (int)words[0]);
    else if (frame->kind == P11PROF_FRAME_OPERATION)
        sprintf(out, "%s,%d", p11prof_operation_name((unsigned)words[0]),
                words[3] == UNKNOWN ? -1 : (int)words[3]);
    else
        sprintf(out, "%s%s", p11prof_calls[words[0]].name, words[1] ? "?" : "");
}

static int64_t time_of(const char *path)
{
    int64_t found_ns = 0;
    for (size_t i = 0; i < walk.tree.count; i++) {
        char text[512] = "";
        write_path(text, (uint32_t)i);
        if (strcmp(text, path) == 0)
            found_ns += walk.tree.nodes[i].self_ns;
    }
    return found_ns;
}

static int64_t total(void)
{
    int64_t total_ns = 0;
    for (size_t i = 0; i < walk.tree.count; i++) {
        assert_true(walk.tree.nodes[i].self_ns >= 0);
        total_ns += walk.tree.nodes[i].self_ns;
    }
    return total_ns;
}

static void calls_add_up(void **state)
{
    (void)state;
    take((struct call){0, 10, P11PROF_C_Login, .site = 1});
    take((struct call){20, 50, P11PROF_C_Login, .site = 1});
    take((struct call){60, 61, P11PROF_C_Login, .site = 2});
    take((struct call){70, 75, P11PROF_C_Sign, .site = 2, .key_bits = 2048,
                       .kind = P11PROF_KIND_SIZE_QUERY});
    p11prof_folded_end(&walk);
    assert_int_equal(time_of("p0;s1;C_Login"), 40);
    assert_int_equal(time_of("p0;s2;C_Login"), 1);
    assert_int_equal(time_of("p0;s2;sign,2048;C_Sign?"), 5);
    assert_int_equal(total(), 46);
}

/* Two deep, twice; another thread's calls end in between. */
static void nested_calls_stand_below(void **state)
{
    (void)state;
    enum { NESTED = P11PROF_ROW_NESTED };
    for (int64_t at = 0; at <= 1000; at += 1000) {
        take((struct call){at + 110, at + 120, P11PROF_C_GetInfo, NESTED, .site = 3});
        take((struct call){at + 115, at + 135, P11PROF_C_Logout, .site = 9, .thread_id = 2});
        take((struct call){at + 105, at + 140, P11PROF_C_GetSlotInfo, NESTED, .site = 2});
        take((struct call){at + 150, at + 157, P11PROF_C_GetInfo, NESTED, .site = 2});
        take((struct call){at + 100, at + 200, P11PROF_C_Initialize, .site = 1});
    }
    p11prof_folded_end(&walk);
    assert_int_equal(time_of("p0;s1;C_Initialize"), 2 * (100 - 35 - 7));
    assert_int_equal(time_of("p0;s1;C_Initialize;s2;C_GetSlotInfo"), 2 * 25);
    assert_int_equal(time_of("p0;s1;C_Initialize;s2;C_GetSlotInfo;s3;C_GetInfo"), 2 * 10);
    assert_int_equal(time_of("p0;s1;C_Initialize;s2;C_GetInfo"), 2 * 7);
    assert_int_equal(time_of("p0;s9;C_Logout"), 2 * 20);
    assert_int_equal(total(), 2 * (100 + 20));
}

/* Its outer call was not selected, or never returned: it stands by itself, and nowhere else. */
static void nested_calls_may_be_alone(void **state)
{
    (void)state;
    take((struct call){10, 20, P11PROF_C_GetInfo, P11PROF_ROW_NESTED, .site = 2});
    take((struct call){30, 50, P11PROF_C_Login, .site = 1});
    take((struct call){60, 63, P11PROF_C_GetInfo, P11PROF_ROW_NESTED, .site = 2});
    p11prof_folded_end(&walk);
    assert_int_equal(time_of("p0;s2;C_GetInfo"), 13);
    assert_int_equal(time_of("p0;s1;C_Login"), 20);
    assert_int_equal(total(), 33);
}

static void waiting_has_no_time(void **state)
{
    (void)state;
    take((struct call){10, 20, P11PROF_C_GetInfo, P11PROF_ROW_NESTED, .site = 2});
    take((struct call){0, 900, P11PROF_C_WaitForSlotEvent, .kind = P11PROF_KIND_BLOCKING});
    take((struct call){1000, 1001, P11PROF_C_Logout, .site = 0});
    p11prof_folded_end(&walk);
    assert_int_equal(total(), 1);
}

/* The size of the key is known when the first signature is there: the Init belongs to it too. */
static void operations_are_known_at_their_end(void **state)
{
    (void)state;
    take((struct call){0, 7, P11PROF_C_SignInit, .site = 1});
    take((struct call){10, 13, P11PROF_C_SignUpdate, .site = 1});
    take((struct call){10, 15, P11PROF_C_SignInit, .site = 1, .session = 6});
    take((struct call){20, 31, P11PROF_C_SignUpdate, .site = 1});
    take((struct call){40, 60, P11PROF_C_SignFinal, .site = 2, .key_bits = 2048,
                       .operation = P11PROF_OPERATION_SIGN});
    p11prof_folded_end(&walk);
    assert_int_equal(time_of("p0;s1;sign,2048;C_SignInit"), 7);
    assert_int_equal(time_of("p0;s1;sign,2048;C_SignUpdate"), 14);
    assert_int_equal(time_of("p0;s2;sign,2048;C_SignFinal"), 20);
    assert_int_equal(time_of("p0;s1;sign,-1;C_SignInit"), 5); /* session 6 never came to an end */
    assert_int_equal(total(), 46);
}

/* Another operation of the session begins: the first one's calls stay what they were. */
static void operations_may_be_given_up(void **state)
{
    (void)state;
    take((struct call){0, 7, P11PROF_C_SignInit, .site = 1});
    take((struct call){10, 12, P11PROF_C_SignInit, .site = 1});
    take((struct call){40, 60, P11PROF_C_Sign, .site = 1, .key_bits = 2048,
                       .operation = P11PROF_OPERATION_SIGN});
    p11prof_folded_end(&walk);
    assert_int_equal(time_of("p0;s1;sign,-1;C_SignInit"), 7);
    assert_int_equal(time_of("p0;s1;sign,2048;C_SignInit"), 2);
    assert_int_equal(total(), 29);
}

/* A newer p11prof recorded them. */
static void unknown_functions_are_leaves(void **state)
{
    (void)state;
    take((struct call){0, 7, 4000000000u, .site = 1});
    take((struct call){10, 12, 4000000000u, .site = 1, .flags = P11PROF_ROW_NESTED});
    p11prof_folded_end(&walk);
    assert_int_equal(total(), 9);
}

#define TEST(function) cmocka_unit_test_teardown(function, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(calls_add_up),
        TEST(nested_calls_stand_below),
        TEST(nested_calls_may_be_alone),
        TEST(waiting_has_no_time),
        TEST(operations_are_known_at_their_end),
        TEST(operations_may_be_given_up),
        TEST(unknown_functions_are_leaves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
