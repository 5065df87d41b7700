/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The processes of a log of pkcs11-spy. The log says which since OpenSC 0.24; before, the line that
 * the spy begins with starts a new one. */
#ifndef P11PROF_IMPORT_SPY_PROCESS_H
#define P11PROF_IMPORT_SPY_PROCESS_H

#include "import/spy_call.h"

enum {
    P11PROF_SPY_PROCESSES_MAX = 1024, /* at a time */
    P11PROF_SPY_THREADS_MAX = 4096,
    P11PROF_SPY_PENDING_MAX = 65536,
};

struct p11prof_spy_processes {
    struct p11prof_store *store;
    const char *run_name;
    uint8_t run_uuid[16];
    int64_t run_id;             /* 0: there is no process yet */
    uint64_t first_ns, last_ns; /* wall clock of the first call, and of the last so far */
    uint64_t process_count, call_count, lost_count;
    struct {
        struct p11prof_feed *feed;
        int32_t pid; /* 0: the log does not say */
        uint64_t used;
    } live[P11PROF_SPY_PROCESSES_MAX]; /* the one used longest ago gives way */
    uint64_t use_count;
    uint64_t pending_count; /* calls of all of them that are not written yet, at most */
    char module_path[512];
    struct {
        int32_t pid;
        uint64_t thread;
    } threads[P11PROF_SPY_THREADS_MAX];
    uint32_t thread_count;
};

void p11prof_spy_processes_init(struct p11prof_spy_processes *processes,
                                struct p11prof_store *store, const char *run_name);
void p11prof_spy_processes_clear(struct p11prof_spy_processes *processes);

/* A time of the log, before the call that it belongs to. */
void p11prof_spy_processes_time(struct p11prof_spy_processes *processes, uint64_t wall_ns);

/* Number of a thread in the order of appearance, from 1; 0: one too many. */
uint32_t p11prof_spy_thread(struct p11prof_spy_processes *processes, int32_t pid, uint64_t thread);

/* "\"/usr/lib/module.so\"": what processes from here on loaded. */
void p11prof_spy_processes_module(struct p11prof_spy_processes *processes, const char *quoted);

/* Hands the call on; rv NULL: its result cannot be told. */
enum p11prof_status p11prof_spy_call_feed(struct p11prof_spy_processes *processes,
                                          const struct p11prof_spy_call *call, const uint64_t *rv,
                                          struct p11prof_error *error);

/* A process whose id the log does not say ends. */
enum p11prof_status p11prof_spy_processes_next(struct p11prof_spy_processes *processes,
                                               struct p11prof_error *error);

/* All of them end. */
enum p11prof_status p11prof_spy_processes_end(struct p11prof_spy_processes *processes,
                                              struct p11prof_error *error);

#endif
