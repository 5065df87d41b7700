/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "target.h"

#include "../message.h"
#include "elf_file.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { SCRIPTS_MAX = 4 };

/* 0 if it can be executed, else why not. */
static int executable(const char *path)
{
    struct stat found;
    if (stat(path, &found) != 0)
        return errno;
    if (!S_ISREG(found.st_mode))
        return S_ISDIR(found.st_mode) ? EISDIR : EACCES;
    return access(path, X_OK) == 0 ? 0 : errno;
}

/* Looks `name` up in PATH. Returns 0, ENOENT or the reason why what was found cannot be run. */
static int search(const char *name, char *path, size_t path_bytes)
{
    const char *folders = getenv("PATH");
    int result = ENOENT;
    for (const char *start = folders ? folders : "/bin:/usr/bin"; start;) {
        size_t length = strcspn(start, ":");
        snprintf(path, path_bytes, "%.*s%s%s", (int)length, start, length ? "/" : "./", name);
        int problem = executable(path);
        if (problem == 0)
            return 0;
        if (problem != ENOENT && problem != ENOTDIR && problem != EISDIR)
            result = problem;
        start = start[length] ? start + length + 1 : NULL;
    }
    return result;
}

static int find(const char *name, char *path, size_t path_bytes)
{
    if (!strchr(name, '/'))
        return *name ? search(name, path, path_bytes) : ENOENT;
    snprintf(path, path_bytes, "%s", name);
    return executable(path);
}

int p11prof_target_find(const char *command, char *path, size_t path_bytes)
{
    int problem = find(command, path, path_bytes);
    if (problem == 0)
        return 0;
    return p11prof_complain(problem == ENOENT || problem == ENOTDIR ? P11PROF_EXIT_NOT_FOUND
                                                                    : P11PROF_EXIT_NOT_STARTED,
                            "cannot start '%s': %s%s", command, strerror(problem),
                            problem == ENOENT && !strchr(command, '/') ? " (looked in PATH)" : "");
}

/* Whether the kernel runs it with other rights than ours: the loader then removes LD_AUDIT. */
static bool changes_rights(const char *path)
{
    struct stat found;
    if (stat(path, &found) != 0)
        return false;
    return (found.st_mode & S_ISUID && found.st_uid != getuid()) ||
           (found.st_mode & S_ISGID && found.st_gid != getgid()) ||
           (getuid() != 0 && getxattr(path, "security.capability", NULL, 0) > 0);
}

static bool glibc_loader(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    return strncmp(name, "ld-linux", 8) == 0 || strncmp(name, "ld64.so", 7) == 0 ||
           strncmp(name, "ld.so", 5) == 0;
}

static const char *why_not_covered(const char *path, const struct p11prof_file *file)
{
    if (file->kind == P11PROF_FILE_FOREIGN)
        return "it is for another machine or word size";
    if (file->kind == P11PROF_FILE_LIBRARY && !glibc_loader(path))
        return "it is linked statically";
    if (file->kind != P11PROF_FILE_EXECUTABLE)
        return NULL;
    if (!file->interpreter[0])
        return "it is linked statically";
    return glibc_loader(file->interpreter) ? NULL : "its dynamic loader is not that of glibc";
}

/* The program that runs a script: "/bin/sh -e", "/usr/bin/env -S LANG=C python3". */
static bool script_program(const char *line, char *path, size_t path_bytes)
{
    char words[256], *rest = NULL;
    snprintf(words, sizeof words, "%s", line);
    char *word = strtok_r(words, " \t\r", &rest);
    const char *slash = word ? strrchr(word, '/') : NULL;
    if (slash && strcmp(slash + 1, "env") == 0)
        do
            word = strtok_r(NULL, " \t\r", &rest);
        while (word && (word[0] == '-' || strchr(word, '=')));
    return word && find(word, path, path_bytes) == 0;
}

void p11prof_target_warn(const char *path)
{
    char program[PATH_MAX];
    struct p11prof_file file;
    snprintf(program, sizeof program, "%s", path);
    p11prof_file_read(&file, program);
    for (int i = 0; i < SCRIPTS_MAX && file.kind == P11PROF_FILE_SCRIPT; i++) {
        if (!script_program(file.interpreter, program, sizeof program))
            return;
        p11prof_file_read(&file, program);
    }
    const char *why = why_not_covered(program, &file);
    if (changes_rights(program))
        p11prof_warn(
            "neither %s nor what it starts will be recorded: it is set-uid, set-gid or has "
            "file capabilities (a copy of it has not)",
            program);
    else if (why)
        p11prof_warn("%s itself will not be recorded, only the programs that it starts: %s",
                     program, why);
}
