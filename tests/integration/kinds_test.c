/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Modules of every kind behind the shim: what it advertises where the module has less, or odd
 * things. One test a process, named by the first argument: the shim loads its module once.
 * $P11PROF_MODULE is the module, $P11PROF_TEST_SHIM the shim. */
#include "../modules/log.h"
#include "calling.h"

#include <errno.h>
#include <fcntl.h>
#include <fenv.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void *shim_handle;
static struct p11prof_function_list shim;

/* --- helpers --- */

static struct log_control *module_log(void)
{
    static struct log_control *control;
    if (!control)
        control = dlsym(calling_open(getenv("P11PROF_MODULE")), "log_control");
    assert_non_null(control);
    return control;
}

/* Calls a function with words of 0 and says whether it reached the module, once. */
static CK_RV call_plain(void *function, bool *reached)
{
    const uint64_t words[CALLING_WORDS] = {0};
    module_log()->count = 0;
    CK_RV rv = calling_words(function, words);
    *reached = module_log()->count == 1;
    return rv;
}

static void assert_reaches(void *function, const char *name)
{
    bool reached;
    if (call_plain(function, &reached) != CKR_OK || !reached)
        fail_msg("%s does not reach the module once", name);
}

/* Slots after the last that the module has answer CKR_FUNCTION_NOT_SUPPORTED. */
static void assert_stubs(const void *list, unsigned first)
{
    for (unsigned function = first; function <= P11PROF_CALLS; function++) {
        bool reached;
        if (function == P11PROF_C_GetInterface || function == P11PROF_C_GetInterfaceList)
            continue;
        assert_int_equal(call_plain(calling_slot(list, function), &reached),
                         CKR_FUNCTION_NOT_SUPPORTED);
        assert_false(reached);
    }
}

static CK_FUNCTION_LIST_PTR function_list(void)
{
    CK_FUNCTION_LIST_PTR list = NULL;
    assert_int_equal(shim.C_GetFunctionList(&list), CKR_OK);
    assert_non_null(list);
    return list;
}

static void assert_version(const void *list, CK_BYTE major, CK_BYTE minor)
{
    const CK_VERSION *version = list;
    assert_int_equal(version->major, major);
    assert_int_equal(version->minor, minor);
}

static CK_RV interface_get(CK_INTERFACE_PTR *result, CK_BYTE major, CK_BYTE minor)
{
    CK_VERSION version = {major, minor};
    *result = NULL;
    return shim.C_GetInterface((CK_UTF8CHAR *)"PKCS 11", major ? &version : NULL, result, 0);
}

/* --- lists of odd sizes --- */

static void test_short_list(void **state)
{
    (void)state;
    CK_FUNCTION_LIST_PTR list = function_list();
    assert_version(list, 2, 0);
    assert_stubs(list, P11PROF_C_WaitForSlotEvent);
}

static void test_lying_list(void **state)
{
    (void)state;
    CK_FUNCTION_LIST_PTR list = function_list();
    assert_version(list, 3, 0);
    assert_reaches((void *)calling_slot(list, P11PROF_C_WaitForSlotEvent), "C_WaitForSlotEvent");
    assert_stubs(list, P11PROF_CALLS_2_40 + 1);
}

static void test_null_entry(void **state)
{
    (void)state;
    bool reached;
    void *stub = calling_slot(function_list(), 66);
    assert_non_null(stub);
    assert_int_equal(call_plain(stub, &reached), CKR_FUNCTION_NOT_SUPPORTED);
    assert_false(reached);
}

static void test_changing_list(void **state)
{
    (void)state;
    CK_FUNCTION_LIST_PTR first = function_list();
    for (int i = 0; i < 20; i++)
        assert_ptr_equal(function_list(), first);
}

/* Four lists are recorded; one more is passed through as it is. */
static void test_many_lists(void **state)
{
    (void)state;
    CK_INTERFACE rows[8], direct[8];
    CK_ULONG count = 8;
    struct p11prof_function_list module = calling_entries(calling_open(getenv("P11PROF_MODULE")));
    assert_int_equal(module.C_GetInterfaceList(direct, &count), CKR_OK);
    assert_int_equal(shim.C_GetInterfaceList(rows, &count), CKR_OK);
    assert_int_equal(count, 5);
    for (CK_ULONG i = 0; i < count; i++) {
        assert_memory_equal(rows[i].pFunctionList, direct[i].pFunctionList, sizeof(CK_VERSION));
        assert_reaches(calling_slot(rows[i].pFunctionList, P11PROF_C_Sign), "C_Sign");
        assert_int_equal(rows[i].pFunctionList == direct[i].pFunctionList, i == 4);
    }
}

/* --- interfaces over modules that have none --- */

static void assert_one_interface(void)
{
    CK_INTERFACE row;
    CK_ULONG count = 0;
    assert_int_equal(shim.C_GetInterfaceList(NULL, &count), CKR_OK);
    assert_int_equal(count, 1);
    count = 0;
    assert_int_equal(shim.C_GetInterfaceList(&row, &count), CKR_BUFFER_TOO_SMALL);
    assert_int_equal(count, 1);
    assert_int_equal(shim.C_GetInterfaceList(&row, &count), CKR_OK);
    assert_string_equal((char *)row.pInterfaceName, "PKCS 11");
    assert_int_equal(row.flags, 0);
    assert_ptr_equal(row.pFunctionList, function_list());
    assert_int_equal(shim.C_GetInterfaceList(&row, NULL), CKR_ARGUMENTS_BAD);
}

/* `refusal`: what is answered where the one interface does not fit. */
static void assert_made_up(CK_RV refusal)
{
    CK_INTERFACE_PTR any, exact, other = (void *)1;
    CK_VERSION none = {3, 2};
    assert_int_equal(interface_get(&any, 0, 0), CKR_OK);
    assert_int_equal(interface_get(&exact, 2, 40), CKR_OK);
    assert_ptr_equal(any, exact);
    assert_ptr_equal(any->pFunctionList, function_list());
    assert_version(any->pFunctionList, 2, 40);
    assert_int_equal(shim.C_GetInterface(NULL, NULL, &exact, 0), CKR_OK);
    assert_ptr_equal(any, exact);
    assert_int_equal(shim.C_GetInterface(NULL, &none, &other, 0), refusal);
    assert_int_equal(shim.C_GetInterface(NULL, NULL, &other, CKF_INTERFACE_FORK_SAFE), refusal);
    assert_int_equal(shim.C_GetInterface((CK_UTF8CHAR *)"Vendor", NULL, &other, 0), refusal);
    assert_int_equal(shim.C_GetInterface((CK_UTF8CHAR *)1, NULL, &other, 0), refusal);
}

static void test_interface_made_up(void **state)
{
    (void)state;
    assert_one_interface(); /* the very first call */
    assert_made_up(CKR_ARGUMENTS_BAD);
    assert_int_equal(shim.C_GetInterface(NULL, NULL, NULL, 0), CKR_ARGUMENTS_BAD);
}

static void test_interface_unsupported(void **state)
{
    (void)state;
    assert_one_interface();
    assert_made_up(CKR_FUNCTION_NOT_SUPPORTED);
}

static void test_interface_null(void **state)
{
    (void)state;
    CK_INTERFACE_PTR interface;
    assert_int_equal(interface_get(&interface, 0, 0), CKR_OK);
    assert_non_null(interface);
    assert_made_up(CKR_ARGUMENTS_BAD);
}

/* A 2.x application over a module that has no C_GetFunctionList. */
static void test_interfaces_only(void **state)
{
    (void)state;
    CK_FUNCTION_LIST_PTR list = function_list();
    CK_INTERFACE_PTR interface;
    assert_version(list, 3, 0);
    assert_int_equal(interface_get(&interface, 3, 0), CKR_OK);
    assert_ptr_equal(interface->pFunctionList, list);
    assert_reaches(calling_slot(list, P11PROF_C_Sign), "C_Sign");
    assert_int_equal(shim.C_GetFunctionList(NULL), CKR_ARGUMENTS_BAD);
}

/* --- names and scopes --- */

/* Names that the module does not export lead to its lists. */
static void test_late_names(void **state)
{
    (void)state;
    bool reached;
    call_plain(dlsym(shim_handle, "C_Sign"), &reached); /* finds the list, too */
    call_plain(dlsym(shim_handle, "C_SessionCancel"), &reached);
    for (unsigned function = 1; function <= P11PROF_CALLS_3_0; function++) {
        const char *name = p11prof_calls[function].name;
        if (!strstr(name, "C_GetInterface") && !strstr(name, "C_GetFunctionList"))
            assert_reaches(dlsym(shim_handle, name), name);
    }
}

static bool hands_out_lists(unsigned function)
{
    return function == P11PROF_C_GetFunctionList || function == P11PROF_C_GetInterfaceList ||
           function == P11PROF_C_GetInterface;
}

/* Whatever an application calls first, in a process of its own: 0 if it is as it should be. */
static int first_call(unsigned function)
{
    const uint64_t words[CALLING_WORDS] = {0};
    bool reached;
    int status;
    pid_t child = fork();
    if (child == 0) {
        void *entry = dlsym(shim_handle, p11prof_calls[function].name);
        if (hands_out_lists(function))
            _exit(calling_words(entry, words) != CKR_ARGUMENTS_BAD);
        _exit(call_plain(entry, &reached) != CKR_OK || !reached);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void test_any_first(void **state)
{
    (void)state;
    for (unsigned function = 1; function <= P11PROF_CALLS; function++)
        if (first_call(function) != 0)
            fail_msg("%s as the first call", p11prof_calls[function].name);
}

/* The module's lists refer to names that the shim, in the global scope, exports, too. */
static void test_global_scope(void **state)
{
    (void)state;
    CK_FUNCTION_LIST_PTR list = function_list();
    assert_non_null(dlsym(RTLD_DEFAULT, "C_Sign"));
    for (unsigned function = 1; function <= P11PROF_CALLS_2_40; function++)
        if (function != P11PROF_C_GetFunctionList) {
            assert_reaches(calling_slot(list, function), p11prof_calls[function].name);
            assert_reaches(dlsym(shim_handle, p11prof_calls[function].name),
                           p11prof_calls[function].name);
        }
}

/* Nobody else finds what the module exports. */
static void test_local_scope(void **state)
{
    (void)state;
    assert_non_null(function_list());
    assert_null(dlsym(RTLD_DEFAULT, "C_Sign"));
}

/* --- what a thread has besides its memory --- */

struct thread_state {
    int traps, flags, rounding, error;
    sigset_t mask;
    void (*handlers[32])(int);
};

static void state_take(struct thread_state *now, int error)
{
    memset(now, 0, sizeof *now);
    now->error = error;
    now->traps = fegetexcept();
    now->flags = fetestexcept(FE_ALL_EXCEPT);
    now->rounding = fegetround();
    pthread_sigmask(SIG_BLOCK, NULL, &now->mask);
    for (int number = 1; number < 32; number++) {
        struct sigaction action = {.sa_flags = 0};
        sigaction(number, NULL, &action);
        now->handlers[number] = action.sa_handler;
    }
    fesetenv(FE_DFL_ENV);
}

/* A whole life, in an application that traps every inexact result, and as the module leaves it. */
static void life(CK_FUNCTION_LIST_PTR list, struct thread_state *after)
{
    struct sigaction usual = {.sa_handler = SIG_DFL};
    CK_BYTE out[1];
    sigset_t none;
    sigemptyset(&none);
    pthread_sigmask(SIG_SETMASK, &none, NULL);
    for (int number = 1; number < 32; number++)
        sigaction(number, &usual, NULL);
    fesetround(FE_DOWNWARD);
    feclearexcept(FE_ALL_EXCEPT);
    feenableexcept(FE_ALL_EXCEPT);
    errno = 77;
    list->C_Initialize(NULL);
    for (CK_ULONG n = 1; n <= 3000; n++)
        list->C_GenerateRandom(1, out, n);
    list->C_Finalize(NULL);
    state_take(after, errno);
}

static void test_thread_state(void **state)
{
    static const char *const changes[] = {"none", "masks", "computes"};
    (void)state;
    CK_FUNCTION_LIST_PTR direct, through;
    struct p11prof_function_list module = calling_entries(calling_open(getenv("P11PROF_MODULE")));
    assert_int_equal(module.C_GetFunctionList(&direct), CKR_OK);
    assert_int_equal(shim.C_GetFunctionList(&through), CKR_OK);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        static struct thread_state expected, found;
        setenv("P11PROF_TEST_ODD", changes[i], 1);
        life(direct, &expected);
        life(through, &found);
        assert_int_equal(found.traps, expected.traps);
        assert_int_equal(found.flags, expected.flags);
        assert_int_equal(found.rounding, expected.rounding);
        assert_int_equal(found.error, expected.error);
        assert_memory_equal(&found, &expected, sizeof found);
    }
}

/* --- modules that change their mind --- */

/* Its first answer is the application's to see; the second is recorded. */
static void test_fails_first(void **state)
{
    (void)state;
    CK_FUNCTION_LIST_PTR list = NULL;
    assert_int_equal(shim.C_GetFunctionList(&list), CKR_DEVICE_ERROR);
    assert_null(list);
    assert_reaches(calling_slot(function_list(), P11PROF_C_Sign), "C_Sign");
}

/* Its interface's name is the very memory that the caller asked with. */
static void test_callers_name(void **state)
{
    (void)state;
    CK_INTERFACE_PTR first, second;
    char name[] = "PKCS 11";
    assert_int_equal(shim.C_GetInterface((CK_UTF8CHAR *)name, NULL, &first, 0), CKR_OK);
    assert_ptr_equal(first->pInterfaceName, name);
    assert_reaches(calling_slot(first->pFunctionList, P11PROF_C_Sign), "C_Sign");
    void *list = first->pFunctionList;
    memset(name, 'x', sizeof name - 1); /* the caller's to change */
    static char others[40][8];
    for (int i = 0; i < 40; i++) {
        memcpy(others[i], "PKCS 11", sizeof others[i]);
        assert_int_equal(shim.C_GetInterface((CK_UTF8CHAR *)others[i], NULL, &second, 0), CKR_OK);
        assert_string_equal((char *)second->pInterfaceName, "PKCS 11");
        assert_ptr_equal(second->pFunctionList, list);
    }
}

/* What it links to has interfaces; it has none. */
static void test_linked_to_interfaces(void **state)
{
    (void)state;
    CK_INTERFACE_PTR interface;
    assert_non_null(dlsym(calling_open(getenv("P11PROF_MODULE")), "C_GetInterface"));
    assert_one_interface();
    assert_int_equal(interface_get(&interface, 3, 0), CKR_ARGUMENTS_BAD);
    assert_int_equal(interface_get(&interface, 2, 40), CKR_OK);
    assert_version(interface->pFunctionList, 2, 40);
}

/* --- modules that are refused --- */

/* $P11PROF_DEBUG is set: the reason is on stderr, which is moved to a file meanwhile. */
static void test_refused(void **state)
{
    (void)state;
    char said[2048] = "";
    CK_FUNCTION_LIST_PTR list;
    CK_INTERFACE_PTR interface;
    const uint64_t words[CALLING_WORDS] = {0};
    FILE *file = tmpfile();
    int saved = dup(STDERR_FILENO);
    dup2(fileno(file), STDERR_FILENO);
    CK_RV list_rv = shim.C_GetFunctionList(&list);
    CK_RV interface_rv = shim.C_GetInterface(NULL, NULL, &interface, 0);
    CK_RV plain_rv = calling_words(dlsym(shim_handle, "C_Sign"), words);
    dup2(saved, STDERR_FILENO);
    rewind(file);
    assert_true(fread(said, 1, sizeof said - 1, file) > 0);
    assert_int_equal(list_rv, CKR_GENERAL_ERROR);
    assert_int_equal(interface_rv, CKR_GENERAL_ERROR);
    assert_int_equal(plain_rv, CKR_GENERAL_ERROR);
    if (!strstr(said, getenv("P11PROF_TEST_SAYS")))
        fail_msg("\"%s\" is not said: %s", getenv("P11PROF_TEST_SAYS"), said);
    fclose(file);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_short_list),
        cmocka_unit_test(test_lying_list),
        cmocka_unit_test(test_null_entry),
        cmocka_unit_test(test_changing_list),
        cmocka_unit_test(test_many_lists),
        cmocka_unit_test(test_interface_made_up),
        cmocka_unit_test(test_interface_unsupported),
        cmocka_unit_test(test_interface_null),
        cmocka_unit_test(test_interfaces_only),
        cmocka_unit_test(test_late_names),
        cmocka_unit_test(test_any_first),
        cmocka_unit_test(test_global_scope),
        cmocka_unit_test(test_local_scope),
        cmocka_unit_test(test_thread_state),
        cmocka_unit_test(test_fails_first),
        cmocka_unit_test(test_callers_name),
        cmocka_unit_test(test_linked_to_interfaces),
        cmocka_unit_test(test_refused),
    };
    if (argc != 2)
        return 2;
    bool global = strcmp(argv[1], "test_global_scope") == 0;
    shim_handle = global ? dlopen(getenv("P11PROF_TEST_SHIM"), RTLD_NOW | RTLD_GLOBAL)
                         : calling_open(getenv("P11PROF_TEST_SHIM"));
    shim = calling_entries(shim_handle);
    cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
