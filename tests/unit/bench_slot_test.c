/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Which token of a module a bench takes. */
#include "bench/target_uri.h"
#include "fake_token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct p11prof_bench_target target;
static struct p11prof_error error;

static int setup(void **state)
{
    (void)state;
    fake_reset();
    memset(&target, 0, sizeof target);
    memset(&error, 0, sizeof error);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    p11prof_bench_target_clear(&target);
    return 0;
}

static void names(const char *part)
{
    if (!strstr(error.text, part)) {
        fail_msg("'%s' is not in: %s", part, error.text);
    }
}

static void name_token(const char *label, const char *uri)
{
    const struct p11prof_bench_target_options options = {.token_label = label, .uri = uri};
    p11prof_bench_target_clear(&target);
    assert_int_equal(p11prof_bench_uri_read(&target, &options, &error), P11PROF_OK);
}

static void finds(CK_SLOT_ID wanted)
{
    CK_SLOT_ID slot = 0;
    CK_TOKEN_INFO token = {.flags = 0};
    if (p11prof_bench_slot_find(&target, &fake_module, &slot, &token, &error) != P11PROF_OK) {
        fail_msg("%s", error.text);
    }
    assert_int_equal(slot, wanted);
    assert_memory_equal(&token, &fake.slots[wanted - FAKE_FIRST_SLOT].token, sizeof token);
}

static void finds_none(enum p11prof_status status)
{
    CK_SLOT_ID slot;
    CK_TOKEN_INFO token;
    assert_int_equal(p11prof_bench_slot_find(&target, &fake_module, &slot, &token, &error), status);
}

static void the_only_token_is_taken(void **state)
{
    (void)state;
    fake_add("", "")->flags = 0; /* SoftHSM's slot for a new token */
    fake.slots[fake.slot_count++].rv = CKR_TOKEN_NOT_PRESENT;
    fake_add("mine", "1");
    finds(FAKE_FIRST_SLOT + 2);
}

static void a_slot_that_appears_is_seen(void **state)
{
    (void)state;
    fake_add("new", "1");
    fake.slot_count = 0;
    fake.appearing_count = 1;
    finds(FAKE_FIRST_SLOT);
}

static void several_tokens_are_listed(void **state)
{
    (void)state;
    fake_add("first", "11");
    fake_add("\033[2Jsecond", "22");
    fake_add("", "")->flags = 0;
    finds_none(P11PROF_BAD_INPUT);
    names("2 tokens fit");
    names("slot 70: \"first\" (serial 11, model model)");
    names("slot 71: \"\\x1B[2Jsecond\" (serial 22, model model)");
    names("--slot");
}

static void a_long_list_tells_how_much_it_leaves_out(void **state)
{
    (void)state;
    for (int i = 0; i < FAKE_SLOTS; i++)
        fake_add("\001\001\001\001\001\001\001\001\001\001\001\001\001\001\001\001\001", "1");
    finds_none(P11PROF_BAD_INPUT);
    names(" and 1 more");
}

static void a_slot_is_chosen_by_id_or_index(void **state)
{
    (void)state;
    fake_add("", "")->flags = 0;
    fake_add("first", "11");
    fake_add("second", "22");
    target.has_slot = true;
    target.slot = FAKE_FIRST_SLOT + 1;
    finds(FAKE_FIRST_SLOT + 1);
    target.has_slot = false;
    target.has_slot_index = true;
    target.slot_index = 2;
    finds(FAKE_FIRST_SLOT + 2);
    target.slot_index = 0;
    finds_none(P11PROF_BAD_INPUT);
    names("\"first\"");
    names("\"second\"");
}

static void a_token_is_chosen_by_name(void **state)
{
    (void)state;
    fake_add("same", "11");
    fake_add("same", "22");
    fake_add("other", "33");
    name_token("other", NULL);
    finds(FAKE_FIRST_SLOT + 2);
    name_token("same", NULL);
    finds_none(P11PROF_BAD_INPUT);
    name_token("same", "pkcs11:serial=22");
    finds(FAKE_FIRST_SLOT + 1);
    name_token(NULL, "pkcs11:slot-id=70");
    finds(FAKE_FIRST_SLOT);
    name_token(NULL, "pkcs11:model=model;manufacturer=maker;token=other");
    finds(FAKE_FIRST_SLOT + 2);
    name_token(NULL, "pkcs11:model=other");
    finds_none(P11PROF_BAD_INPUT);
    names("\"other\" (serial 33");
}

static void failing_calls_are_named(void **state)
{
    (void)state;
    finds_none(P11PROF_BAD_INPUT);
    names("no initialised token");
    fake.slots[fake.slot_count++].rv = CKR_DEVICE_ERROR;
    finds_none(P11PROF_BAD_INPUT);
    names("C_GetTokenInfo of slot 70: CKR_DEVICE_ERROR");
    fake.slots_rv = CKR_CRYPTOKI_NOT_INITIALIZED;
    finds_none(P11PROF_FAILED);
    names("C_GetSlotList: CKR_CRYPTOKI_NOT_INITIALIZED");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_only_token_is_taken),         TEST(a_slot_that_appears_is_seen),
        TEST(several_tokens_are_listed),       TEST(a_long_list_tells_how_much_it_leaves_out),
        TEST(a_slot_is_chosen_by_id_or_index), TEST(a_token_is_chosen_by_name),
        TEST(failing_calls_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
