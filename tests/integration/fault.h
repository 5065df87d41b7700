/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Running the driver while something is wrong: the application must not notice, and no call may be
 * lost that is not counted. Failures are cmocka assertions. */
#ifndef P11PROF_TESTS_FAULT_H
#define P11PROF_TESTS_FAULT_H

#include "driven.h"

struct fault {
    struct driven driven;
    char output_path[300], said_path[300]; /* the driver's stdout and stderr */
    char disk[300];                        /* a folder to mount on */
    bool mounted;
    pid_t child;
    unsigned end_seconds; /* it hangs if it has not ended by then; 0: ten */
    void (*in_child)(const struct driven *driven); /* more for the child to do */
};

void fault_set_up(struct fault *fault);
void fault_tear_down(struct fault *fault);

/* A file system of its own at fault->disk, seen by nobody else; false where we may not. Options as
 * of tmpfs. */
bool fault_disk(struct fault *fault, const char *options);
void fault_disk_change(struct fault *fault, unsigned long flags, const char *options);

/* The database is to be this file of the folder, or of the disk. */
void fault_db(struct fault *fault, const char *folder, const char *name);

/* Starts the driver; waits for its end, which must be a good one, with nothing on stdout and within
 * end_seconds. */
void fault_start(struct fault *fault, const char *scenario, const char *drain, unsigned threads,
                 unsigned long calls);
void fault_end(struct fault *fault);
void fault_run(struct fault *fault, const char *scenario, const char *drain, unsigned threads,
               unsigned long calls);

/* Whether it said anything at all. */
bool fault_spoke(const struct fault *fault);

/* Its stderr holds this; `times` 1: once. */
void fault_said(const struct fault *fault, const char *text);

/* Spools with something in them. */
unsigned fault_spools(const struct fault *fault);

/* Collects, and finds every call that returned: each slot 1 … n. */
void fault_exact(struct fault *fault);
/* The same, where some may have been counted as lost; all of them for `cause`, NULL: any. Returns
 * how many. */
long long fault_counted(struct fault *fault, const char *cause);

#endif
