/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "pattern.h"
#include "use.h"

void p11prof_pattern_add(struct p11prof_evidence *evidence, int64_t process_id,
                         const struct p11prof_calls_sum *calls)
{
    const struct p11prof_event first = {
        .call_id = calls->first_call_id, .process_id = process_id, .thread_id = calls->thread_id};
    p11prof_evidence_add_sum(evidence, process_id, calls);
    p11prof_evidence_example(evidence, first.call_id, &first);
}

bool p11prof_pattern_is_work(const struct p11prof_event *event)
{
    return p11prof_event_is_use(event) && event->operation != P11PROF_OPERATION_SEED_RANDOM &&
           event->operation != P11PROF_OPERATION_GENERATE_RANDOM && !p11prof_event_failed(event);
}

bool p11prof_pattern_is_login(const struct p11prof_event *event)
{
    return event->function == P11PROF_C_Login || event->function == P11PROF_C_LoginUser;
}

const char *p11prof_pattern_es(int64_t count)
{
    return count == 1 ? "" : "es";
}
