/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The live view on a terminal. */
#ifndef P11PROF_TOP_SCREEN_H
#define P11PROF_TOP_SCREEN_H

#include "watch.h"

/* Shows it, refreshed each interval, until a key or a signal ends it. Returns 0, or the exit code
 * of a signal or of a failure that it said. */
int top_screen_run(struct top_watch *watch, uint64_t interval_ns);

#endif
