/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* All functions that a module has, of whatever version, without a call of the shim that would be
 * recorded. */
#ifndef P11PROF_BENCH_LIKE_FUNCTIONS_H
#define P11PROF_BENCH_LIKE_FUNCTIONS_H

#include "p11prof/error.h"
#include "p11prof/pkcs11.h"

#include <stdint.h>

/* The module's own; members that it does not have are NULL. */
enum p11prof_status like_module_load(struct p11prof_function_list *out, const char *path,
                                     struct p11prof_error *error);

/* Those of the shim, by the names that it exports. *room is the one of load.h. */
enum p11prof_status like_shim_load(struct p11prof_function_list *out, uint64_t (**room)(void),
                                   const char *path, struct p11prof_error *error);

/* The function of a number; NULL: it is not there. */
typedef void (*like_function)(void);
like_function like_function_get(const struct p11prof_function_list *list, unsigned number);

/* The list as functions of 2.x know it: every older list begins as the newest does. */
static inline CK_FUNCTION_LIST *like_list(struct p11prof_function_list *list)
{
    return (CK_FUNCTION_LIST *)(void *)list;
}

#endif
