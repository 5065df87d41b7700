/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Searches put together from their calls: C_FindObjectsInit, C_FindObjects …, C_FindObjectsFinal.
 * Starts as {0}. One thread. */
#ifndef P11PROF_INSIGHT_ADVICE_SEARCH_H
#define P11PROF_INSIGHT_ADVICE_SEARCH_H

#include "evidence.h"

#include <stdbool.h>

struct p11prof_search {
    struct p11prof_calls_sum calls;
    struct p11prof_calls_sum finds; /* of them: C_FindObjects */
    int64_t template_types;         /* bits of enum p11prof_template_type; _UNKNOWN */
    int64_t found_count;            /* objects */
    int64_t key_id;                 /* of the first; 0: none is known */
    int64_t single_count;           /* calls that wanted one object at most */
    bool begun;                     /* its C_FindObjectsInit was seen */
};

/* Searches under way, by session. */
struct p11prof_searches {
    struct p11prof_advice_map open;
};
void p11prof_searches_clear(struct p11prof_searches *searches);

/* Takes a call; true: it ended a search, which *out then is. */
bool p11prof_searches_take(struct p11prof_searches *searches, const struct p11prof_event *event,
                           struct p11prof_search *out);

/* Whether it is by nothing that names one object: neither label nor ID nor any attribute but class,
 * key type, token and private. */
bool p11prof_search_is_general(const struct p11prof_search *search);

#endif
