/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Files of ours whose descriptors the application has, too: it may close them at any time and use
 * their numbers itself. They get high numbers, which nobody is given who does not ask for them, and
 * are known by what they lead to, so that nothing of the application's is written or closed.
 *
 * Any thread, no state. errno says why something failed; EBADF: the descriptor is not ours any
 * more. */
#ifndef P11PROF_SHIM_DESCRIPTOR_H
#define P11PROF_SHIM_DESCRIPTOR_H

#include <stdbool.h>
#include <sys/types.h>

struct p11prof_descriptor {
    int fd; /* -1: closed */
    dev_t device;
    ino_t inode;
};

/* As openat() with O_CLOEXEC. Tries again where the application was faster. */
bool p11prof_descriptor_open(struct p11prof_descriptor *descriptor, int folder, const char *path,
                             int flags, mode_t mode);

/* Makes it of a descriptor, with O_CLOEXEC, that a system call gave just now; of -1, -1. */
bool p11prof_descriptor_take(struct p11prof_descriptor *descriptor, int fd);

/* As read(). */
ssize_t p11prof_descriptor_read(const struct p11prof_descriptor *descriptor, void *bytes,
                                size_t count);

/* Whether it still leads to what was opened. */
bool p11prof_descriptor_is_ours(const struct p11prof_descriptor *descriptor);

/* Closes it if it is ours. */
void p11prof_descriptor_close(struct p11prof_descriptor *descriptor);

#endif
