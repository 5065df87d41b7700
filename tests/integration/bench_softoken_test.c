/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Tests of messages on a real module with interface 3.0: the softoken of NSS, without a database.
 */
#include "bench/interface.h"
#include "bench_job.h"

#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ITERATIONS = 3 };

/* Not those of PKCS#11: NSS has a member more. */
struct nss_arguments {
    void *mutex_functions[4];
    CK_FLAGS flags;
    const char *parameters;
    void *reserved;
};

static struct bench_token token = {.pin = ""};
static struct interface interface;
static CK_SESSION_HANDLE session;

static void iterate(struct p11prof_bench_job *job)
{
    for (unsigned i = 0; i < ITERATIONS; i++) {
        assert_int_equal(bench_job_iterate(job), CKR_OK);
        assert_true(bench_job_right(job));
        job->out[i] ^= 1;
        assert_false(bench_job_right(job));
        bench_job_clean_up(job);
    }
}

static void works(const char *id)
{
    struct p11prof_bench_key key;
    struct p11prof_bench_job job;
    struct p11prof_error error = {0};
    const struct p11prof_bench_test *test = bench_test_of(id);
    if (p11prof_bench_key_make(&key, test, token.real, session, "p11prof-test", false, NULL,
                               &error) != CKR_OK ||
        bench_job_open(&job, &token, test, &key, token.real, token.real, &error) != CKR_OK)
        fail_msg("%s", error.text);
    assert_false(job.unchecked);
    iterate(&job);
    bench_job_close(&job);
    assert_int_equal(p11prof_bench_key_destroy(&key, token.real, session), CKR_OK);
}

static void test_messages(void **state)
{
    CK_ULONG objects = bench_token_objects(&token, session);
    (void)state;
    works("aes-128-gcm-message-encrypt");
    works("aes-192-gcm-message-encrypt");
    works("aes-256-gcm-message-encrypt");
    works("aes-128-gcm-message-decrypt");
    works("aes-192-gcm-message-decrypt");
    works("aes-256-gcm-message-decrypt");
    assert_int_equal(bench_token_objects(&token, session), objects);
}

/* It has functions of messages that it does not support. */
static void test_not_supported(void **state)
{
    struct p11prof_bench_key key;
    struct p11prof_bench_job job;
    struct p11prof_error error = {0};
    const struct p11prof_bench_test *test = bench_test_of("ecdsa-p256-message-sign");
    (void)state;
    assert_int_equal(p11prof_bench_key_make(&key, test, token.real, session, "p11prof-test", false,
                                            NULL, &error),
                     CKR_OK);
    assert_int_not_equal(bench_job_open(&job, &token, test, &key, token.real, token.real, &error),
                         CKR_OK);
    assert_non_null(strstr(error.text, "C_MessageSignInit (CKM_ECDSA): CKR_"));
    p11prof_bench_key_destroy(&key, token.real, session);
}

static int set_up(void **state)
{
    CK_RV (*get)(CK_FUNCTION_LIST **);
    CK_SLOT_ID slots[8];
    CK_ULONG count = 8;
    struct nss_arguments arguments = {.flags = CKF_OS_LOCKING_OK,
                                      .parameters = "configdir='' flags=noCertDB,noModDB"};
    void *symbol = dlsym(token.library, "C_GetFunctionList");
    (void)state;
    memcpy(&get, &symbol, sizeof get);
    assert_int_equal(get(&token.real), CKR_OK);
    interface_get(&interface, token.library, NULL);
    assert_true(interface.since >= 300);
    token.functions_3 = &interface.functions;
    assert_int_equal(token.real->C_Initialize(&arguments), CKR_OK);
    assert_int_equal(token.real->C_GetSlotList(CK_TRUE, slots, &count), CKR_OK);
    token.slot_id = slots[0];
    session = bench_token_session(&token);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return token.real->C_Finalize(NULL) == CKR_OK ? 0 : 1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_not_supported),
    };
    token.library = dlopen("libsoftokn3.so", RTLD_NOW | RTLD_LOCAL);
    if (!token.library)
        return 77;
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
