/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* A module that calls itself in C_Initialize, as modules do that are not linked -Bsymbolic: by the
 * names that it exports, and by the list that the C_GetFunctionList of that moment gives. Whom the
 * loader takes these names for is not in its hands. At C_Finalize it says where they led. */
#include "p11prof/calls.h"

#include <stdio.h>
#include <stdlib.h>

enum { CALLS_MOST = 100 };

static unsigned counts[P11PROF_CALLS + 1];
static CK_RV by_name, by_list;

static void call_itself(void)
{
    CK_FUNCTION_LIST_PTR found = NULL;
    CK_INFO info;
    CK_ULONG count = 0;
    by_name = C_GetInfo(&info);
    by_list = C_GetFunctionList(&found);
    if (by_list == CKR_OK)
        by_list = found->C_GetSlotList(CK_FALSE, NULL, &count);
}

static void say(void)
{
    printf("C_Initialize %u, C_GetInfo %u, C_GetSlotList %u; by name 0x%lx, by list 0x%lx\n",
           counts[P11PROF_C_Initialize], counts[P11PROF_C_GetInfo], counts[P11PROF_C_GetSlotList],
           by_name, by_list);
    fflush(stdout);
}

static CK_RV answer(unsigned number)
{
    if (++counts[number] > CALLS_MOST)
        abort();
    if (number == P11PROF_C_Initialize)
        call_itself();
    if (number == P11PROF_C_Finalize)
        say();
    return CKR_OK;
}

#pragma GCC diagnostic ignored "-Wunused-parameter"
#define DEFINE(number, name, since, operation, role, parameters, ...)                              \
    EXPORTED CK_RV name parameters;                                                                \
    CK_RV name parameters                                                                          \
    {                                                                                              \
        return answer(number);                                                                     \
    }
#include "module_2x.h"
