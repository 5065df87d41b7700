/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* p11prof-symbols: tells names of functions to p11prof, which starts it (ask.h).
 *
 * A line "OFFSET TIME PATH" on stdin (hex; ns since 1970) asks for the function that calls from
 * that place of the file; a line on stdout answers, "OFFSET NAME" or "-". Paths are what
 * applications have loaded: only files that nobody but root and the user can have written are
 * opened, and none that changed at TIME or later, when the process was there already: its places
 * may be others. */
#include "elf_symbols.h"
#include "p11prof/trusted.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    NAME_BYTES = 256,
    FILE_BYTES_MAX = 1 << 30,
    CPU_SECONDS = 10,
    CLOCK_TICK_NS = 10000000, /* a file's time may be older than its change by that */
};

struct file {
    char *path;                  /* NULL: none yet */
    struct elf_symbols *symbols; /* NULL: it is not to be read */
    uint64_t changed_ns;
};

static void limit(int resource, rlim_t value)
{
    setrlimit(resource, &(struct rlimit){value, value});
}

/* elfutils takes what a file says for true. */
static void set_limits(void)
{
    limit(RLIMIT_CPU, CPU_SECONDS);
    limit(RLIMIT_CORE, 0);
#ifndef P11PROF_SANITIZED
    limit(RLIMIT_AS, (rlim_t)4 << 30);
#endif
    unsetenv("DEBUGINFOD_URLS"); /* nothing is asked of the network */
}

static void file_close(struct file *file)
{
    elf_symbols_close(file->symbols);
    free(file->path);
    *file = (struct file){.path = NULL};
}

static void file_open(struct file *file, const char *path)
{
    struct p11prof_error error;
    struct stat status;
    file_close(file);
    file->path = strdup(path);
    int fd = p11prof_trusted_open(path, &error);
    if (fd < 0)
        return;
    if (fstat(fd, &status) != 0 || status.st_size > FILE_BYTES_MAX) {
        close(fd);
        return;
    }
    file->changed_ns =
        (uint64_t)status.st_ctim.tv_sec * 1000000000u + (uint64_t)status.st_ctim.tv_nsec;
    file->symbols = elf_symbols_open(fd, path);
}

static void answer(struct file *file, const char *line)
{
    uint64_t offset_bytes, before_ns, symbol_offset_bytes;
    char name[NAME_BYTES];
    const char *path = strchr(line, '/');
    bool asked = path && sscanf(line, "%" SCNx64 " %" SCNu64, &offset_bytes, &before_ns) == 2;
    if (asked && (!file->path || strcmp(file->path, path) != 0))
        file_open(file, path);
    if (asked && file->symbols && file->changed_ns + CLOCK_TICK_NS < before_ns &&
        elf_symbols_find(file->symbols, offset_bytes, name, sizeof name, &symbol_offset_bytes))
        printf("%" PRIx64 " %s\n", symbol_offset_bytes, name);
    else
        puts("-");
    fflush(stdout); /* whoever asks knows what the last one died of */
}

int main(void)
{
    struct file file = {.path = NULL};
    char *line = NULL;
    size_t capacity = 0;
    set_limits();
    for (ssize_t length; (length = getline(&line, &capacity, stdin)) > 0;) {
        line[strcspn(line, "\n")] = '\0';
        answer(&file, line);
    }
    file_close(&file);
    free(line);
    return 0;
}
