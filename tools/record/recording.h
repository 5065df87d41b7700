/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The run in the database: started, drained from outside the program, ended. */
#ifndef P11PROF_RECORD_RECORDING_H
#define P11PROF_RECORD_RECORDING_H

#include "p11prof/drain.h"

struct p11prof_recording {
    const char *db;              /* absolute path */
    const char *folder;          /* of the spools, NULL: all */
    struct p11prof_store *store; /* NULL: cannot be opened now; tried again */
    uint8_t uuid[16];
    char uuid_text[37];
    struct p11prof_anchor start;
    int64_t run_id; /* 0: not in the database yet */
    struct p11prof_run_start run;
    struct p11prof_error problem; /* of the last drain; P11PROF_OK: none */
};

/* Makes a random UUID and enters the run, of kind "profile" or "bench". P11PROF_BUSY is no failure:
 * it is entered by the first drain that succeeds. Strings are borrowed. */
enum p11prof_status p11prof_recording_start(struct p11prof_recording *recording, const char *db,
                                            const char *kind, const char *name, const char *program,
                                            const char *options_json, struct p11prof_error *error);

/* Takes what the run's spools hold, as far as the database lets us. */
void p11prof_recording_drain(struct p11prof_recording *recording,
                             struct p11prof_collect_result *result);

/* Notes how the run ended ("finished", "interrupted", "failed") and closes the store. The run's
 * duration ends here. */
void p11prof_recording_end(struct p11prof_recording *recording, const char *state);

/* Frees what is left. */
void p11prof_recording_close(struct p11prof_recording *recording);

#endif
