/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The module in a worker: its functions as they are, and through the shim. */
#ifndef P11PROF_BENCH_ATTACH_H
#define P11PROF_BENCH_ATTACH_H

#include "interface.h"
#include "slice.h"

struct attachment {
    CK_FUNCTION_LIST *raw;           /* the module's own */
    CK_FUNCTION_LIST *timed;         /* the shim's over it; raw where nothing is recorded */
    struct interface raw_3, timed_3; /* the same of 3.x, both up to the same version */
    struct slice_recorder recorder;
};

/* Loads shim (NULL: none) and module. The settings of the shim are in the environment. */
enum p11prof_status attach(struct attachment *out, const char *shim, const char *module,
                           struct p11prof_error *error);

/* "C_Login answered CKR_DEVICE_ERROR: <what to do>" */
enum p11prof_status attach_failed(struct p11prof_error *error, const char *function, CK_RV rv,
                                  const char *advice);

#endif
