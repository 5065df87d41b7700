/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Calls of a process that could not make its spool: no descriptor was free, no room in /dev/shm, or
 * no /dev/shm. They are counted, and are losses of the spool that a later call makes.
 *
 * Any thread, also in handlers; no lock, nothing is allocated. All of it stands in the page that a
 * forked child finds empty. */
#ifndef P11PROF_SHIM_MISSED_H
#define P11PROF_SHIM_MISSED_H

#include <stdbool.h>
#include <stdint.h>

/* One call of this function was not recorded. */
void p11prof_missed_count(unsigned function);

/* The spool was made: it takes what was counted. Returns how many calls. */
uint64_t p11prof_missed_hand_over(void);

/* The spool could not be made: the next try is in 1, 2, 4 … 60 s. */
void p11prof_missed_wait(void);

/* Whether it is time to try again. Of those who are told so together, one tries and the others wait
 * for it. */
bool p11prof_missed_retry(void);

#endif
