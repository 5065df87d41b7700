/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Modules of this machine: through the shim they answer what they answer directly, from the first
 * list to C_Finalize. Ends with 77 where the module is not installed. $P11PROF_MODULE is the
 * module, $P11PROF_TEST_SHIM the shim. */
#include "calling.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/wait.h>
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

/* --- what an application hears --- */

/* NSS has a member more than the standard: its softokn wants to be told where its files are. */
struct nss_arguments {
    CK_CREATEMUTEX create;
    CK_DESTROYMUTEX destroy;
    CK_LOCKMUTEX lock;
    CK_UNLOCKMUTEX unlock;
    CK_FLAGS flags;
    const char *parameters;
    void *reserved;
};

static void tell_digest(FILE *out, CK_FUNCTION_LIST_PTR list, CK_SESSION_HANDLE session)
{
    CK_MECHANISM sha_256 = {CKM_SHA256, NULL, 0};
    CK_BYTE hash[64] = {0};
    CK_ULONG hash_bytes = sizeof hash;
    fprintf(out, "digest %#lx", list->C_DigestInit(session, &sha_256));
    fprintf(out, " %#lx", list->C_Digest(session, (CK_BYTE *)"abc", 3, hash, &hash_bytes));
    for (CK_ULONG i = 0; i < hash_bytes && i < sizeof hash; i++)
        fprintf(out, " %02x", hash[i]);
    fputc('\n', out);
}

static void tell_objects(FILE *out, CK_FUNCTION_LIST_PTR list, CK_SESSION_HANDLE session)
{
    CK_OBJECT_HANDLE objects[64];
    CK_ULONG count = 0, all = 0;
    fprintf(out, "find %#lx", list->C_FindObjectsInit(session, NULL, 0));
    while (list->C_FindObjects(session, objects, 64, &count) == CKR_OK && count > 0) {
        CK_ULONG class = 0;
        CK_ATTRIBUTE attribute = {CKA_CLASS, &class, sizeof class};
        CK_RV rv = list->C_GetAttributeValue(session, objects[0], &attribute, 1);
        fprintf(out, " %#lx %#lx", rv, class);
        all += count;
    }
    fprintf(out, " %lu %#lx\n", all, list->C_FindObjectsFinal(session));
}

static void tell_slot(FILE *out, CK_FUNCTION_LIST_PTR list, CK_SLOT_ID slot)
{
    CK_SLOT_INFO slot_info = {.flags = 0};
    CK_TOKEN_INFO token_info = {.label = " "};
    CK_SESSION_HANDLE session = 0;
    CK_ULONG count = 0;
    CK_BYTE random[16];
    fprintf(out, "slot %lu: %#lx", slot, list->C_GetSlotInfo(slot, &slot_info));
    fprintf(out, " %.64s %#lx", slot_info.slotDescription, slot_info.flags);
    fprintf(out, " %#lx", list->C_GetTokenInfo(slot, &token_info));
    fprintf(out, " %.32s", token_info.label);
    fprintf(out, " %#lx", list->C_GetMechanismList(slot, NULL, &count));
    fprintf(out, " %lu", count);
    CK_RV rv = list->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &session);
    fprintf(out, " %#lx\n", rv);
    if (rv != CKR_OK)
        return;
    fprintf(out, "random %#lx\n", list->C_GenerateRandom(session, random, sizeof random));
    tell_digest(out, list, session);
    tell_objects(out, list, session);
    fprintf(out, "close %#lx\n", list->C_CloseSession(session));
}

/* Every answer of a whole life. */
static void tell(FILE *out, const struct p11prof_function_list *entries)
{
    struct nss_arguments nss = {.flags = CKF_OS_LOCKING_OK,
                                .parameters = "configdir='' flags=readOnly,noCertDB,noModDB"};
    CK_FUNCTION_LIST_PTR list;
    CK_SLOT_ID slots[8];
    CK_ULONG count = 8;
    CK_INFO info = {.flags = 0};
    fprintf(out, "list %#lx\n", entries->C_GetFunctionList(&list));
    fprintf(out, "before %#lx\n", list->C_GetInfo(&info));
    CK_RV rv = list->C_Initialize(NULL);
    fprintf(out, "initialize %#lx\n", rv);
    if (rv != CKR_OK)
        fprintf(out, "initialize %#lx\n", list->C_Initialize(&nss));
    rv = list->C_GetInfo(&info);
    fprintf(out, "info %#lx %.32s\n", rv, info.libraryDescription);
    rv = list->C_GetSlotList(CK_FALSE, slots, &count);
    fprintf(out, "slots %#lx %lu\n", rv, count);
    for (CK_ULONG i = 0; rv == CKR_OK && i < count; i++)
        tell_slot(out, list, slots[i]);
    fprintf(out, "finalize %#lx\n", list->C_Finalize(NULL));
}

/* In a process of its own: not every module can be started twice. */
static void told(const struct p11prof_function_list *entries, char *text, size_t bytes)
{
    int ends[2], status;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        FILE *out = fdopen(ends[1], "w");
        alarm(60);
        tell(out, entries);
        fclose(out);
        _exit(0);
    }
    close(ends[1]);
    FILE *in = fdopen(ends[0], "r");
    text[fread(text, 1, bytes - 1, in)] = '\0';
    fclose(in);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void test_answers(void **state)
{
    (void)state;
    static char direct[65536], through[65536];
    told(&module, direct, sizeof direct);
    told(&shim, through, sizeof through);
    assert_non_null(strstr(direct, "finalize"));
    assert_string_equal(through, direct);
    if (getenv("P11PROF_TEST_TELL"))
        fputs(direct, stderr);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_interface_list),
        cmocka_unit_test(test_interface),
        cmocka_unit_test(test_function_list),
        cmocka_unit_test(test_answers),
    };
    if (!getenv("P11PROF_MODULE") || access(getenv("P11PROF_MODULE"), R_OK) != 0)
        return 77;
    module = calling_entries(calling_open(getenv("P11PROF_MODULE")));
    shim = calling_entries(calling_open(getenv("P11PROF_TEST_SHIM")));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
