/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Notes, warnings and errors of the commands: one line each, to stderr, with control characters
 * escaped (names in them come from spools and databases). */
#ifndef P11PROF_TOOLS_MESSAGE_H
#define P11PROF_TOOLS_MESSAGE_H

#include "p11prof/error.h"

/* "p11prof: …" */
__attribute__((format(printf, 1, 2))) void p11prof_note(const char *format, ...);

/* "p11prof: warning: …": the command goes on. */
__attribute__((format(printf, 1, 2))) void p11prof_warn(const char *format, ...);

/* "p11prof: error: …": returns exit_code, so that a command can end with it. */
__attribute__((format(printf, 2, 3))) int p11prof_complain(int exit_code, const char *format, ...);

/* Prints *error likewise and returns the exit code that its status means. */
int p11prof_complain_of(const struct p11prof_error *error);

#endif
