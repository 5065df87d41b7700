/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "objects.h"

#include "descriptor.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* What is read at once, and the longest line that is understood. */
enum { WINDOW_BYTES = 8192 };

struct writer {
    char *map;
    uint32_t used_bytes, made_bytes;
};

static bool put(struct writer *out, const char *bytes, size_t count)
{
    if (out->used_bytes + count > P11PROF_OBJECT_MAP_BYTES)
        return false;
    while (out->made_bytes < out->used_bytes + count) {
        if (!p11prof_pages_make(out->map + out->made_bytes, 4096))
            return false;
        out->made_bytes += 4096;
    }
    memcpy(out->map + out->used_bytes, bytes, count);
    out->used_bytes += (uint32_t)count;
    return true;
}

/* "start-end perms offset dev inode   path": kept if it is executable and of a file. */
static bool put_line(struct writer *out, const char *line, size_t length)
{
    const char *permissions = memchr(line, ' ', length);
    const char *path = memchr(line, '/', length);
    if (!permissions || !path || path - permissions < 7 || permissions[3] != 'x')
        return true;
    const char *offset = permissions + 6;
    const char *offset_end = memchr(offset, ' ', (size_t)(path - offset));
    return offset_end && put(out, line, (size_t)(permissions - line) + 1) &&
           put(out, offset, (size_t)(offset_end - offset) + 1) &&
           put(out, path, (size_t)(line + length - path)) && put(out, "\n", 1);
}

/* Takes the whole lines of the window; returns the bytes of the rest, moved to its start. */
static size_t take_lines(struct writer *out, char *window, size_t held)
{
    char *line = window, *end;
    while ((end = memchr(line, '\n', held - (size_t)(line - window)))) {
        if (!put_line(out, line, (size_t)(end - line)))
            return SIZE_MAX;
        line = end + 1;
    }
    held -= (size_t)(line - window);
    memmove(window, line, held);
    return held < WINDOW_BYTES ? held : 0;
}

void p11prof_objects_write(struct p11prof_spool *spool)
{
    struct writer out = {.map = spool->object_map};
    char window[WINDOW_BYTES];
    size_t held = 0;
    struct p11prof_descriptor file;
    p11prof_descriptor_open(&file, AT_FDCWD, "/proc/self/maps", O_RDONLY, 0);
    for (ssize_t got;
         (got = p11prof_descriptor_read(&file, window + held, sizeof window - held)) > 0;) {
        held = take_lines(&out, window, held + (size_t)got);
        if (held == SIZE_MAX)
            break;
    }
    p11prof_descriptor_close(&file);
    atomic_store_explicit(&spool->header->object_map_bytes, out.used_bytes, memory_order_release);
}
