/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* A target in a folder of its own, in which p11-kit finds its modules and throw-away tokens are
 * made. */
#ifndef P11PROF_TESTS_BENCH_FIXTURE_H
#define P11PROF_TESTS_BENCH_FIXTURE_H

#include "bench/target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define FOLDER       P11PROF_TEST_FOLDER
#define MODULES      FOLDER "/modules"
#define SOFTHSM      "/usr/lib/softhsm/libsofthsm2.so"
#define OPTIONS(...) ((struct p11prof_bench_target_options){__VA_ARGS__})
#define TEST(name)   cmocka_unit_test_setup_teardown(name, setup, teardown)

extern struct p11prof_bench_target target;
extern struct p11prof_error error;

int setup(void **state);
int teardown(void **state);

/* Runs a command of the shell, which must succeed. */
__attribute__((format(printf, 1, 2))) void run(const char *format, ...);

void put(const char *path, const char *text);

/* Skips a test without SoftHSM. */
void need_softhsm(void);

enum p11prof_status find(struct p11prof_bench_target_options options);
void finds(struct p11prof_bench_target_options options, const char *module);
void fails(struct p11prof_bench_target_options options, enum p11prof_status status,
           const char *part);

/* A worker loads the target's module, finds a token whose label starts so, and logs in. */
void works_with(const char *label);

#endif
