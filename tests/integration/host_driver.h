/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Scenarios of host_driver.c: applications as they are in production, one file a topic. */
#ifndef P11PROF_TESTS_HOST_DRIVER_H
#define P11PROF_TESTS_HOST_DRIVER_H

#include "driving.h"

/* A slot for calls of one's own; the next numbered call in it. */
struct driver_slot *slot_take(void);
void slot_call(struct driver_slot *slot);

/* host_forks.c */
void scenario_fork_crowd(void);
void scenario_fork_create_mutex(void);
void scenario_fork_lock_mutex(void);
void scenario_programs(void);
void scenario_daemon(void);
void scenario_raw_fork(void);
void scenario_prefork(void);
void scenario_generations(void);
void scenario_fork_restart(void);
void scenario_fork_on(void);
void scenario_fork_storm(void);

/* host_signals.c */
void scenario_storm(void);
void scenario_storm_at_start(void);
void scenario_cancel_wait(void);
void scenario_cancel_anywhere(void);
void scenario_cancel_first(void);
void scenario_leave(void);
void scenario_nested(void);
void scenario_jump_out(void);
void scenario_threads_end(void);
void scenario_main_leaves(void);
void scenario_exit_beside(void);
void scenario_looks(void);

/* host_limits.c */
void scenario_thief(void);
void scenario_thief_at_start(void);
void scenario_dup2_over_all(void);
void scenario_no_descriptors(void);
void scenario_descriptors_later(void);
void scenario_descriptors_fixed(void);
void scenario_restart(void);
void scenario_starved(void);
void scenario_setuid(void);
void scenario_chroot(void);
void scenario_chroot_setuid(void);
void scenario_chroot_soon(void);
void scenario_umask_0(void);
void scenario_umask_0777(void);

/* host_filters.c */
void scenario_filter(void);
void scenario_filter_worker(void);
void scenario_broker(void);
void scenario_no_wake(void);

/* host_growth.c */
void scenario_lives(void);
void scenario_soak(void);
void scenario_hang(void);

/* host_throw.cpp: an exception, and what ends it. */
void host_throw(void);
void host_catch(void (*run)(void));

#endif
