/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "folder.h"

#include "parts.h"
#include "users.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* A whole file in memory. */
struct image {
    unsigned char *bytes;
    size_t count;
};

/* root's program may go on as another user (a daemon's own, runuser), which has to read the copies.
 */
static mode_t with_others(mode_t own)
{
    return geteuid() == 0 ? own | (own & 0500) >> 3 | (own & 0500) >> 6 : own;
}

static bool make_in(struct p11prof_run_folder *folder, const char *parent)
{
    struct statvfs system;
    if (!parent || parent[0] != '/' || strpbrk(parent, ": ;\r\n") ||
        statvfs(parent, &system) != 0 || system.f_flag & (ST_NOEXEC | ST_RDONLY))
        return false;
    int needed = snprintf(folder->path, sizeof folder->path,
                          "%s/" P11PROF_RUN_FOLDER_PREFIX "XXXXXX", parent);
    if (needed >= (int)sizeof folder->path || !mkdtemp(folder->path))
        folder->path[0] = '\0';
    if (folder->path[0] && geteuid() == 0)
        chmod(folder->path, 0711);
    return folder->path[0];
}

static enum p11prof_status read_image(struct image *image, const char *path,
                                      struct p11prof_error *error)
{
    struct stat found;
    FILE *file = fopen(path, "re");
    *image = (struct image){NULL, 0};
    if (file && fstat(fileno(file), &found) == 0 && S_ISREG(found.st_mode)) {
        image->bytes = malloc((size_t)found.st_size + 1);
        if (image->bytes)
            image->count = fread(image->bytes, 1, (size_t)found.st_size, file);
    }
    enum p11prof_status status =
        image->count > 0
            ? P11PROF_OK
            : p11prof_error_set(error, P11PROF_FAILED, "cannot read %s: %s", path, strerror(errno));
    if (file)
        fclose(file);
    return status;
}

/* What stands in the image behind the magic (its NUL included) is to be overwritten. NULL if it is
 * not there, or cut off. */
static void *find_place(const struct image *image, const char *magic, size_t bytes)
{
    unsigned char *place =
        image->bytes ? memmem(image->bytes, image->count, magic, P11PROF_COPY_MAGIC_BYTES) : NULL;
    return place && (size_t)(image->bytes + image->count - place) >= bytes ? place : NULL;
}

static enum p11prof_status write_file(const char *path, const void *bytes, size_t count,
                                      mode_t mode, struct p11prof_error *error)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    bool written = file && fwrite(bytes, 1, count, file) == count &&
                   fchmod(fd, with_others(mode)) == 0; /* whatever the umask is */
    if (file && fclose(file) == 0 && written)
        return P11PROF_OK;
    return p11prof_error_set(error, P11PROF_FAILED, "cannot write %s: %s", path, strerror(errno));
}

/* A line of a .conf. A value that it cannot hold is left out: the environment has it too. */
static void put(FILE *file, const char *key, const char *value)
{
    if (*value && !strpbrk(value, "\r\n;"))
        fprintf(file, "%s = %s\n", key, value);
}

static enum p11prof_status write_conf(const char *path, const struct p11prof_module *module,
                                      const struct p11prof_config *config,
                                      struct p11prof_error *error)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *file = open_memstream(&text, &bytes);
    if (!file)
        return p11prof_error_set(error, P11PROF_FAILED, "%s: %s", path, strerror(errno));
    fprintf(file, "module = " P11PROF_OTHER_SPELLING "%s\ndrain = external\n", module->path + 1);
    put(file, "db", config->db);
    put(file, "name", config->name);
    put(file, "spool", config->spool);
    fclose(file);
    enum p11prof_status status = write_file(path, text, bytes, 0600, error);
    free(text);
    return status;
}

/* Reads the .conf as the copy will: it would be refused in a folder that others may write to. */
static enum p11prof_status verify_conf(const char *copy, const struct p11prof_module *module,
                                       struct p11prof_error *error)
{
    struct p11prof_config config;
    p11prof_config_load(&config, copy);
    if (strcmp(p11prof_plain_path(config.module), module->path) == 0)
        return P11PROF_OK;
    return p11prof_error_set(error, P11PROF_FAILED, "the copies of the shim cannot be used: %.400s",
                             config.warning);
}

static enum p11prof_status write_copy(const struct p11prof_run_folder *folder, struct image *shim,
                                      unsigned number, const struct p11prof_module *module,
                                      const struct p11prof_config *config,
                                      struct p11prof_redirect *redirect,
                                      struct p11prof_error *error)
{
    struct p11prof_shim_place *place =
        find_place(shim, P11PROF_SHIM_PLACE_MAGIC, sizeof(struct p11prof_shim_place));
    char conf[P11PROF_COPY_PATH_BYTES + 8];
    *redirect = (struct p11prof_redirect){module->device, module->inode, ""};
    snprintf(redirect->path, sizeof redirect->path, "%s/module-%u.so", folder->path, number);
    snprintf(conf, sizeof conf, "%s/module-%u.conf", folder->path, number);
    if (!place)
        return p11prof_error_set(error, P11PROF_FAILED,
                                 "the shim is of another version: install p11prof again");
    memcpy(place->path, redirect->path, sizeof place->path);
    enum p11prof_status status = write_conf(conf, module, config, error);
    if (status == P11PROF_OK)
        status = verify_conf(redirect->path, module, error);
    if (status == P11PROF_OK)
        status = write_file(redirect->path, shim->bytes, shim->count, 0700, error);
    return status;
}

/* Copies the shim once for each module and notes the copies in `redirects`. */
static enum p11prof_status write_copies(const struct p11prof_run_folder *folder,
                                        const struct p11prof_modules *modules,
                                        const struct p11prof_config *config,
                                        struct p11prof_redirects *redirects,
                                        struct p11prof_error *error)
{
    char path[PATH_MAX];
    struct image shim = {NULL, 0};
    enum p11prof_status status = p11prof_find_shim(path, sizeof path, error);
    if (status == P11PROF_OK)
        status = read_image(&shim, path, error);
    for (unsigned i = 0; status == P11PROF_OK && i < modules->count; i++)
        status = write_copy(folder, &shim, i + 1, &modules->entries[i], config,
                            &redirects->entries[i], error);
    redirects->count = modules->count;
    free(shim.bytes);
    return status;
}

static enum p11prof_status write_audit(struct p11prof_run_folder *folder,
                                       const struct p11prof_redirects *redirects,
                                       struct p11prof_error *error)
{
    char path[PATH_MAX];
    struct image audit = {NULL, 0};
    enum p11prof_status status = p11prof_find_audit(path, sizeof path, error);
    if (status == P11PROF_OK)
        status = read_image(&audit, path, error);
    if (status == P11PROF_OK) {
        void *place = find_place(&audit, P11PROF_REDIRECTS_MAGIC, sizeof *redirects);
        if (place)
            memcpy(place, redirects, sizeof *redirects);
        snprintf(folder->audit, sizeof folder->audit, "%s/audit.so", folder->path);
        status = place ? write_file(folder->audit, audit.bytes, audit.count, 0700, error)
                       : p11prof_error_set(error, P11PROF_FAILED,
                                           "%s is of another version: install p11prof again", path);
    }
    free(audit.bytes);
    return status;
}

/* Locked while there is nobody who could want it. */
static enum p11prof_status make_passed(struct p11prof_run_folder *folder,
                                       struct p11prof_error *error)
{
    folder->lock = open(folder->passed, O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (folder->lock >= 0 && flock(folder->lock, LOCK_EX | LOCK_NB) == 0)
        return P11PROF_OK;
    return p11prof_error_set(error, P11PROF_FAILED, "cannot make %s: %s", folder->passed,
                             strerror(errno));
}

static enum p11prof_status fill(struct p11prof_run_folder *folder,
                                const struct p11prof_modules *modules,
                                const struct p11prof_config *config, struct p11prof_error *error)
{
    struct p11prof_redirects redirects = {.magic = P11PROF_REDIRECTS_MAGIC};
    snprintf(folder->passed, sizeof folder->passed, "%s/" P11PROF_RUN_FOLDER_LOCK, folder->path);
    memcpy(redirects.passed, folder->passed, sizeof folder->passed);
    enum p11prof_status status = make_passed(folder, error);
    if (status == P11PROF_OK)
        status = write_copies(folder, modules, config, &redirects, error);
    return status == P11PROF_OK ? write_audit(folder, &redirects, error) : status;
}

enum p11prof_status p11prof_run_folder_make(struct p11prof_run_folder *folder,
                                            const struct p11prof_modules *modules,
                                            const struct p11prof_config *config,
                                            struct p11prof_error *error)
{
    /* Nobody else can enter root's XDG_RUNTIME_DIR. */
    const char *const parents[] = {geteuid() == 0 ? NULL : secure_getenv("XDG_RUNTIME_DIR"),
                                   "/dev/shm", secure_getenv("TMPDIR"), "/tmp"};
    enum p11prof_status status =
        p11prof_error_set(error, P11PROF_FAILED,
                          "no folder for the copies of the shim: XDG_RUNTIME_DIR, /dev/shm, TMPDIR "
                          "and /tmp are read-only, noexec or full");
    for (size_t i = 0; i < sizeof parents / sizeof *parents && status != P11PROF_OK; i++) {
        *folder = (struct p11prof_run_folder){.lock = -1};
        if (!make_in(folder, parents[i]))
            continue;
        status = fill(folder, modules, config, error);
        if (status != P11PROF_OK)
            p11prof_run_folder_remove(folder);
    }
    return status;
}

static bool others_write_beside(const char *path)
{
    struct stat parent;
    char name[PATH_MAX];
    snprintf(name, sizeof name, "%s/..", path);
    return stat(name, &parent) != 0 || parent.st_mode & (S_IWGRP | S_IWOTH);
}

/* What goes on still takes its audit library, and with it code, from this name: the empty folder
 * keeps others from making theirs. */
static bool has_to_stay(const struct p11prof_run_folder *folder)
{
    return others_write_beside(folder->path) && p11prof_run_folder_is_named(folder);
}

void p11prof_run_folder_remove(struct p11prof_run_folder *folder)
{
    DIR *entries = folder->path[0] ? opendir(folder->path) : NULL;
    if (!entries)
        return;
    for (struct dirent *entry = readdir(entries); entry; entry = readdir(entries))
        unlinkat(dirfd(entries), entry->d_name, 0);
    closedir(entries);
    if (!has_to_stay(folder))
        rmdir(folder->path);
    if (folder->lock >= 0)
        close(folder->lock);
    *folder = (struct p11prof_run_folder){.lock = -1};
}
