/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Applications as they are in production: host_driver SHIM COUNTS SCENARIO THREADS CALLS. */
#include "host_driver.h"

#include <unistd.h>

struct driver_slot *slot_take(void)
{
    uint32_t index = atomic_fetch_add(&counts->slot_count, 1);
    if (index >= DRIVER_SLOTS)
        die("too many slots");
    struct driver_slot *slot = &counts->slots[index];
    atomic_store(&slot->pid, (uint32_t)getpid());
    atomic_store(&slot->thread_id, (uint32_t)gettid());
    return slot;
}

void slot_call(struct driver_slot *slot)
{
    static CK_BYTE buffer[1];
    uint64_t n = atomic_load(&slot->returned_count) + 1;
    module->C_GenerateRandom(1, buffer, n);
    atomic_store(&slot->returned_count, n);
}

static const struct scenario scenarios[] = {
    {"fork-crowd", scenario_fork_crowd},
    {"fork-create-mutex", scenario_fork_create_mutex},
    {"fork-lock-mutex", scenario_fork_lock_mutex},
    {"fork-restart", scenario_fork_restart},
    {"fork-on", scenario_fork_on},
    {"fork-storm", scenario_fork_storm},
    {"programs", scenario_programs},
    {"daemon", scenario_daemon},
    {"raw-fork", scenario_raw_fork},
    {"prefork", scenario_prefork},
    {"generations", scenario_generations},
    {"storm", scenario_storm},
    {"storm-at-start", scenario_storm_at_start},
    {"cancel-wait", scenario_cancel_wait},
    {"cancel-anywhere", scenario_cancel_anywhere},
    {"cancel-first", scenario_cancel_first},
    {"leave", scenario_leave},
    {"nested", scenario_nested},
    {"jump-out", scenario_jump_out},
    {"threads-end", scenario_threads_end},
    {"main-leaves", scenario_main_leaves},
    {"exit-beside", scenario_exit_beside},
    {"looks", scenario_looks},
    {"filter", scenario_filter},
    {"filter-worker", scenario_filter_worker},
    {"broker", scenario_broker},
    {"no-wake", scenario_no_wake},
    {"lives", scenario_lives},
    {"soak", scenario_soak},
    {"hang", scenario_hang},
    {"thief", scenario_thief},
    {"thief-at-start", scenario_thief_at_start},
    {"dup2-over-all", scenario_dup2_over_all},
    {"no-descriptors", scenario_no_descriptors},
    {"descriptors-later", scenario_descriptors_later},
    {"descriptors-fixed", scenario_descriptors_fixed},
    {"restart", scenario_restart},
    {"starved", scenario_starved},
    {"setuid", scenario_setuid},
    {"chroot", scenario_chroot},
    {"chroot-setuid", scenario_chroot_setuid},
    {"chroot-soon", scenario_chroot_soon},
    {"umask-0", scenario_umask_0},
    {"umask-0777", scenario_umask_0777},
};

int main(int argc, char **argv)
{
    return drive(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
