/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Sandboxes: a filter that kills the process at every system call that $P11PROF_TEST_CALLS does not
 * name. */
#include "host_driver.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { CALLS_MOST = 100 };

/* Those that a list may name. */
#define NAMED(name)                                                                                \
    {                                                                                              \
#name, SYS_##name                                                                          \
    }
static const struct {
    const char *name;
    int number;
} known[] = {
    NAMED(brk),
    NAMED(clock_gettime),
    NAMED(clock_nanosleep),
    NAMED(close),
    NAMED(exit_group),
    NAMED(fallocate),
    NAMED(fchmod),
    NAMED(fchown),
    NAMED(fcntl),
    NAMED(fdatasync),
    NAMED(flock),
    NAMED(fstatfs),
    NAMED(fsync),
    NAMED(ftruncate),
    NAMED(futex),
    NAMED(getcwd),
    NAMED(geteuid),
    NAMED(getpid),
    NAMED(getppid),
    NAMED(getrandom),
    NAMED(gettid),
    NAMED(linkat),
    NAMED(lseek),
    NAMED(madvise),
    NAMED(mkdirat),
    NAMED(mmap),
    NAMED(mprotect),
    NAMED(mremap),
    NAMED(munmap),
    NAMED(newfstatat),
    NAMED(openat),
    NAMED(prctl),
    NAMED(pread64),
    NAMED(prlimit64),
    NAMED(pwrite64),
    NAMED(read),
    NAMED(readlinkat),
    NAMED(renameat),
    NAMED(rt_sigaction),
    NAMED(rt_sigpending),
    NAMED(rt_sigprocmask),
    NAMED(rt_sigtimedwait),
    NAMED(sched_getaffinity),
    NAMED(sched_yield),
    NAMED(sendto),
    NAMED(socket),
    NAMED(sysinfo),
    NAMED(tgkill),
    NAMED(uname),
    NAMED(unlinkat),
    NAMED(write),
#ifdef SYS_open /* older names of the same */
    NAMED(access),
    NAMED(rename),
    NAMED(unlink),
#else
    NAMED(faccessat),
#endif
};

static int number_of(const char *name)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i].name, name) == 0)
            return known[i].number;
    fprintf(stderr, "%s: ", name);
    die("no such system call is known here");
}

/* What is not among the numbers kills the process. */
static void filter_install(const int *numbers, unsigned count)
{
    struct sock_filter filter[CALLS_MOST + 3] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))};
    for (unsigned i = 0; i < count; i++)
        filter[1 + i] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
                                                     (unsigned)numbers[i], count - i, 0);
    filter[1 + count] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
    filter[2 + count] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    const struct sock_fprog program = {.len = (unsigned short)(count + 3), .filter = filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        die("no filter");
}

static void filter_enter(void)
{
    int numbers[CALLS_MOST];
    unsigned count = 0;
    char *names = strdup(getenv("P11PROF_TEST_CALLS")), *rest = names;
    for (char *name; (name = strtok_r(rest, " \n", &rest)) && count < CALLS_MOST;)
        numbers[count++] = number_of(name);
    free(names);
    filter_install(numbers, count);
}

/* In the sandbox once it is initialised, as most services. */
void scenario_filter(void)
{
    module->C_Initialize(NULL);
    filter_enter();
    calls_make(NULL);
    module->C_Finalize(NULL);
    calls_make(NULL);
}

/* In the sandbox before its first call, as a worker that is forked. */
void scenario_filter_worker(void)
{
    module->C_Initialize(NULL);
    pid_t child = fork();
    if (child == 0) {
        filter_enter();
        calls_make(NULL);
        exit(0);
    }
    wait_for(child);
    module->C_Finalize(NULL);
}
