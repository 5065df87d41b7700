/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "output_file.h"

#include "commands.h"
#include "message.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int complain(const char *path)
{
    return p11prof_complain(P11PROF_EXIT_FAILED, "cannot write %s: %m", path);
}

/* What mkstemp() makes is its owner's alone; results are no secret. */
static void open_up(int fd)
{
    mode_t mask = umask(077);
    umask(mask);
    fchmod(fd, 0666 & ~mask);
}

static bool is_regular(const char *path)
{
    struct stat facts;
    return stat(path, &facts) != 0 || S_ISREG(facts.st_mode);
}

/* A device or a pipe is written to as it is. Nothing is cut off, whatever `path` is by now. */
static int open_in_place(struct output_file *file, const char *path)
{
    struct stat facts;
    int fd = open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC);
    if (fd >= 0 && fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode)) {
        errno = EEXIST;
        int code = complain(path);
        close(fd);
        return code;
    }
    file->stream = fd < 0 ? NULL : fdopen(fd, "w");
    return file->stream ? 0 : complain(path);
}

int output_file_open(struct output_file *file, const char *path)
{
    *file = (struct output_file){.path = path, .stream = stdout};
    if (!path)
        return 0;
    if (!is_regular(path))
        return open_in_place(file, path);
    if (asprintf(&file->temporary, "%s.XXXXXX", path) < 0)
        return complain(path);
    int fd = mkstemp(file->temporary);
    file->stream = fd < 0 ? NULL : fdopen(fd, "w");
    if (file->stream) {
        open_up(fd);
        return 0;
    }
    int code = complain(path);
    free(file->temporary);
    return code;
}

int output_file_close(struct output_file *file)
{
    int code = 0;
    if (file->stream == stdout)
        return 0;
    bool written = fflush(file->stream) == 0 && !ferror(file->stream) &&
                   (!file->temporary || fsync(fileno(file->stream)) == 0);
    if (!written || (file->temporary && rename(file->temporary, file->path) != 0)) {
        code = complain(file->path);
        if (file->temporary)
            unlink(file->temporary);
    }
    fclose(file->stream);
    free(file->temporary);
    return code;
}

void output_file_discard(struct output_file *file)
{
    if (file->temporary)
        unlink(file->temporary);
    if (file->stream != stdout)
        fclose(file->stream);
    free(file->temporary);
}
