/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "others.h"
#include "intended.h"
#include "message.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

void p11prof_others_restart(struct p11prof_others *others)
{
    for (size_t i = 0; i < others->database_count; i++)
        others->databases[i].spool_count = 0;
    others->more_count = 0;
}

static struct p11prof_other *find(struct p11prof_others *others,
                                  const struct p11prof_found_spool *spool)
{
    for (size_t i = 0; i < others->database_count; i++)
        if (others->databases[i].user_id == spool->user_id &&
            strcmp(others->databases[i].database_path, spool->database_path) == 0)
            return &others->databases[i];
    if (others->database_count == P11PROF_OTHERS_NAMED)
        return NULL;
    struct p11prof_other *made = &others->databases[others->database_count++];
    snprintf(made->database_path, sizeof made->database_path, "%s", spool->database_path);
    made->user_id = spool->user_id;
    return made;
}

void p11prof_others_add(struct p11prof_others *others, const struct p11prof_found_spool *spool)
{
    struct p11prof_other *other = find(others, spool);
    if (other)
        other->spool_count++;
    else
        others->more_count++;
}

/* The command is for the owner alone: others must not open what an unknown user's spool names. */
static void say(const struct p11prof_other *other)
{
    char command[P11PROF_SPOOL_PATH_BYTES];
    const char *spools = other->spool_count == 1 ? "spool waits" : "spools wait";
    p11prof_spool_command(command, sizeof command, other->database_path);
    if (other->user_id == geteuid())
        p11prof_note("%u %s for %s: %s", other->spool_count, spools, other->database_path, command);
    else
        p11prof_note("%u %s for %s: run by user %u, %s; or here, p11prof collect --all",
                     other->spool_count, spools, other->database_path, (unsigned)other->user_id,
                     command);
}

void p11prof_others_say(struct p11prof_others *others)
{
    for (size_t i = 0; i < others->database_count; i++) {
        struct p11prof_other *other = &others->databases[i];
        if (other->spool_count > 0 && !other->said) {
            say(other);
            other->said = true;
        }
    }
    if (others->more_count > 0 && !others->more_said) {
        p11prof_note("%u spools wait for still other databases: p11prof doctor",
                     others->more_count);
        others->more_said = true;
    }
}
