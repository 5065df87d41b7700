/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "say.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static _Atomic(bool) debug;

void p11prof_say_debug(bool on)
{
    debug = on;
}

static void send_to_syslog(const char *line, size_t length)
{
    const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return;
    sendto(fd, line, length, MSG_NOSIGNAL, (const struct sockaddr *)&address, sizeof address);
    close(fd);
}

void p11prof_say(int priority, const char *format, ...)
{
    int saved_errno = errno;
    char line[1024];
    va_list arguments;
    int head = snprintf(line, sizeof line, "<%d>p11prof[%d]: ", LOG_USER | priority, getpid());
    va_start(arguments, format);
    int body = vsnprintf(line + head, sizeof line - (size_t)head - 1, format, arguments);
    va_end(arguments);
    size_t length = (size_t)head + (body > 0 ? strlen(line + head) : 0);
    if (priority != LOG_DEBUG)
        send_to_syslog(line, length);
    if (debug) {
        const char *text = strchr(line, '>') + 1;
        line[length] = '\n';
        ssize_t ignored = write(STDERR_FILENO, text, (size_t)(line + length + 1 - text));
        (void)ignored;
    }
    errno = saved_errno;
}
