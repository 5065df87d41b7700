/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The one writer of diagnostics in an application's process.
 *
 * A datagram to /dev/log, made without libc's syslog(): that one keeps a descriptor number for the
 * whole process, and the drain thread's numbers are not the application's. On stderr too when
 * `debug` is set. Never on stdout. Bounded, allocates nothing, keeps errno; any thread. */
#ifndef P11PROF_SHIM_SAY_H
#define P11PROF_SHIM_SAY_H

#include <stdbool.h>
#include <syslog.h>

/* priority: LOG_ERR … LOG_INFO, or LOG_DEBUG (stderr only). Returns whether somebody got it: the
 * log may be missing, or no descriptor free. */
__attribute__((format(printf, 2, 3))) bool p11prof_say(int priority, const char *format, ...);

void p11prof_say_debug(bool on);

#endif
