/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* How often a bench tries to log in: once. */
#include "bench/login.h"
#include "fake_token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

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

static void give_pin(void)
{
    memcpy(target.pin, "4321", 4);
    target.pin_bytes = 4;
    target.has_pin = true;
}

static enum p11prof_status log_in(const CK_TOKEN_INFO *token, bool *logged_in)
{
    return p11prof_bench_login(&target, &fake_module, 5, token, logged_in, &error);
}

static void a_pin_logs_in(void **state)
{
    (void)state;
    bool logged_in = false;
    CK_TOKEN_INFO *token = fake_add("mine", "1");
    give_pin();
    assert_int_equal(log_in(token, &logged_in), P11PROF_OK);
    assert_true(logged_in);
    assert_int_equal(fake.pin_bytes, 4);
    assert_memory_equal(fake.pin, "4321", 4);
    fake.login_rv = CKR_USER_ALREADY_LOGGED_IN;
    assert_int_equal(log_in(token, &logged_in), P11PROF_OK);
    assert_true(logged_in);
}

static void nothing_is_tried_without_need(void **state)
{
    (void)state;
    bool logged_in = true;
    CK_TOKEN_INFO *token = fake_add("mine", "1");
    assert_int_equal(log_in(token, &logged_in), P11PROF_OK);
    assert_false(logged_in);
    give_pin();
    token->flags &= ~CKF_LOGIN_REQUIRED;
    logged_in = true;
    assert_int_equal(log_in(token, &logged_in), P11PROF_OK);
    assert_false(logged_in);
    assert_int_equal(*fake.login_count, 0);
}

static void a_pin_pad_is_used(void **state)
{
    (void)state;
    bool logged_in;
    CK_TOKEN_INFO *token = fake_add("mine", "1");
    token->flags |= CKF_PROTECTED_AUTHENTICATION_PATH;
    assert_int_equal(log_in(token, &logged_in), P11PROF_OK);
    assert_true(logged_in && fake.pin_is_null);
    assert_int_equal(fake.pin_bytes, 0);
}

static void the_last_try_is_left(void **state)
{
    (void)state;
    bool logged_in;
    CK_TOKEN_INFO *token = fake_add("mine", "1");
    give_pin();
    token->flags |= CKF_USER_PIN_FINAL_TRY;
    assert_int_equal(log_in(token, &logged_in), P11PROF_REFUSED);
    names("CKF_USER_PIN_FINAL_TRY");
    token->flags |= CKF_USER_PIN_LOCKED;
    assert_int_equal(log_in(token, &logged_in), P11PROF_FAILED);
    names("CKF_USER_PIN_LOCKED");
    assert_int_equal(*fake.login_count, 0);
}

/* In a process of its own. */
static int log_in_forked(const CK_TOKEN_INFO *token)
{
    bool logged_in;
    int status;
    pid_t worker = fork();
    if (worker == 0)
        _exit((int)log_in(token, &logged_in));
    assert_int_equal(waitpid(worker, &status, 0), worker);
    return WEXITSTATUS(status);
}

static void a_wrong_pin_is_tried_once(void **state)
{
    (void)state;
    bool logged_in = true;
    CK_TOKEN_INFO *token = fake_add("mi\033ne", "1");
    give_pin();
    target.login_gate = p11prof_bench_login_gate_new();
    fake.login_rv = CKR_PIN_INCORRECT;
    assert_int_equal(log_in(token, &logged_in), P11PROF_BAD_INPUT);
    names("\"mi\\x1Bne\": CKR_PIN_INCORRECT");
    names("one try was made, none will follow");
    assert_false(logged_in);
    assert_int_equal(log_in(token, &logged_in), P11PROF_FAILED);
    assert_int_equal(log_in_forked(token), P11PROF_FAILED);
    assert_int_equal(*fake.login_count, 1);
}

static void a_try_that_kills_is_the_last(void **state)
{
    (void)state;
    CK_TOKEN_INFO *token = fake_add("mine", "1");
    give_pin();
    target.login_gate = p11prof_bench_login_gate_new();
    fake.login_dies = true;
    assert_int_equal(log_in_forked(token), 9);
    assert_int_equal(log_in_forked(token), P11PROF_FAILED);
    assert_int_equal(*fake.login_count, 1);
}

static void workers_log_in_one_after_the_other(void **state)
{
    (void)state;
    CK_TOKEN_INFO *token = fake_add("mine", "1");
    give_pin();
    target.login_gate = p11prof_bench_login_gate_new();
    assert_int_equal(log_in_forked(token), P11PROF_OK);
    assert_int_equal(log_in_forked(token), P11PROF_OK);
    assert_int_equal(*fake.login_count, 2);
}

static void refusals_are_explained(void **state)
{
    (void)state;
    static const struct {
        CK_RV rv;
        const char *text;
    } refusals[] = {{CKR_PIN_LOCKED, "CKR_PIN_LOCKED: the PIN is locked"},
                    {CKR_PIN_EXPIRED, "CKR_PIN_EXPIRED: the PIN has to be changed"},
                    {CKR_USER_PIN_NOT_INITIALIZED, "no user PIN yet"},
                    {CKR_DEVICE_ERROR, "CKR_DEVICE_ERROR: one try was made"}};
    bool logged_in;
    CK_TOKEN_INFO *token = fake_add("mine", "1");
    give_pin();
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        fake.login_rv = refusals[i].rv;
        assert_int_equal(log_in(token, &logged_in), P11PROF_FAILED);
        names(refusals[i].text);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_pin_logs_in),
        TEST(nothing_is_tried_without_need),
        TEST(a_pin_pad_is_used),
        TEST(the_last_try_is_left),
        TEST(a_wrong_pin_is_tried_once),
        TEST(a_try_that_kills_is_the_last),
        TEST(workers_log_in_one_after_the_other),
        TEST(refusals_are_explained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
