/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Every function that no other file has. */
#include "token.h"

#pragma GCC diagnostic ignored "-Wunused-parameter"

#define DEFINE_200(name, parameters)                                                               \
    __attribute__((weak)) CK_RV token_##name parameters                                            \
    {                                                                                              \
        return CKR_FUNCTION_NOT_SUPPORTED;                                                         \
    }
#define DEFINE_201(name, parameters)                                DEFINE_200(name, parameters)
#define DEFINE_300(name, parameters)                                DEFINE_200(name, parameters)
#define DEFINE_302(name, parameters)                                DEFINE_200(name, parameters)
#define CALL(number, name, since, operation, role, parameters, ...) DEFINE_##since(name, parameters)
#include "p11prof/calls.def"
#undef CALL
