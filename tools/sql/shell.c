/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "shell.h"
#include "commands.h"
#include "message.h"
#include "record/parts.h"
#include "report/allocate.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* ".load PATH", quoted as the shell reads it; NULL if there is nothing to load. The caller frees
 * it. */
static char *load_command(void)
{
    char path[PATH_MAX], *command;
    size_t bytes;
    struct p11prof_error error;
    if (p11prof_find_sql_extension(path, sizeof path, &error) != P11PROF_OK) {
        p11prof_warn("%s; the shell starts without percentile() and our other functions",
                     error.text);
        return NULL;
    }
    FILE *stream = p11prof_text_open(&command, &bytes);
    fputs(".load \"", stream);
    for (const char *at = path; *at; at++)
        fprintf(stream, "%s%c", *at == '"' || *at == '\\' ? "\\" : "", *at);
    fputc('"', stream);
    fclose(stream);
    return command;
}

static int complain(void)
{
    if (errno == ENOENT)
        return p11prof_complain(P11PROF_EXIT_FAILED,
                                "the sqlite3 shell is not installed: 'apt install sqlite3', or "
                                "give a query");
    return p11prof_complain(P11PROF_EXIT_FAILED, "sqlite3 cannot be started: %s", strerror(errno));
}

/* A file, a pipe or /dev/null that has ended: the shell would say nothing at all. */
static bool nothing_to_read(void)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    int bytes = 0;
    if (isatty(STDIN_FILENO) || poll(&input, 1, -1) != 1)
        return false;
    return ioctl(STDIN_FILENO, FIONREAD, &bytes) != 0 || bytes == 0;
}

int p11prof_sql_shell(const char *database_path, int64_t run_id)
{
    char path[PATH_MAX + 2], set_run[64], *load;
    /* The shell has functions that write files and start editors: not for views of the file. */
    char *arguments[12] = {"sqlite3", "-readonly", "-header",
                           "-column", "-cmd",      "PRAGMA trusted_schema = 0"};
    size_t count = 6;
    if (nothing_to_read())
        return p11prof_complain(P11PROF_EXIT_USAGE,
                                "no query is given, and stdin is empty: 'p11prof help sql' has "
                                "examples, 'p11prof sql --list' lists ready ones");
    load = load_command();
    snprintf(path, sizeof path, "%s%s", database_path[0] == '-' ? "./" : "", database_path);
    snprintf(set_run, sizeof set_run, ".parameter set :run %" PRId64, run_id);
    if (load) {
        arguments[count++] = "-cmd";
        arguments[count++] = load;
    }
    if (run_id) {
        arguments[count++] = "-cmd";
        arguments[count++] = set_run;
    }
    arguments[count] = path;
    execvp(arguments[0], arguments);
    int code = complain();
    free(load);
    return code;
}
