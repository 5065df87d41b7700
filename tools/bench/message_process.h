/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Message processes (3.0): opened once for a key, then a call a message. A session has but one of
 * each kind, and many tests share a thread's session: each process gets a session of its own. */
#ifndef P11PROF_BENCH_MESSAGE_PROCESS_H
#define P11PROF_BENCH_MESSAGE_PROCESS_H

#include "steps.h"

struct message_process {
    unsigned operation;        /* P11PROF_OPERATION_MESSAGE_... */
    CK_SESSION_HANDLE session; /* CK_INVALID_HANDLE: it is not open */
    bool recorded;             /* through `timed`, so that the recorder knows mechanism and key */
};

/* With the key of the job that does the operation. A failure is said, nothing is left. */
CK_RV message_process_open(struct p11prof_bench_job *job, struct message_process *process,
                           CK_MECHANISM *mechanism);

/* Ends it, if it is open; what an error left unfinished is ended unrecorded, but for its session.
 */
void message_process_close(struct p11prof_bench_job *job, struct message_process *process);

#endif
