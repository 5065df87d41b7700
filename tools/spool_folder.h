/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Whether a shim of this user could make a spool. */
#ifndef P11PROF_TOOLS_SPOOL_FOLDER_H
#define P11PROF_TOOLS_SPOOL_FOLDER_H

#include "p11prof/config.h"
#include "p11prof/error.h"

/* The folder that spools are made in: the configured one; the user's in /dev/shm where there is
 * one; else /dev/shm. Returns P11PROF_REFUSED where none can be made, and says why in *error;
 * `*advice` says what to do. */
enum p11prof_status p11prof_spool_folder_find(char folder[P11PROF_PATH_BYTES],
                                              const struct p11prof_config *config,
                                              const char **advice, struct p11prof_error *error);

#endif
