/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "pin.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* Those that end or stop a process from the terminal or from outside. */
static const int signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGTTIN, SIGTTOU};
enum { SIGNALS = sizeof signals / sizeof *signals };

static volatile sig_atomic_t arrived; /* the last signal, 0: none */

static void note(int signal_number)
{
    arrived = signal_number;
}

static int terminal_open(void)
{
    return open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
}

bool p11prof_bench_can_prompt(void)
{
    int terminal = terminal_open();
    bool can = terminal >= 0 && tcgetpgrp(terminal) == getpgrp();
    if (terminal >= 0)
        close(terminal);
    return can;
}

ssize_t p11prof_bench_line_read(int file, char *line, size_t line_bytes)
{
    size_t used = 0;
    char byte = '\0';
    ssize_t got;
    while ((got = read(file, &byte, 1)) == 1 && byte != '\n')
        if (used < line_bytes)
            line[used++] = byte;
        else
            break;
    explicit_bzero(&byte, sizeof byte);
    return got < 0 ? -1 : (ssize_t)used;
}

/* One prompt: bytes, or -1 with errno EINTR after a signal. The echo is off meanwhile. */
static ssize_t ask(int terminal, const char *prompt, char *line, size_t line_bytes)
{
    struct termios before, silent;
    if (tcgetattr(terminal, &before) != 0)
        return -1;
    silent = before;
    silent.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
    silent.c_lflag |= ICANON;
    ssize_t bytes = -1;
    if (tcsetattr(terminal, TCSAFLUSH, &silent) == 0 &&
        write(terminal, prompt, strlen(prompt)) >= 0 && !arrived)
        bytes = p11prof_bench_line_read(terminal, line, line_bytes);
    int problem = errno;
    if (write(terminal, "\n", 1) < 0)
        problem = errno;
    /* SIGTTOU is caught: a process in the background would be interrupted for ever. */
    while (tcsetattr(terminal, TCSAFLUSH, &before) != 0 && errno == EINTR && arrived != SIGTTOU)
        ;
    errno = arrived ? EINTR : problem;
    return arrived ? -1 : bytes;
}

/* The same with the signals caught; they act again when it returns. */
static ssize_t ask_safely(int terminal, const char *prompt, char *line, size_t line_bytes)
{
    struct sigaction before[SIGNALS], catching = {.sa_handler = note};
    sigemptyset(&catching.sa_mask);
    arrived = 0;
    for (int i = 0; i < SIGNALS; i++) {
        sigaction(signals[i], NULL, &before[i]);
        if (before[i].sa_handler != SIG_IGN)
            sigaction(signals[i], &catching, NULL);
    }
    ssize_t bytes = ask(terminal, prompt, line, line_bytes);
    int problem = errno;
    for (int i = 0; i < SIGNALS; i++)
        sigaction(signals[i], &before[i], NULL);
    if (arrived)
        raise(arrived);
    errno = problem;
    return bytes;
}

static bool was_stopped(void)
{
    return arrived == SIGTSTP || arrived == SIGTTIN || arrived == SIGTTOU;
}

enum p11prof_status p11prof_bench_prompt(const char *prompt, char *line, size_t line_bytes,
                                         size_t *bytes, struct p11prof_error *error)
{
    ssize_t got;
    int terminal = terminal_open();
    if (terminal < 0)
        return p11prof_error_set(error, P11PROF_BAD_INPUT,
                                 "there is no terminal to ask for the PIN: use --pin-source "
                                 "env:NAME, file:PATH or fd:N");
    do
        got = ask_safely(terminal, prompt, line, line_bytes);
    while (got < 0 && was_stopped());
    int problem = errno;
    close(terminal);
    if (got < 0)
        return p11prof_error_set(error, P11PROF_FAILED, "no PIN was entered: %s",
                                 strerror(problem));
    if ((size_t)got >= line_bytes)
        return p11prof_error_set(error, P11PROF_BAD_INPUT, "the PIN is longer than %zu bytes",
                                 line_bytes - 1);
    *bytes = (size_t)got;
    return P11PROF_OK;
}
