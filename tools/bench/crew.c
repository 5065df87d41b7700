/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "crew.h"

#include "../report/allocate.h"
#include "slice.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TICK_MS = 100, HURRIED_TICK_MS = 5, ORPHAN_S = 10 };

static void *memory_make(size_t bytes)
{
    void *made = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return made == MAP_FAILED ? NULL : made;
}

static bool shared_make(struct crew *crew, const struct crew_size *size)
{
    size_t threads = (size_t)size->processes * size->threads;
    crew->shared_bytes = sizeof *crew->shared + threads * sizeof(struct bench_thread_state);
    crew->shares_bytes = threads * size->turns * sizeof(struct bench_share);
    crew->shared = memory_make(crew->shared_bytes);
    if (!crew->shared)
        return false;
    if (!bench_arrivals_init(&crew->shared->arrivals))
        return false;
    crew->shared->threads_most = size->threads;
    crew->shared->turns_most = size->turns;
    crew->shared->shares = memory_make(crew->shares_bytes);
    return crew->shared->shares != NULL;
}

/* The next one ends the process. */
static void orphaned(int number)
{
    (void)number;
    alarm(ORPHAN_S);
}

/* A worker whose command is gone cleans up and ends; one that hangs in the module cannot. */
static void end_without(pid_t command)
{
    const struct sigaction action = {.sa_handler = orphaned, .sa_flags = SA_RESETHAND | SA_RESTART};
    sigaction(SIGALRM, &action, NULL);
    prctl(PR_SET_PDEATHSIG, SIGALRM);
    if (getppid() != command)
        alarm(ORPHAN_S);
}

/* Signals are the command's: it says when to stop, and they interrupt no call of the module. */
static _Noreturn void become_worker(struct crew *crew, const struct crew *other,
                                    struct bench_worker *worker, unsigned number, int socket)
{
    static const int ignored[] = {SIGPIPE, SIGINT, SIGTERM, SIGHUP};
    for (unsigned i = 0; other && i < other->count; i++)
        close(other->members[i].socket);
    for (unsigned i = 0; i < number; i++)
        close(crew->members[i].socket);
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
        signal(ignored[i], SIG_IGN);
    worker->process = number;
    worker->shared = crew->shared;
    worker->socket = socket;
    if (worker->work)
        worker->work(worker);
    worker_run(worker);
}

static bool member_start(struct crew *crew, const struct crew *other, struct bench_worker *worker)
{
    int ends[2];
    struct crew_member *member = &crew->members[crew->count];
    pid_t command = getpid();
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return false;
    fflush(NULL);
    member->pid = fork();
    if (member->pid == 0) {
        close(ends[0]);
        end_without(command);
        become_worker(crew, other, worker, crew->count, ends[1]);
    }
    close(ends[1]);
    member->socket = ends[0];
    if (member->pid < 0)
        close(ends[0]);
    else
        crew->count++;
    return member->pid > 0;
}

enum p11prof_status crew_start(struct crew *crew, const struct crew *other,
                               const struct crew_size *size, struct bench_worker *worker,
                               struct p11prof_error *error)
{
    *crew = (struct crew){.members = p11prof_zalloc(size->processes, sizeof *crew->members)};
    bool started = shared_make(crew, size);
    while (started && crew->count < size->processes)
        started = member_start(crew, other, worker);
    if (started)
        return P11PROF_OK;
    return p11prof_error_set(error, P11PROF_FAILED, "cannot start %u workers: %m", size->processes);
}

/* --- asking --- */

/* Once: its number may be another process's later. */
static void reap(struct crew_member *member)
{
    while (member->pid > 0 && waitpid(member->pid, &member->wait_status, 0) < 0 && errno == EINTR)
        ;
    member->pid = 0;
}

/* No module kills its process: its user did, by a second Ctrl-C, or a kernel without memory. */
static enum p11prof_status describe_end(struct crew_member *member, unsigned number,
                                        struct p11prof_error *error)
{
    reap(member);
    member->crashed = true;
    if (WIFSIGNALED(member->wait_status) && WTERMSIG(member->wait_status) == SIGKILL)
        return p11prof_error_set(error, P11PROF_FAILED,
                                 "the worker %u was killed (SIGKILL) in the middle of a call",
                                 number + 1);
    if (WIFSIGNALED(member->wait_status))
        return p11prof_error_set(error, P11PROF_FAILED,
                                 "the module ended the worker %u (%s) in the middle of a call",
                                 number + 1, strsignal(WTERMSIG(member->wait_status)));
    return p11prof_error_set(error, P11PROF_FAILED,
                             "the module ended the worker %u with exit code "
                             "%d",
                             number + 1, WEXITSTATUS(member->wait_status));
}

static void answer_take(struct crew_member *member, unsigned number, struct p11prof_error *error)
{
    ssize_t length = recv(member->socket, &member->reply, sizeof member->reply, 0);
    member->answered = true;
    if (length == sizeof member->reply)
        return;
    describe_end(member, number, error);
    member->reply.status = P11PROF_FAILED;
    snprintf(member->reply.text, sizeof member->reply.text, "%s", error->text);
}

static unsigned missing(const struct crew *crew, unsigned first, unsigned end)
{
    unsigned count = 0;
    for (unsigned i = first; i < end; i++)
        count += !crew->members[i].answered;
    return count;
}

static void answers_poll(struct crew *crew, unsigned first, unsigned end,
                         struct p11prof_error *error)
{
    struct pollfd polled[BENCH_PROCESSES_MOST];
    for (unsigned i = first; i < end; i++)
        polled[i - first] = (struct pollfd){
            .fd = crew->members[i].answered ? -1 : crew->members[i].socket, .events = POLLIN};
    if (poll(polled, end - first, crew->hurried ? HURRIED_TICK_MS : TICK_MS) <= 0)
        return;
    for (unsigned i = first; i < end; i++)
        if (polled[i - first].revents)
            answer_take(&crew->members[i], i, error);
}

static enum p11prof_status ask(struct crew *crew, unsigned first, unsigned end,
                               const struct bench_request *request, void (*tick)(void *),
                               void *payload, struct p11prof_error *error)
{
    crew->asked_ns = slice_now_ns();
    for (unsigned i = first; i < end; i++) {
        struct crew_member *member = &crew->members[i];
        member->answered = false;
        if (member->pid == 0 ||
            send(member->socket, request, sizeof *request, MSG_NOSIGNAL) != sizeof *request)
            answer_take(member, i, error);
    }
    while (missing(crew, first, end) > 0) {
        answers_poll(crew, first, end, error);
        tick(payload);
    }
    crew->asked_ns = 0;
    for (unsigned i = first; i < end; i++)
        if (crew->members[i].reply.status != P11PROF_OK)
            return p11prof_error_set(error, crew->members[i].reply.status, "%s",
                                     crew->members[i].reply.text);
    return P11PROF_OK;
}

enum p11prof_status crew_ask(struct crew *crew, unsigned count, const struct bench_request *request,
                             void (*tick)(void *payload), void *payload,
                             struct p11prof_error *error)
{
    return ask(crew, 0, count, request, tick, payload, error);
}

enum p11prof_status crew_ask_one(struct crew *crew, unsigned member,
                                 const struct bench_request *request, void (*tick)(void *payload),
                                 void *payload, struct p11prof_error *error)
{
    return ask(crew, member, member + 1, request, tick, payload, error);
}

/* --- the end --- */

static bool member_wait(struct crew_member *member, unsigned ms, void (*tick)(void *),
                        void *payload)
{
    const struct timespec pause = {0, 10000000};
    for (unsigned waited_ms = 0; member->pid > 0; waited_ms += 10) {
        if (waitpid(member->pid, &member->wait_status, WNOHANG) != 0) {
            member->pid = 0;
            break;
        }
        if (waited_ms >= ms)
            return false;
        tick(payload);
        nanosleep(&pause, NULL);
    }
    return true;
}

unsigned crew_end(struct crew *crew, unsigned ms, void (*tick)(void *payload), void *payload)
{
    const struct bench_request quit = {.kind = BENCH_REQUEST_QUIT};
    unsigned killed = 0;
    for (unsigned i = 0; i < crew->count; i++)
        if (crew->members[i].pid > 0)
            send(crew->members[i].socket, &quit, sizeof quit, MSG_NOSIGNAL);
    for (unsigned i = 0; i < crew->count; i++) {
        struct crew_member *member = &crew->members[i];
        if (!member_wait(member, ms, tick, payload)) {
            kill(member->pid, SIGKILL);
            reap(member);
            killed++;
        }
        close(member->socket);
    }
    free(crew->members);
    if (crew->shared && crew->shared->shares)
        munmap(crew->shared->shares, crew->shares_bytes);
    if (crew->shared)
        munmap(crew->shared, crew->shared_bytes);
    *crew = (struct crew){0};
    return killed;
}
