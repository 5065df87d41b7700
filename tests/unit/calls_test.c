/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* calls.def against the published list of functions, and the names made from it. */
#include "p11prof/calls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A function's number, name, first version and parameters, as functions.csv writes them. */
struct published {
    unsigned number;
    char name[64];
    unsigned major, minor;
    char parameters[512];
};

static const char *const parameter_texts[P11PROF_CALLS + 1] = {
#define CALL(number, name, since, operation, role, parameters, ...) [number] = #parameters,
#include "p11prof/calls.def"
#undef CALL
};

/* "CK_X a, CK_Y_PTR b" → "CK_Xa,CK_Y_PTRb": spaces, quotes and parentheses do not matter, nor how
 * parameters are separated. */
static void squeeze(char *out, const char *text)
{
    for (; *text; text++)
        if (!strchr(" ()\"\n\r", *text))
            *out++ = *text == ';' ? ',' : *text;
    *out = '\0';
}

static void check_line(const char *line)
{
    struct published published;
    char want[512], have[512];
    assert_int_equal(sscanf(line, "%u,%63[^,],%u.%u,%511[^\n]", &published.number, published.name,
                            &published.major, &published.minor, published.parameters),
                     5);
    assert_in_range(published.number, 1, P11PROF_CALLS);
    const struct p11prof_call *call = &p11prof_calls[published.number];
    assert_string_equal(call->name, published.name);
    squeeze(want, published.parameters);
    squeeze(have, parameter_texts[published.number]);
    assert_string_equal(have, want);
    assert_int_equal(call->since, published.major * 100 + published.minor);
}

static void check_file(FILE *file)
{
    char line[1024];
    unsigned count = 0;
    assert_non_null(fgets(line, sizeof line, file)); /* the heading */
    for (; fgets(line, sizeof line, file); count++)
        check_line(line);
    fclose(file);
    assert_int_equal(count, P11PROF_CALLS);
}

static void test_published_functions(void **state)
{
    (void)state;
    FILE *file = fopen(P11PROF_TEST_DATA "/functions.csv", "r");
    assert_non_null(file);
    check_file(file);
}

static void test_shared_functions(void **state)
{
    (void)state;
    char path[4096];
    const char *shared = getenv("P11PROF_SHARED");
    snprintf(path, sizeof path, "%s/pkcs11/functions.csv",
             shared ? shared : P11PROF_TEST_DATA "/../../../shared");
    FILE *file = fopen(path, "r");
    if (!file)
        skip();
    check_file(file);
}

static void test_numbers_are_slots(void **state)
{
    (void)state;
    assert_int_equal(P11PROF_C_Initialize, 1);
    assert_int_equal(P11PROF_C_WaitForSlotEvent, 68);
    assert_int_equal(P11PROF_C_MessageVerifyFinal, 92);
    assert_int_equal(P11PROF_C_UnwrapKeyAuthenticated, 104);
    assert_int_equal(offsetof(struct p11prof_function_list, C_WaitForSlotEvent),
                     offsetof(CK_FUNCTION_LIST, C_WaitForSlotEvent));
}

static void test_facts_are_sane(void **state)
{
    (void)state;
    for (unsigned function = 1; function <= P11PROF_CALLS; function++) {
        const struct p11prof_call *call = &p11prof_calls[function];
        assert_int_equal(p11prof_function_named(call->name), function);
        assert_int_equal(call->operation == P11PROF_OPERATION_NONE,
                         call->role == P11PROF_ROLE_NONE);
        assert_int_equal(call->second_operation != P11PROF_OPERATION_NONE,
                         call->role == P11PROF_ROLE_DUAL);
        if (call->operation)
            assert_true(call->in_session);
        if (call->role == P11PROF_ROLE_INIT && call->operation != P11PROF_OPERATION_FIND)
            assert_int_equal(call->fact[0], P11PROF_FACT_MECHANISM);
        for (int i = 0; i < 2; i++)
            if (call->fact[i] == P11PROF_FACT_NONE)
                assert_int_equal(call->fact[i + 1], P11PROF_FACT_NONE);
    }
    assert_false(p11prof_calls[P11PROF_C_GetSlotList].in_session);
    assert_true(p11prof_calls[P11PROF_C_OpenSession].in_session);
    assert_int_equal(p11prof_calls[P11PROF_C_DecryptVerifyUpdate].second_operation,
                     P11PROF_OPERATION_VERIFY);
}

static void test_operation_names(void **state)
{
    (void)state;
    assert_null(p11prof_operation_name(P11PROF_OPERATION_NONE));
    assert_null(p11prof_operation_name(P11PROF_OPERATIONS));
    for (unsigned operation = 1; operation <= P11PROF_OPERATION_DECRYPT_VERIFY; operation++)
        assert_non_null(p11prof_operation_name(operation));
    assert_string_equal(p11prof_operation_name(P11PROF_OPERATION_GENERATE_KEY_PAIR),
                        "generate-key-pair");
}

static void test_constant_names(void **state)
{
    (void)state;
    char buffer[19];
    assert_string_equal(p11prof_rv_name(CKR_BUFFER_TOO_SMALL), "CKR_BUFFER_TOO_SMALL");
    assert_string_equal(p11prof_mechanism_name(CKM_ECDSA), "CKM_ECDSA");
    assert_string_equal(p11prof_key_type_name(CKK_ML_DSA), "CKK_ML_DSA");
    assert_null(p11prof_rv_name(CKR_VENDOR_DEFINED | 10));
    assert_string_equal(p11prof_rv_text(CKR_OK, buffer), "CKR_OK");
    assert_string_equal(p11prof_rv_text(CKR_VENDOR_DEFINED | 10, buffer), "0x8000000A");
    assert_string_equal(p11prof_rv_text(UINT64_MAX, buffer), "0xFFFFFFFFFFFFFFFF");
}

static void test_unknown_names(void **state)
{
    (void)state;
    assert_int_equal(p11prof_function_named("C_Unknown"), P11PROF_NO_FUNCTION);
    assert_int_equal(p11prof_function_named(""), P11PROF_NO_FUNCTION);
    assert_int_equal(p11prof_function_named("unknown"), P11PROF_NO_FUNCTION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published_functions), cmocka_unit_test(test_shared_functions),
        cmocka_unit_test(test_numbers_are_slots),   cmocka_unit_test(test_facts_are_sane),
        cmocka_unit_test(test_operation_names),     cmocka_unit_test(test_constant_names),
        cmocka_unit_test(test_unknown_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
