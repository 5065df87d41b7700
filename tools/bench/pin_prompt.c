/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "pin.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* Those that end or stop a process from the terminal or from outside. */
static const int signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};
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

static bool in_foreground(int terminal)
{
    return tcgetpgrp(terminal) == getpgrp();
}

bool p11prof_bench_can_prompt(void)
{
    int terminal = terminal_open();
    bool can = terminal >= 0 && in_foreground(terminal);
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

/* One prompt: bytes, or -1 with errno. The echo is off meanwhile. Signals come in only where it
 * waits for a whole line, so none is lost. */
static ssize_t ask(int terminal, const char *prompt, const sigset_t *waiting_mask, char *line,
                   size_t line_bytes)
{
    struct pollfd waiting = {.fd = terminal, .events = POLLIN};
    struct termios before, silent;
    ssize_t bytes = -1;
    if (tcgetattr(terminal, &before) != 0)
        return -1;
    silent = before;
    silent.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
    silent.c_lflag |= ICANON;
    if (tcsetattr(terminal, TCSAFLUSH, &silent) == 0 &&
        write(terminal, prompt, strlen(prompt)) >= 0 && ppoll(&waiting, 1, NULL, waiting_mask) > 0)
        bytes = p11prof_bench_line_read(terminal, line, line_bytes);
    int problem = errno;
    if (write(terminal, "\n", 1) < 0 || tcsetattr(terminal, TCSAFLUSH, &before) != 0)
        bytes = -1;
    errno = problem;
    return bytes;
}

/* The same with the signals caught; they act again when it returns. */
static ssize_t ask_safely(int terminal, const char *prompt, char *line, size_t line_bytes)
{
    struct sigaction actions[SIGNALS], catching = {.sa_handler = note};
    sigset_t held, before;
    sigemptyset(&catching.sa_mask);
    sigemptyset(&held);
    sigaddset(&held, SIGTTOU); /* else the echo could not be turned on again in the background */
    for (int i = 0; i < SIGNALS; i++)
        sigaddset(&held, signals[i]);
    arrived = 0;
    sigprocmask(SIG_BLOCK, &held, &before);
    for (int i = 0; i < SIGNALS; i++) {
        sigaction(signals[i], NULL, &actions[i]);
        if (actions[i].sa_handler != SIG_IGN)
            sigaction(signals[i], &catching, NULL);
    }
    ssize_t bytes = ask(terminal, prompt, &before, line, line_bytes);
    int problem = errno;
    for (int i = 0; i < SIGNALS; i++)
        sigaction(signals[i], &actions[i], NULL);
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (arrived)
        raise(arrived);
    errno = problem;
    return bytes;
}

/* Stops until it is brought to the foreground, as a reader of the terminal does. */
static bool come_to_foreground(int terminal)
{
    if (!in_foreground(terminal))
        raise(SIGTTIN);
    return in_foreground(terminal);
}

enum p11prof_status p11prof_bench_prompt(const char *prompt, char *line, size_t line_bytes,
                                         size_t *bytes, struct p11prof_error *error)
{
    ssize_t got;
    bool foreground;
    int terminal = terminal_open();
    if (terminal < 0)
        return p11prof_error_set(error, P11PROF_BAD_INPUT,
                                 "there is no terminal to ask for the PIN: use --pin-source "
                                 "env:NAME, file:PATH or fd:N");
    do {
        foreground = come_to_foreground(terminal);
        got = foreground ? ask_safely(terminal, prompt, line, line_bytes) : -1;
    } while (foreground && got < 0 && arrived == SIGTSTP);
    int problem = errno;
    close(terminal);
    if (!foreground)
        return p11prof_error_set(error, P11PROF_BAD_INPUT,
                                 "no PIN can be entered in the background: use --pin-source "
                                 "env:NAME, file:PATH or fd:N");
    if (got < 0)
        return p11prof_error_set(error, P11PROF_FAILED, "no PIN was entered: %s",
                                 strerror(problem));
    if ((size_t)got >= line_bytes)
        return p11prof_error_set(error, P11PROF_BAD_INPUT, "the PIN is longer than %zu bytes",
                                 line_bytes - 1);
    *bytes = (size_t)got;
    return P11PROF_OK;
}
