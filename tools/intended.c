/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "intended.h"
#include "report/hint_database.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ANCESTORS_MOST = 16 };

static int32_t parent_of(int32_t pid)
{
    char path[64], state;
    int parent = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return 0;
    /* The name in parentheses may have blanks. */
    if (fscanf(file, "%*d (%*[^)]) %c %d", &state, &parent) != 2)
        parent = 0;
    fclose(file);
    return parent;
}

/* Whether a process runs this program. */
static bool is_p11prof(int32_t pid)
{
    char path[64];
    struct stat own, other;
    snprintf(path, sizeof path, "/proc/%d/exe", (int)pid);
    return stat("/proc/self/exe", &own) == 0 && stat(path, &other) == 0 &&
           own.st_dev == other.st_dev && own.st_ino == other.st_ino;
}

/* `record` and `bench` drain what they started; a second drain would only be in their way. */
static bool has_drainer(const struct p11prof_found_spool *spool)
{
    int32_t pid = spool->pid;
    for (int i = 0; i < ANCESTORS_MOST && (pid = parent_of(pid)) > 1; i++)
        if (pid != getpid() && is_p11prof(pid))
            return true;
    return false;
}

bool p11prof_spool_waits(const struct p11prof_found_spool *spool)
{
    return spool->problem.status == P11PROF_OK &&
           (spool->gone || (spool->drain_mode == P11PROF_DRAIN_EXTERNAL && !has_drainer(spool)));
}

bool p11prof_spool_is_begun(const struct p11prof_found_spool *spool)
{
    static const uint8_t none[16];
    return memcmp(spool->database_id, none, sizeof none) != 0;
}

bool p11prof_spool_is_begun_in(const struct p11prof_found_spool *spool, struct p11prof_store *store)
{
    uint64_t id[2] = {0, 0};
    if (store)
        p11prof_store_id(store, id);
    return p11prof_spool_is_begun(spool) && memcmp(spool->database_id, id, sizeof id) == 0;
}

bool p11prof_spool_is_for(const struct p11prof_found_spool *spool,
                          const struct p11prof_database *database)
{
    return spool->database_path[0] &&
           p11prof_database_is(database->path, spool->database_path, spool->user_id == geteuid());
}

void p11prof_spool_command(char *out, size_t out_bytes, const char *database_path)
{
    snprintf(out, out_bytes, "p11prof collect --db ");
    p11prof_shell_word_append(out, out_bytes, database_path);
}
