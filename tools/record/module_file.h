/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Whether a file can be a module. Reads; loads and runs nothing. */
#ifndef P11PROF_RECORD_MODULE_FILE_H
#define P11PROF_RECORD_MODULE_FILE_H

#include "p11prof/error.h"

#include <stdbool.h>

/* P11PROF_BAD_INPUT if it is no shared library for this machine. *shim: it is p11prof's own. */
enum p11prof_status p11prof_module_file_check(const char *path, bool *shim,
                                              struct p11prof_error *error);

#endif
