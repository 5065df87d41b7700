/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "log_lists.h"

#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>

#ifndef LOG_NULL
#define LOG_NULL 0
#endif

/* A list that ends where reading it further is a fault. Never freed. */
static void *list_make(unsigned list, CK_VERSION version, unsigned call_count)
{
    size_t bytes = (1 + call_count) * sizeof(void *);
    char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *made = pages + 4096 - bytes;
    memcpy(made, &log_functions[list], bytes);
    memcpy(made, &version, sizeof version);
    if (LOG_NULL)
        memset(made + LOG_NULL * sizeof(void *), 0, sizeof(void *));
    mprotect(pages, 4096, PROT_READ);
    mprotect(pages + 4096, 4096, PROT_NONE);
    return made;
}

CK_RV log_C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR result)
{
#ifdef LOG_LIST
    static const struct {
        CK_VERSION version;
        unsigned call_count;
    } wanted = {LOG_LIST};
    static void *list;
#ifdef LOG_CHANGES
    list = NULL;
#endif
#ifdef LOG_FAILS_FIRST
    static bool asked;
    if (!asked) {
        asked = true;
        return CKR_DEVICE_ERROR;
    }
#endif
    if (!list)
        list = list_make(0, wanted.version, wanted.call_count);
    if (!result)
        return CKR_ARGUMENTS_BAD;
    *result = list;
    return CKR_OK;
#else
    (void)result;
    return CKR_FUNCTION_NOT_SUPPORTED;
#endif
}

#ifdef LOG_INTERFACES

static const struct {
    const char *name;
    CK_VERSION version;
    unsigned call_count;
    CK_FLAGS flags;
} wanted_interfaces[] = {LOG_INTERFACES};
enum { INTERFACES = sizeof wanted_interfaces / sizeof wanted_interfaces[0] };

/* In memory that cannot be written. */
static CK_INTERFACE *interfaces(void)
{
    static CK_INTERFACE *made;
    if (made)
        return made;
    made = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (unsigned i = 0; i < INTERFACES; i++)
        made[i] = (CK_INTERFACE){
            (CK_UTF8CHAR *)wanted_interfaces[i].name,
            list_make(1 + i % 2, wanted_interfaces[i].version, wanted_interfaces[i].call_count),
            wanted_interfaces[i].flags};
    mprotect(made, 4096, PROT_READ);
    return made;
}

CK_RV log_C_GetInterfaceList(CK_INTERFACE_PTR rows, CK_ULONG_PTR count)
{
    if (!count)
        return CKR_ARGUMENTS_BAD;
    CK_ULONG room = *count;
    *count = INTERFACES;
    if (rows && room < INTERFACES)
        return CKR_BUFFER_TOO_SMALL;
    if (rows)
        memcpy(rows, interfaces(), INTERFACES * sizeof *rows);
    return CKR_OK;
}

CK_RV log_C_GetInterface(CK_UTF8CHAR_PTR name, CK_VERSION_PTR version, CK_INTERFACE_PTR_PTR result,
                         CK_FLAGS flags)
{
    if (!result)
        return CKR_ARGUMENTS_BAD;
    for (unsigned i = 0; i < INTERFACES; i++) {
        CK_INTERFACE *interface = &interfaces()[i];
        if ((name && strcmp((char *)name, (char *)interface->pInterfaceName) != 0) ||
            (version && memcmp(version, interface->pFunctionList, sizeof *version) != 0) ||
            (flags & ~interface->flags))
            continue;
#ifdef LOG_CALLERS_NAME
        static CK_INTERFACE answer;
        answer = *interface;
        answer.pInterfaceName = name ? name : interface->pInterfaceName;
        interface = &answer;
#endif
        *result = interface;
        return CKR_OK;
    }
    return CKR_ARGUMENTS_BAD;
}

#else

#ifndef LOG_ANSWER
#define LOG_ANSWER CKR_FUNCTION_NOT_SUPPORTED
#endif

CK_RV log_C_GetInterfaceList(CK_INTERFACE_PTR rows, CK_ULONG_PTR count)
{
    (void)rows;
    if (count && LOG_ANSWER == CKR_OK)
        *count = 0;
    return LOG_ANSWER;
}

CK_RV log_C_GetInterface(CK_UTF8CHAR_PTR name, CK_VERSION_PTR version, CK_INTERFACE_PTR_PTR result,
                         CK_FLAGS flags)
{
    (void)name, (void)version, (void)flags;
    if (result && LOG_ANSWER == CKR_OK)
        *result = NULL;
    return LOG_ANSWER;
}

#endif
