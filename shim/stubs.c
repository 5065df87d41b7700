/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Functions that stand where the module has none. */
#include "upstream.h"

#pragma GCC diagnostic ignored "-Wunused-parameter"

#define CALL(number, name, since, operation, role, parameters, arguments, ...)                     \
    static CK_RV unsupported_##name parameters                                                     \
    {                                                                                              \
        return CKR_FUNCTION_NOT_SUPPORTED;                                                         \
    }                                                                                              \
    static CK_RV broken_##name parameters                                                          \
    {                                                                                              \
        return CKR_GENERAL_ERROR;                                                                  \
    }                                                                                              \
    static CK_RV late_##name parameters                                                            \
    {                                                                                              \
        return p11prof_upstream_late(since)->name arguments;                                       \
    }
#include "p11prof/calls.def"
#undef CALL

const struct p11prof_function_list p11prof_unsupported = {
#define CALL(number, name, ...) .name = unsupported_##name,
#include "p11prof/calls.def"
#undef CALL
};

const struct p11prof_function_list p11prof_late = {
#define CALL(number, name, ...) .name = late_##name,
#include "p11prof/calls.def"
#undef CALL
};

/* clang-format off */
struct p11prof_function_list p11prof_upstream[P11PROF_SETS] = {
    [0 ... P11PROF_SETS - 1] = {
#define CALL(number, name, ...) .name = broken_##name,
#include "p11prof/calls.def"
#undef CALL
    },
};
/* clang-format on */
