/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "held.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of the 1024 descriptors that a process has by default; nobody keeps others from being held. */
enum { HELD_MOST = 768, HELD_OF_USER_MOST = 256 };

struct held_spool {
    int fd;
    uint32_t user_id;
    char *path;
    uint8_t id[16];
};

struct p11prof_held_spools {
    size_t count;
    struct held_spool spools[HELD_MOST];
};

struct p11prof_held_spools *p11prof_held_spools_new(void)
{
    return calloc(1, sizeof(struct p11prof_held_spools));
}

static void let_go(struct p11prof_held_spools *held, size_t place)
{
    close(held->spools[place].fd);
    free(held->spools[place].path);
    held->spools[place] = held->spools[--held->count];
}

void p11prof_held_spools_free(struct p11prof_held_spools *held)
{
    while (held && held->count > 0)
        let_go(held, 0);
    free(held);
}

static bool may_be_held(const struct p11prof_held_spools *held, const struct spool_file *file)
{
    unsigned of_user_count = 0;
    for (size_t i = 0; i < held->count; i++) {
        if (memcmp(held->spools[i].id, file->header.spool_id, 16) == 0)
            return false;
        of_user_count += held->spools[i].user_id == file->user_id;
    }
    return held->count < HELD_MOST && of_user_count < HELD_OF_USER_MOST;
}

void held_spools_add(struct p11prof_held_spools *held, const struct spool_file *file)
{
    if (!held || file->folder < 0 || !may_be_held(held, file))
        return;
    struct held_spool *spool = &held->spools[held->count];
    spool->fd = fcntl(file->fd, F_DUPFD_CLOEXEC, 3);
    spool->user_id = file->user_id;
    spool->path = strdup(file->path);
    memcpy(spool->id, file->header.spool_id, 16);
    held->count++;
    if (spool->fd < 0 || !spool->path)
        let_go(held, held->count - 1);
}

void held_spools_visit(struct p11prof_held_spools *held,
                       bool (*visit)(void *payload, const struct spool_file *file), void *payload)
{
    for (size_t i = held ? held->count : 0; i-- > 0;) {
        struct spool_file file = {
            .folder = -1, .name = "", .path = held->spools[i].path, .fd = held->spools[i].fd};
        if (spool_file_is_nameless(&file) && !visit(payload, &file))
            break;
    }
}

void held_spools_drop(struct p11prof_held_spools *held, const struct spool_file *file)
{
    for (size_t i = held ? held->count : 0; i-- > 0;)
        if (held->spools[i].fd == file->fd ||
            memcmp(held->spools[i].id, file->header.spool_id, 16) == 0)
            let_go(held, i);
}
