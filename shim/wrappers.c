/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* All wrappers, the tables that refer to them, and the plain names: made from calls.def. */
#include "facts.h"
#include "upstream.h"

/* Begin, call, end, notes, record: once per function and set. */
#define WRAPPER(set, number, name, since, operation, role, parameters, arguments, session, fact_a, \
                a, fact_b, b, fact_c, c, flags, notes)                                             \
    static CK_RV s##set##_##name parameters                                                        \
    {                                                                                              \
        struct p11prof_frame frame;                                                                \
        p11prof_frame_begin(&frame, P11PROF_##name, __builtin_return_address(0));                  \
        CK_RV rv = p11prof_upstream[set].name arguments;                                           \
        if (p11prof_frame_end(&frame)) {                                                           \
            notes;                                                                                 \
            p11prof_frame_record(&frame, rv, session, a, b, c, flags);                             \
        }                                                                                          \
        return rv;                                                                                 \
    }

/* The functions of entry.c. */
#define BY_HAND(set, number, name, since, operation, role, parameters, arguments, ...)             \
    static CK_RV s##set##_##name parameters                                                        \
    {                                                                                              \
        return p11prof_entry_##name(set, __builtin_return_address(0), P11PROF_UNPACK arguments);   \
    }

#define CALL(...)         WRAPPER(0, __VA_ARGS__)
#define CALL_BY_HAND(...) BY_HAND(0, __VA_ARGS__)
#include "p11prof/calls.def"
#undef CALL
#define CALL(...)         WRAPPER(1, __VA_ARGS__)
#define CALL_BY_HAND(...) BY_HAND(1, __VA_ARGS__)
#include "p11prof/calls.def"
#undef CALL
#define CALL(...)         WRAPPER(2, __VA_ARGS__)
#define CALL_BY_HAND(...) BY_HAND(2, __VA_ARGS__)
#include "p11prof/calls.def"
#undef CALL
#define CALL(...)         WRAPPER(3, __VA_ARGS__)
#define CALL_BY_HAND(...) BY_HAND(3, __VA_ARGS__)
#include "p11prof/calls.def"
#undef CALL
#define CALL(...)         WRAPPER(4, __VA_ARGS__)
#define CALL_BY_HAND(...) BY_HAND(4, __VA_ARGS__)
#include "p11prof/calls.def"
#undef CALL

struct p11prof_function_list p11prof_tables[] = {
    {
#define CALL(number, name, ...) .name = s0_##name,
#include "p11prof/calls.def"
#undef CALL
    },
    {
#define CALL(number, name, ...) .name = s1_##name,
#include "p11prof/calls.def"
#undef CALL
    },
    {
#define CALL(number, name, ...) .name = s2_##name,
#include "p11prof/calls.def"
#undef CALL
    },
    {
#define CALL(number, name, ...) .name = s3_##name,
#include "p11prof/calls.def"
#undef CALL
    },
    {
#define CALL(number, name, ...) .name = s4_##name,
#include "p11prof/calls.def"
#undef CALL
    },
};
_Static_assert(sizeof p11prof_tables == P11PROF_SETS * sizeof p11prof_tables[0],
               "every set has its wrappers");

/* Exported names. The tables refer to the static functions, so nobody can interpose them. */
#define CALL(number, name, since, operation, role, parameters, ...)                                \
    extern __attribute__((visibility("default"), alias("s0_" #name))) CK_RV name parameters;
#include "p11prof/calls.def"
#undef CALL
