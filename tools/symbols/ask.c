/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "ask.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { WAIT_MS = 20000, ANSWER_BYTES = 4096, DEATHS_MAX = 16 };

/* One helper and its questions. */
struct asking {
    struct p11prof_symbol_question *questions;
    size_t count, answered_count;
    int64_t until_ms;
};

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A nameless file: a pipe could fill while the helper's answers do. */
static int write_questions(const struct asking *asking)
{
    int fd = memfd_create("p11prof-symbols", MFD_CLOEXEC);
    FILE *stream = fd >= 0 ? fdopen(dup(fd), "w") : NULL;
    for (size_t i = 0; stream && i < asking->count; i++) {
        const struct p11prof_symbol_question *question = &asking->questions[i];
        fprintf(stream, "%" PRIx64 " %" PRIu64 " %s\n", question->offset_bytes, question->before_ns,
                question->path);
    }
    if (stream && fclose(stream) == 0 && lseek(fd, 0, SEEK_SET) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* Returns the helper's process, or -1. *answers is what it writes. */
static pid_t start(const char *helper, int questions, int *answers)
{
    int ends[2];
    char *arguments[] = {(char *)(uintptr_t) "p11prof-symbols", NULL};
    posix_spawn_file_actions_t actions;
    pid_t child = -1;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, questions, 0);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    if (posix_spawn(&child, helper, &actions, NULL, arguments, environ) != 0)
        child = -1;
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    if (child < 0)
        close(ends[0]);
    *answers = ends[0];
    return child;
}

/* "OFFSET NAME" or "-". */
static void take_answer(struct asking *asking, const char *line)
{
    if (asking->answered_count == asking->count)
        return;
    struct p11prof_symbol_question *question = &asking->questions[asking->answered_count++];
    const char *name = strchr(line, ' ');
    question->answered = true;
    if (name && sscanf(line, "%" SCNx64, &question->symbol_offset_bytes) == 1)
        question->symbol = strdup(name + 1);
}

/* Takes whole lines; returns the bytes of the rest, moved to the start. */
static size_t take_answers(struct asking *asking, char *text, size_t held)
{
    char *line = text, *end;
    while ((end = memchr(line, '\n', held - (size_t)(line - text)))) {
        *end = '\0';
        take_answer(asking, line);
        line = end + 1;
    }
    held -= (size_t)(line - text);
    memmove(text, line, held);
    return held < ANSWER_BYTES ? held : 0;
}

/* Until the helper ends. False if it took too long. */
static bool read_answers(struct asking *asking, int answers)
{
    char text[ANSWER_BYTES];
    size_t held = 0;
    for (;;) {
        struct pollfd wait = {.fd = answers, .events = POLLIN};
        int64_t left_ms = asking->until_ms - now_ms();
        int ready = left_ms > 0 ? poll(&wait, 1, (int)left_ms) : 0;
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0)
            return false;
        ssize_t got = read(answers, text + held, sizeof text - held);
        if (got <= 0)
            return true;
        held = take_answers(asking, text, held + (size_t)got);
    }
}

/* False if there is no use in asking on. */
static bool ask_once(const char *helper, struct asking *asking)
{
    int answers, questions = write_questions(asking);
    if (questions < 0)
        return false;
    pid_t child = start(helper, questions, &answers);
    close(questions);
    if (child < 0)
        return false;
    bool in_time = read_answers(asking, answers);
    close(answers);
    int status = 0;
    if (!in_time)
        kill(child, SIGKILL);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    bool works = !WIFEXITED(status) || WEXITSTATUS(status) == 0; /* but for a file it dies of */
    return in_time && works;
}

/* All about the file whose question came next. */
static void give_up_file(struct asking *asking)
{
    const char *path = asking->questions[asking->answered_count].path;
    while (asking->answered_count < asking->count &&
           strcmp(asking->questions[asking->answered_count].path, path) == 0)
        asking->questions[asking->answered_count++].answered = true;
}

void p11prof_symbols_ask(const char *helper, struct p11prof_symbol_question *questions,
                         size_t count)
{
    struct asking asking = {questions, count, 0, now_ms() + WAIT_MS};
    for (int deaths = 0; asking.count > 0 && deaths < DEATHS_MAX; deaths++) {
        if (!ask_once(helper, &asking))
            return;
        if (asking.answered_count < asking.count)
            give_up_file(&asking);
        asking.questions += asking.answered_count;
        asking.count -= asking.answered_count;
        asking.answered_count = 0;
    }
}
