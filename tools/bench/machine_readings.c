/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "machine_readings.h"

#include <glob.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* --- processors --- */

struct machine_cpu machine_cpu_read(const char *root)
{
    enum { USER, NICE, SYSTEM, IDLE, IOWAIT, IRQ, SOFTIRQ, STEAL, FIELDS };
    char path[PATH_MAX];
    uint64_t ticks[FIELDS];
    struct machine_cpu cpu = {0};
    snprintf(path, sizeof path, "%s/proc/stat", root);
    FILE *file = fopen(path, "re");
    if (!file)
        return cpu;
    int count = fscanf(file,
                       "cpu %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
                       " %" SCNu64 " %" SCNu64,
                       &ticks[USER], &ticks[NICE], &ticks[SYSTEM], &ticks[IDLE], &ticks[IOWAIT],
                       &ticks[IRQ], &ticks[SOFTIRQ], &ticks[STEAL]);
    fclose(file);
    if (count != FIELDS)
        return cpu;
    cpu.steal = ticks[STEAL];
    cpu.busy = ticks[USER] + ticks[NICE] + ticks[SYSTEM] + ticks[IRQ] + ticks[SOFTIRQ];
    cpu.all = cpu.busy + cpu.steal + ticks[IDLE] + ticks[IOWAIT];
    return cpu;
}

/* Some counters of the kernel go back a little at times. */
static double share(uint64_t first, uint64_t last, uint64_t all)
{
    double part = last > first ? (double)(last - first) / (double)all : 0;
    return part > 1 ? 1 : part;
}

struct machine_cpu_shares machine_cpu_between(const struct machine_cpu *first,
                                              const struct machine_cpu *last)
{
    if (first->all == 0 || last->all <= first->all)
        return (struct machine_cpu_shares){-1, -1};
    uint64_t all = last->all - first->all;
    return (struct machine_cpu_shares){.busy = share(first->busy, last->busy, all),
                                       .steal = share(first->steal, last->steal, all)};
}

/* --- files of one number --- */

static bool number_read(const char *path, int64_t *out)
{
    char text[32], *end;
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    size_t bytes = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[bytes] = '\0';
    *out = strtoll(text, &end, 10);
    return end > text && (*end == '\n' || *end == '\0');
}

struct numbers {
    int64_t sum, most;
    size_t count;
};

/* Adds the files that fit the pattern and whose number is within limits. */
static void numbers_add(struct numbers *out, const char *root, const char *pattern, int64_t least,
                        int64_t most)
{
    char path[PATH_MAX];
    glob_t found;
    int64_t number;
    snprintf(path, sizeof path, "%s%s", root, pattern);
    if (glob(path, 0, NULL, &found) != 0)
        return;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        if (!number_read(found.gl_pathv[i], &number) || number < least || number > most)
            continue;
        out->most = out->count == 0 || number > out->most ? number : out->most;
        out->sum += number;
        out->count++;
    }
    globfree(&found);
}

double machine_temperature_celsius(const char *root)
{
    /* Sensors that are not connected tell of the absolute zero, or of hundreds of degrees. */
    const int64_t least = -100000, most = 200000;
    struct numbers found = {.count = 0};
    numbers_add(&found, root, "/sys/class/hwmon/hwmon*/temp*_input", least, most);
    numbers_add(&found, root, "/sys/class/thermal/thermal_zone*/temp", least, most);
    return found.count > 0 ? (double)found.most / 1000 : (double)NAN;
}

int64_t machine_frequency_hz(const char *root)
{
    const int64_t most_khz = 100000000;
    struct numbers found = {.count = 0};
    numbers_add(&found, root, "/sys/devices/system/cpu/cpu*/cpufreq/scaling_cur_freq", 1, most_khz);
    return found.count > 0 ? found.sum / (int64_t)found.count * 1000 : -1;
}

/* --- processes --- */

int64_t machine_rss_bytes(const char *root, pid_t pid)
{
    char path[PATH_MAX], line[256];
    int64_t resident_kb = -1, shared_kb = 0;
    snprintf(path, sizeof path, "%s/proc/%d/status", root, (int)pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return -1;
    while (fgets(line, sizeof line, file)) {
        sscanf(line, "VmRSS: %" SCNd64 " kB", &resident_kb);
        sscanf(line, "RssShmem: %" SCNd64 " kB", &shared_kb);
    }
    fclose(file);
    bool known = resident_kb >= 0 && shared_kb >= 0 && resident_kb <= INT64_MAX / 1024;
    return !known ? -1 : resident_kb > shared_kb ? (resident_kb - shared_kb) * 1024 : 0;
}
