/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Modules that the programs of a run loaded and that were not to be recorded. */
#ifndef P11PROF_RECORD_PASSED_H
#define P11PROF_RECORD_PASSED_H

#include "modules.h"

/* Reads the list at `path` that the run's audit libraries wrote. What is no module any more, or is
 * none as seen from here (a container's), is left out; so is what is beyond P11PROF_REDIRECTS_MAX
 * and what `recorded` holds. */
void p11prof_passed_read(struct p11prof_modules *out, const char *path,
                         const struct p11prof_modules *recorded);

#endif
