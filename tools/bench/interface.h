/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The functions that a module has beyond 2.40, as its "PKCS 11" interface of 3.x gives them. */
#ifndef P11PROF_BENCH_INTERFACE_H
#define P11PROF_BENCH_INTERFACE_H

#include "p11prof/pkcs11.h"

struct interface {
    unsigned since; /* of the newest functions: 300, 302; 0: there is no such interface */
    struct p11prof_function_list functions; /* CKR_FUNCTION_NOT_SUPPORTED where it has none */
    CK_VERSION wanted;                      /* what was asked for; 0.0: any */
};

/* Asks the C_GetInterface of the library behind a handle of dlopen(), not of what it links to, for
 * 3.2, 3.1, 3.0, and whatever it has, in this order; with `like`, only for what was given there, so
 * that the shim records no call that fails. The answer is believed as far as its memory can be
 * read: a list shorter than its version says is one of an older version, or none. */
void interface_get(struct interface *out, void *handle, const struct interface *like);

#endif
