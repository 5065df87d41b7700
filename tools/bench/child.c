/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Exit code of work that came to its end; a module that calls exit() takes another one. */
enum { WORK_DONE = 99 };

void *p11prof_bench_shared_new(size_t bytes)
{
    void *shared = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return shared == MAP_FAILED ? NULL : shared;
}

void p11prof_bench_shared_free(void *shared, size_t bytes)
{
    if (shared)
        munmap(shared, bytes);
}

static _Noreturn void work_alone(void (*work)(void *shared), void *shared)
{
    int null = open("/dev/null", O_RDWR);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (int i = 1; i < NSIG; i++) /* a crash is to be one, whatever this program does about it */
        signal(i, SIG_DFL);
    for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; stream++)
        dup2(null, stream);
    work(shared);
    _exit(WORK_DONE);
}

/* False if it has not ended in time. */
static bool await(pid_t child, int limit_ms)
{
    int handle = pidfd_open(child, 0);
    struct pollfd ending = {.fd = handle, .events = POLLIN};
    int ready;
    if (handle < 0) /* no such handles in this kernel: wait as long as it takes */
        return true;
    do
        ready = poll(&ending, 1, limit_ms);
    while (ready < 0 && errno == EINTR);
    close(handle);
    return ready != 0;
}

bool p11prof_bench_child_run(void (*work)(void *shared), void *shared, int limit_ms, char *problem,
                             size_t problem_bytes)
{
    int status = 0;
    pid_t child = fork(), ended;
    if (child == 0)
        work_alone(work, shared);
    if (child < 0) {
        snprintf(problem, problem_bytes, "could not be started (%s)", strerror(errno));
        return false;
    }
    bool in_time = await(child, limit_ms);
    if (!in_time)
        kill(child, SIGKILL);
    do
        ended = waitpid(child, &status, 0);
    while (ended < 0 && errno == EINTR);
    if (!in_time)
        snprintf(problem, problem_bytes, "did not answer within %d ms", limit_ms);
    else if (ended == child && WIFSIGNALED(status))
        snprintf(problem, problem_bytes, "crashed (%s)", strsignal(WTERMSIG(status)));
    else if (ended == child && WEXITSTATUS(status) != WORK_DONE)
        snprintf(problem, problem_bytes, "ended its process (exit code %d)", WEXITSTATUS(status));
    else
        return true;
    return false;
}
