/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* "Did you mean …?" */
#ifndef P11PROF_REPORT_NEAREST_H
#define P11PROF_REPORT_NEAREST_H

#include <stddef.h>

/* The name nearest to `word`: fewest letters added, left out, replaced or swapped with their
 * neighbour, at most a third of the word; a longer name that starts with the word counts as one.
 * NULL if none is near. Borrowed from `names`. */
const char *p11prof_nearest(const char *word, const char *const *names, size_t count);

#endif
