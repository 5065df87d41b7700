/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The calls themselves: each of the 104 functions with arguments that stand ready. */
#ifndef P11PROF_BENCH_LIKE_CALLS_H
#define P11PROF_BENCH_LIKE_CALLS_H

#include "functions.h"
#include "token_objects.h"

/* Of one call. Buffers are borrowed; what a call does not take is ignored. */
struct like_arguments {
    CK_SLOT_ID slot;
    CK_SESSION_HANDLE session;
    CK_OBJECT_HANDLE object, other; /* other: the key to wrap */
    struct like_mechanism mechanism;
    CK_BYTE *in; /* data, or what a key made */
    CK_ULONG in_bytes;
    CK_BYTE *signature;
    CK_ULONG signature_bytes;
    CK_BYTE *out; /* NULL: a size query */
    CK_ULONG out_bytes;
    CK_ULONG count; /* of items wanted */
    CK_FLAGS flags;
    CK_UTF8CHAR *pin;
    CK_ULONG pin_bytes;
    CK_USER_TYPE user;
    struct like_template template;
    CK_ATTRIBUTE attributes[LIKE_ATTRIBUTES_MOST]; /* of searches and readings */
    CK_ULONG attribute_count;
    /* Answered. */
    CK_SESSION_HANDLE opened;
    CK_OBJECT_HANDLE made[2]; /* secret or private one, public one */
};

/* Makes the call; false: this function is never played, or the module does not have it. */
bool like_call_make(const struct p11prof_function_list *list, unsigned function,
                    struct like_arguments *arguments, CK_RV *rv);

/* Whether it can be played at all. */
bool like_call_is_played(unsigned function);

#endif
