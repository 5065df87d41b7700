/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Where the exporter listens: a port of this machine alone, or a socket in the file system. */
#ifndef P11PROF_EXPORTER_LISTEN_H
#define P11PROF_EXPORTER_LISTEN_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

/* A place that was asked for. */
struct exporter_place {
    const char *text; /* as it was written; borrowed */
    union {
        struct sockaddr any;
        struct sockaddr_storage storage;
        struct sockaddr_un file;
    } address;
    socklen_t address_bytes;
    mode_t mode;      /* of a socket in the file system */
    struct stat made; /* the same, once it is there */
};

/* Reads "127.0.0.1:9711", "[::1]:9711", "localhost:9711" or "unix:/PATH". False, after it said so,
 * if it is none of them, or an address that other machines can reach. */
bool exporter_place_read(struct exporter_place *out, const char *text);

/* Whether it is a socket in the file system. */
bool exporter_place_is_file(const struct exporter_place *place);

/* Returns a socket that listens there; -1 after it said why not. Says where it listens. */
int exporter_listen(struct exporter_place *place);

/* Removes it from the file system, where it is there. */
void exporter_listen_end(const struct exporter_place *place);

#endif
