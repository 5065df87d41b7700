/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Work that may crash, hang or leave processes behind, because it runs a module's code: done in a
 * child that leaves its result in shared memory. (A pipe would stay open in what a module forks.)
 */
#ifndef P11PROF_BENCH_CHILD_H
#define P11PROF_BENCH_CHILD_H

#include <stdbool.h>
#include <stddef.h>

enum { P11PROF_BENCH_MODULE_MS = 30000 }; /* what a module is given to answer */

/* Memory of zeros that a child writes for its parent; NULL: none (errno). */
void *p11prof_bench_shared_new(size_t bytes);
void p11prof_bench_shared_free(void *shared, size_t bytes);

/* Runs work(shared) in a child without standard streams, and waits. False if it did not come to
 * its end within limit_ms; `problem` then says how it ended: "crashed (Aborted)". */
bool p11prof_bench_child_run(void (*work)(void *shared), void *shared, int limit_ms, char *problem,
                             size_t problem_bytes);

#endif
