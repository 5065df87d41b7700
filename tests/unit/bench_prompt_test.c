/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The prompt for a PIN, at a terminal of its own. */
#include "bench/target.h"
#include "under_valgrind.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

enum { ENDED_WELL = 7 };

static struct p11prof_bench_target target;
static struct p11prof_error error;

static enum p11prof_status find(struct p11prof_bench_target_options options)
{
    options.module = P11PROF_TEST_MODULE;
    return p11prof_bench_target_find(&target, &options, &error);
}

static int ending(pid_t child)
{
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

/* A child whose terminal is a new one; *master is its other end. 0 in the child. */
static pid_t fork_at_terminal(int *master)
{
    pid_t child = forkpty(master, NULL, NULL, NULL);
    assert_true(child >= 0);
    return child;
}

/* Reads the terminal until `text` has come. */
static void await(int master, const char *text, char *seen, size_t seen_bytes)
{
    struct pollfd waiting = {.fd = master, .events = POLLIN};
    size_t used = strlen(seen);
    while (!strstr(seen, text)) {
        ssize_t bytes =
            poll(&waiting, 1, 10000) > 0 ? read(master, seen + used, seen_bytes - used - 1) : -1;
        if (bytes <= 0) {
            fail_msg("'%s' has not come: %s", text, seen);
        }
        used += (size_t)bytes;
        seen[used] = '\0';
    }
}

static bool echoes(int terminal)
{
    struct termios now;
    return tcgetattr(terminal, &now) == 0 && now.c_lflag & ECHO;
}

static void a_prompt_reads_without_echo(void **state)
{
    (void)state;
    char seen[1000] = "";
    int master;
    pid_t child = fork_at_terminal(&master);
    if (child == 0) {
        find((struct p11prof_bench_target_options){.pin_source = "prompt"});
        bool right = target.pin_bytes == 4 && memcmp(target.pin, "1234", 4) == 0;
        printf("done: %d%s\n", right && echoes(STDIN_FILENO), error.text);
        exit(0);
    }
    await(master, "PIN: ", seen, sizeof seen);
    assert_false(echoes(master));
    assert_int_equal(write(master, "1234\n", 5), 5);
    await(master, "done: ", seen, sizeof seen);
    assert_non_null(strstr(seen, "done: 1"));
    assert_null(strstr(seen, "1234"));
    ending(child);
    close(master);
}

static void an_interrupt_restores_the_terminal(void **state)
{
    (void)state;
    char seen[1000] = "";
    int master, terminal;
    pid_t child = fork_at_terminal(&master);
    if (child == 0) {
        find((struct p11prof_bench_target_options){.pin_source = "prompt"});
        exit(0);
    }
    terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
    await(master, "PIN: ", seen, sizeof seen);
    assert_false(echoes(terminal));
    assert_int_equal(write(master, "12\003", 3), 3); /* ^C */
    int status = ending(child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
    assert_true(echoes(terminal));
    close(terminal);
    close(master);
}

/* In a group of its own in the foreground, as a shell would start it. */
static _Noreturn void prompt_as_job(void)
{
    signal(SIGTTOU, SIG_IGN);
    setpgid(0, 0);
    tcsetpgrp(STDIN_FILENO, getpid());
    signal(SIGTTOU, SIG_DFL);
    find((struct p11prof_bench_target_options){.pin_source = "prompt"});
    _exit(target.pin_bytes == 4 && memcmp(target.pin, "1234", 4) == 0 ? ENDED_WELL : 2);
}

/* As the shell: how the job ended that stopped once and left the echo on. */
static int run_job(void)
{
    int status;
    pid_t job = fork();
    if (job == 0)
        prompt_as_job();
    if (waitpid(job, &status, WUNTRACED) != job || !WIFSTOPPED(status) || !echoes(STDIN_FILENO))
        return 3;
    kill(job, SIGCONT);
    return WEXITSTATUS(ending(job));
}

static void a_stop_restores_the_terminal_and_asks_again(void **state)
{
    (void)state;
    if (under_valgrind()) /* it knows no stopped jobs */
        skip();
    char seen[1000] = "";
    int master;
    pid_t child = fork_at_terminal(&master);
    if (child == 0)
        _exit(run_job());
    await(master, "PIN: ", seen, sizeof seen);
    assert_int_equal(write(master, "12\032", 3), 3); /* ^Z */
    await(master, "PIN: ", memset(seen, 0, sizeof seen), sizeof seen);
    assert_int_equal(write(master, "1234\n", 5), 5);
    assert_int_equal(WEXITSTATUS(ending(child)), ENDED_WELL);
    close(master);
}

/* A token of SoftHSM that wants a login; the caller has a terminal. False: there is no SoftHSM. */
static bool ask_for_a_token(const char *pin)
{
    struct p11prof_bench_target made;
    struct p11prof_bench_target_options options = {.module = NULL};
    if (p11prof_bench_target_find(&made, &options, &error) != P11PROF_OK)
        return false;
    options.module = made.module;
    enum p11prof_status status = p11prof_bench_target_find(&target, &options, &error);
    bool right = status == P11PROF_OK && target.has_pin == (*pin != '\0') &&
                 target.pin_bytes == strlen(pin) && memcmp(target.pin, pin, strlen(pin)) == 0;
    p11prof_bench_target_clear(&made);
    printf("done: %d %s\n", right, error.text);
    return true;
}

static void a_token_is_asked_for(const char *pin)
{
    char seen[1000] = "";
    int master;
    pid_t child = fork_at_terminal(&master);
    if (child == 0)
        exit(ask_for_a_token(pin) ? 0 : 77);
    await(master, ":", seen, sizeof seen);
    if (!strstr(seen, "PIN of \"p11prof\" (empty: do not log in): ")) {
        fail_msg("no prompt: %s", seen);
    }
    dprintf(master, "%s\n", pin);
    await(master, "done: ", seen, sizeof seen);
    assert_non_null(strstr(seen, "done: 1"));
    ending(child);
    close(master);
}

static void a_token_that_needs_a_pin_is_asked_for(void **state)
{
    (void)state;
    if (access("/usr/lib/softhsm/libsofthsm2.so", R_OK) != 0)
        skip();
    a_token_is_asked_for("1234");
    a_token_is_asked_for("");
}

static void a_token_that_needs_none_is_not(void **state)
{
    (void)state;
    char seen[1000] = "";
    int master;
    pid_t child = fork_at_terminal(&master);
    if (child == 0) {
        find((struct p11prof_bench_target_options){.pin = NULL});
        printf("done: %d\n", target.has_pin);
        exit(0);
    }
    await(master, "done: ", seen, sizeof seen);
    assert_null(strstr(seen, "PIN"));
    ending(child);
    close(master);
}

static void without_a_terminal_nothing_is_asked(void **state)
{
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        setsid();
        enum p11prof_status status =
            find((struct p11prof_bench_target_options){.pin_source = "prompt"});
        bool said = status == P11PROF_BAD_INPUT && strstr(error.text, "--pin-source");
        status = find((struct p11prof_bench_target_options){.pin = NULL});
        _exit(said && status == P11PROF_OK && !target.has_pin ? ENDED_WELL : 1);
    }
    assert_int_equal(WEXITSTATUS(ending(child)), ENDED_WELL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_prompt_reads_without_echo),
        cmocka_unit_test(an_interrupt_restores_the_terminal),
        cmocka_unit_test(a_stop_restores_the_terminal_and_asks_again),
        cmocka_unit_test(a_token_that_needs_a_pin_is_asked_for),
        cmocka_unit_test(a_token_that_needs_none_is_not),
        cmocka_unit_test(without_a_terminal_nothing_is_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
