/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "listen.h"

#include "message.h"
#include "report/allocate.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WAITING_CLIENTS = 64, MODE = 0660 };

static const char file_prefix[] = "unix:";

static bool complain_form(const char *text)
{
    p11prof_complain(0,
                     "--listen is ADDRESS:PORT or unix:/PATH, like 127.0.0.1:9711, [::1]:9711 or "
                     "unix:/run/p11prof/exporter.sock, not '%s'",
                     text);
    return false;
}

bool exporter_place_is_file(const struct exporter_place *place)
{
    return place->address.any.sa_family == AF_UNIX;
}

static bool file_read(struct exporter_place *out, const char *path)
{
    struct sockaddr_un *address = &out->address.file;
    address->sun_family = AF_UNIX;
    out->address_bytes = sizeof *address;
    if (path[0] != '/')
        return complain_form(out->text);
    if (strlen(path) >= sizeof address->sun_path) {
        p11prof_complain(0, "--listen %s: the path of a socket has at most %zu bytes", out->text,
                         sizeof address->sun_path - 1);
        return false;
    }
    strcpy(address->sun_path, path);
    return true;
}

/* "ADDRESS:PORT" into its parts; brackets of an address are removed. The caller frees *host. */
static bool split(const char *text, char **host, const char **port)
{
    const char *colon = strrchr(text, ':');
    size_t length = colon ? (size_t)(colon - text) : 0;
    if (length == 0 || colon[1] == '\0' || strspn(colon + 1, "0123456789") != strlen(colon + 1))
        return false;
    bool brackets = length > 2 && text[0] == '[' && text[length - 1] == ']';
    if (!brackets && memchr(text, ':', length))
        return false; /* of IPv6, without them */
    *host = p11prof_copy(brackets ? text + 1 : text);
    (*host)[brackets ? length - 2 : length] = '\0';
    *port = colon + 1;
    return true;
}

static bool is_own(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) >> 24 ==
               IN_LOOPBACKNET;
    return address->ss_family == AF_INET6 &&
           IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)address)->sin6_addr);
}

static bool port_read(struct exporter_place *out, const char *host, const char *port)
{
    const struct addrinfo wanted = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
                                    .ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    if (strcmp(host, "localhost") == 0)
        host = "127.0.0.1";
    if (strtoul(port, NULL, 10) > 65535 || getaddrinfo(host, port, &wanted, &found) != 0)
        return complain_form(out->text);
    memcpy(&out->address.storage, found->ai_addr, found->ai_addrlen);
    out->address_bytes = found->ai_addrlen;
    freeaddrinfo(found);
    if (is_own(&out->address.storage))
        return true;
    p11prof_complain(0,
                     "--listen %s: other machines could read it, without TLS or a password: listen "
                     "on 127.0.0.1, [::1] or unix:/PATH, and put a reverse proxy in front of it",
                     out->text);
    return false;
}

bool exporter_place_read(struct exporter_place *out, const char *text)
{
    char *host;
    const char *port;
    mode_t mode = out->mode;
    *out = (struct exporter_place){.text = text, .mode = mode ? mode : MODE};
    if (strncmp(text, file_prefix, sizeof file_prefix - 1) == 0)
        return file_read(out, text + sizeof file_prefix - 1);
    if (!split(text, &host, &port))
        return complain_form(text);
    bool read = port_read(out, host, port);
    free(host);
    return read;
}

/* What an exporter that was killed left there is removed. False, with errno: somebody listens, who
 * may not answer, or a file is there that is no socket. */
static bool make_room(const struct exporter_place *place)
{
    struct stat there;
    const char *path = place->address.file.sun_path;
    if (lstat(path, &there) != 0)
        return true;
    if (!S_ISSOCK(there.st_mode)) {
        errno = EEXIST;
        return false;
    }
    int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool refused = client >= 0 && connect(client, &place->address.any, place->address_bytes) != 0 &&
                   errno == ECONNREFUSED;
    if (client >= 0)
        close(client);
    if (refused)
        unlink(path);
    else
        errno = EADDRINUSE;
    return refused;
}

static bool bind_to(const struct exporter_place *place, int fd)
{
    const int yes = 1;
    if (!exporter_place_is_file(place)) {
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
        return bind(fd, &place->address.any, place->address_bytes) == 0;
    }
    if (!make_room(place))
        return false;
    mode_t before = umask(0777 & ~place->mode);
    bool bound = bind(fd, &place->address.any, place->address_bytes) == 0;
    umask(before);
    return bound;
}

/* With the port that the system chose. */
static void say_where(const struct exporter_place *place, int fd)
{
    struct sockaddr_storage address;
    socklen_t bytes = sizeof address;
    char host[64], port[16];
    if (exporter_place_is_file(place))
        p11prof_note("metrics are at %s", place->text);
    else if (getsockname(fd, (struct sockaddr *)&address, &bytes) == 0 &&
             getnameinfo((struct sockaddr *)&address, bytes, host, sizeof host, port, sizeof port,
                         NI_NUMERICHOST | NI_NUMERICSERV) == 0)
        p11prof_note(address.ss_family == AF_INET6 ? "metrics are at http://[%s]:%s/metrics"
                                                   : "metrics are at http://%s:%s/metrics",
                     host, port);
}

static int complain_place(const struct exporter_place *place, int fd)
{
    if (errno == EADDRINUSE)
        p11prof_complain(0,
                         "cannot listen on %s: another program does; end it, or choose another "
                         "place with --listen",
                         place->text);
    else
        p11prof_complain(0, "cannot listen on %s: %m", place->text);
    if (fd >= 0)
        close(fd);
    return -1;
}

int exporter_listen(struct exporter_place *place)
{
    int fd = socket(place->address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || !bind_to(place, fd))
        return complain_place(place, fd);
    if (exporter_place_is_file(place) && lstat(place->address.file.sun_path, &place->made) != 0)
        place->made.st_ino = 0;
    if (listen(fd, WAITING_CLIENTS) != 0)
        return complain_place(place, fd);
    say_where(place, fd);
    return fd;
}

void exporter_listen_end(const struct exporter_place *place)
{
    struct stat there;
    if (exporter_place_is_file(place) && lstat(place->address.file.sun_path, &there) == 0 &&
        there.st_dev == place->made.st_dev && there.st_ino == place->made.st_ino)
        unlink(place->address.file.sun_path);
}
