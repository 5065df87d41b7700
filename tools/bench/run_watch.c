/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "run.h"

#include "../message.h"
#include "slice.h"

#include <inttypes.h>
#include <signal.h>

#define STUCK_NS      UINT64_C(3000000000)
#define HANG_LEAST_NS UINT64_C(5000000000)
#define SLOW_NS       UINT64_C(30000000000) /* to make keys may take long */
#define NOTE_AFTER_NS UINT64_C(1000000000)

static volatile sig_atomic_t signal_count, signal_last;
/* Of the first one, once it was seen, whatever run sees it. */
static uint64_t signal_seen_ns;
static bool signal_said;

static void signal_note(int number)
{
    signal_last = number;
    signal_count = signal_count + 1;
}

void run_signals_take(void)
{
    const struct sigaction action = {.sa_handler = signal_note};
    struct sigaction hangup;
    sigset_t taken;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, NULL, &hangup);
    if (hangup.sa_handler != SIG_IGN) /* nohup */
        sigaction(SIGHUP, &action, NULL);
    sigemptyset(&taken);
    sigaddset(&taken, SIGINT);
    sigaddset(&taken, SIGTERM);
    sigaddset(&taken, SIGHUP);
    sigprocmask(SIG_UNBLOCK, &taken, NULL);
}

void run_drain(struct bench_run *run)
{
    struct p11prof_collect_result result;
    if (run->record == BENCH_RECORD_OFF)
        return;
    p11prof_recording_drain(&run->recording, &result);
}

/* Who asked for the end, and sees none. */
static void signal_note_once(const struct bench_run *run)
{
    uint64_t now_ns = slice_now_ns();
    if (signal_seen_ns == 0)
        signal_seen_ns = now_ns;
    if (signal_said || signal_count > 1 || now_ns - signal_seen_ns < NOTE_AFTER_NS)
        return;
    signal_said = true;
    progress_clear(run->progress);
    p11prof_note("waiting for the module to end the calls in hand: signal INT (Ctrl-C) once more "
                 "ends the workers");
}

static void signals_look(struct bench_run *run)
{
    if (signal_count == 0)
        return;
    run->signal_number = signal_last;
    if (run->crew.shared)
        atomic_store(&run->crew.shared->stop, 1);
    if (signal_count > 1 && run->signals_seen < 2)
        for (unsigned i = 0; i < run->crew.count; i++)
            if (run->crew.members[i].pid > 0)
                kill(run->crew.members[i].pid, SIGKILL);
    run->signals_seen = signal_count;
    signal_note_once(run);
}

static void hang_say(struct bench_run *run, uint64_t since_ns)
{
    run->hang_said = true;
    progress_clear(run->progress);
    p11prof_warn("the module has not come back for %" PRIu64 " s: signal INT (Ctrl-C) %s ends the "
                 "workers",
                 (slice_now_ns() - since_ns) / 1000000000,
                 signal_count > 0 ? "once more" : "twice");
}

void run_tick(void *payload)
{
    struct bench_run *run = payload;
    uint64_t asked_ns = run->crew.asked_ns;
    signals_look(run);
    if (run->hang_asked_ns != asked_ns)
        run->hang_said = false;
    run->hang_asked_ns = asked_ns;
    if (asked_ns > 0 && !run->hang_said && slice_now_ns() - asked_ns >= SLOW_NS)
        hang_say(run, asked_ns);
}

/* A stress run goes on without its recording. */
static void stuck_look(struct bench_run *run, bool waits)
{
    uint64_t now_ns = slice_now_ns();
    if (!waits || !run->settings->stress.wanted || run->recording.problem.status == P11PROF_OK)
        run->stuck_ns = 0;
    else if (run->stuck_ns == 0)
        run->stuck_ns = now_ns;
    else if (now_ns - run->stuck_ns > STUCK_NS)
        atomic_store(&run->crew.shared->unrecorded, 1);
}

/* Nobody may be there to see that no line comes any more. While operations end, a slice is only
 * longer than planned; while threads wait for room, it is not the module. */
static void hang_look(struct bench_run *run, uint64_t operations, bool waits)
{
    const struct progress *progress = run->progress;
    uint64_t now_ns = slice_now_ns(), patience_ns = HANG_LEAST_NS;
    if (run->settings->stress.wanted && run->settings->stress.interval_ns > patience_ns)
        patience_ns = run->settings->stress.interval_ns;
    if (waits || operations != progress->slice_operations ||
        run->moved_ns < progress->slice_start_ns) {
        run->moved_ns = now_ns;
        run->hang_said = false;
    }
    if (!run->hang_said && now_ns - run->moved_ns >= HANG_LEAST_NS &&
        now_ns - progress->slice_start_ns >= progress->slice_ns + patience_ns)
        hang_say(run, run->moved_ns);
}

/* It has failed often enough: the slice in hand is its last. */
static void errors_look(struct bench_run *run, uint64_t errors)
{
    if (run->error_limit > 0 && errors >= run->error_limit)
        atomic_store(&run->crew.shared->stop, 1);
}

/* During a slice: threads that find no room wait for us. */
void run_slice_tick(void *payload)
{
    struct bench_run *run = payload;
    uint64_t operations = 0, errors = 0;
    bool waits = false;
    signals_look(run);
    for (unsigned i = 0; i < run->crew.count * run->crew.shared->threads_most; i++) {
        struct bench_thread_state *state = &run->crew.shared->threads[i];
        operations += atomic_load_explicit(&state->progress_count, memory_order_relaxed);
        errors += atomic_load_explicit(&state->error_count, memory_order_relaxed);
        waits = waits || atomic_load(&state->waits);
    }
    run->crew.hurried = waits;
    if (waits)
        run_drain(run);
    stuck_look(run, waits);
    errors_look(run, errors);
    hang_look(run, operations, waits);
    progress_show(run->progress, operations, errors);
}
