/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Spools that `collect` left to other databases, by database and owner, to be named at its end. */
#ifndef P11PROF_TOOLS_OTHERS_H
#define P11PROF_TOOLS_OTHERS_H

#include "p11prof/drain.h"

enum { P11PROF_OTHERS_NAMED = 8 }; /* databases that are named; the rest are counted */

struct p11prof_others {
    struct p11prof_other {
        char database_path[P11PROF_SPOOL_PATH_BYTES];
        uint32_t user_id;
        unsigned spool_count;
        bool said;
    } databases[P11PROF_OTHERS_NAMED];
    size_t database_count;
    unsigned more_count; /* spools for databases past those */
    bool more_said;
};

/* Forgets the counts, not what was said: every round of `collect --follow` counts anew. */
void p11prof_others_restart(struct p11prof_others *others);

void p11prof_others_add(struct p11prof_others *others, const struct p11prof_found_spool *spool);

/* Says on stderr, once for each database, how many spools wait for it and what takes them. */
void p11prof_others_say(struct p11prof_others *others);

#endif
