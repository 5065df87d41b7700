/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "launch.h"

#include "../message.h"
#include "target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const int held_signals[] = {SIGCHLD, SIGINT, SIGQUIT, SIGTERM, SIGHUP};

static sigset_t held_set(void)
{
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof held_signals / sizeof *held_signals; i++)
        sigaddset(&set, held_signals[i]);
    return set;
}

void p11prof_signals_hold(struct p11prof_launch *launch)
{
    sigset_t set = held_set();
    sigprocmask(SIG_BLOCK, &set, &launch->saved_mask);
}

void p11prof_signals_release(const struct p11prof_launch *launch)
{
    sigprocmask(SIG_SETMASK, &launch->saved_mask, NULL);
}

/* Goes on with the list that the variable holds: who set it already keeps theirs. */
static void append(const char *variable, const char *added)
{
    const char *before = getenv(variable);
    char *both = NULL;
    if (before && *before && asprintf(&both, "%s:%s", before, added) > 0)
        setenv(variable, both, 1);
    else
        setenv(variable, added, 1);
    free(both);
}

/* With any audit library, ld.so sets up the first thread's static TLS before it knows the program's
 * libraries: those that insist on static TLS (jemalloc: 2632 bytes) must fit into its surplus. Each
 * thread's stack pays for it, so it is no more than threads of 16 KiB can spare. */
static void set_static_tls(void)
{
    const char *before = getenv("GLIBC_TUNABLES");
    if (!before || !strstr(before, "glibc.rtld.optional_static_tls="))
        append("GLIBC_TUNABLES", "glibc.rtld.optional_static_tls=4096");
}

static void set_environment(const struct p11prof_launch *launch)
{
    append("LD_AUDIT", launch->audit);
    set_static_tls();
    setenv("P11PROF_RUN", launch->run, 1);
    setenv("P11PROF_DRAIN", "external", 1);
    setenv("P11PROF_DB", launch->db, 1);
    if (launch->name[0])
        setenv("P11PROF_NAME", launch->name, 1);
    unsetenv("P11PROF_MODULE"); /* each copy of the shim has its own, in its .conf */
}

/* In the child. The descriptor closes when the program starts; else it gets the reason. */
static void become_program(const struct p11prof_launch *launch, int report)
{
    set_environment(launch);
    p11prof_signals_release(launch);
    execvp(launch->argv[0], launch->argv);
    int problem = errno;
    ssize_t written = write(report, &problem, sizeof problem);
    _exit(written == sizeof problem ? P11PROF_EXIT_NOT_FOUND : P11PROF_EXIT_NOT_STARTED);
}

static int complain_start(const struct p11prof_launch *launch, int problem)
{
    return p11prof_complain(problem == ENOENT ? P11PROF_EXIT_NOT_FOUND : P11PROF_EXIT_NOT_STARTED,
                            "cannot start '%s': %s", launch->argv[0], strerror(problem));
}

pid_t p11prof_launch(const struct p11prof_launch *launch, int *exit_code)
{
    int ends[2], problem = 0;
    pid_t child = -1;
    if (pipe2(ends, O_CLOEXEC) == 0) {
        child = fork();
        if (child == 0)
            become_program(launch, ends[1]);
        problem = child < 0 ? errno : 0;
        close(ends[1]);
        while (child > 0 && read(ends[0], &problem, sizeof problem) < 0 && errno == EINTR)
            continue;
        close(ends[0]);
    } else {
        problem = errno;
    }
    if (!problem)
        return child;
    if (child > 0)
        waitpid(child, NULL, 0);
    *exit_code = complain_start(launch, problem);
    return -1;
}

/* The program is gone and *wait_status set. Other children of ours do not exist. */
static bool has_ended(pid_t child, int *wait_status)
{
    return child > 0 && waitpid(child, wait_status, WNOHANG) == child;
}

enum p11prof_event p11prof_watch(pid_t child, unsigned ms, int *wait_status, int *signal_number)
{
    const struct timespec time = {ms / 1000, (long)(ms % 1000) * 1000000};
    sigset_t set = held_set();
    siginfo_t info;
    if (has_ended(child, wait_status))
        return P11PROF_EVENT_ENDED;
    int number = sigtimedwait(&set, &info, &time);
    if (has_ended(child, wait_status))
        return P11PROF_EVENT_ENDED;
    if (number <= 0 || number == SIGCHLD)
        return P11PROF_EVENT_NONE;
    *signal_number = number;
    bool sent_to_us = info.si_code <= 0;
    if (child > 0 && sent_to_us && (number == SIGTERM || number == SIGHUP))
        kill(child, number);
    return P11PROF_EVENT_STOP;
}

int p11prof_end_as(int wait_status)
{
    if (!WIFSIGNALED(wait_status))
        return WEXITSTATUS(wait_status);
    int number = WTERMSIG(wait_status);
    sigset_t set;
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}); /* the program has left its own */
    signal(number, SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, number);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    fflush(NULL);
    kill(getpid(), number);
    return 128 + number;
}
