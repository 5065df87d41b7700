/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Runs a fuzz target without a fuzzer: FOLDER COUNT runs every seed of the folder as it is, and
 * COUNT changed ones, the same every time. */
#include "fuzz.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUT_BYTES_MOST = 8192, SEEDS_MOST = 256 };

static struct {
    uint8_t data[INPUT_BYTES_MOST];
    size_t size;
} seeds[SEEDS_MOST];
static size_t seed_count;

static uint64_t random_next(void)
{
    static uint64_t state = 0x9e3779b97f4a7c15u;
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

static bool seeds_read(const char *folder)
{
    DIR *entries = opendir(folder);
    for (struct dirent *entry; entries && seed_count < SEEDS_MOST && (entry = readdir(entries));) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        FILE *file = entry->d_name[0] == '.' ? NULL : fopen(path, "r");
        if (!file)
            continue;
        seeds[seed_count].size = fread(seeds[seed_count].data, 1, INPUT_BYTES_MOST, file);
        seed_count++;
        fclose(file);
    }
    if (entries)
        closedir(entries);
    return seed_count > 0;
}

/* Small, large, one bit, all bits: numbers that break arithmetic. */
static uint64_t number_next(void)
{
    uint64_t number = random_next();
    switch (number % 5) {
    case 0:
        return number >> 8 & 15;
    case 1:
        return UINT64_C(1) << (number >> 8 & 63);
    case 2:
        return ~(number >> 8 & 15);
    case 3:
        return INT64_MAX - (number >> 8 & 1023);
    default:
        return number;
    }
}

static size_t change(uint8_t *data, size_t size)
{
    for (uint64_t times = random_next() % 12 + 1; times > 0; times--) {
        uint64_t number = number_next();
        size_t place = random_next() % (size + 1), bytes = random_next() % 2 ? 8 : 1;
        if (random_next() % 3 == 0 && size < INPUT_BYTES_MOST - 16) { /* longer */
            memmove(data + place + bytes, data + place, size - place);
            size += bytes;
        }
        if (place + bytes <= size)
            memcpy(data + place, &number, bytes);
        if (size > 64 && random_next() % 8 == 0)
            size -= random_next() % 64;
    }
    return size;
}

int main(int argc, char **argv)
{
    static uint8_t data[INPUT_BYTES_MOST];
    if (argc != 3 || !seeds_read(argv[1])) {
        fprintf(stderr, "usage: %s FOLDER COUNT\n", argv[0]);
        return 2;
    }
    for (size_t i = 0; i < seed_count; i++)
        LLVMFuzzerTestOneInput(seeds[i].data, seeds[i].size);
    for (long i = 0; i < atol(argv[2]); i++) {
        size_t seed = random_next() % seed_count;
        memcpy(data, seeds[seed].data, seeds[seed].size);
        LLVMFuzzerTestOneInput(data, change(data, seeds[seed].size));
    }
    return 0;
}
