/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Facts of this machine, by plain open and read: no getpw*, no stdio, nothing that allocates. */
#include "descriptor.h"
#include "store/internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

/* The start of a file as a text; "" if it cannot be read. */
static void read_file(const char *path, char *text, size_t text_bytes)
{
    struct p11prof_descriptor file;
    p11prof_descriptor_open(&file, AT_FDCWD, path, O_RDONLY | O_NONBLOCK, 0);
    ssize_t bytes = p11prof_descriptor_read(&file, text, text_bytes - 1);
    p11prof_descriptor_close(&file);
    text[bytes > 0 ? bytes : 0] = '\0';
}

/* The value of the first line that starts with `key`: what follows it, blanks, ':', '=' and quotes.
 * "" if there is none. */
static void find_value(const char *text, const char *key, char *value, size_t value_bytes)
{
    const char *line = text;
    while (line && strncmp(line, key, strlen(key)) != 0) {
        line = strchr(line, '\n');
        line = line ? line + 1 : NULL;
    }
    const char *start = line ? line + strlen(key) : "";
    start += strspn(start, " \t:=\"'");
    snprintf(value, value_bytes, "%.*s", (int)strcspn(start, "\"'\n"), start);
}

void p11prof_host_user(char user[12], uint32_t user_id)
{
    if (user_id == 0) {
        memcpy(user, "root", sizeof "root");
    } else {
        snprintf(user, 12, "%u", user_id);
    }
}

void p11prof_host_read(struct p11prof_host *host, uint32_t user_id)
{
    char text[4096];
    struct utsname system;
    struct sysinfo memory;
    *host = (struct p11prof_host){.cpu_count = sysconf(_SC_NPROCESSORS_ONLN)};
    p11prof_host_user(host->user, user_id);
    if (uname(&system) == 0) {
        snprintf(host->name, sizeof host->name, "%.64s", system.nodename);
        snprintf(host->kernel, sizeof host->kernel, "%.64s", system.release);
    }
    if (sysinfo(&memory) == 0) {
        host->memory_bytes = (int64_t)memory.totalram * memory.mem_unit;
    }
    read_file("/etc/os-release", text, sizeof text);
    find_value(text, "PRETTY_NAME", host->os, sizeof host->os);
    read_file("/proc/cpuinfo", text, sizeof text);
    find_value(text, "model name", host->cpu, sizeof host->cpu);
    read_file("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", text, sizeof text);
    find_value(text, "", host->governor, sizeof host->governor);
    read_file("/proc/sys/kernel/random/boot_id", text, sizeof text);
    find_value(text, "", host->boot_id, sizeof host->boot_id);
}
