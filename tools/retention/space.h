/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The bytes of a database's file. */
#ifndef P11PROF_RETENTION_SPACE_H
#define P11PROF_RETENTION_SPACE_H

#include "p11prof/store.h"

#include <stdint.h>

/* Bytes of the file that hold nothing and wait for new rows; 0 if it does not say. */
uint64_t p11prof_free_bytes(struct p11prof_store *store);

/* Writes the database anew without them. Nobody can write meanwhile: P11PROF_BUSY if somebody does
 * for 5 s. Needs room for two copies; the database stays as it is if there is none. *freed_bytes:
 * what the file got smaller. */
enum p11prof_status p11prof_vacuum(const char *path, uint64_t *freed_bytes,
                                   struct p11prof_error *error);

#endif
