/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Reads settings from any file and any environment: what comes out is always usable.
 *
 * An input is what stands in the file; a first line "NAME=value" of a variable stands in the
 * environment too. Built with P11PROF_ETC as a folder that this program makes. */
#include "fuzz.h"
#include "p11prof/config.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SHIM P11PROF_ETC "/foo.so"

static const char *const variables[] = {
    "P11PROF_MODULE", "P11PROF_DB",          "P11PROF_NAME",  "P11PROF_RECORD", "P11PROF_DRAIN",
    "P11PROF_SPOOL",  "P11PROF_SPOOL_LIMIT", "P11PROF_CLOCK", "P11PROF_DEBUG",  "P11PROF_RUN",
};

static void file_write(const uint8_t *data, size_t size)
{
    mkdir(P11PROF_ETC, 0755);
    int fd = open(P11PROF_ETC "/foo.conf", O_WRONLY | O_CREAT | O_TRUNC, 0644);
    check(fd >= 0 && write(fd, data, size) == (ssize_t)size, P11PROF_ETC "/foo.conf");
    close(fd);
}

static void variable_set(const uint8_t *data, size_t size)
{
    char line[P11PROF_PATH_BYTES * 2] = "";
    memcpy(line, data, size < sizeof line ? size : sizeof line - 1);
    line[strcspn(line, "\n")] = '\0';
    char *value = strchr(line, '=');
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        unsetenv(variables[i]);
        if (value && strncmp(line, variables[i], (size_t)(value - line)) == 0)
            setenv(variables[i], value + 1, 1);
    }
}

static bool is_path(const char *path)
{
    return strnlen(path, P11PROF_PATH_BYTES) < P11PROF_PATH_BYTES && (!*path || *path == '/');
}

static void check_config(const struct p11prof_config *config)
{
    check(is_path(config->module) && is_path(config->db) && is_path(config->spool), "a bad path");
    check(memchr(config->name, '\0', sizeof config->name), "a name without end");
    check(memchr(config->warning, '\0', sizeof config->warning), "a warning without end");
    check(strlen(config->run) == 0 || strlen(config->run) == 36, "a run that is no UUID");
    check(config->spool_limit_bytes >= P11PROF_SPOOL_MIN_BYTES &&
              config->spool_limit_bytes <= P11PROF_SPOOL_MAX_BYTES,
          "a limit out of range");
    check(config->record <= P11PROF_RECORDING_OFF && config->drain <= P11PROF_DRAIN_EXTERNAL &&
              config->clock <= P11PROF_CLOCK_CHOICE_MONOTONIC,
          "a word out of range");
    check(!*config->module == !*config->module_source, "a module without a source");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct p11prof_config config;
    char text[64] = "";
    uint64_t bytes;
    memset(&config, 0xa5, sizeof config);
    file_write(data, size);
    variable_set(data, size);
    p11prof_config_load(&config, SHIM);
    check_config(&config);
    memcpy(text, data, size < sizeof text ? size : sizeof text - 1);
    p11prof_config_parse_size(text, &bytes);
    return 0;
}
