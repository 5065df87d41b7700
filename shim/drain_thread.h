/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Who drains this process's spool from inside: its own thread, or the callers themselves.
 *
 * SQLite never crosses a fork. It is entered only through the gate, a word that is set while any
 * SQLite state exists in this process; a child that inherits it set never uses SQLite. */
#ifndef P11PROF_SHIM_DRAIN_THREAD_H
#define P11PROF_SHIM_DRAIN_THREAD_H

#include "recorder.h"

/* Set while SQLite state exists in this process. */
extern _Atomic(uint32_t) p11prof_gate;

/* Not 0 while a fork() is under way: whoever is in SQLite leaves at its next row, nobody enters. */
extern _Atomic(uint32_t) p11prof_gate_leave;

/* Wakes the thread, if there is one. Async-signal-safe. */
void p11prof_drain_wake(void);

/* After a fork: wakes the thread if it left its work for that. */
void p11prof_drain_go_on(void);

/* A new process has its spool: forget what the parent's thread was. forbidden: SQLite must not be
 * used here. */
void p11prof_drain_reset(bool forbidden);

/* Starts the thread if the mode in force is EXIT and the configured one allows a thread. */
void p11prof_drain_thread_start(void);

/* Drains everything as the process's last, for at most `milliseconds`, and ends the thread. Calls
 * may come after it all the same: the next drain finds the process running again. Returns true if
 * all is in the database, at once if it was already. */
bool p11prof_drain_finish(unsigned milliseconds);

#endif
