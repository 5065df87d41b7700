/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What the parts of the soak share: an application that lives long, and what a process has of
 * everything while it does. */
#ifndef P11PROF_TESTS_SOAK_H
#define P11PROF_TESTS_SOAK_H

#include "bench.h"

#include <sys/types.h>

/* What the application tells, in shared memory. */
struct soak_told {
    _Atomic(uint64_t) call_count; /* calls that returned, in it and its children */
    _Atomic(uint64_t) thread_count, session_count, child_count;
    _Atomic(uint64_t) finalize_ns; /* what the last C_Finalize took */
};

/* Makes about `calls` calls, `calls_per_s` of them a second, from threads that come and go, with
 * sessions and objects that do, too, and forks a child twice a second; ends the process. */
__attribute__((noreturn)) void soak_application(CK_FUNCTION_LIST *module, struct soak_told *told,
                                                uint64_t calls, uint64_t calls_per_s);

/* What grows if something leaks. */
enum soak_quantity {
    SOAK_PRIVATE,     /* bytes of memory that is not shared and belongs to no file */
    SOAK_RSS,         /* resident bytes, the spool's among them */
    SOAK_PSS,         /* the same, what is shared by its share */
    SOAK_DESCRIPTORS, /* of the process; its drain's thread has its own */
    SOAK_MAPS,
    SOAK_THREADS,
    SOAK_SPOOL,       /* bytes of all spools */
    SOAK_SPOOL_FILES, /* among them those that children left */
    SOAK_DATABASE,    /* bytes of the database without its log */
    SOAK_LOG,         /* bytes of its log */
    SOAK_QUANTITIES
};

/* A moment; `call_count` is what the quantities are fitted against. */
struct soak_sample {
    double call_count, quantity[SOAK_QUANTITIES];
};

struct soak_sample soak_sample_take(const struct bench_place *place, pid_t pid);

/* Growth of a quantity per call: least squares. */
double soak_slope(const struct soak_sample *samples, size_t count, enum soak_quantity quantity);

/* Prints what the samples from the first quarter on say, as `name`. False: something grows. */
bool soak_judge(const char *name, const struct soak_sample *samples, size_t count);

#endif
