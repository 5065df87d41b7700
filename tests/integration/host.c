/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "host.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HANG_SECONDS = 60 };

void host_set_up(struct fault *fault, const struct host_case *host)
{
    fault_set_up(fault);
    fault->end_seconds = HANG_SECONDS;
    fault->in_child = host->in_child;
    if (host->limit)
        fault->driven.limit = host->limit;
    if (host->callbacks)
        fault->driven.module = getenv("P11PROF_TEST_CALLBACKS");
}

/* Waits for the descendants, too. */
static void plain_run(struct fault *fault, const struct host_case *host)
{
    fault->driven.plain = true;
    fault_run(fault, host->scenario, "external", host->threads, host->calls);
    driven_wait(&fault->driven);
    fault->driven.plain = false;
}

void host_run(struct fault *fault, const struct host_case *host, const char *drain)
{
    printf("%s, %s\n", host->scenario, drain);
    plain_run(fault, host);
    uint32_t slots = fault->driven.counts->slot_count;
    unsigned long long returned = driven_returned(&fault->driven);
    memset(fault->driven.counts, 0, sizeof *fault->driven.counts);
    fault_run(fault, host->scenario, drain, host->threads, host->calls);
    driven_wait(&fault->driven);
    if (!host->varies) {
        assert_int_equal(fault->driven.counts->slot_count, slots);
        assert_int_equal(driven_returned(&fault->driven), returned);
    }
}

void host_counted(struct fault *fault)
{
    assert_true(driven_returned(&fault->driven) > 0);
    assert_int_equal(fault_counted(fault, NULL), 0);
    assert_int_equal(driven_ask(&fault->driven, "SELECT count(*) FROM runs"), 1);
}

static bool first_of_process(const struct driver_counts *counts, uint32_t slot)
{
    for (uint32_t i = 0; i < slot; i++)
        if (counts->slots[i].pid == counts->slots[slot].pid && counts->slots[i].returned_count)
            return false;
    return counts->slots[slot].returned_count != 0;
}

/* One row a process, and all but the first have a parent. */
static void assert_processes(struct fault *fault)
{
    unsigned processes = 0;
    for (uint32_t i = 0; i < fault->driven.counts->slot_count; i++)
        processes += first_of_process(fault->driven.counts, i);
    assert_int_equal(driven_ask(&fault->driven, "SELECT count(DISTINCT process_id) FROM calls "
                                                "WHERE function = 'C_GenerateRandom'"),
                     processes);
    assert_int_equal(driven_ask(&fault->driven, "SELECT count(*) FROM processes "
                                                "WHERE parent_process_id IS NULL"),
                     1);
    assert_int_equal(driven_ask(&fault->driven, "SELECT sum(call_count) FROM processes"),
                     driven_ask(&fault->driven, "SELECT count(*) FROM calls"));
}

void host_exact(struct fault *fault)
{
    host_counted(fault);
    driven_assert_exact(&fault->driven, false);
    assert_processes(fault);
}

void host_test(const struct host_case *host, const char *drain)
{
    struct fault fault;
    host_set_up(&fault, host);
    host_run(&fault, host, drain);
    host_exact(&fault);
    fault_tear_down(&fault);
}
