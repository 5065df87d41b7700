/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Names of the functions that called modules, where a database is at hand for writing. */
#ifndef P11PROF_TOOLS_CALLER_NAMES_H
#define P11PROF_TOOLS_CALLER_NAMES_H

#include "p11prof/store.h"

/* Looks up those that the database does not know yet (symbols/names.h). Nothing is said where they
 * cannot be: callers are places in files then. */
void p11prof_caller_names(struct p11prof_store *store);

#endif
