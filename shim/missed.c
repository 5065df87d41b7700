/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "missed.h"

#include "process.h"
#include "recorder.h"

enum { WAIT_MOST_S = 60 };

uint64_t p11prof_missed_hand_over(void)
{
    uint64_t total = 0;
    for (unsigned function = 0; function <= P11PROF_CALLS; function++) {
        uint64_t count = atomic_exchange(&p11prof_process_page.missed[function], 0);
        if (count)
            atomic_fetch_add(&p11prof_spool.header->lost[P11PROF_LOSS_NO_MEMORY][function], count);
        total += count;
    }
    return total;
}

void p11prof_missed_count(unsigned function)
{
    atomic_fetch_add(&p11prof_process_page.missed[function], 1);
    if (atomic_load(&p11prof_process_page.generation)) /* made meanwhile by another thread */
        p11prof_missed_hand_over();
}

void p11prof_missed_wait(void)
{
    struct p11prof_process_page *page = &p11prof_process_page;
    uint32_t wait_s = page->wait_s ? page->wait_s * 2 : 1;
    page->wait_s = wait_s < WAIT_MOST_S ? wait_s : WAIT_MOST_S;
    atomic_store(&page->retry_ns, p11prof_monotonic_ns() + page->wait_s * UINT64_C(1000000000));
}

bool p11prof_missed_retry(void)
{
    struct p11prof_process_page *page = &p11prof_process_page;
    if (p11prof_monotonic_ns() < atomic_load(&page->retry_ns))
        return false;
    atomic_store(&page->failed, 0);
    return true;
}
