/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* p11prof --complete LINE [PART]: what may stand at the end of a line that is being typed. */
#ifndef P11PROF_COMPLETE_COMPLETE_H
#define P11PROF_COMPLETE_COMPLETE_H

#include "../commands.h"

#include <stddef.h>

/* line: up to the cursor; part: the end of it that the shell will replace, NULL for the last word.
 * Prints candidates as offer.h says, and nothing else; no module is touched. */
void p11prof_complete(const struct p11prof_command *commands, size_t count, const char *line,
                      const char *part);

#endif
