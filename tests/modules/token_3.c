/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The interfaces of token-3, as honest as it was told to be. */
#include "token.h"

#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

#define EXPORTED __attribute__((visibility("default")))

/* --- functions --- */

#define EXPORTED_200(name, parameters) EXPORTED CK_RV name parameters;
#define EXPORTED_201(name, parameters) EXPORTED CK_RV name parameters;
#define EXPORTED_300(name, parameters)
#define EXPORTED_302(name, parameters)
#define CALL(number, name, since, operation, role, parameters, ...)                                \
    EXPORTED_##since(name, parameters)
#include "p11prof/calls.def"
#undef CALL
EXPORTED CK_RV C_GetInterfaceList(CK_INTERFACE_PTR pInterfacesList, CK_ULONG_PTR pulCount);
EXPORTED CK_RV C_GetInterface(CK_UTF8CHAR_PTR pInterfaceName, CK_VERSION_PTR pVersion,
                              CK_INTERFACE_PTR_PTR ppInterface, CK_FLAGS flags);

#define DEFINE_200(...)
#define DEFINE_201(...)
#define DEFINE_300(number, name, parameters, arguments)                                            \
    static CK_RV new_##name parameters                                                             \
    {                                                                                              \
        struct token_call call;                                                                    \
        CK_RV rv = token_enter(&call, number);                                                     \
        return token_leave(&call, rv == CKR_OK ? token_##name arguments : rv);                     \
    }
#define DEFINE_302(...) DEFINE_300(__VA_ARGS__)
#define CALL(number, name, since, operation, role, parameters, arguments, ...)                     \
    DEFINE_##since(number, name, parameters, arguments)
#define BY_HAND_C_Initialize(...)
#define BY_HAND_C_Finalize(...)
#define BY_HAND_C_GetFunctionList(...)
#define BY_HAND_C_GetInterfaceList(...)
#define BY_HAND_C_GetInterface(...)
#define CALL_BY_HAND(number, name, ...) BY_HAND_##name(number, name, __VA_ARGS__)
#include "p11prof/calls.def"
#undef CALL

/* --- lists --- */

#define LISTED_200(name)                .name = name,
#define LISTED_201(name)                .name = name,
#define LISTED_300(name)                .name = new_##name,
#define LISTED_302(name)                .name = new_##name,
#define CALL(number, name, since, ...)  LISTED_##since(name)
#define IS_C_Initialize                 .C_Initialize = C_Initialize,
#define IS_C_Finalize                   .C_Finalize = C_Finalize,
#define IS_C_GetFunctionList            .C_GetFunctionList = C_GetFunctionList,
#define IS_C_GetInterfaceList           .C_GetInterfaceList = C_GetInterfaceList,
#define IS_C_GetInterface               .C_GetInterface = C_GetInterface,
#define CALL_BY_HAND(number, name, ...) IS_##name
static const struct p11prof_function_list functions = {
#include "p11prof/calls.def"
};
#undef CALL

/* Each has no more functions than its version. */
enum { INTERFACES = 3 };
static struct p11prof_function_list lists[INTERFACES];
static const CK_VERSION versions[INTERFACES] = {{3, 2}, {3, 0}, {2, 40}};
static const unsigned counts[INTERFACES] = {P11PROF_CALLS_3_2, P11PROF_CALLS_3_0,
                                            P11PROF_CALLS_2_40};
static CK_INTERFACE interfaces[INTERFACES];

/* A list that ends where reading it further is a fault. Never freed. */
static void *short_list(void)
{
    size_t bytes = (1 + P11PROF_CALLS_3_0) * sizeof(void *);
    char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memcpy(pages + 4096 - bytes, &functions, bytes);
    memcpy(pages + 4096 - bytes, &versions[0], sizeof versions[0]);
    mprotect(pages + 4096, 4096, PROT_NONE);
    return pages + 4096 - bytes;
}

static void lists_make(void)
{
    static CK_UTF8CHAR name[] = "PKCS 11";
    for (unsigned i = 0; i < INTERFACES; i++) {
        unsigned count = token_control.lie == TOKEN_EMPTY ? P11PROF_CALLS_2_40 : counts[i];
        memcpy(&lists[i], &functions, (1 + count) * sizeof(void *));
        lists[i].version = versions[i];
        interfaces[i] = (CK_INTERFACE){name, &lists[i], 0};
    }
    if (token_control.lie == TOKEN_SHORT)
        interfaces[0].pFunctionList = short_list();
}

/* --- asking --- */

static pthread_once_t made = PTHREAD_ONCE_INIT;

static unsigned interface_since(unsigned i)
{
    return versions[i].major * 100u + versions[i].minor;
}

static bool interface_fits(unsigned i, const CK_UTF8CHAR *name, const CK_VERSION *version,
                           CK_FLAGS flags)
{
    if (interface_since(i) > token_control.interface || flags)
        return false;
    if (name && strcmp((const char *)name, (const char *)interfaces[i].pInterfaceName) != 0)
        return false;
    return !version || (version->major == versions[i].major && version->minor == versions[i].minor);
}

CK_RV C_GetInterface(CK_UTF8CHAR_PTR pInterfaceName, CK_VERSION_PTR pVersion,
                     CK_INTERFACE_PTR_PTR ppInterface, CK_FLAGS flags)
{
    pthread_once(&made, lists_make);
    if (!ppInterface)
        return CKR_ARGUMENTS_BAD;
    if (token_control.lie == TOKEN_FAILS)
        return CKR_FUNCTION_FAILED;
    if (token_control.lie == TOKEN_NULL || token_control.lie == TOKEN_OLDER) {
        *ppInterface = token_control.lie == TOKEN_NULL ? NULL : &interfaces[INTERFACES - 1];
        return CKR_OK;
    }
    for (unsigned i = 0; i < INTERFACES; i++) {
        if (!interface_fits(i, pInterfaceName, pVersion, flags))
            continue;
        *ppInterface = &interfaces[i];
        return CKR_OK;
    }
    return CKR_ARGUMENTS_BAD;
}

CK_RV C_GetInterfaceList(CK_INTERFACE_PTR pInterfacesList, CK_ULONG_PTR pulCount)
{
    unsigned first = 0;
    CK_RV rv;
    pthread_once(&made, lists_make);
    while (interface_since(first) > token_control.interface)
        first++;
    if (token_output_room(pInterfacesList, pulCount, INTERFACES - first, &rv))
        memcpy(pInterfacesList, &interfaces[first], (INTERFACES - first) * sizeof *interfaces);
    return rv;
}
