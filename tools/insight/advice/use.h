/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#ifndef P11PROF_INSIGHT_ADVICE_USE_H
#define P11PROF_INSIGHT_ADVICE_USE_H

#include "insight/event.h"

/* Whether the call ended an operation that computes something: no search, and nothing of a load. */
static inline bool p11prof_event_is_use(const struct p11prof_event *event)
{
    return event->operation != P11PROF_OPERATION_NONE &&
           event->operation != P11PROF_OPERATION_FIND &&
           (event->operation < P11PROF_OPERATION_SESSION_OPEN_CLOSE ||
            event->operation > P11PROF_OPERATION_SET_ATTRIBUTE);
}

/* The same, with a key that is known. */
static inline bool p11prof_event_uses_key(const struct p11prof_event *event)
{
    return p11prof_event_is_use(event) && event->key_id > 0;
}

#endif
