/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "search.h"

enum { NAMES_ONE = P11PROF_TEMPLATE_LABEL | P11PROF_TEMPLATE_ID | P11PROF_TEMPLATE_OTHER };

void p11prof_searches_clear(struct p11prof_searches *searches)
{
    p11prof_advice_map_clear(&searches->open);
}

/* An imported log may not say how many were found. */
static int64_t found_count(const struct p11prof_event *event)
{
    if (event->item_count == P11PROF_EVENT_UNKNOWN)
        return event->key_id > 0;
    return event->item_count;
}

static void take_find(struct p11prof_search *search, const struct p11prof_event *event)
{
    p11prof_calls_sum_add(&search->finds, event);
    if (event->detail == 1)
        search->single_count++;
    if (found_count(event) <= 0)
        return;
    if (search->found_count == 0 && event->key_id > 0)
        search->key_id = event->key_id;
    search->found_count += found_count(event);
}

bool p11prof_searches_take(struct p11prof_searches *searches, const struct p11prof_event *event,
                           struct p11prof_search *out)
{
    const struct p11prof_advice_key key = {event->process_id, event->session, 0};
    bool init = event->function == P11PROF_C_FindObjectsInit;
    bool final = event->function == P11PROF_C_FindObjectsFinal;
    if (!init && !final && event->function != P11PROF_C_FindObjects)
        return false;
    struct p11prof_search *search =
        p11prof_advice_map_take(&searches->open, &key, sizeof(struct p11prof_search));
    if (!search || (init && p11prof_event_failed(event)))
        return false;
    if (init)
        *search = (struct p11prof_search){.begun = true, .template_types = event->detail};
    p11prof_calls_sum_add(&search->calls, event);
    if (event->function == P11PROF_C_FindObjects)
        take_find(search, event);
    if (!final)
        return false;
    *out = *search;
    p11prof_advice_map_remove(&searches->open, &key);
    return out->begun;
}

bool p11prof_search_is_general(const struct p11prof_search *search)
{
    return search->template_types != P11PROF_EVENT_UNKNOWN &&
           (search->template_types & NAMES_ONE) == 0;
}
