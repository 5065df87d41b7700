/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Tests of the load tool for PKCS#11 3.0 to 3.2, on the fake token that has them (token-3): each
 * works, leaves nothing, goes on after an error of any call, and works with a key of the user's. */
#include "bench/interface.h"
#include "bench/templates.h"
#include "bench_job.h"

#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct bench_token token = {.pin = "1234"};
static struct interface interface;
static CK_SESSION_HANDLE session; /* logged in; keys are its objects */

/* --- functions of 3.x that fail --- */

static unsigned long fault_calls, fail_at;

#define FAULTY_200(name, parameters, arguments)
#define FAULTY_201(name, parameters, arguments)
#define FAULTY_300(name, parameters, arguments)                                                    \
    static CK_RV faulty_##name parameters                                                          \
    {                                                                                              \
        return ++fault_calls == fail_at ? CKR_DEVICE_ERROR : interface.functions.name arguments;   \
    }
#define FAULTY_302(name, parameters, arguments) FAULTY_300(name, parameters, arguments)
#define CALL(number, name, since, operation, role, parameters, arguments, ...)                     \
    FAULTY_##since(name, parameters, arguments)
#include "p11prof/calls.def"
#undef CALL

static const struct p11prof_function_list faulty = {
#define IS_FAULTY_200(name)
#define IS_FAULTY_201(name)
#define IS_FAULTY_300(name)            .name = faulty_##name,
#define IS_FAULTY_302(name)            .name = faulty_##name,
#define CALL(number, name, since, ...) IS_FAULTY_##since(name)
#include "p11prof/calls.def"
#undef CALL
};

/* --- tests of the catalogue --- */

/* What the token has of sessions; objects it counts itself. */
static CK_ULONG sessions(void)
{
    CK_TOKEN_INFO info;
    assert_int_equal(token.real->C_GetTokenInfo(0, &info), CKR_OK);
    return info.ulSessionCount;
}

struct bench {
    const struct p11prof_bench_test *test;
    struct p11prof_bench_key key;
    struct p11prof_bench_job job;
    CK_ULONG objects, sessions; /* while it is open */
};

static void bench_open(struct bench *bench, const struct p11prof_bench_test *test,
                       const struct p11prof_bench_own_key *own)
{
    struct p11prof_error error = {0};
    *bench = (struct bench){.test = test};
    if (p11prof_bench_key_make(&bench->key, test, token.real, session, "p11prof-test", false, own,
                               &error) != CKR_OK ||
        bench_job_open(&bench->job, &token, test, &bench->key, token.real, token.real, &error) !=
            CKR_OK)
        fail_msg("%s", error.text);
    bench->objects = bench_token_objects(&token, session);
    bench->sessions = sessions();
}

static void bench_close(struct bench *bench)
{
    bench_job_close(&bench->job);
    assert_int_equal(p11prof_bench_key_destroy(&bench->key, token.real, session), CKR_OK);
}

static void clean_up(struct bench *bench)
{
    bench_job_clean_up(&bench->job);
    if (bench_token_objects(&token, session) != bench->objects)
        fail_msg("%s leaves objects behind", bench->test->id);
}

static void iterate_well(struct bench *bench)
{
    CK_RV rv = bench_job_iterate(&bench->job);
    if (rv != CKR_OK)
        fail_msg("%s: %s: 0x%lx", bench->test->id, bench->job.failed_call, rv);
    if (!bench_job_right(&bench->job))
        fail_msg("%s: not right", bench->test->id);
    clean_up(bench);
    assert_int_equal(sessions(), bench->sessions);
}

/* Each call of an iteration fails in turn, then there is one that works. */
static void survive(const struct p11prof_bench_test *test)
{
    struct bench bench;
    bool failed = true;
    bench_open(&bench, test, NULL);
    assert_false(bench.job.unchecked);
    bench.job.timed_3 = &faulty;
    for (unsigned long call = 1; failed; call++) {
        fault_calls = 0;
        fail_at = call;
        CK_RV rv = bench_job_iterate(&bench.job);
        failed = fault_calls >= call;
        if (failed == (rv == CKR_OK))
            fail_msg("%s: the error of call %lu is lost", test->id, call);
        clean_up(&bench);
        fail_at = 0;
        iterate_well(&bench);
    }
    bench_close(&bench);
}

static void test_survives_errors(void **state)
{
    size_t count, done = 0;
    const struct p11prof_bench_test *tests = p11prof_bench_tests(&count);
    (void)state;
    for (size_t i = 0; i < count; i++) {
        CK_ULONG objects = bench_token_objects(&token, session), open = sessions();
        if (p11prof_bench_interface_needed(&tests[i]) == 0)
            continue;
        survive(&tests[i]);
        assert_int_equal(bench_token_objects(&token, session), objects);
        assert_int_equal(sessions(), open);
        done++;
    }
    assert_int_equal(done, 16);
}

/* A token that makes keys of the first parameter set whatever is asked for. */
static CK_RV smaller_pair(CK_SESSION_HANDLE in, CK_MECHANISM_PTR mechanism,
                          CK_ATTRIBUTE_PTR public_part, CK_ULONG public_count,
                          CK_ATTRIBUTE_PTR private_part, CK_ULONG private_count,
                          CK_OBJECT_HANDLE_PTR public_key, CK_OBJECT_HANDLE_PTR private_key)
{
    CK_ATTRIBUTE changed[P11PROF_BENCH_TEMPLATE_MAX];
    CK_ULONG first = 1;
    memcpy(changed, public_part, public_count * sizeof *changed);
    for (CK_ULONG i = 0; i < public_count; i++)
        if (changed[i].type == CKA_PARAMETER_SET)
            changed[i].pValue = &first;
    return token.real->C_GenerateKeyPair(in, mechanism, changed, public_count, private_part,
                                         private_count, public_key, private_key);
}

static void test_other_set(void **state)
{
    static const char *const ids[] = {"ml-dsa-65-keygen", "ml-kem-768-keygen",
                                      "slh-dsa-shake-128s-keygen"};
    CK_FUNCTION_LIST smaller = *token.real;
    (void)state;
    smaller.C_GenerateKeyPair = smaller_pair;
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        struct bench bench;
        bench_open(&bench, bench_test_of(ids[i]), NULL);
        bench.job.timed = &smaller;
        assert_int_equal(bench_job_iterate(&bench.job), CKR_OK);
        assert_false(bench_job_right(&bench.job));
        clean_up(&bench);
        bench.job.timed = token.real;
        iterate_well(&bench);
        bench_close(&bench);
    }
}

/* --- the user's own key --- */

struct own_case {
    CK_MECHANISM_TYPE generator;
    CK_ULONG value; /* CKA_PARAMETER_SET */
    CK_ATTRIBUTE_TYPE public_use, private_use;
    enum p11prof_bench_key_kind kind;
    uint32_t bits;
    size_t test_count;
};

static const struct own_case own_cases[] = {
    {CKM_ML_DSA_KEY_PAIR_GEN, CKP_ML_DSA_65, CKA_VERIFY, CKA_SIGN, P11PROF_BENCH_KEY_ML_DSA, 65, 6},
    {CKM_ML_DSA_KEY_PAIR_GEN, CKP_ML_DSA_87, CKA_VERIFY, CKA_SIGN, P11PROF_BENCH_KEY_ML_DSA, 87, 4},
    {CKM_ML_KEM_KEY_PAIR_GEN, CKP_ML_KEM_768, CKA_ENCAPSULATE, CKA_DECAPSULATE,
     P11PROF_BENCH_KEY_ML_KEM, 768, 2},
    {CKM_SLH_DSA_KEY_PAIR_GEN, CKP_SLH_DSA_SHAKE_192F, CKA_VERIFY, CKA_SIGN,
     P11PROF_BENCH_KEY_SLH_DSA, CKP_SLH_DSA_SHAKE_192F, 2},
};

/* handles: public, private */
static void pair_make(const struct own_case *own, CK_OBJECT_HANDLE handles[2])
{
    CK_MECHANISM mechanism = {own->generator, NULL, 0};
    CK_ULONG value = own->value;
    CK_BBOOL yes = CK_TRUE;
    CK_ATTRIBUTE public_part[] = {{CKA_PARAMETER_SET, &value, sizeof value},
                                  {CKA_LABEL, "mine", 4},
                                  {own->public_use, &yes, sizeof yes}};
    CK_ATTRIBUTE private_part[] = {{CKA_LABEL, "mine", 4}, {own->private_use, &yes, sizeof yes}};
    assert_int_equal(token.real->C_GenerateKeyPair(session, &mechanism, public_part, 3,
                                                   private_part, 2, &handles[0], &handles[1]),
                     CKR_OK);
}

static struct p11prof_bench_own_key key_find(void)
{
    struct p11prof_bench_own_key key = {.wanted = true, .label = "mine"};
    struct p11prof_error error = {0};
    if (p11prof_bench_own_key_find(&key, token.real, session, &error) != P11PROF_OK)
        fail_msg("%s", error.text);
    return key;
}

/* All that fits it works; returns how many tests. */
static size_t all_work(const struct p11prof_bench_own_key *key)
{
    struct p11prof_bench_selection selection;
    struct p11prof_error error = {0};
    CK_ULONG objects = bench_token_objects(&token, session);
    if (p11prof_bench_select(&selection, NULL, key, &error) != P11PROF_OK)
        fail_msg("%s", error.text);
    for (size_t i = 0; i < selection.count; i++) {
        struct bench bench;
        bench_open(&bench, selection.tests[i], key);
        assert_false(bench.key.own);
        assert_int_equal(bench.job.unchecked, key->private_key == CK_INVALID_HANDLE ||
                                                  key->public_key == CK_INVALID_HANDLE);
        iterate_well(&bench);
        bench_close(&bench);
    }
    free(selection.tests);
    assert_int_equal(bench_token_objects(&token, session), objects);
    return selection.count;
}

static void test_own_keys(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof own_cases / sizeof *own_cases; i++) {
        CK_OBJECT_HANDLE handles[2];
        pair_make(&own_cases[i], handles);
        struct p11prof_bench_own_key key = key_find();
        assert_int_equal(key.kind, own_cases[i].kind);
        assert_int_equal(key.bits, own_cases[i].bits);
        assert_int_equal(key.public_key, handles[0]);
        assert_int_equal(key.private_key, handles[1]);
        assert_int_equal(all_work(&key), own_cases[i].test_count);
        token.real->C_DestroyObject(session, handles[1]);
        token.real->C_DestroyObject(session, handles[0]);
    }
}

/* A half does what it can; nobody can tell whether it is right. */
static void test_own_halves(void **state)
{
    CK_OBJECT_HANDLE handles[2];
    (void)state;
    pair_make(&own_cases[2], handles);
    token.real->C_DestroyObject(session, handles[1]);
    struct p11prof_bench_own_key key = key_find();
    assert_int_equal(all_work(&key), 1); /* ml-kem-768-encapsulate */
    token.real->C_DestroyObject(session, handles[0]);
    pair_make(&own_cases[0], handles);
    token.real->C_DestroyObject(session, handles[0]);
    key = key_find();
    assert_int_equal(all_work(&key), 3); /* ml-dsa-65-sign, -sign-sha512, -message-sign */
    token.real->C_DestroyObject(session, handles[1]);
}

static int set_up(void **state)
{
    CK_RV (*get)(CK_FUNCTION_LIST **);
    void *symbol;
    (void)state;
    token.library = dlopen(getenv("P11PROF_TEST_TOKEN_3_MODULE"), RTLD_NOW | RTLD_LOCAL);
    assert_non_null(token.library);
    symbol = dlsym(token.library, "C_GetFunctionList");
    memcpy(&get, &symbol, sizeof get);
    assert_int_equal(get(&token.real), CKR_OK);
    interface_get(&interface, token.library, NULL);
    assert_int_equal(interface.since, 302);
    token.functions_3 = &interface.functions;
    assert_int_equal(token.real->C_Initialize(NULL), CKR_OK);
    session = bench_token_session(&token);
    bench_token_login(&token, session);
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
        cmocka_unit_test(test_survives_errors),
        cmocka_unit_test(test_other_set),
        cmocka_unit_test(test_own_keys),
        cmocka_unit_test(test_own_halves),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
