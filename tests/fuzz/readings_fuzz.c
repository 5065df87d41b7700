/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Reads any text where the machine tells of its processors, sensors and processes (a container or
 * a driver may have put it there): what is read is unknown, or in its bounds.
 *
 * The input stands in all of the files, cut at a byte 0: what follows is a second reading. */
#include "fuzz.h"

#include "bench/machine_readings.h"

#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[64] = "/dev/shm/p11prof.fuzz.XXXXXX";

static const char *const folders[] = {
    "proc",
    "proc/7",
    "sys",
    "sys/class",
    "sys/class/hwmon",
    "sys/class/hwmon/hwmon0",
    "sys/class/thermal",
    "sys/class/thermal/thermal_zone0",
    "sys/devices",
    "sys/devices/system",
    "sys/devices/system/cpu",
    "sys/devices/system/cpu/cpu0",
    "sys/devices/system/cpu/cpu0/cpufreq",
};
static const char *const files[] = {
    "proc/stat",
    "proc/7/status",
    "sys/class/hwmon/hwmon0/temp1_input",
    "sys/class/thermal/thermal_zone0/temp",
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq",
};
enum { FOLDERS = sizeof folders / sizeof *folders, FILES = sizeof files / sizeof *files };

static const char *place(const char *name)
{
    static char path[160];
    snprintf(path, sizeof path, "%s/%s", root, name);
    return path;
}

static void root_remove(void)
{
    for (size_t i = 0; i < FILES; i++)
        unlink(place(files[i]));
    for (size_t i = FOLDERS; i-- > 0;)
        rmdir(place(folders[i]));
    rmdir(root);
}

static void root_make(void)
{
    static bool made;
    if (made)
        return;
    made = true;
    check(mkdtemp(root) != NULL, "no folder");
    atexit(root_remove);
    for (size_t i = 0; i < FOLDERS; i++)
        check(mkdir(place(folders[i]), 0700) == 0, folders[i]);
}

static void files_write(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < FILES; i++) {
        int fd = open(place(files[i]), O_WRONLY | O_CREAT | O_TRUNC, 0600);
        check(fd >= 0 && write(fd, data, size) == (ssize_t)size, files[i]);
        close(fd);
    }
}

static void check_share(double share)
{
    check(!isnan(share) && share <= 1, "a share above 1");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    root_make();
    const uint8_t *end = size ? memchr(data, '\0', size) : NULL;
    size_t first_bytes = end ? (size_t)(end - data) : size;
    files_write(data, first_bytes);
    struct machine_cpu first = machine_cpu_read(root);
    double celsius = machine_temperature_celsius(root);
    check(isnan(celsius) || (celsius >= -100 && celsius <= 200), "a temperature out of bounds");
    check(machine_frequency_hz(root) >= -1, "a frequency below 0");
    check(machine_rss_bytes(root, 7) >= -1, "memory below 0");
    if (end)
        files_write(end + 1, size - first_bytes - 1);
    struct machine_cpu last = machine_cpu_read(root);
    struct machine_cpu_shares shares = machine_cpu_between(&first, &last);
    check_share(shares.busy);
    check_share(shares.steal);
    return 0;
}
