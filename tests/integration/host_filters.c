/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Sandboxes: a filter that kills the process at every system call that $P11PROF_TEST_CALLS does not
 * name. */
#include "host_driver.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
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

static void filter_set(struct sock_filter *filter, unsigned length)
{
    const struct sock_fprog program = {.len = (unsigned short)length, .filter = filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        die("no filter");
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
    filter_set(filter, count + 3);
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

/* --- a sandbox whose broker opens files --- */

enum { BROKERS = 0x5a5a };

#if defined(__x86_64__)
enum { ANSWER = REG_RAX };
static const int registers[] = {REG_RDI, REG_RSI, REG_RDX, REG_R10};
#define REGISTER(context, i) ((context)->uc_mcontext.gregs[i])
#elif defined(__aarch64__)
enum { ANSWER = 0 };
static const int registers[] = {0, 1, 2, 3};
#define REGISTER(context, i) ((context)->uc_mcontext.regs[i])
#endif

#ifdef REGISTER
static void broker(int signal, siginfo_t *info, void *raw)
{
    ucontext_t *context = raw;
    int saved_errno = errno;
    (void)signal, (void)info;
    long result =
        syscall(SYS_openat, REGISTER(context, registers[0]), REGISTER(context, registers[1]),
                REGISTER(context, registers[2]), REGISTER(context, registers[3]), 0, BROKERS);
    REGISTER(context, ANSWER) = result < 0 ? -errno : result;
    errno = saved_errno;
}

static void broker_enter(void)
{
    const struct sigaction action = {.sa_sigaction = broker, .sa_flags = SA_SIGINFO};
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[5])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, BROKERS, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    sigaction(SIGSYS, &action, NULL);
    filter_set(filter, sizeof filter / sizeof *filter);
}
#endif

/* A handler of SIGSYS opens what is to be opened: for a process's first call, and for who drains.
 */
void scenario_broker(void)
{
#ifdef REGISTER
    broker_enter();
#endif
    for (int i = 0; i < 2; i++) {
        pid_t child = fork();
        if (child == 0) {
            module->C_Initialize(NULL);
            calls_make(NULL);
            module->C_Finalize(NULL);
            exit(0);
        }
        wait_for(child);
    }
    module->C_Initialize(NULL);
    calls_make(NULL);
    module->C_Finalize(NULL);
}

/* Waking our thread fails. */
void scenario_no_wake(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_futex, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    module->C_Initialize(NULL);
    filter_set(filter, sizeof filter / sizeof *filter);
    errno = 77;
    calls_make(NULL);
    if (errno != 77)
        die("errno was changed");
    module->C_Finalize(NULL);
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
