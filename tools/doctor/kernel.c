/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "checks.h"

#include <linux/close_range.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif

static void check_clock(struct p11prof_checks *checks)
{
    bool has_tsc = p11prof_clock_has_tsc();
    bool wants_tsc = checks->config.clock != P11PROF_CLOCK_CHOICE_MONOTONIC;
    bool disappointed = checks->config.clock == P11PROF_CLOCK_CHOICE_TSC && !has_tsc;
    p11prof_check_add(checks, disappointed ? P11PROF_VERDICT_NOTE : P11PROF_VERDICT_OK, "clock",
                      NULL, disappointed ? "the kernel does not trust the TSC here" : NULL, "%s",
                      has_tsc && wants_tsc ? "tsc (about 18 ns a call)"
                                           : "monotonic (about 50 ns a call)");
}

/* An advice on a page of our own. */
static bool can_advise(int advice)
{
    size_t bytes = (size_t)sysconf(_SC_PAGESIZE);
    void *page = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return false;
    bool can = madvise(page, bytes, advice) == 0;
    munmap(page, bytes);
    return can;
}

/* Of no descriptor at all: only whether the kernel would do it. */
static bool can_unshare(void)
{
    return syscall(SYS_close_range, ~0U, ~0U, CLOSE_RANGE_UNSHARE) == 0;
}

static void check_feature(struct p11prof_checks *checks, bool has, const char *name,
                          const char *without)
{
    p11prof_check_add(checks, has ? P11PROF_VERDICT_OK : P11PROF_VERDICT_NOTE, name, NULL, NULL,
                      "%s", has ? "available" : without);
}

static void check_drain(struct p11prof_checks *checks)
{
    static const char *const modes[] = {
        [P11PROF_DRAIN_AUTO] =
            "a thread of the process; where C_Initialize forbids threads, as exit",
        [P11PROF_DRAIN_THREAD] = "a thread of the process",
        [P11PROF_DRAIN_EXIT] = "the callers when the spool fills, and the end of the process",
        [P11PROF_DRAIN_EXTERNAL] = "nobody in the process: 'p11prof collect' has to run",
    };
    enum p11prof_drain_mode mode =
        checks->database_writable ? checks->config.drain : P11PROF_DRAIN_EXTERNAL;
    p11prof_check_add(checks, P11PROF_VERDICT_OK, "drained by", NULL, NULL, "%s", modes[mode]);
}

void p11prof_check_kernel(struct p11prof_checks *checks)
{
    struct utsname name;
    checks->section = "system";
    if (uname(&name) == 0)
        p11prof_check_add(checks, P11PROF_VERDICT_OK, "kernel", NULL, NULL, "%s %s %s",
                          name.sysname, name.release, name.machine);
    check_clock(checks);
    check_drain(checks);
    check_feature(checks, can_unshare(), "close_range",
                  "missing: the drain opens and closes the database each time");
    check_feature(checks, can_advise(MADV_POPULATE_WRITE), "MADV_POPULATE_WRITE",
                  "missing: a full /dev/shm is noticed late");
    check_feature(checks, can_advise(MADV_WIPEONFORK), "MADV_WIPEONFORK",
                  "missing: forked children are told apart by an atfork handler only");
}
