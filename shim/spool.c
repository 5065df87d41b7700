/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "spool.h"

#include "descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif

bool p11prof_pages_make(void *start, size_t bytes)
{
    int saved_errno = errno;
    int result;
    do
        result = madvise(start, bytes, MADV_POPULATE_WRITE);
    while (result != 0 && (errno == EINTR || errno == EAGAIN));
    errno = saved_errno;
    return result == 0;
}

void p11prof_random(void *bytes, size_t count)
{
    if (getrandom(bytes, count, GRND_NONBLOCK) == (ssize_t)count)
        return;
    /* No entropy yet, or no such call: unique is enough, these are names and not keys. */
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    uint64_t seed = (uint64_t)now.tv_nsec * 0x9e3779b97f4a7c15u ^ (uint64_t)getpid() << 32 ^
                    (uint64_t)(uintptr_t)&now ^ (uint64_t)now.tv_sec;
    for (size_t i = 0; i < count; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        ((uint8_t *)bytes)[i] = (uint8_t)(seed >> 56);
    }
}

/* A folder is ours by its owner and mode, never by its name. */
static bool folder_open(struct p11prof_descriptor *folder, const char *path)
{
    struct stat facts;
    if (!p11prof_descriptor_open(folder, AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0))
        return false;
    if (fstat(folder->fd, &facts) == 0 && facts.st_uid == geteuid() &&
        (facts.st_mode & 0777) == 0700)
        return true;
    p11prof_descriptor_close(folder);
    errno = EPERM;
    return false;
}

/* mkdir obeys the umask, which is the application's: the mode is set on the open folder. */
static bool folder_make(struct p11prof_descriptor *folder, const char *path)
{
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return false;
    struct stat facts;
    if (p11prof_descriptor_open(folder, AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0) &&
        fstat(folder->fd, &facts) == 0 && facts.st_uid == geteuid() &&
        (facts.st_mode & 0777) != 0700 && (facts.st_mode & 0077) == 0 &&
        p11prof_descriptor_is_ours(folder))
        fchmod(folder->fd, 0700);
    p11prof_descriptor_close(folder);
    return folder_open(folder, path);
}

/* The user's folder in /dev/shm; under another name where somebody took the plain one. */
static bool default_folder(struct p11prof_descriptor *folder, char *path, size_t path_bytes)
{
    unsigned user_id = (unsigned)geteuid();
    snprintf(path, path_bytes, "/dev/shm/p11prof-%u", user_id);
    if (folder_make(folder, path))
        return true;
    if (errno != EPERM && errno != ELOOP && errno != ENOTDIR)
        return false;
    uint32_t random;
    p11prof_random(&random, sizeof random);
    snprintf(path, path_bytes, "/dev/shm/p11prof-%u-%08x", user_id, random);
    return folder_make(folder, path);
}

enum { ADDRESS_SPACE_PART = 16 };

/* Space that may be used: the limit, half of what is free, RLIMIT_FSIZE (past it SIGXFSZ would kill
 * the host), and little of a limited address space: the application's threads need it. */
static uint64_t space_bytes(int folder, uint64_t limit_bytes)
{
    struct statvfs fs;
    struct rlimit limit;
    uint64_t bytes = limit_bytes;
    if (fstatvfs(folder, &fs) == 0 && (uint64_t)fs.f_bavail * fs.f_frsize / 2 < bytes)
        bytes = (uint64_t)fs.f_bavail * fs.f_frsize / 2;
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
        limit.rlim_cur < bytes)
        bytes = limit.rlim_cur;
    if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
        limit.rlim_cur / ADDRESS_SPACE_PART < bytes)
        bytes = limit.rlim_cur / ADDRESS_SPACE_PART;
    if (bytes > P11PROF_SPOOL_MAX_BYTES)
        bytes = P11PROF_SPOOL_MAX_BYTES;
    return bytes / P11PROF_CHUNK_BYTES * P11PROF_CHUNK_BYTES;
}

/* Maps as much as the address space allows, and makes the file that long. */
static void *map_file(const struct p11prof_descriptor *file, uint64_t *bytes)
{
    for (; *bytes >= P11PROF_SPOOL_MIN_BYTES; *bytes /= 2) {
        if (!p11prof_descriptor_is_ours(file) || ftruncate(file->fd, (off_t)*bytes) != 0)
            continue;
        void *map = mmap(NULL, *bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file->fd, 0);
        if (map != MAP_FAILED)
            return map;
    }
    return MAP_FAILED;
}

static void point_into(struct p11prof_spool *spool, char *map)
{
    spool->header = (struct p11prof_spool_header *)(void *)map;
    spool->object_map = map + spool->layout.object_map_offset;
    spool->states = (_Atomic(uint32_t) *)(void *)(map + spool->layout.states_offset);
    spool->chunks = (struct p11prof_chunk *)(void *)(map + spool->layout.descriptors_offset);
    spool->rings = map + spool->layout.rings_offset;
    spool->records = map + spool->layout.chunks_offset;
}

static void fill_header(struct p11prof_spool *spool, const struct p11prof_spool_request *request)
{
    struct p11prof_spool_header *header = spool->header;
    memcpy(header->magic, P11PROF_SPOOL_MAGIC, sizeof header->magic);
    header->version = P11PROF_SPOOL_VERSION;
    header->header_bytes = sizeof *header;
    header->ring_count = spool->layout.ring_count;
    header->chunk_count = spool->layout.chunk_count;
    header->file_bytes = spool->layout.file_bytes;
    p11prof_random(header->spool_id, sizeof header->spool_id);
    memcpy(header->process_id, request->process_id, 16);
    memcpy(header->parent_id, request->parent_id, 16);
    memcpy(header->run_id, request->run_id, 16);
    header->pid = getpid();
    header->parent_pid = getppid();
    header->user_id = geteuid();
    header->state = P11PROF_PROCESS_RUNNING;
}

/* The file under its unfinished name: locked before anybody could take it for a dead process's. */
static bool file_make(struct p11prof_descriptor *file, struct p11prof_spool *spool, int folder,
                      const char *folder_path, struct p11prof_error *error)
{
    uint64_t name[2];
    p11prof_random(name, sizeof name);
    snprintf(spool->path, sizeof spool->path, "%s/.new-%016llx%016llx", folder_path,
             (unsigned long long)name[0], (unsigned long long)name[1]);
    const char *base = strrchr(spool->path, '/') + 1;
    if (!p11prof_descriptor_open(file, folder, base, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW,
                                 0600)) {
        p11prof_error_set(error, P11PROF_FAILED, "cannot make the spool %s: %s", spool->path,
                          strerror(errno));
        return false;
    }
    if (fchmod(file->fd, 0600) == 0 && flock(file->fd, LOCK_EX | LOCK_NB) == 0)
        return true;
    p11prof_error_set(error, P11PROF_FAILED, "cannot lock the spool %s: %s", spool->path,
                      strerror(errno));
    unlinkat(folder, base, 0);
    p11prof_descriptor_close(file);
    return false;
}

enum p11prof_status p11prof_spool_create(struct p11prof_spool *spool,
                                         const struct p11prof_spool_request *request,
                                         struct p11prof_error *error)
{
    char path[PATH_MAX - 64];
    snprintf(path, sizeof path, "%s", request->folder);
    struct p11prof_descriptor folder, file;
    bool found = request->folder[0] ? folder_open(&folder, path)
                                    : default_folder(&folder, path, sizeof path);
    if (!found)
        return p11prof_error_set(error, P11PROF_FAILED,
                                 "cannot use the spool folder %s (it must be yours, mode 0700): "
                                 "%s%s",
                                 path, strerror(errno),
                                 request->folder[0] ? "" : "; set P11PROF_SPOOL to another one");
    enum p11prof_status status = P11PROF_FAILED;
    uint64_t bytes = space_bytes(folder.fd, request->limit_bytes);
    if (!file_make(&file, spool, folder.fd, path, error))
        goto close_folder;
    void *map = map_file(&file, &bytes);
    if (map == MAP_FAILED || !p11prof_spool_layout(&spool->layout, bytes)) {
        p11prof_error_set(error, P11PROF_FAILED,
                          "no room for a spool of %d KiB in %s: free some, or set P11PROF_SPOOL",
                          P11PROF_SPOOL_MIN_BYTES / 1024, path);
        unlink(spool->path);
        goto close_file;
    }
    /* The mapping keeps the lock; a forked child has neither. */
    madvise(map, bytes, MADV_DONTFORK);
    point_into(spool, map);
    size_t head_bytes = spool->layout.object_map_offset;
    if (!p11prof_pages_make(map, head_bytes) ||
        !p11prof_pages_make((char *)map + spool->layout.states_offset,
                            spool->layout.rings_offset - spool->layout.states_offset)) {
        p11prof_error_set(error, P11PROF_FAILED, "no memory left in %s for a spool", path);
        unlink(spool->path);
        munmap(map, bytes);
        goto close_file;
    }
    fill_header(spool, request);
    status = P11PROF_OK;
close_file:
    p11prof_descriptor_close(&file);
close_folder:
    p11prof_descriptor_close(&folder);
    return status;
}

enum p11prof_status p11prof_spool_publish(struct p11prof_spool *spool, struct p11prof_error *error)
{
    char final[sizeof spool->path];
    size_t folder_length = (size_t)(strrchr(spool->path, '/') - spool->path);
    uint64_t id[2];
    memcpy(id, spool->header->spool_id, sizeof id);
    snprintf(final, sizeof final, "%.*s/%016llx%016llx" P11PROF_SPOOL_SUFFIX, (int)folder_length,
             spool->path, (unsigned long long)id[0], (unsigned long long)id[1]);
    if (rename(spool->path, final) != 0)
        return p11prof_error_set(error, P11PROF_FAILED, "cannot rename %s: %s", spool->path,
                                 strerror(errno));
    memcpy(spool->path, final, sizeof final);
    return P11PROF_OK;
}

void p11prof_spool_discard(struct p11prof_spool *spool)
{
    unlink(spool->path);
    munmap(spool->header, spool->layout.file_bytes);
}

void p11prof_spool_unlink(struct p11prof_spool *spool)
{
    unlink(spool->path);
}
