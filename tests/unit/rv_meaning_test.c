/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Every CK_RV has a meaning of its own, and the same number may mean different things. */
#include "p11prof/calls.h"

#include "report/rv_meaning.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *kind, *name;
    uint64_t value;
} constants[] = {
#define CONSTANT(kind, name, value) {#kind, name, value},
#include "p11prof/constants.def"
#undef CONSTANT
};
enum { CONSTANTS = sizeof constants / sizeof constants[0] };

static const char *const explained[] = {
#define MEANING(rv, class, sentence)              #rv,
#define MEANING_OF(function, rv, class, sentence) #rv,
#include "report/rv_meaning.def"
#undef MEANING
#undef MEANING_OF
};

static bool is_rv(size_t i)
{
    return strcmp(constants[i].kind, "RV") == 0;
}

static void check_sentence(const char *name, const char *sentence)
{
    size_t length = strlen(sentence);
    bool sentence_like = length > 15 && sentence[0] >= 'A' && sentence[0] <= 'Z' &&
                         sentence[length - 1] == '.' && !strstr(sentence, "  ");
    if (!sentence_like || length > 160) {
        fail_msg("%s: '%s' is no sentence of a line or two", name, sentence);
    }
}

static void every_rv_is_explained(void **state)
{
    (void)state;
    size_t count = 0;
    for (size_t i = 0; i < CONSTANTS; i++) {
        if (!is_rv(i))
            continue;
        count++;
        if (!p11prof_rv_is_explained(constants[i].value)) {
            fail_msg("%s has no meaning", constants[i].name);
        }
        struct p11prof_rv_meaning meaning = p11prof_rv_meaning(0, constants[i].value);
        check_sentence(constants[i].name, meaning.sentence);
        assert_true(meaning.class < P11PROF_RV_VENDOR);
    }
    assert_true(count >= 104);
}

static void only_what_exists_is_explained(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof explained / sizeof explained[0]; i++) {
        size_t j = 0;
        while (j < CONSTANTS && strcmp(constants[j].name, explained[i]) != 0)
            j++;
        if (j == CONSTANTS) {
            fail_msg("there is no %s", explained[i]);
        }
    }
}

static void no_sentence_is_a_copy(void **state)
{
    (void)state;
    for (size_t i = 0; i < CONSTANTS; i++)
        for (size_t j = i + 1; is_rv(i) && j < CONSTANTS; j++)
            if (is_rv(j) && strcmp(p11prof_rv_meaning(0, constants[i].value).sentence,
                                   p11prof_rv_meaning(0, constants[j].value).sentence) == 0) {
                fail_msg("%s and %s say the same", constants[i].name, constants[j].name);
            }
}

/* Where a function has a meaning of its own, it says something else. */
static void functions_have_their_own(void **state)
{
    (void)state;
    size_t own = 0;
    for (unsigned function = 1; function <= P11PROF_CALLS; function++)
        for (size_t i = 0; i < CONSTANTS; i++) {
            if (!is_rv(i))
                continue;
            struct p11prof_rv_meaning meaning = p11prof_rv_meaning(function, constants[i].value);
            own += meaning.sentence != p11prof_rv_meaning(0, constants[i].value).sentence;
            check_sentence(p11prof_calls[function].name, meaning.sentence);
        }
    assert_true(own > 20);
}

static void means(unsigned function, uint64_t rv, const char *class)
{
    assert_string_equal(p11prof_rv_class_name(p11prof_rv_meaning(function, rv).class), class);
}

static void classes_tell_whose_matter_it_is(void **state)
{
    (void)state;
    means(P11PROF_C_Verify, CKR_SIGNATURE_INVALID, "benign");
    means(P11PROF_C_VerifySignatureFinal, CKR_SIGNATURE_LEN_RANGE, "benign");
    means(P11PROF_C_Sign, CKR_SIGNATURE_INVALID, "application");
    means(P11PROF_C_GetAttributeValue, CKR_ATTRIBUTE_TYPE_INVALID, "benign");
    means(P11PROF_C_CreateObject, CKR_ATTRIBUTE_TYPE_INVALID, "application");
    means(P11PROF_C_Sign, CKR_BUFFER_TOO_SMALL, "benign");
    means(P11PROF_C_Initialize, CKR_CRYPTOKI_ALREADY_INITIALIZED, "benign");
    means(P11PROF_C_Login, CKR_USER_ALREADY_LOGGED_IN, "benign");
    means(P11PROF_C_WaitForSlotEvent, CKR_NO_EVENT, "benign");
    means(P11PROF_C_Login, CKR_PIN_INCORRECT, "authentication");
    means(P11PROF_C_Login, CKR_FUNCTION_CANCELED, "authentication");
    means(P11PROF_C_Logout, CKR_USER_NOT_LOGGED_IN, "benign");
    means(P11PROF_C_Sign, CKR_USER_NOT_LOGGED_IN, "authentication");
    means(P11PROF_C_OpenSession, CKR_SESSION_COUNT, "token");
    means(P11PROF_C_Sign, CKR_DEVICE_REMOVED, "token");
    means(P11PROF_C_Sign, CKR_OPERATION_NOT_INITIALIZED, "application");
    assert_string_equal(p11prof_rv_class_name(p11prof_rv_undisclosed().class), "undisclosed");
    check_sentence("undisclosed", p11prof_rv_undisclosed().sentence);
}

static void others_are_told_apart(void **state)
{
    (void)state;
    static const uint64_t others[] = {0x04, 0x7FFFFFFF, CKR_VENDOR_DEFINED, 0xCE534351, UINT64_MAX};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        means(P11PROF_C_Sign, others[i], "vendor");
        check_sentence("others", p11prof_rv_meaning(0, others[i]).sentence);
        assert_false(p11prof_rv_is_explained(others[i]));
    }
    assert_non_null(strstr(p11prof_rv_meaning(0, 0x04).sentence, "no such code"));
    assert_non_null(strstr(p11prof_rv_meaning(0, 0x80000042).sentence, "maker"));
    assert_non_null(strstr(p11prof_rv_meaning(0, 0xCE534351).sentence, "NSS"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_rv_is_explained),
        cmocka_unit_test(only_what_exists_is_explained),
        cmocka_unit_test(no_sentence_is_a_copy),
        cmocka_unit_test(functions_have_their_own),
        cmocka_unit_test(classes_tell_whose_matter_it_is),
        cmocka_unit_test(others_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
