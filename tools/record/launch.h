/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Starting and watching the program. Its signals and its exit status are its own. */
#ifndef P11PROF_RECORD_LAUNCH_H
#define P11PROF_RECORD_LAUNCH_H

#include "p11prof/config.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

struct p11prof_launch {
    char **argv;         /* of the program, ends with NULL */
    const char *audit;   /* path of the audit library */
    const char *run;     /* UUID */
    const char *db;      /* absolute */
    const char *name;    /* "": none */
    sigset_t saved_mask; /* the signals that were blocked before p11prof_signals_hold() */
};

/* Blocks the signals that p11prof_watch() takes. To be called before anything is to be cleaned up:
 * no signal but SIGKILL then ends us too early. */
void p11prof_signals_hold(struct p11prof_launch *launch);
void p11prof_signals_release(const struct p11prof_launch *launch);

/* Starts the program. Returns its pid, or -1 with *exit_code set after it said why. */
pid_t p11prof_launch(const struct p11prof_launch *launch, int *exit_code);

enum p11prof_event {
    P11PROF_EVENT_NONE,  /* the time has passed */
    P11PROF_EVENT_ENDED, /* the program ended: *wait_status is set */
    P11PROF_EVENT_STOP,  /* SIGINT, SIGQUIT, SIGTERM or SIGHUP came */
};

/* Waits for at most `ms`. SIGTERM and SIGHUP that somebody sent us are passed on to `child` while
 * it runs (0: it has ended). A terminal sends SIGINT, SIGQUIT and SIGHUP to the program itself. */
enum p11prof_event p11prof_watch(pid_t child, unsigned ms, int *wait_status, int *signal_number);

/* Ends this process as the program ended: returns its exit code, or dies of its signal. */
int p11prof_end_as(int wait_status);

#endif
