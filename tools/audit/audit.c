/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The audit library of `p11prof record` (see rtld-audit(7)): whatever name a program loads a
 * listed file by, it gets that file's copy of the shim.
 *
 * It runs in the dynamic loader, in a namespace of its own, of every program of the run. So it
 * needs no library: a libc here would be a second one in each process. All that it writes is which
 * modules pass by. */
#include "exports.h"

#include "p11prof/copies.h"

#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

/* Filled in the copy that a run uses; volatile: the compiler must not know that this one is empty.
 */
static const volatile struct p11prof_redirects redirects
    __attribute__((used)) = {.magic = P11PROF_REDIRECTS_MAGIC};

#if defined(__x86_64__)
static long system_call(long number, long a, long b, long c, long d)
{
    register long fourth __asm__("r10") = d;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(fourth)
                     : "rcx", "r11", "memory");
    return result;
}
#elif defined(__aarch64__)
static long system_call(long number, long a, long b, long c, long d)
{
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
    return x0;
}
#else
#define system_call syscall
#endif

static bool find_file(const char *path, struct stat *out)
{
    return system_call(SYS_newfstatat, AT_FDCWD, (long)path, (long)out, 0) == 0;
}

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

/* The copy that stands in for the file `name`, NULL if there is none: or none any more, for a
 * process that has changed its root, its mounts or its user. */
static const char *copy_for(const char *name)
{
    struct stat found;
    if (!find_file(name, &found))
        return NULL;
    for (uint64_t i = 0; i < redirects.count; i++)
        if (redirects.entries[i].inode == found.st_ino &&
            redirects.entries[i].device == found.st_dev) {
            const char *copy = (const char *)(uintptr_t)redirects.entries[i].path;
            return find_file(copy, &found) ? copy : NULL;
        }
    return NULL;
}

/* Appends a line to the run's list, which `record` has made. */
static void write_passed(const char *name)
{
    char line[4096 + 1]; /* PATH_MAX and the end of a line */
    struct stat found;
    long bytes = 0;
    while (name[bytes] && bytes < (long)sizeof line - 1) {
        line[bytes] = name[bytes];
        bytes++;
    }
    line[bytes++] = '\n';
    long fd = system_call(SYS_openat, AT_FDCWD, (long)redirects.passed,
                          O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0);
    if (fd < 0)
        return;
    if (system_call(SYS_fstat, fd, (long)&found, 0, 0) == 0 &&
        found.st_size < P11PROF_PASSED_BYTES_MAX)
        system_call(SYS_write, fd, (long)line, bytes, 0);
    system_call(SYS_close, fd, 0, 0, 0);
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
    const char *copy = copy_for(name);
    return (char *)(uintptr_t)(copy ? copy : name);
}

/* p11-kit's library is a module, too, of all that it has configured. */
static bool is_module(const struct link_map *map)
{
    return p11prof_exports(map, "C_GetFunctionList") &&
           !p11prof_exports(map, "p11_kit_modules_load");
}

/* Whether this process wrote of the file before: one that is loaded again and again must not fill
 * the list. The loader holds its lock. */
static bool is_known(const char *name)
{
    enum { FILES = 64 };
    static struct {
        dev_t device;
        ino_t inode;
    } known[FILES];
    static unsigned count;
    struct stat found;
    if (!find_file(name, &found))
        return false;
    for (unsigned i = 0; i < count && i < FILES; i++)
        if (known[i].device == found.st_dev && known[i].inode == found.st_ino)
            return true;
    known[count % FILES].device = found.st_dev;
    known[count++ % FILES].inode = found.st_ino;
    return false;
}

/* Asks for no la_symbind. */
EXPORT unsigned int la_objopen(struct link_map *map, Lmid_t lmid, uintptr_t *cookie)
{
    (void)lmid;
    (void)cookie;
    const char *name = map->l_name;
    if (name[0] == '/' && !starts_with(name, P11PROF_OTHER_SPELLING) && is_module(map) &&
        !copy_for(name) && !is_known(name))
        write_passed(name);
    return 0;
}
