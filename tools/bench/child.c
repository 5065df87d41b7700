/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PAUSE_MS = 2 };

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

static _Noreturn void work_alone(void (*work)(void *shared), void *shared, bool *done)
{
    int null = open("/dev/null", O_RDWR);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (int i = 1; i < SIGRTMIN; i++) /* a crash is to be one, whatever this program does then */
        signal(i, SIG_DFL);
    for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; stream++)
        dup2(null, stream);
    work(shared);
    *done = true; /* a module may end the process with any code */
    _exit(0);
}

/* Waits for the child; kills it once the time is over, and returns false. */
static bool await(pid_t child, int limit_ms, int *status)
{
    const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};
    struct timespec start, now;
    pid_t ended = 0;
    bool in_time = true;
    clock_gettime(CLOCK_MONOTONIC, &start);
    while ((ended = waitpid(child, status, in_time ? WNOHANG : 0)) == 0 ||
           (ended < 0 && errno == EINTR)) {
        clock_gettime(CLOCK_MONOTONIC, &now);
        in_time =
            in_time &&
            (now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 < limit_ms;
        if (in_time)
            nanosleep(&pause, NULL);
        else
            kill(child, SIGKILL);
    }
    return in_time;
}

static void describe(int status, char *problem, size_t problem_bytes)
{
    if (WIFSIGNALED(status))
        snprintf(problem, problem_bytes, "crashed (%s)", strsignal(WTERMSIG(status)));
    else
        snprintf(problem, problem_bytes, "ended its process (exit code %d)", WEXITSTATUS(status));
}

static bool run(void (*work)(void *shared), void *shared, bool *done, int limit_ms, char *problem,
                size_t problem_bytes)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0)
        work_alone(work, shared, done);
    if (child < 0)
        snprintf(problem, problem_bytes, "could not be started (%s)", strerror(errno));
    else if (!await(child, limit_ms, &status))
        snprintf(problem, problem_bytes, "did not answer within %d ms", limit_ms);
    else if (!*done)
        describe(status, problem, problem_bytes);
    return *done;
}

bool p11prof_bench_child_run(void (*work)(void *shared), void *shared, int limit_ms, char *problem,
                             size_t problem_bytes)
{
    bool *done = p11prof_bench_shared_new(sizeof *done);
    if (!done) {
        snprintf(problem, problem_bytes, "could not be started (%s)", strerror(errno));
        return false;
    }
    bool worked = run(work, shared, done, limit_ms, problem, problem_bytes);
    p11prof_bench_shared_free(done, sizeof *done);
    return worked;
}
