/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The PIN, from where the command line or a URI says. */
#ifndef P11PROF_BENCH_PIN_H
#define P11PROF_BENCH_PIN_H

#include "target.h"

#include <stddef.h>
#include <sys/types.h>

/* Reads the PIN of --pin or --pin-source, else of pin_of or the target's URI, if there is one; what
 * stands in the command line itself is overwritten. P11PROF_BAD_INPUT: it cannot be read, is empty
 * or too long. */
enum p11prof_status p11prof_bench_pin_take(struct p11prof_bench_target *target,
                                           const struct p11prof_bench_target_options *options,
                                           struct p11prof_error *error);

/* Asks for the PIN of this token, if it needs one and a person can answer. */
enum p11prof_status p11prof_bench_pin_ask(struct p11prof_bench_target *target,
                                          const CK_TOKEN_INFO *token, struct p11prof_error *error);

/* --- pin_prompt.c --- */

/* Whether there is a terminal, and this process is in its foreground. */
bool p11prof_bench_can_prompt(void);

/* Writes `prompt` to the terminal and reads a line of less than line_bytes there, without echo.
 * Whatever signal comes, the terminal is as before when it takes effect. *bytes: without the end
 * of the line. P11PROF_BAD_INPUT: there is no terminal, or the line is too long; P11PROF_FAILED: a
 * signal ended it. One thread. */
enum p11prof_status p11prof_bench_prompt(const char *prompt, char *line, size_t line_bytes,
                                         size_t *bytes, struct p11prof_error *error);

/* Reads up to and with the end of a line, which is not stored, and nothing behind it. Returns the
 * bytes stored, line_bytes if it is that long or longer, -1 with errno. */
ssize_t p11prof_bench_line_read(int file, char *line, size_t line_bytes);

#endif
