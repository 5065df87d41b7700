/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "say.h"

#include "descriptor.h"
#include "guard.h"

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

static bool send_to_syslog(const char *line, size_t length)
{
    const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
    struct p11prof_descriptor log;
    bool sent = false;
    if (p11prof_descriptor_take(&log,
                                socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)))
        sent = sendto(log.fd, line, length, MSG_NOSIGNAL, (const struct sockaddr *)&address,
                      sizeof address) >= 0;
    p11prof_descriptor_close(&log);
    return sent;
}

bool p11prof_say(int priority, const char *format, ...)
{
    struct p11prof_guard guard = p11prof_guard_begin();
    char line[1024];
    bool said = false;
    va_list arguments;
    int head = snprintf(line, sizeof line, "<%d>p11prof[%d]: ", LOG_USER | priority, getpid());
    va_start(arguments, format);
    int body = vsnprintf(line + head, sizeof line - (size_t)head - 1, format, arguments);
    va_end(arguments);
    size_t length = (size_t)head + (body > 0 ? strlen(line + head) : 0);
    if (priority != LOG_DEBUG)
        said = send_to_syslog(line, length);
    if (debug) {
        const char *text = strchr(line, '>') + 1;
        line[length] = '\n';
        struct p11prof_held held = p11prof_signals_hold();
        said = write(STDERR_FILENO, text, (size_t)(line + length + 1 - text)) > 0 || said;
        p11prof_signals_release(&held);
    }
    p11prof_guard_end(&guard);
    return said;
}
