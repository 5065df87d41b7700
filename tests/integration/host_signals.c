/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Signals, cancellation, jumps and exceptions, at the worst of moments. */
#include "host_driver.h"

#include <errno.h>
#include <fcntl.h>
#include <fenv.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

enum {
    THREADS_MOST = 16,
    ALTERNATE_STACK_BYTES = 128 * 1024,
    ENDING_THREADS = 150,
    JUMPS = 50,
    TABLE = 2048,
    DEEPER_BYTES = 16384
};

static void handle_signal(int signal, void (*handler)(int), int flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    sigaction(signal, &action, NULL);
}

static pthread_t thread_start(void *(*run)(void *), void *argument)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, run, argument) != 0)
        die("no thread");
    return thread;
}

/* --- storms --- */

/* Each thread has a slot for the calls of each of its handlers: one interrupts the other. */
enum { HANDLERS = 2 };
static __thread struct driver_slot *handlers_slots[HANDLERS];
static __thread char alternate_stack[ALTERNATE_STACK_BYTES];

static void call_from_handler(int signal)
{
    struct driver_slot *slot = handlers_slots[signal == SIGPROF];
    if (slot)
        slot_call(slot);
}

static void *calls_make_under_fire(void *unused)
{
    const stack_t stack = {.ss_sp = alternate_stack, .ss_size = sizeof alternate_stack};
    stack_t before;
    sigaltstack(&stack, &before);
    for (int i = 0; i < HANDLERS; i++)
        handlers_slots[i] = slot_take();
    calls_make(NULL);
    for (int i = 0; i < HANDLERS; i++)
        handlers_slots[i] = NULL;
    sigaltstack(&before, NULL);
    return unused;
}

static void profile_every(unsigned microseconds)
{
    const struct itimerval often = {.it_interval = {.tv_usec = microseconds},
                                    .it_value = {.tv_usec = microseconds}};
    setitimer(ITIMER_PROF, &often, NULL);
}

/* SIGPROF every 50 us, whose handler calls the module from a stack of its own, and a thread that
 * sends SIGUSR1 as fast as it can: no SA_RESTART. */
void scenario_storm(void)
{
    pthread_t threads[THREADS_MOST];
    handle_signal(SIGPROF, call_from_handler, SA_ONSTACK | SA_RESTART);
    handle_signal(SIGUSR1, call_from_handler, 0);
    profile_every(50);
    module->C_Initialize(NULL);
    for (unsigned i = 0; i < thread_count; i++)
        threads[i] = thread_start(calls_make_under_fire, NULL);
    for (unsigned i = 0; i < 2000; i++) {
        pthread_kill(threads[i % thread_count], SIGUSR1);
        if (i % 16 == 0)
            usleep(20);
    }
    for (unsigned i = 0; i < thread_count; i++)
        pthread_join(threads[i], NULL);
    module->C_Finalize(NULL);
    profile_every(0);
}

/* Handlers interrupt what a process's first call has to do: often enough only by this timer. */
void scenario_storm_at_start(void)
{
    const struct itimerval often = {.it_interval = {.tv_usec = 50}, .it_value = {.tv_usec = 50}};
    handle_signal(SIGALRM, call_from_handler, SA_ONSTACK);
    module->C_Initialize(NULL);
    for (int i = 0; i < 20; i++) {
        pid_t child = fork();
        if (child == 0) {
            setitimer(ITIMER_REAL, &often, NULL);
            calls_make_under_fire(NULL);
            _exit(0);
        }
        wait_for(child);
    }
    module->C_Finalize(NULL);
}

/* --- cancellation --- */

static _Atomic(int) waits;

static void *wait_for_ever(void *type)
{
    CK_SLOT_ID slot;
    int before;
    slot_call(slot_take());
    atomic_store(&waits, 1);
    pthread_setcanceltype((int)(intptr_t)type, &before);
    module->C_WaitForSlotEvent(0, &slot, NULL);
    return NULL;
}

static void cancel(pthread_t thread)
{
    void *result;
    pthread_cancel(thread);
    pthread_join(thread, &result);
    if (result != PTHREAD_CANCELED)
        die("a thread was not cancelled");
}

/* As strongSwan ends its thread that waits for slot events. */
void scenario_cancel_wait(void)
{
    module->C_Initialize(NULL);
    for (intptr_t i = 0; i < 20; i++) {
        intptr_t type = i % 2 ? PTHREAD_CANCEL_ASYNCHRONOUS : PTHREAD_CANCEL_DEFERRED;
        pthread_t thread = thread_start(wait_for_ever, (void *)type);
        while (!atomic_exchange(&waits, 0))
            usleep(100);
        calls_make(NULL);
        cancel(thread);
    }
    threads_run();
    module->C_Finalize(NULL);
}

static void *call_for_ever(void *unused)
{
    int before;
    struct driver_slot *slot = slot_take();
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &before);
    for (;;)
        slot_call(slot);
    return unused;
}

/* At any instruction, also of ours. */
void scenario_cancel_anywhere(void)
{
    module->C_Initialize(NULL);
    for (unsigned i = 0; i < call_count; i++) {
        pthread_t thread = thread_start(call_for_ever, NULL);
        usleep(i * 37 % 150);
        cancel(thread);
    }
    module->C_Finalize(NULL);
}

static pthread_barrier_t cancelled;

static void *call_once_cancelled(void *unused)
{
    pthread_barrier_wait(&cancelled);
    slot_call(slot_take());
    pthread_testcancel();
    return unused;
}

/* The first call of a process, in a thread that was cancelled before: it is no point of
 * cancellation, and other threads do not wait for ever. */
void scenario_cancel_first(void)
{
    module->C_Initialize(NULL);
    pthread_barrier_init(&cancelled, NULL, 2);
    for (int i = 0; i < 10; i++) {
        pid_t child = fork();
        if (child == 0) {
            pthread_t thread = thread_start(call_once_cancelled, NULL);
            pthread_cancel(thread);
            pthread_barrier_wait(&cancelled);
            calls_make(NULL);
            pthread_join(thread, NULL);
            exit(0);
        }
        wait_for(child);
    }
    module->C_Finalize(NULL);
}

/* --- ways out of a callback --- */

static __thread sigjmp_buf back;
static __thread enum { STAY, JUMP, THROW, EXIT_THREAD } way_out;
static __thread bool out_of_mutex;

static void leave(void)
{
    if (way_out == JUMP)
        siglongjmp(back, 1);
    if (way_out == THROW)
        host_throw();
    if (way_out == EXIT_THREAD)
        pthread_exit(NULL);
}

static CK_RV notified(CK_SESSION_HANDLE session, CK_NOTIFICATION event, void *application)
{
    (void)session, (void)event, (void)application;
    leave();
    return CKR_OK;
}

static CK_RV mutex_do(void *mutex)
{
    (void)mutex;
    if (out_of_mutex)
        leave();
    return CKR_OK;
}

static CK_RV mutex_create(void **mutex)
{
    *mutex = &out_of_mutex;
    return CKR_OK;
}

/* One call that does not return. */
static void call_and_leave(void)
{
    CK_BYTE buffer[1];
    if (out_of_mutex)
        module->C_GenerateRandom(1, buffer, 1);
    else
        module->C_SeedRandom(1, buffer, 1);
    die("it came back");
}

static void leave_once(unsigned i)
{
    out_of_mutex = i % 2;
    way_out = i % 4 < 2 ? JUMP : THROW;
    if (way_out == THROW)
        host_catch(call_and_leave);
    else if (sigsetjmp(back, 1) == 0)
        call_and_leave();
    way_out = STAY;
}

/* ASan leaves gaps between variables, where an old frame stays as it was. */
#ifdef __SANITIZE_ADDRESS__
enum { DEEPER = false };
#else
enum { DEEPER = true };
#endif

/* From below where the call that was left had stood. */
static __attribute__((noinline)) void calls_make_deeper(void)
{
    volatile char stack[DEEPER_BYTES];
    for (size_t i = 0; i < sizeof stack; i++)
        stack[i] = 1;
    calls_make(NULL);
    stack[0] = 2;
}

static void *leave_often(void *unused)
{
    for (unsigned i = 0; i < JUMPS; i++) {
        leave_once(i);
        if (DEEPER && i % 3 == 0)
            calls_make_deeper();
        else
            calls_make(NULL);
    }
    out_of_mutex = false;
    way_out = EXIT_THREAD;
    call_and_leave();
    return unused;
}

void scenario_leave(void)
{
    CK_C_INITIALIZE_ARGS args = {.CreateMutex = mutex_create,
                                 .DestroyMutex = mutex_do,
                                 .LockMutex = mutex_do,
                                 .UnlockMutex = mutex_do};
    CK_SESSION_HANDLE session;
    pthread_t threads[THREADS_MOST];
    module->C_Initialize(&args);
    module->C_OpenSession(0, CKF_SERIAL_SESSION, NULL, notified, &session);
    for (unsigned i = 0; i < thread_count; i++)
        threads[i] = thread_start(leave_often, NULL);
    for (unsigned i = 0; i < thread_count; i++)
        pthread_join(threads[i], NULL);
    module->C_Finalize(NULL);
}

/* --- ways out of a call --- */

static sigjmp_buf timed_out;
static volatile sig_atomic_t in_time;

static void time_out(int signal)
{
    (void)signal;
    if (in_time)
        siglongjmp(timed_out, 1);
}

/* A timer that jumps out of calls that take too long for it, wherever they are. Slot 1 counts them.
 */
void scenario_jump_out(void)
{
    const struct itimerval often = {.it_interval = {.tv_usec = 3001},
                                    .it_value = {.tv_usec = 3001}};
    const struct itimerval never = {{0, 0}, {0, 0}};
    struct driver_slot *volatile slot = slot_take(), *volatile jumps = slot_take();
    handle_signal(SIGALRM, time_out, 0);
    module->C_Initialize(NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    for (volatile uint64_t i = 0; i < call_count; i++) {
        if (sigsetjmp(timed_out, 1) == 0) {
            in_time = 1;
            slot_call(slot);
        } else {
            atomic_fetch_add(&jumps->returned_count, 1);
        }
        in_time = 0;
    }
    setitimer(ITIMER_REAL, &never, NULL);
    module->C_Finalize(NULL);
}

/* --- calls inside calls --- */

static __thread struct driver_slot *inner_slot;

static CK_RV notified_calls(CK_SESSION_HANDLE session, CK_NOTIFICATION event, void *application)
{
    (void)session, (void)event, (void)application;
    slot_call(inner_slot);
    return CKR_OK;
}

static void *call_and_be_called(void *unused)
{
    CK_BYTE buffer[1];
    inner_slot = slot_take();
    for (uint64_t i = 0; i < call_count; i++)
        module->C_SeedRandom(1, buffer, 1);
    return unused;
}

/* Notify makes a call, and does return. */
void scenario_nested(void)
{
    CK_SESSION_HANDLE session;
    pthread_t threads[THREADS_MOST];
    module->C_Initialize(NULL);
    module->C_OpenSession(0, CKF_SERIAL_SESSION, NULL, notified_calls, &session);
    for (unsigned i = 0; i < thread_count; i++)
        threads[i] = thread_start(call_and_be_called, NULL);
    for (unsigned i = 0; i < thread_count; i++)
        pthread_join(threads[i], NULL);
    module->C_Finalize(NULL);
}

/* --- threads that end without notice --- */

static void *call_and_exit(void *raw)
{
    (void)raw;
    calls_make(NULL);
#ifndef __SANITIZE_ADDRESS__ /* which keeps a list of its own of the threads that there are */
    if (raw)
        syscall(SYS_exit, 0);
#endif
    pthread_exit(NULL);
}

void scenario_threads_end(void)
{
    module->C_Initialize(NULL);
    for (uintptr_t i = 0; i < ENDING_THREADS; i++)
        pthread_join(thread_start(call_and_exit, (void *)(i % 2)), NULL);
    threads_run();
    module->C_Finalize(NULL);
}

static void *go_on(void *unused)
{
    usleep(20000);
    threads_run();
    module->C_Finalize(NULL);
    exit(0);
    return unused;
}

/* The first thread leaves; the others go on. */
void scenario_main_leaves(void)
{
    module->C_Initialize(NULL);
    calls_make(NULL);
    thread_start(go_on, NULL);
    pthread_exit(NULL);
}

static void *restart_for_ever(void *unused)
{
    for (;;) {
        module->C_Finalize(NULL);
        module->C_Initialize(NULL);
    }
    return unused;
}

/* exit() while another thread finalizes and initializes. */
void scenario_exit_beside(void)
{
    module->C_Initialize(NULL);
    calls_make(NULL);
    thread_start(restart_for_ever, NULL);
    usleep(20000);
    exit(0);
}

/* --- what is the application's own --- */

struct looks {
    sigset_t blocked, pending;
    struct itimerval timer;
    char folder[4096];
    mode_t mask;
    int cancel_state, cancel_type, error;
    int rounding, traps, exceptions;
    unsigned descriptors;
    struct {
        void (*run)(int);
        int flags;
    } signals[32];
};

static void look(struct looks *looks)
{
    memset(looks, 0, sizeof *looks);
    looks->error = errno;
    pthread_sigmask(SIG_SETMASK, NULL, &looks->blocked);
    sigpending(&looks->pending);
    getitimer(ITIMER_PROF, &looks->timer);
    if (!getcwd(looks->folder, sizeof looks->folder))
        die("getcwd");
    umask(looks->mask = umask(0));
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &looks->cancel_state);
    pthread_setcancelstate(looks->cancel_state, NULL);
    pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &looks->cancel_type);
    pthread_setcanceltype(looks->cancel_type, NULL);
    looks->rounding = fegetround();
    looks->traps = fegetexcept();
    looks->exceptions = fetestexcept(FE_ALL_EXCEPT);
    for (int fd = 0; fd < TABLE; fd++)
        looks->descriptors += fcntl(fd, F_GETFD) >= 0;
    for (int signal = 1; signal < 32; signal++) {
        struct sigaction action;
        sigaction(signal, NULL, &action);
        looks->signals[signal].run = action.sa_handler;
        looks->signals[signal].flags = action.sa_flags;
    }
    errno = looks->error;
}

static void live_and_compare(void)
{
    static struct looks before, after;
    errno = 77;
    look(&before);
    module->C_Initialize(NULL);
    threads_run();
    module->C_Finalize(NULL);
    look(&after);
    for (int i = 0; i < 500 && after.descriptors != before.descriptors; i++) {
        usleep(10000); /* a slow drain that C_Finalize did not wait for any longer */
        look(&after);
    }
    if (memcmp(&before, &after, sizeof before) != 0)
        die("something of the application was changed");
}

/* Pending signals, handlers, errno, umask, descriptors, floating point and the like are what they
 * were. */
void scenario_looks(void)
{
    static const int signals[] = {SIGPIPE, SIGXFSZ};
    sigset_t ours;
    sigemptyset(&ours);
    sigaddset(&ours, SIGPIPE);
    sigaddset(&ours, SIGXFSZ);
    pthread_sigmask(SIG_BLOCK, &ours, NULL);
    umask(0);
    feclearexcept(FE_ALL_EXCEPT);
    fesetround(FE_UPWARD);
    feenableexcept(FE_DIVBYZERO);
    live_and_compare();
    for (size_t i = 0; i < 2; i++) {
        raise(signals[i]);
        live_and_compare();
    }
}
