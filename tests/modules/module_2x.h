/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* A whole 2.40 module from one function body: include it once, with DEFINE() defined. It has the
 * columns of calls.def and defines one exported function. No include guard: it is the module. */
#define EXPORTED __attribute__((visibility("default")))

static CK_FUNCTION_LIST list;

#define DEFINE_200(...) DEFINE(__VA_ARGS__)
#define DEFINE_201(...) DEFINE(__VA_ARGS__)
#define DEFINE_300(...)
#define DEFINE_302(...)
#define CALL(number, name, since, ...) DEFINE_##since(number, name, since, __VA_ARGS__)
#define BY_HAND_C_Initialize(...)      DEFINE(__VA_ARGS__)
#define BY_HAND_C_Finalize(...)        DEFINE(__VA_ARGS__)
#define BY_HAND_C_GetFunctionList(...)
#define BY_HAND_C_GetInterfaceList(...)
#define BY_HAND_C_GetInterface(...)
#define CALL_BY_HAND(number, name, ...) BY_HAND_##name(number, name, __VA_ARGS__)
#include "p11prof/calls.def"
#undef CALL

EXPORTED CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR ppFunctionList)
{
    if (!ppFunctionList)
        return CKR_ARGUMENTS_BAD;
    *ppFunctionList = &list;
    return CKR_OK;
}

static CK_FUNCTION_LIST list = {
    .version = {2, 40},
#define LISTED_200(name) .name = name,
#define LISTED_201(name) .name = name,
#define LISTED_300(name)
#define LISTED_302(name)
#define CALL(number, name, since, ...) LISTED_##since(name)
#include "p11prof/calls.def"
#undef CALL
};
