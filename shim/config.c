/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "p11prof/config.h"

#include "config_values.h"
#include "p11prof/trusted.h"

#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef P11PROF_ETC
#define P11PROF_ETC "/etc"
#endif

enum {
    LINE_BYTES = P11PROF_PATH_BYTES + 128,
    FILE_BYTES_MAX = 1 << 20, /* a longer one is no configuration */
};

#define BYTE_ORDER_MARK "\xEF\xBB\xBF"

/* Debian's inih takes the length of a line from a variable; elsewhere it is built in. */
extern int ini_max_line __attribute__((weak));

struct loader {
    struct p11prof_config *config;
    uint32_t found; /* bit n: p11prof_settings[n] has been found */
    const char *path;
    int file;
    unsigned line;
    size_t file_bytes; /* read so far */
    char buffer[1024];
    size_t buffer_used, buffer_bytes;
};

/* Keeps the first problem: with `what`, a line of the file under way or a variable. */
static void warn(struct loader *loader, const char *what, const char *problem)
{
    char *warning = loader->config->warning;
    size_t bytes = sizeof loader->config->warning;
    if (warning[0])
        return;
    if (loader->path && loader->line)
        snprintf(warning, bytes, "%.300s:%u: %.64s %s", loader->path, loader->line, what, problem);
    else
        snprintf(warning, bytes, "%.300s %s", what, problem);
}

static void take(struct loader *loader, unsigned setting, const char *text)
{
    const struct p11prof_setting *known = &p11prof_settings[setting];
    struct p11prof_value value = {text, loader->path};
    if (!*text || loader->found & 1U << setting)
        return;
    loader->found |= 1U << setting;
    const char *problem = known->take(loader->config, &value);
    if (problem)
        warn(loader, loader->path ? known->key : known->variable, problem);
}

static void load_environment(struct loader *loader)
{
    for (unsigned i = 0; i < p11prof_setting_count; i++) {
        const char *text = secure_getenv(p11prof_settings[i].variable);
        if (text)
            take(loader, i, text);
    }
}

/* inih: one `name = value`; its line is loader->line. */
static int take_line(void *payload, const char *section, const char *name, const char *text)
{
    struct loader *loader = payload;
    if (*section) {
        warn(loader, name, "stands in a section; p11prof has none");
        return 1;
    }
    for (unsigned i = 0; i < p11prof_setting_count; i++)
        if (p11prof_settings[i].key && strcmp(p11prof_settings[i].key, name) == 0) {
            take(loader, i, text);
            return 1;
        }
    warn(loader, name, "is no setting of p11prof");
    return 1;
}

/* The next byte of the file, -1 at its end. */
static int next_byte(struct loader *loader)
{
    if (loader->buffer_used == loader->buffer_bytes) {
        ssize_t bytes;
        do
            bytes = read(loader->file, loader->buffer, sizeof loader->buffer);
        while (bytes < 0 && errno == EINTR);
        if (bytes < 0)
            warn(loader, "reading failed:", strerror(errno));
        if (bytes <= 0)
            return -1;
        loader->buffer_used = 0;
        loader->buffer_bytes = (size_t)bytes;
        loader->file_bytes += (size_t)bytes;
    }
    return (unsigned char)loader->buffer[loader->buffer_used++];
}

/* Reads a line without its end and leading blanks (inih takes those for a continuation). Returns
 * false at the end of the file; *problem says why the line cannot be used. */
static bool read_line(struct loader *loader, char *line, size_t line_bytes, const char **problem)
{
    size_t length = 0;
    int byte = next_byte(loader);
    bool more = byte >= 0 && loader->file_bytes <= FILE_BYTES_MAX;
    for (*problem = NULL; byte >= 0 && byte != '\n'; byte = next_byte(loader)) {
        if (loader->file_bytes > FILE_BYTES_MAX)
            break;
        if (byte == '\0')
            *problem = "holds a NUL byte: this is no text";
        if (length == 0 && strchr(loader->line ? " \t\r" : " \t\r" BYTE_ORDER_MARK, byte))
            continue;
        if (length + 2 < line_bytes)
            line[length++] = (char)byte;
        else if (!*problem)
            *problem = "is too long";
    }
    line[length] = '\0';
    loader->line++;
    return more;
}

/* inih: fgets() for the file under way. A line that cannot be used is an empty one. */
static char *give_line(char *line, int line_bytes, void *payload)
{
    struct loader *loader = payload;
    const char *problem;
    if (!read_line(loader, line, (size_t)line_bytes, &problem))
        return NULL;
    if (problem) {
        warn(loader, "the line", problem);
        line[0] = '\0';
    } else if (line[0] && !strchr(";#[", line[0]) && !strpbrk(line, "=:")) {
        warn(loader, "the line", "is not of the form name = value");
    }
    return line;
}

/* Returns false if the search ends here: the file is there and may not be believed. */
static bool load_file(struct loader *loader, const char *path)
{
    struct p11prof_error error;
    loader->path = path;
    loader->file = p11prof_trusted_open(path, &error);
    if (loader->file < 0) {
        loader->line = 0;
        if (error.status != P11PROF_MISSING)
            warn(loader, error.text, "");
        return error.status == P11PROF_MISSING;
    }
    loader->line = 0;
    loader->file_bytes = loader->buffer_used = loader->buffer_bytes = 0;
    if (&ini_max_line)
        ini_max_line = LINE_BYTES;
    ini_parse_stream(give_line, loader, take_line, loader);
    if (loader->file_bytes > FILE_BYTES_MAX)
        warn(loader, "the file", "is longer than 1 MB; the rest of it is not read");
    close(loader->file);
    return true;
}

/* "/opt/x/foo.so" → "/opt/x/foo.conf"; also of "foo.so.2". */
static bool conf_path(char *path, size_t path_bytes, const char *folder, const char *shim_path)
{
    const char *slash = strrchr(shim_path, '/');
    const char *file = folder && slash ? slash + 1 : shim_path;
    const char *suffix = NULL, *start = slash ? slash : shim_path;
    for (const char *so = strstr(start, ".so"); so; so = strstr(so + 1, ".so"))
        if (so[3] == '\0' || so[3] == '.')
            suffix = so;
    int length = suffix ? (int)(suffix - file) : (int)strlen(file);
    int needed = snprintf(path, path_bytes, "%s%s%.*s.conf", folder ? folder : "",
                          folder ? "/" : "", length, file);
    return needed > 0 && (size_t)needed < path_bytes;
}

static void load_files(struct loader *loader, const char *shim_path)
{
    char path[P11PROF_PATH_BYTES];
    if (shim_path) {
        if (conf_path(path, sizeof path, NULL, shim_path) && !load_file(loader, path))
            return;
        if (conf_path(path, sizeof path, P11PROF_ETC "/p11prof", shim_path) &&
            !load_file(loader, path))
            return;
    }
    load_file(loader, P11PROF_ETC "/p11prof.conf");
}

void p11prof_config_load(struct p11prof_config *config, const char *shim_path)
{
    int saved_errno = errno;
    struct loader loader = {.config = config};
    memset(config, 0, sizeof *config);
    config->spool_limit_bytes = P11PROF_SPOOL_DEFAULT_BYTES;
    load_environment(&loader);
    load_files(&loader, shim_path);
    if (!config->db[0])
        p11prof_config_default_db(config->db, sizeof config->db);
    errno = saved_errno;
}
