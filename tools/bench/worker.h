/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* A worker: the process that loads the module and puts load on the token. */
#ifndef P11PROF_BENCH_WORKER_H
#define P11PROF_BENCH_WORKER_H

#include "protocol.h"

/* What it is given by fork. */
struct bench_worker {
    const struct bench_settings *settings;
    const struct p11prof_bench_target *target;
    struct p11prof_bench_own_key own_key; /* wanted, label, id; found by set-up */
    const char *shim;                     /* path; NULL: nothing is recorded */
    const char *key_label;                /* what the labels of our keys start with */
    unsigned process;                     /* from 0 */
    struct bench_shared *shared;
    int socket;
    void (*work)(
        struct bench_worker *); /* instead of worker_run(), never returns; NULL: that one */
    void *payload;              /* of work */
};

/* Serves requests until the command says quit, or is gone. Never returns. */
_Noreturn void worker_run(struct bench_worker *worker);

#endif
