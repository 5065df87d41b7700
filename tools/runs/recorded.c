/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "runs/recorded.h"
#include "p11prof/drain.h"
#include "report/live_calls.h"
#include "report/query.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A spool of the run, wherever it lies. */
struct search {
    const char *uuid;
    bool found, gone;
    int32_t pid;
    char path[4096];
};

static bool look_at(void *payload, const struct p11prof_found_spool *spool)
{
    struct search *search = payload;
    char uuid[37];
    p11prof_uuid_text(uuid, spool->run_id);
    if (strcmp(uuid, search->uuid) != 0)
        return true;
    search->found = true;
    search->gone = spool->gone;
    search->pid = spool->pid;
    snprintf(search->path, sizeof search->path, "%s", spool->path);
    return search->gone; /* a live one is the better reason */
}

static enum p11prof_status check_spools(const struct p11prof_database *database, int64_t run_id,
                                        const char *uuid, struct p11prof_error *error)
{
    struct search search = {.uuid = uuid};
    p11prof_spools_visit(NULL, look_at, &search);
    if (!search.found && database->spool_folder[0])
        p11prof_spools_visit(database->spool_folder, look_at, &search);
    if (!search.found)
        return P11PROF_OK;
    if (search.gone)
        return p11prof_error_set(error, P11PROF_BAD_INPUT,
                                 "calls of run %lld wait in %.300s: 'p11prof collect' takes them",
                                 (long long)run_id, search.path);
    return p11prof_error_set(error, P11PROF_BAD_INPUT,
                             "run %lld is still being recorded, by process %ld", (long long)run_id,
                             (long)search.pid);
}

static bool began_in_this_boot(const struct p11prof_table *run)
{
    char boot_id[64] = "";
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t length = fd >= 0 ? read(fd, boot_id, sizeof boot_id - 1) : 0;
    if (fd >= 0)
        close(fd);
    boot_id[length > 0 ? length : 0] = '\0';
    boot_id[strcspn(boot_id, "\n")] = '\0';
    return strcmp(p11prof_table_text(run, 0, "boot_id", ""), boot_id) == 0;
}

static enum p11prof_status check_processes(struct sqlite3 *db, int64_t run_id,
                                           struct p11prof_error *error)
{
    struct p11prof_table processes = {.columns = NULL};
    enum p11prof_status status = p11prof_query_table(
        db, "SELECT pid, state FROM processes WHERE run_id = ?1", run_id, &processes, error);
    if (status == P11PROF_OK && processes.row_count == 0)
        status = p11prof_error_set(error, P11PROF_BAD_INPUT,
                                   "run %lld is still being recorded: no process of it is here yet",
                                   (long long)run_id);
    for (size_t i = 0; i < processes.row_count && status == P11PROF_OK; i++) {
        int64_t pid = p11prof_table_integer(&processes, i, "pid", 0);
        bool running = strcmp(p11prof_table_text(&processes, i, "state", ""), "running") == 0;
        if (running && pid > 0 && (kill((pid_t)pid, 0) == 0 || errno == EPERM))
            status = p11prof_error_set(error, P11PROF_BAD_INPUT,
                                       "run %lld is still being recorded, by process %lld",
                                       (long long)run_id, (long long)pid);
    }
    p11prof_table_clear(&processes);
    return status;
}

enum p11prof_status p11prof_run_check_ended(const struct p11prof_database *database, int64_t run_id,
                                            struct p11prof_error *error)
{
    struct sqlite3 *db = p11prof_store_sqlite(database->store);
    struct p11prof_table run = {.columns = NULL};
    enum p11prof_status status = p11prof_query_table(
        db,
        "SELECT v.uuid, v.state, r.boot_id FROM runs AS v JOIN run AS r ON r.id = v.run_id "
        "WHERE v.run_id = ?1",
        run_id, &run, error);
    if (status == P11PROF_OK)
        status = check_spools(database, run_id, p11prof_table_text(&run, 0, "uuid", ""), error);
    if (status == P11PROF_OK && began_in_this_boot(&run) &&
        strcmp(p11prof_table_text(&run, 0, "state", ""), "running") == 0)
        status = check_processes(db, run_id, error);
    p11prof_table_clear(&run);
    return status;
}
