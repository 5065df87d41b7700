/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Looks into a folder with the spool of a process that is gone, or of one that lives and writes
 * anything: what is said of it is whole, and what is not taken stays.
 *
 * An input is a byte of options and a list of edits. */
#include "fuzz.h"
#include "spool_edits.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OPTION_LIVE = 1, OPTION_LARGER = 2, OPTION_SMALLER = 4 };

static char folder[64] = "/dev/shm/p11prof.fuzz.XXXXXX", path[80], database[80];

static void folder_remove(void)
{
    static const char *const names[] = {"a.spool", "db", "db-wal", "db-shm", "db-writer"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char file[96];
        snprintf(file, sizeof file, "%s/%s", folder, names[i]);
        unlink(file);
    }
    rmdir(folder);
}

static struct p11prof_store *store_open(void)
{
    static struct p11prof_store *store;
    struct p11prof_error error;
    if (store)
        return store;
    check(mkdtemp(folder) != NULL, "no folder");
    snprintf(path, sizeof path, "%s/a.spool", folder);
    snprintf(database, sizeof database, "%s/db", folder);
    atexit(folder_remove);
    check(p11prof_store_open(&store, database,
                             P11PROF_STORE_CREATE | P11PROF_STORE_MIGRATE |
                                 P11PROF_STORE_NO_CHECKPOINT,
                             &error) == P11PROF_OK,
          "no database");
    return store;
}

static bool found(void *payload, const struct p11prof_found_spool *spool)
{
    unsigned *count = payload;
    (*count)++;
    check(strnlen(spool->path, sizeof spool->path) < sizeof spool->path, "a path without end");
    check(memchr(spool->program, 0, sizeof spool->program), "a program without end");
    check(memchr(spool->database_path, 0, sizeof spool->database_path), "a database without end");
    check(spool->problem.status == P11PROF_OK || spool->problem.text[0], "no reason");
    return true;
}

static void in_flight(void *payload, const struct p11prof_live_call *call)
{
    unsigned *count = payload;
    (*count)++;
    check(call->function >= 1 && call->function <= P11PROF_CALLS, "no function");
    check(memchr(call->program, 0, sizeof call->program), "a program without end");
}

/* The descriptor that the producer would have; the lock says that it lives. */
static int file_make(const struct spool_image *image, unsigned options)
{
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    check(fd >= 0, path);
    spool_image_write(image, fd);
    if (options & OPTION_LARGER)
        check(ftruncate(fd, (off_t)(image->layout.file_bytes * 2)) == 0, "ftruncate");
    else if (options & OPTION_SMALLER)
        check(ftruncate(fd, (off_t)options * 1024) == 0, "ftruncate");
    if (options & OPTION_LIVE)
        check(flock(fd, LOCK_EX) == 0, "flock");
    return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct p11prof_store *store = store_open();
    struct p11prof_collect_options options = {.folder = folder, .adopt = true};
    struct p11prof_collect_result result;
    struct p11prof_error error = {.text = ""};
    struct stat facts;
    unsigned found_count = 0, call_count = 0;
    struct spool_image *image = spool_edits_image();
    spool_edits_make(image, data + 1, size - 1);
    int fd = file_make(image, data[0]);
    p11prof_spools_visit(folder, found, &found_count);
    check(found_count == 1, "not one spool");
    p11prof_in_flight_visit(folder, in_flight, &call_count);
    check(call_count == 0 || data[0] & OPTION_LIVE, "a call in flight of a process that is gone");
    enum p11prof_status status = p11prof_collect(store, &options, &result, &error);
    check(status == P11PROF_OK || error.text[0], "no reason");
    check((status == P11PROF_OK) == (result.waiting_count == 0), "waits without a reason");
    bool stays = stat(path, &facts) == 0;
    check(stays || (status == P11PROF_OK && !(data[0] & OPTION_LIVE)), "removed, and not taken");
    close(fd);
    unlink(path);
    return 0;
}
