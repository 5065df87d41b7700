/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What fork() has to find: no SQLite state, and in the child an empty process page. */
#ifndef P11PROF_SHIM_FORK_H
#define P11PROF_SHIM_FORK_H

/* Registers the handlers and marks the process page; once per process image, before the first
 * generation. */
void p11prof_fork_prepare_for(void);

#endif
