/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* `p11prof collect --follow` takes a live process's spool to its end, also where the file's name is
 * removed meanwhile, as systemd removes what a user has in /dev/shm. */
#include "driven.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 2, CALLS = 1009, TRIES = 3000, TRY_US = 20000 };

static pid_t follower_start(const struct driven *driven)
{
    const char *command = getenv("P11PROF_TEST_COMMAND");
    pid_t child = fork();
    if (child == 0) {
        execl(command, command, "collect", "--follow", "--db", driven->db, "--spool", driven->spool,
              NULL);
        _exit(98);
    }
    assert_true(child > 0);
    return child;
}

static void follower_stop(pid_t follower)
{
    int status;
    kill(follower, SIGTERM);
    assert_int_equal(waitpid(follower, &status, 0), follower);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 128 + SIGTERM);
}

/* Descriptors of spools that it has open. */
static unsigned held_count(pid_t pid)
{
    char folder[64], path[400], target[400];
    unsigned count = 0;
    snprintf(folder, sizeof folder, "/proc/%d/fd", (int)pid);
    DIR *entries = opendir(folder);
    assert_non_null(entries);
    for (struct dirent *entry; (entry = readdir(entries));) {
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        ssize_t length = readlink(path, target, sizeof target - 1);
        target[length > 0 ? length : 0] = '\0';
        count += strstr(target, ".spool") != NULL;
    }
    closedir(entries);
    return count;
}

/* Twice in a row: who only looks at a spool has it open for a moment. */
static void held_wait(pid_t follower, unsigned count)
{
    unsigned row = 0;
    for (int i = 0; i < TRIES && row < 2; i++) {
        row = held_count(follower) == count ? row + 1 : 0;
        usleep(TRY_US);
    }
    assert_int_equal(row, 2);
}

/* What one does to a spool in the folder. */
static void name_remove(int folder, const char *name)
{
    assert_int_equal(unlinkat(folder, name, 0), 0);
}

static void damage_and_remove(int folder, const char *name)
{
    int fd = openat(folder, name, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0 && ftruncate(fd, 100) == 0);
    close(fd);
    name_remove(folder, name);
}

static void spool_change(const struct driven *driven, void (*change)(int folder, const char *name))
{
    unsigned count = 0;
    DIR *entries = opendir(driven->spool);
    assert_non_null(entries);
    for (struct dirent *entry; (entry = readdir(entries));)
        if (strstr(entry->d_name, ".spool")) {
            change(dirfd(entries), entry->d_name);
            count++;
        }
    closedir(entries);
    assert_int_equal(count, 1);
}

/* A follower, and a process whose spool it holds, between two parts of its calls. */
struct followed {
    struct driven driven;
    pid_t follower, child;
};

static void followed_set_up(struct followed *followed)
{
    driven_set_up(&followed->driven);
    followed->follower = follower_start(&followed->driven);
    followed->child = driven_start(&followed->driven, "phases", "external", THREADS, CALLS);
    held_wait(followed->follower, 1);
}

/* The process makes the rest of its calls and ends. */
static void followed_go_on(struct followed *followed)
{
    int status;
    atomic_store(&followed->driven.counts->phase, 1);
    assert_int_equal(waitpid(followed->child, &status, 0), followed->child);
    assert_int_equal(status, 0);
}

/* It was taken, and let go. */
static void followed_end(struct followed *followed)
{
    held_wait(followed->follower, 0);
    follower_stop(followed->follower);
}

static void followed_tear_down(struct followed *followed)
{
    driven_wait(&followed->driven);
    driven_tear_down(&followed->driven);
}

static void test_name_removed(void **state)
{
    struct followed followed;
    (void)state;
    followed_set_up(&followed);
    spool_change(&followed.driven, name_remove);
    followed_go_on(&followed);
    followed_end(&followed);
    driven_assert_exact(&followed.driven, false);
    assert_int_equal(driven_ask(&followed.driven, "SELECT count(*) FROM calls WHERE "
                                                  "function = 'C_GenerateRandom'"),
                     2 * THREADS * CALLS);
    assert_int_equal(driven_ask(&followed.driven, "SELECT count(*) FROM runs WHERE "
                                                  "state = 'finished' OR state = 'recovered'"),
                     1);
    followed_tear_down(&followed);
}

/* One that keeps its name is taken once, and not held any longer. */
static void test_name_kept(void **state)
{
    struct followed followed;
    (void)state;
    followed_set_up(&followed);
    followed_go_on(&followed);
    followed_end(&followed);
    driven_assert_exact(&followed.driven, false);
    followed_tear_down(&followed);
}

/* One that nobody can read is not kept in memory for ever. */
static void test_damaged(void **state)
{
    struct followed followed;
    int status;
    (void)state;
    followed_set_up(&followed);
    spool_change(&followed.driven, damage_and_remove);
    followed_end(&followed);
    kill(followed.child, SIGKILL);
    assert_int_equal(waitpid(followed.child, &status, 0), followed.child);
    followed_tear_down(&followed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_name_removed),
        cmocka_unit_test(test_name_kept),
        cmocka_unit_test(test_damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
