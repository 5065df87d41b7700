/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Modules of this machine: their entry points answer through the shim what they answer directly, as
 * far as they have them. Ends with 77 where the module is not installed. $P11PROF_MODULE is the
 * module, $P11PROF_TEST_SHIM the shim. */
#include "calling.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

static struct p11prof_function_list module, shim;

static void test_function_list(void **state)
{
    (void)state;
    CK_FUNCTION_LIST_PTR direct, through;
    assert_int_equal(module.C_GetFunctionList(&direct), CKR_OK);
    assert_int_equal(shim.C_GetFunctionList(&through), CKR_OK);
    assert_memory_equal(direct, through, sizeof(CK_VERSION));
    for (unsigned function = 1; function <= P11PROF_CALLS_2_40; function++) {
        assert_non_null(calling_slot(through, function));
        assert_ptr_not_equal(calling_slot(direct, function), calling_slot(through, function));
    }
}

static void test_interface_list(void **state)
{
    (void)state;
    CK_INTERFACE direct[16], through[16];
    CK_ULONG direct_count = 16, through_count = 16;
    if (!module.C_GetInterfaceList)
        skip();
    CK_RV rv = module.C_GetInterfaceList(direct, &direct_count);
    assert_int_equal(shim.C_GetInterfaceList(through, &through_count), rv);
    assert_int_equal(direct_count, through_count);
    for (CK_ULONG i = 0; i < direct_count; i++) {
        assert_string_equal((char *)direct[i].pInterfaceName, (char *)through[i].pInterfaceName);
        assert_int_equal(direct[i].flags, through[i].flags);
        assert_memory_equal(direct[i].pFunctionList, through[i].pFunctionList, sizeof(CK_VERSION));
    }
}

static void test_interface(void **state)
{
    (void)state;
    static const CK_VERSION versions[] = {{0, 0}, {2, 20}, {2, 40}, {3, 0}, {3, 1}, {3, 2}};
    if (!module.C_GetInterface)
        skip();
    for (size_t i = 0; i < 2 * sizeof versions / sizeof versions[0]; i++) {
        CK_INTERFACE_PTR direct = (void *)1, through = (void *)1;
        CK_VERSION version = versions[i / 2];
        CK_VERSION *wanted = version.major ? &version : NULL;
        CK_RV rv = module.C_GetInterface((CK_UTF8CHAR *)"PKCS 11", wanted, &direct, i % 2);
        assert_int_equal(shim.C_GetInterface((CK_UTF8CHAR *)"PKCS 11", wanted, &through, i % 2),
                         rv);
        if (rv == CKR_OK)
            assert_memory_equal(direct->pFunctionList, through->pFunctionList, sizeof version);
        else
            assert_ptr_equal(direct, through);
    }
}

static void test_info(void **state)
{
    (void)state;
    CK_FUNCTION_LIST_PTR list;
    CK_INFO info;
    CK_ULONG count = 0;
    assert_int_equal(shim.C_GetFunctionList(&list), CKR_OK);
    assert_int_equal(list->C_GetInfo(&info), CKR_CRYPTOKI_NOT_INITIALIZED);
    assert_int_equal(list->C_Initialize(NULL), CKR_OK);
    assert_int_equal(list->C_GetInfo(&info), CKR_OK);
    assert_int_equal(list->C_GetSlotList(CK_FALSE, NULL, &count), CKR_OK);
    assert_int_equal(list->C_Finalize(NULL), CKR_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_interface_list),
        cmocka_unit_test(test_interface),
        cmocka_unit_test(test_function_list),
        cmocka_unit_test(test_info),
    };
    if (!getenv("P11PROF_MODULE") || access(getenv("P11PROF_MODULE"), R_OK) != 0)
        return 77;
    module = calling_entries(calling_open(getenv("P11PROF_MODULE")));
    shim = calling_entries(calling_open(getenv("P11PROF_TEST_SHIM")));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
