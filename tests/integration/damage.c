/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "damage.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COMMAND_SECONDS = 30 };

void damage_sql(const char *path, const char *text)
{
    sqlite3 *db = NULL;
    int code = sqlite3_open(path, &db);
    if (code == SQLITE_OK)
        code = sqlite3_exec(db, text, NULL, NULL, NULL);
    if (code != SQLITE_OK)
        fail_msg("%s", sqlite3_errmsg(db));
    sqlite3_close(db);
}

char *damage_file_read(const char *path, size_t *bytes)
{
    struct stat facts;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0 && fstat(fd, &facts) == 0);
    *bytes = (size_t)facts.st_size;
    char *held = malloc(*bytes);
    assert_int_equal(read(fd, held, *bytes), facts.st_size);
    close(fd);
    return held;
}

void damage_file_write(const char *path, const char *held, size_t bytes)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0 && write(fd, held, bytes) == (ssize_t)bytes);
    close(fd);
}

void damage_db_remove(const struct fault *fault)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", "-writer"};
    for (size_t i = 0; i < 4; i++) {
        char path[400];
        snprintf(path, sizeof path, "%s%s", fault->driven.db, suffixes[i]);
        unlink(path);
    }
}

int damage_command(const struct fault *fault, const char *words, char *said, size_t said_bytes)
{
    char line[1200];
    snprintf(line, sizeof line,
             "P11PROF_DB='%s' P11PROF_SPOOL='%s' exec timeout -s KILL %d '%s' %s 2>&1",
             fault->driven.db, fault->driven.spool, COMMAND_SECONDS, getenv("P11PROF_TEST_COMMAND"),
             words);
    FILE *pipe = popen(line, "r");
    assert_non_null(pipe);
    size_t bytes = fread(said, 1, said_bytes - 1, pipe);
    said[bytes] = '\0';
    while (fgetc(pipe) != EOF)
        ;
    return pclose(pipe);
}

bool damage_ended_well(int status, const char *said)
{
    return WIFEXITED(status) && WEXITSTATUS(status) <= 3 && !strstr(said, "Sanitizer") &&
           !strstr(said, "runtime error");
}
