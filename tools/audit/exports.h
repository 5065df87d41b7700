/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Symbols of a library that the dynamic loader has just mapped. Needs no libc. */
#ifndef P11PROF_AUDIT_EXPORTS_H
#define P11PROF_AUDIT_EXPORTS_H

#include <link.h>
#include <stdbool.h>

/* Whether it defines `name` for others. Reads its hash table: DT_GNU_HASH, else DT_HASH (System V
 * gABI, "Hash Table"). */
bool p11prof_exports(const struct link_map *map, const char *name);

#endif
