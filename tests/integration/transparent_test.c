/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* A log module, called directly and through the shim: what reaches it, what comes back, what is
 * written, and errno are the same, for every function of every list and for every exported name.
 * $P11PROF_MODULE is the log module, $P11PROF_TEST_SHIM the shim. */
#include "../modules/log.h"
#include "calling.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <cmocka.h>

enum { BUFFER_BYTES = 4096, LISTS_MAX = 8, ERRNO_PLANTED = 77 };

static struct p11prof_function_list module_entries, shim_entries;
static void *module_handle, *shim_handle;
static struct log_control *module_log;
static unsigned char buffers[LOG_WORDS][BUFFER_BYTES] __attribute__((aligned(BUFFER_BYTES)));
static void *dangling;

static const char *const parameter_texts[P11PROF_CALLS + 1] = {
#define CALL(number, name, since, operation, role, parameters, ...) [number] = #parameters,
#include "p11prof/calls.def"
#undef CALL
};

/* --- arguments --- */

enum pattern {
    PATTERN_ORDINARY, /* buffers and small numbers */
    PATTERN_NULL,
    PATTERN_ALL_ONES,
    PATTERN_ONE,
    PATTERN_NOT_AN_ADDRESS,
    PATTERN_PAGE_END, /* buffers that end in the middle of what they point to */
    PATTERN_ENORMOUS, /* buffers and enormous numbers */
    PATTERNS_READ,    /* below: also where the module says CKR_OK */
    PATTERN_DANGLING = PATTERNS_READ,
    PATTERNS,
};

/* Whether parameter number `index` of a function is a pointer, told by its text. */
static bool is_pointer(unsigned function, unsigned index)
{
    const char *text = parameter_texts[function];
    for (; index; index--)
        text = strchr(text, ',') ? strchr(text, ',') + 1 : "";
    const char *end = strchr(text, ',') ? strchr(text, ',') : text + strlen(text);
    const char *found = strstr(text, "_PTR");
    return found && found < end;
}

static unsigned parameter_count(unsigned function)
{
    unsigned count = 1;
    for (const char *text = parameter_texts[function]; *text; text++)
        count += *text == ',';
    return count;
}

static uint64_t argument(enum pattern pattern, bool pointer, unsigned index)
{
    switch (pattern) {
    case PATTERN_NULL:
        return 0;
    case PATTERN_ALL_ONES:
        return UINT64_MAX;
    case PATTERN_ONE:
        return 1;
    case PATTERN_NOT_AN_ADDRESS:
        return UINT64_C(0xdeadbeefdeadbeef);
    case PATTERN_ENORMOUS:
        return pointer ? (uint64_t)(uintptr_t)buffers[index] : UINT64_C(1) << (40 + index);
    case PATTERN_PAGE_END:
        return pointer ? (uint64_t)(uintptr_t)dangling - 1 : index;
    case PATTERN_DANGLING:
        return pointer ? (uint64_t)(uintptr_t)dangling + 8 * index : index;
    default:
        return pointer ? (uint64_t)(uintptr_t)buffers[index] : index + 1;
    }
}

static void arguments_make(uint64_t *words, enum pattern pattern, unsigned function)
{
    unsigned count = parameter_count(function);
    memset(words, 0, LOG_WORDS * sizeof *words);
    for (unsigned i = 0; i < count; i++)
        words[i] = argument(pattern, is_pointer(function, i), i);
    /* A CK_BBOOL is one byte wide. */
    if (function == P11PROF_C_GetSlotList)
        words[0] &= 1;
}

/* --- one call, both ways --- */

struct outcome {
    CK_RV rv;
    int error;
    size_t logged;
    struct log_call call;
    unsigned char written[sizeof buffers];
};

static void call_make(struct outcome *outcome, void *function, const uint64_t *words)
{
    memset(buffers, 0, sizeof buffers);
    module_log->count = 0;
    errno = ERRNO_PLANTED;
    outcome->rv = calling_words(function, words);
    outcome->error = errno;
    outcome->logged = module_log->count;
    outcome->call = module_log->calls[0];
    memcpy(outcome->written, buffers, sizeof buffers);
}

static void assert_same(unsigned function, const struct outcome *direct,
                        const struct outcome *through)
{
    if (through->logged != 1 || through->rv != direct->rv || through->error != ERRNO_PLANTED ||
        memcmp(&direct->call, &through->call, sizeof direct->call) != 0 ||
        memcmp(direct->written, through->written, sizeof direct->written) != 0)
        fail_msg("%s is not transparent", p11prof_calls[function].name);
}

static void compare(unsigned function, void *direct, void *through, enum pattern pattern, CK_RV rv,
                    bool writes)
{
    static struct outcome outcomes[2];
    uint64_t words[LOG_WORDS];
    module_log->rv = rv;
    module_log->writes = writes;
    arguments_make(words, pattern, function);
    call_make(&outcomes[0], direct, words);
    call_make(&outcomes[1], through, words);
    assert_same(function, &outcomes[0], &outcomes[1]);
}

static void compare_all_ways(unsigned function, void *direct, void *through)
{
    static const CK_RV rvs[] = {CKR_OK,
                                CKR_BUFFER_TOO_SMALL,
                                CKR_ATTRIBUTE_TYPE_INVALID,
                                CKR_ATTRIBUTE_SENSITIVE,
                                CKR_ARGUMENTS_BAD,
                                CKR_CRYPTOKI_NOT_INITIALIZED,
                                CKR_ENCRYPTED_DATA_INVALID,
                                CKR_SESSION_HANDLE_INVALID,
                                CKR_VENDOR_DEFINED | 0x1234,
                                (CK_RV)-1};
    for (size_t i = 0; i < sizeof rvs / sizeof rvs[0]; i++) {
        /* A module that answers these has read or written through its pointers. */
        bool used = rvs[i] == CKR_OK || rvs[i] == CKR_BUFFER_TOO_SMALL;
        unsigned patterns = used ? PATTERN_PAGE_END : PATTERNS;
        for (unsigned pattern = 0; pattern < patterns; pattern++)
            compare(function, direct, through, pattern, rvs[i], false);
        compare(function, direct, through, PATTERN_ENORMOUS, rvs[i], false);
        compare(function, direct, through, PATTERN_ORDINARY, rvs[i], true);
    }
}

static bool hands_out_lists(unsigned function)
{
    return function == P11PROF_C_GetFunctionList || function == P11PROF_C_GetInterfaceList ||
           function == P11PROF_C_GetInterface;
}

static void compare_lists(const void *direct, const void *through, unsigned call_count)
{
    assert_memory_equal(direct, through, sizeof(CK_VERSION));
    assert_ptr_not_equal(direct, through);
    for (unsigned function = 1; function <= call_count; function++)
        if (!hands_out_lists(function) && calling_slot(direct, function))
            compare_all_ways(function, calling_slot(direct, function),
                             calling_slot(through, function));
}

/* --- tests --- */

static void test_function_list(void **state)
{
    (void)state;
    CK_FUNCTION_LIST_PTR direct = NULL, through = NULL;
    if (!module_entries.C_GetFunctionList)
        skip();
    assert_int_equal(module_entries.C_GetFunctionList(&direct), CKR_OK);
    module_log->count = 0;
    assert_int_equal(shim_entries.C_GetFunctionList(&through), CKR_OK);
    assert_int_equal(module_log->count, 1);
    assert_int_equal(shim_entries.C_GetFunctionList(NULL), module_entries.C_GetFunctionList(NULL));
    bool is_short = direct->version.major == 2 && direct->version.minor == 0;
    compare_lists(direct, through, is_short ? P11PROF_CALLS_2_00 : P11PROF_CALLS_2_40);
}

static unsigned interface_calls(const void *list)
{
    const CK_VERSION *version = list;
    return version->major < 3                          ? P11PROF_CALLS_2_40
           : version->major == 3 && version->minor < 2 ? P11PROF_CALLS_3_0
                                                       : P11PROF_CALLS_3_2;
}

static void test_interface_list(void **state)
{
    (void)state;
    CK_INTERFACE direct[LISTS_MAX], through[LISTS_MAX];
    CK_ULONG direct_count = LISTS_MAX, through_count = LISTS_MAX;
    if (!module_entries.C_GetInterfaceList)
        skip();
    assert_int_equal(shim_entries.C_GetInterfaceList(through, &through_count),
                     module_entries.C_GetInterfaceList(direct, &direct_count));
    assert_int_equal(direct_count, through_count);
    for (CK_ULONG i = 0; i < direct_count; i++) {
        assert_ptr_equal(direct[i].pInterfaceName, through[i].pInterfaceName);
        assert_int_equal(direct[i].flags, through[i].flags);
        if (strcmp((char *)direct[i].pInterfaceName, "PKCS 11") == 0)
            compare_lists(direct[i].pFunctionList, through[i].pFunctionList,
                          interface_calls(direct[i].pFunctionList));
        else
            assert_ptr_equal(direct[i].pFunctionList, through[i].pFunctionList);
    }
}

static void test_interface_list_lengths(void **state)
{
    (void)state;
    CK_INTERFACE rows[LISTS_MAX];
    if (!module_entries.C_GetInterfaceList)
        skip();
    for (CK_ULONG room = 0; room < 3; room++) {
        CK_ULONG direct = room, through = room;
        assert_int_equal(shim_entries.C_GetInterfaceList(NULL, &through),
                         module_entries.C_GetInterfaceList(NULL, &direct));
        assert_int_equal(direct, through);
        direct = through = room;
        assert_int_equal(shim_entries.C_GetInterfaceList(rows, &through),
                         module_entries.C_GetInterfaceList(rows, &direct));
        assert_int_equal(direct, through);
    }
    assert_int_equal(shim_entries.C_GetInterfaceList(rows, NULL),
                     module_entries.C_GetInterfaceList(rows, NULL));
}

static void compare_interface(const char *name, CK_VERSION *version, CK_FLAGS flags)
{
    CK_INTERFACE_PTR direct = (void *)buffers, through = (void *)buffers;
    CK_RV rv = module_entries.C_GetInterface((CK_UTF8CHAR *)name, version, &direct, flags);
    module_log->count = 0;
    assert_int_equal(shim_entries.C_GetInterface((CK_UTF8CHAR *)name, version, &through, flags),
                     rv);
    assert_int_equal(module_log->count, 1);
    assert_int_equal(module_log->calls[0].words[0], (uintptr_t)name);
    assert_int_equal(module_log->calls[0].words[1], (uintptr_t)version);
    assert_int_equal(module_log->calls[0].words[3], flags);
    if (rv != CKR_OK || strcmp((char *)direct->pInterfaceName, "PKCS 11") != 0) {
        assert_ptr_equal(direct, through);
        return;
    }
    assert_ptr_equal(direct->pInterfaceName, through->pInterfaceName);
    assert_int_equal(direct->flags, through->flags);
    assert_memory_equal(direct->pFunctionList, through->pFunctionList, sizeof(CK_VERSION));
    assert_ptr_not_equal(direct->pFunctionList, through->pFunctionList);
}

static void test_interface(void **state)
{
    (void)state;
    static const char *const names[] = {NULL, "PKCS 11", "Vendor p11prof test", "Other", ""};
    CK_VERSION versions[] = {{2, 40}, {3, 0}, {3, 1}, {3, 2}, {9, 9}};
    if (!module_entries.C_GetInterface)
        skip();
    for (size_t name = 0; name < sizeof names / sizeof names[0]; name++)
        for (CK_FLAGS flags = 0; flags < 3; flags++) {
            compare_interface(names[name], NULL, flags);
            for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++)
                compare_interface(names[name], &versions[i], flags);
        }
    assert_int_equal(shim_entries.C_GetInterface(NULL, NULL, NULL, 0),
                     module_entries.C_GetInterface(NULL, NULL, NULL, 0));
}

static void test_exported_names(void **state)
{
    (void)state;
    for (unsigned function = 1; function <= P11PROF_CALLS; function++) {
        const char *name = p11prof_calls[function].name;
        void *direct = dlsym(module_handle, name), *through = dlsym(shim_handle, name);
        if (!through)
            fail_msg("%s is not exported", name);
        if (direct && !hands_out_lists(function))
            compare_all_ways(function, direct, through);
    }
}

static int set_up(void **state)
{
    (void)state;
    module_handle = calling_open(getenv("P11PROF_MODULE"));
    shim_handle = calling_open(getenv("P11PROF_TEST_SHIM"));
    module_entries = calling_entries(module_handle);
    shim_entries = calling_entries(shim_handle);
    module_log = dlsym(module_handle, "log_control");
    char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    dangling = pages + 4096;
    return module_log && pages != MAP_FAILED ? munmap(dangling, 4096) : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exported_names),         cmocka_unit_test(test_interface_list),
        cmocka_unit_test(test_interface_list_lengths), cmocka_unit_test(test_interface),
        cmocka_unit_test(test_function_list),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
