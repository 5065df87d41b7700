/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* A program for inner_calls_test.sh: loads a module as others see it (global) or do not (local),
 * and makes one call of each function that the module calls, too. Built once more with a library
 * that exports functions of the same names.
 *
 *   inner_app global|local MODULE */
#include "p11prof/pkcs11.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    CK_FUNCTION_LIST_PTR list = NULL;
    CK_C_GetFunctionList entry = NULL;
    CK_INFO info;
    CK_ULONG count = 0;
    if (argc != 3)
        return 2;
    void *module =
        dlopen(argv[2], RTLD_NOW | (strcmp(argv[1], "global") == 0 ? RTLD_GLOBAL : RTLD_LOCAL));
    void *symbol = module ? dlsym(module, "C_GetFunctionList") : NULL;
    memcpy(&entry, &symbol, sizeof entry);
    if (!entry || entry(&list) != CKR_OK) {
        fprintf(stderr, "inner_app: %s\n", entry ? "no function list" : dlerror());
        return 1;
    }
    return list->C_Initialize(NULL) || list->C_GetInfo(&info) ||
           list->C_GetSlotList(CK_FALSE, NULL, &count) || list->C_Finalize(NULL);
}
