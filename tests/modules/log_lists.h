/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The lists and interfaces of a log module, apart from the functions in them. */
#ifndef P11PROF_TESTS_LOG_LISTS_H
#define P11PROF_TESTS_LOG_LISTS_H

#include "log.h"

/* The functions of its lists: 0 of C_GetFunctionList, 1 and 2 in turn of its interfaces. */
extern const struct p11prof_function_list log_functions[];

CK_RV log_C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR result);
CK_RV log_C_GetInterfaceList(CK_INTERFACE_PTR rows, CK_ULONG_PTR count);
CK_RV log_C_GetInterface(CK_UTF8CHAR_PTR name, CK_VERSION_PTR version, CK_INTERFACE_PTR_PTR result,
                         CK_FLAGS flags);

#endif
