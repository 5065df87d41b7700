/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The real module: its entry points and function lists, and our tables that stand in for them.
 *
 * Each distinct list of the module is a *set*: its functions are kept in p11prof_upstream[set], and
 * the application gets p11prof_tables[set], whose wrappers call those. Set 0 are the functions that
 * the module exports by name; the others are taken in the order in which lists are first seen. A
 * set never changes once it is taken. Any thread; no lock is held while foreign code runs. */
#ifndef P11PROF_SHIM_UPSTREAM_H
#define P11PROF_SHIM_UPSTREAM_H

#include "p11prof/error.h"
#include "p11prof/pkcs11.h"

#include <stdbool.h>

enum { P11PROF_SET_PLAIN = 0, P11PROF_SETS = 5 };

/* What the wrappers call. Every slot is callable at any time: before a module is loaded, and if
 * none can be, it answers CKR_GENERAL_ERROR; what the module does not have,
 * CKR_FUNCTION_NOT_SUPPORTED. */
extern struct p11prof_function_list p11prof_upstream[P11PROF_SETS];

/* What applications get: shim/wrappers.c. Full 3.2 size whatever the version in it says. */
extern struct p11prof_function_list p11prof_tables[P11PROF_SETS];

/* Loads the module; never unloaded. Once, by p11prof_shim_load(). The module's constructors may
 * call us back meanwhile. A failure is described in *error and leaves all slots as they are. */
enum p11prof_status p11prof_upstream_load(const char *module_path, struct p11prof_error *error);

/* Our table for a list of the module with that many functions. Returns the list itself where it
 * must be passed through: it cannot be read, is ours already, or all sets are taken. */
void *p11prof_upstream_wrap(void *list, unsigned call_count);

/* Functions of a list that came from C_GetFunctionList, or with a "PKCS 11" interface. */
unsigned p11prof_upstream_list_calls(CK_VERSION version);
unsigned p11prof_upstream_interface_calls(CK_VERSION version);

/* Stand-ins of all 104 functions: shim/stubs.c. */
extern const struct p11prof_function_list p11prof_unsupported; /* CKR_FUNCTION_NOT_SUPPORTED */
extern const struct p11prof_function_list
    p11prof_late; /* the function of p11prof_upstream_late() */

/* For plain names that the module does not export: the functions of its list, asked for when first
 * needed. `since` as in calls.def. */
const struct p11prof_function_list *p11prof_upstream_late(unsigned since);

/* The functions written by hand, for the tables of every set: shim/entry.c. */
#define P11PROF_UNPACK(...) __VA_ARGS__
#define CALL(...)
#define CALL_BY_HAND(number, name, since, operation, role, parameters, ...)                        \
    CK_RV p11prof_entry_##name(unsigned set, void *caller, P11PROF_UNPACK parameters);
#include "p11prof/calls.def"
#undef CALL

#endif
