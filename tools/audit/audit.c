/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The audit library of `p11prof record` (see rtld-audit(7)): whatever name a program loads a
 * listed file by, it gets that file's copy of the shim.
 *
 * It runs in the dynamic loader, in a namespace of its own, of every program of the run. So it
 * needs no library: a libc here would be a second one in each process. It never writes. */
#include "p11prof/copies.h"

#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define EXPORT __attribute__((visibility("default")))

/* Filled in the copy that a run uses; volatile: the compiler must not know that this one is empty.
 */
static const volatile struct p11prof_redirects redirects
    __attribute__((used)) = {.magic = P11PROF_REDIRECTS_MAGIC};

#if defined(__x86_64__)
static long stat_file(const char *path, struct stat *out)
{
    register long flags __asm__("r10") = 0;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(SYS_newfstatat), "D"(AT_FDCWD), "S"(path), "d"(out), "r"(flags)
                     : "rcx", "r11", "memory");
    return result;
}
#elif defined(__aarch64__)
static long stat_file(const char *path, struct stat *out)
{
    register long number __asm__("x8") = SYS_newfstatat;
    register long folder __asm__("x0") = AT_FDCWD;
    register const char *name __asm__("x1") = path;
    register struct stat *result __asm__("x2") = out;
    register long flags __asm__("x3") = 0;
    __asm__ volatile("svc 0"
                     : "+r"(folder)
                     : "r"(number), "r"(name), "r"(result), "r"(flags)
                     : "memory");
    return folder;
}
#else
static long stat_file(const char *path, struct stat *out)
{
    return stat(path, out);
}
#endif

static bool has_slash(const char *name)
{
    for (; *name; name++)
        if (*name == '/')
            return true;
    return false;
}

static bool starts_with(const char *name, const char *start)
{
    for (; *start; name++, start++)
        if (*name != *start)
            return false;
    return true;
}

/* The copy that stands in for the file `name`, NULL if there is none. */
static const volatile char *copy_for(const char *name)
{
    struct stat found;
    if (stat_file(name, &found) != 0)
        return NULL;
    for (uint64_t i = 0; i < redirects.count; i++)
        if (redirects.entries[i].inode == found.st_ino &&
            redirects.entries[i].device == found.st_dev)
            return redirects.entries[i].path;
    return NULL;
}

EXPORT unsigned int la_version(unsigned int version)
{
    return version;
}

EXPORT char *la_objsearch(const char *name, uintptr_t *cookie, unsigned int flag)
{
    (void)cookie;
    (void)flag;
    /* A name without a slash is still to be searched: its candidates come one by one. */
    if (!has_slash(name) || starts_with(name, P11PROF_OTHER_SPELLING))
        return (char *)(uintptr_t)name;
    const volatile char *copy = copy_for(name);
    return (char *)(uintptr_t)(copy ? (const char *)(uintptr_t)copy : name);
}
