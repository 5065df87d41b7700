/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* A run with few calls of two processes and three threads, each with something about it:
 *
 *   id  process thread  start  duration
 *    1     1      10      100        50  C_OpenSession
 *    2     1      10      200        10  C_SignInit
 *    3     1      11      190       100  C_OpenSession
 *    4     1      10      310         5  C_GetInfo, made inside call 5
 *    5     1      10      300      1000  C_Sign
 *    6     1      11     1000       400  C_Sign: CKR_DEVICE_ERROR
 *    7     1      10     1500         5  C_Logout: CKR_USER_NOT_LOGGED_IN
 *    8     1      11     1450      5000  C_WaitForSlotEvent
 *    9     2      10     1200        50  C_Sign, of key type CKK_EC
 *   10     2      10     1260        20  C_Sign: CKR_BUFFER_TOO_SMALL
 *   11     1      10     7000        10  C_Decrypt: undisclosed
 *
 * and three calls that were lost. */
#ifndef P11PROF_CALLS_FIXTURE_H
#define P11PROF_CALLS_FIXTURE_H

#include "store_fixture.h"

enum { FIXTURE_CALLS = 11, FIXTURE_LOST = 3 };

/* fixture_store_setup() and the run, which is run 1; fixture_store_teardown() undoes it. */
int fixture_calls_setup(void **state);

/* Takes away the rows from that call on, as a prune does: 1, 9 or 11, where processes change. */
void fixture_calls_prune(int first);

#endif
