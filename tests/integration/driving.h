/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What the drivers share: PROGRAM SHIM COUNTS SCENARIO THREADS CALLS. They load SHIM, count calls
 * that return in the file COUNTS, and are what their scenarios say. */
#ifndef P11PROF_TESTS_DRIVING_H
#define P11PROF_TESTS_DRIVING_H

#include "driver.h"
#include "p11prof/pkcs11.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct scenario {
    const char *name;
    void (*run)(void);
};

extern struct driver_counts *counts;
extern CK_FUNCTION_LIST *module;
extern void *handle; /* of the loaded shim */
extern unsigned thread_count;
extern uint64_t call_count;
extern char **arguments;

/* Says what is wrong and ends with status 99. */
__attribute__((noreturn)) void die(const char *what);

/* Loads a module; `module` is its list. */
void module_load(const char *path);

/* call_count calls of C_GenerateRandom, counted in a slot of their own; a thread's function. */
void *calls_make(void *unused);

/* calls_make() in thread_count threads, this one among them. */
void threads_run(void);

/* calls_make() in this thread, on a stack that is no thread's, as coroutines have them; C_Finalize
 * there, too. */
void fiber_run(size_t stack_bytes, bool finalizes);

/* Waits for a child, which must end with status 0. */
void wait_for(pid_t child);

/* main(): runs the scenario that is named. */
int drive(int argc, char **argv, const struct scenario *scenarios, size_t count);

#endif
