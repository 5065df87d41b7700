/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The null module: every function answers at once. What a shim costs is measured over it. */
#include "answers.h"

#define DEFINE(number, name, since, operation, role, parameters, arguments, session, fact_a, a,    \
               fact_b, b, fact_c, c, flags, notes)                                                 \
    EXPORTED CK_RV name parameters;                                                                \
    CK_RV name parameters                                                                          \
    {                                                                                              \
        ANSWER(number, arguments, session, flags, notes)                                           \
        return rv;                                                                                 \
    }
#include "module_2x.h"
