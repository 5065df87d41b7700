/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Names of the functions that call modules, looked up once and kept in the database. */
#ifndef P11PROF_SYMBOLS_NAMES_H
#define P11PROF_SYMBOLS_NAMES_H

#include "p11prof/store.h"

/* Looks up what the database (open for writing, in no transaction) does not know yet; `helper` is
 * the path of p11prof-symbols. Costs one look at an index where there is nothing to do. Callers of
 * other machines, of files that changed and of those that others may write have no names, and are
 * not looked up again, but in a database of another user: he believes his files. Failures are
 * nobody's: the next command tries anew. One thread. */
void p11prof_symbols_name(struct p11prof_store *store, const char *helper);

#endif
