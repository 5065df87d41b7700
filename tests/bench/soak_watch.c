/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "soak.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

/* What the slope, over all calls from the first quarter of them on, may be: allocators and page
 * caches do things of their own, threads and spools are more and fewer at any moment. */
static const struct {
    const char *name, *unit;
    double scale, growth_most; /* 0: it may grow */
} quantities[SOAK_QUANTITIES] = {
    [SOAK_PRIVATE] = {"private memory", "MiB", 1048576, 4},
    [SOAK_RSS] = {"resident", "MiB", 1048576, 16},
    [SOAK_PSS] = {"proportional", "MiB", 1048576, 16},
    [SOAK_DESCRIPTORS] = {"descriptors", "", 1, 2},
    [SOAK_MAPS] = {"maps", "", 1, 4},
    [SOAK_THREADS] = {"threads", "", 1, 1},
    [SOAK_SPOOL] = {"spools", "MiB", 1048576, 16},
    [SOAK_SPOOL_FILES] = {"spool files", "", 1, 0},
    [SOAK_DATABASE] = {"database", "MiB", 1048576, 0},
    [SOAK_LOG] = {"its log", "MiB", 1048576, 16},
};

static double folder_count(const char *format, pid_t pid)
{
    char path[64];
    double count = 0;
    snprintf(path, sizeof path, format, pid);
    DIR *folder = opendir(path);
    for (struct dirent *entry; folder && (entry = readdir(folder));)
        count += entry->d_name[0] != '.';
    if (folder)
        closedir(folder);
    return count;
}

static double lines_count(pid_t pid)
{
    char path[64];
    double count = 0;
    snprintf(path, sizeof path, "/proc/%d/maps", pid);
    FILE *file = fopen(path, "r");
    for (int byte; file && (byte = getc(file)) != EOF;)
        count += byte == '\n';
    if (file)
        fclose(file);
    return count;
}

static void memory_read(struct soak_sample *sample, pid_t pid)
{
    static const struct {
        const char *field;
        enum soak_quantity quantity;
    } fields[] = {{"Rss:", SOAK_RSS}, {"Pss:", SOAK_PSS}, {"Anonymous:", SOAK_PRIVATE}};
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", pid);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file))
        for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
            if (strncmp(line, fields[i].field, strlen(fields[i].field)) == 0)
                sample->quantity[fields[i].quantity] =
                    strtod(line + strlen(fields[i].field), NULL) * 1024;
    if (file)
        fclose(file);
}

static double file_bytes(const char *folder, const char *name)
{
    char path[512];
    struct stat facts;
    snprintf(path, sizeof path, "%s%s", folder, name);
    return stat(path, &facts) == 0 ? (double)facts.st_blocks * 512 : 0;
}

static void spools_read(struct soak_sample *sample, const char *path)
{
    DIR *folder = opendir(path);
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        char name[300];
        snprintf(name, sizeof name, "/%s", entry->d_name);
        bool is_spool = strstr(name, P11PROF_SPOOL_SUFFIX) != NULL;
        sample->quantity[SOAK_SPOOL] += is_spool ? file_bytes(path, name) : 0;
        sample->quantity[SOAK_SPOOL_FILES] += is_spool;
    }
    if (folder)
        closedir(folder);
}

struct soak_sample soak_sample_take(const struct bench_place *place, pid_t pid)
{
    struct soak_sample sample = {0};
    memory_read(&sample, pid);
    sample.quantity[SOAK_DESCRIPTORS] = folder_count("/proc/%d/fd", pid);
    sample.quantity[SOAK_THREADS] = folder_count("/proc/%d/task", pid);
    sample.quantity[SOAK_MAPS] = lines_count(pid);
    spools_read(&sample, place->spool);
    sample.quantity[SOAK_DATABASE] = file_bytes(place->db, "");
    sample.quantity[SOAK_LOG] = file_bytes(place->db, "-wal");
    return sample;
}

double soak_slope(const struct soak_sample *samples, size_t count, enum soak_quantity quantity)
{
    double x = 0, y = 0, xx = 0, xy = 0, n = (double)count;
    for (size_t i = 0; i < count; i++) {
        x += samples[i].call_count / n;
        y += samples[i].quantity[quantity] / n;
    }
    for (size_t i = 0; i < count; i++) {
        double dx = samples[i].call_count - x;
        xx += dx * dx;
        xy += dx * (samples[i].quantity[quantity] - y);
    }
    return xx > 0 ? xy / xx : 0;
}

/* The database grows with the calls, and not faster at the end than in the middle. */
static bool database_judge(const struct soak_sample *samples, size_t count)
{
    double early = soak_slope(samples, count / 2, SOAK_DATABASE);
    double late = soak_slope(samples + count / 2, count - count / 2, SOAK_DATABASE);
    bool even = late < early * 1.1;
    printf("    the database grows by %.1f, later %.1f bytes a call%s\n", early, late,
           even ? "" : ": MORE AND MORE");
    return even;
}

bool soak_judge(const char *name, const struct soak_sample *samples, size_t count)
{
    size_t first = count / 4;
    bool constant = true;
    samples += first;
    count -= first;
    double calls = samples[count - 1].call_count - samples[0].call_count;
    printf("  %s, %zu samples over %.1f M calls:   first, least, most, last; fitted growth\n", name,
           count, calls / 1e6);
    for (int i = 0; i < SOAK_QUANTITIES; i++) {
        double scale = quantities[i].scale, least = samples[0].quantity[i], most = least;
        double growth = soak_slope(samples, count, (enum soak_quantity)i) * calls / scale;
        bool grows = quantities[i].growth_most > 0 && growth > quantities[i].growth_most;
        for (size_t k = 0; k < count; k++) {
            least = samples[k].quantity[i] < least ? samples[k].quantity[i] : least;
            most = samples[k].quantity[i] > most ? samples[k].quantity[i] : most;
        }
        printf("    %-14s %8.1f %8.1f %8.1f %8.1f %+9.2f %s%s\n", quantities[i].name,
               samples[0].quantity[i] / scale, least / scale, most / scale,
               samples[count - 1].quantity[i] / scale, growth, quantities[i].unit,
               grows ? " GROWS" : "");
        constant = constant && !grows;
    }
    return database_judge(samples, count) && constant;
}
