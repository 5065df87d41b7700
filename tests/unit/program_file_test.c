/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* A program's file that somebody shortens while it is looked into. */
#include "record/elf_file.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { FILE_BYTES = 2 << 20, ROUNDS = 1000 };

static struct {
    int fd;
    _Atomic(bool) stop;
} attack;

static void *shorten(void *unused)
{
    while (!attack.stop)
        if (ftruncate(attack.fd, 0) != 0 || ftruncate(attack.fd, FILE_BYTES) != 0)
            break;
    return unused;
}

static void test_shortened(void **state)
{
    char path[] = "/tmp/p11prof-test-XXXXXX";
    struct p11prof_file file;
    pthread_t thread;
    (void)state;
    attack.fd = mkstemp(path);
    assert_true(attack.fd >= 0);
    assert_int_equal(pthread_create(&thread, NULL, shorten, NULL), 0);
    for (int i = 0; i < ROUNDS; i++) {
        p11prof_file_read(&file, path);
        assert_int_equal(file.kind, P11PROF_FILE_OTHER);
        assert_false(p11prof_file_holds(path, "\0\0\0\0never", 9));
    }
    attack.stop = true;
    pthread_join(thread, NULL);
    close(attack.fd);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shortened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
