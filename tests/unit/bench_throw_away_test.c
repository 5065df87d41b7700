/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The throw-away SoftHSM token, and the children in which modules are loaded. */
#include "bench_fixture.h"

#include "bench/child.h"

#include <sys/wait.h>

static bool is_loaded_here(const char *part)
{
    char line[5000];
    bool found = false;
    FILE *maps = fopen("/proc/self/maps", "r");
    while (!found && fgets(line, sizeof line, maps))
        found = strstr(line, part);
    fclose(maps);
    return found;
}

static void without_a_name_there_is_a_throw_away_token(void **state)
{
    (void)state;
    need_softhsm();
    struct stat found;
    finds(OPTIONS(.module = NULL), SOFTHSM);
    assert_true(target.throw_away);
    assert_memory_equal(target.folder, FOLDER "/tmp/", strlen(FOLDER "/tmp/"));
    assert_int_equal(stat(target.folder, &found), 0);
    assert_int_equal(found.st_mode & 07777, 0700);
    assert_false(is_loaded_here("libsofthsm2"));
    works_with("p11prof ");
    p11prof_bench_target_clear(&target);
    assert_null(getenv("SOFTHSM2_CONF"));
    run("rmdir " FOLDER "/tmp");
}

static void only_the_folder_is_removed(void **state)
{
    (void)state;
    need_softhsm();
    run("mkdir -p " FOLDER "/kept/sub && touch " FOLDER "/kept/file " FOLDER "/kept/sub/file");
    finds(OPTIONS(.module = NULL), SOFTHSM);
    run("ln -s " FOLDER
        "/kept %s/link && ln -s ../../../kept/file %s/tokens/file && mkfifo %s/pipe",
        target.folder, target.folder, target.folder);
    p11prof_bench_target_clear(&target);
    run("rmdir " FOLDER "/tmp && test -e " FOLDER "/kept/file && test -e " FOLDER "/kept/sub/file");
    /* A link in the folder's place. */
    run("mkdir " FOLDER "/tmp");
    finds(OPTIONS(.module = NULL), SOFTHSM);
    run("rm -r %s && ln -s " FOLDER "/kept %s", target.folder, target.folder);
    p11prof_bench_target_clear(&target);
    run("test -e " FOLDER "/kept/file && test -e " FOLDER "/kept/sub/file");
}

static void a_throw_away_token_that_fails_leaves_nothing(void **state)
{
    (void)state;
    setenv("P11PROF_SOFTHSM", P11PROF_TEST_FAILS, 1);
    fails(OPTIONS(.module = NULL), P11PROF_FAILED, "C_Initialize: CKR_DEVICE_ERROR");
    run("rmdir " FOLDER "/tmp && mkdir " FOLDER "/tmp");
    setenv("P11PROF_SOFTHSM", P11PROF_TEST_CRASHES, 1);
    fails(OPTIONS(.module = NULL), P11PROF_FAILED, "crashed (");
    setenv("P11PROF_SOFTHSM", "/missing.so", 1);
    fails(OPTIONS(.module = NULL), P11PROF_MISSING, "/missing.so");
    unsetenv("P11PROF_SOFTHSM");
    setenv("TMPDIR", FOLDER "/missing", 1);
    fails(OPTIONS(.module = NULL), P11PROF_FAILED, "set TMPDIR");
}

static void hang(void *shared)
{
    (void)shared;
    pause();
}

static void a_child_that_hangs_is_ended(void **state)
{
    (void)state;
    char problem[128] = "";
    assert_false(p11prof_bench_child_run(hang, NULL, 100, problem, sizeof problem));
    assert_string_equal(problem, "did not answer within 100 ms");
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_a_name_there_is_a_throw_away_token),
        TEST(only_the_folder_is_removed),
        TEST(a_throw_away_token_that_fails_leaves_nothing),
        TEST(a_child_that_hangs_is_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
