/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The loads of a worker: their keys, and a job for each thread. */
#ifndef P11PROF_BENCH_WORKER_LOAD_H
#define P11PROF_BENCH_WORKER_LOAD_H

#include "attach.h"
#include "team.h"
#include "token.h"
#include "worker.h"

/* The key of a test, made once for all of its loads. */
struct worker_key {
    char test[P11PROF_BENCH_ID_BYTES];
    char label[BENCH_KEY_LABEL_BYTES]; /* of the step's own key; "": none */
    char made_label[48];               /* of what is made, and of nothing else on the token */
    struct p11prof_bench_key key;
    unsigned load_count; /* that use it */
};

struct worker_load {
    struct p11prof_bench_selection
        tests; /* that one test: of a key of the user's own it may be new */
    const struct p11prof_bench_test *test;
    struct worker_key *key;
    struct p11prof_bench_job *jobs; /* one a thread */
    struct slice_draws *draws;      /* one a thread, of the mix that this load is the first of */
    unsigned thread_count;
};

struct worker {
    struct bench_worker *given;
    struct attachment module;
    struct token_state facts;
    CK_SESSION_HANDLE *sessions; /* of the threads */
    struct team team;
    struct worker_load loads[BENCH_LOADS_MOST + 1];
    /* The request in hand. */
    const struct bench_request *request;
    struct bench_reply *reply;
    struct worker_load *load;
    struct p11prof_bench_own_key step_key;       /* that it names */
    const struct p11prof_bench_own_key *own_key; /* that, or the one of set-up */
    uint64_t trial_ns[BENCH_THREADS_MOST];
    atomic_bool broken; /* what was tried gave a wrong result, or the device failed */
    struct p11prof_error errors[BENCH_THREADS_MOST];
};

/* What a request is answered. */
void worker_reply(struct worker *worker, enum p11prof_status status,
                  const struct p11prof_error *error);

/* A test by its id: tests->tests[0], valid until the caller frees tests->tests. */
enum p11prof_status load_test_find(struct worker *worker, const char *id,
                                   struct p11prof_bench_selection *tests,
                                   struct p11prof_error *error);

/* For the request in hand; they fill the reply. What cannot be opened leaves nothing. */
void load_open(struct worker *worker);
void load_slice(struct worker *worker);

/* Closes the jobs, and destroys the key if no other load needs it. */
void load_close(struct worker *worker, struct worker_load *load);

#endif
