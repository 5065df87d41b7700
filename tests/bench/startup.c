/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* How much longer a short program takes: pkcs11-tool -L over SoftHSM, from exec to exit.
 *
 *   startup P11PROF SHIM SOFTHSM [ROUNDS]
 *
 * direct, with the shim (drained from outside, by its thread, at its exit), and under `p11prof
 * record`; interleaved. The program under record is timed by this one, started again between the
 * two: `startup --time FILE COMMAND …`. */
#include "bench.h"

#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { WAYS = 5, ROUNDS_MOST = 500 };

static double command_ms(char *const arguments[])
{
    posix_spawn_file_actions_t actions;
    pid_t child;
    int status;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    uint64_t start_ns = bench_now_ns();
    if (posix_spawnp(&child, arguments[0], &actions, NULL, arguments, environ) != 0 ||
        waitpid(child, &status, 0) != child || status != 0) {
        fprintf(stderr, "%s failed\n", arguments[0]);
        exit(1);
    }
    uint64_t taken_ns = bench_now_ns() - start_ns;
    posix_spawn_file_actions_destroy(&actions);
    return (double)taken_ns / 1e6;
}

static int time_command(const char *path, char *const arguments[])
{
    double ms = command_ms(arguments);
    FILE *out = fopen(path, "w");
    if (!out)
        return 1;
    fprintf(out, "%f\n", ms);
    return fclose(out);
}

static double shim_ms(const char *shim, const char *drain)
{
    char *const arguments[] = {"pkcs11-tool", "--module", (char *)(uintptr_t)shim, "-L", NULL};
    setenv("P11PROF_DRAIN", drain, 1);
    double ms = command_ms(arguments);
    unsetenv("P11PROF_DRAIN");
    return ms;
}

static double record_ms(const struct bench_place *place, const char *self, const char *command,
                        const char *softhsm)
{
    char path[160], line[64];
    double ms = 0;
    snprintf(path, sizeof path, "%s/ms", place->folder);
    char *const arguments[] = {(char *)(uintptr_t)command,
                               "record",
                               "--module",
                               (char *)(uintptr_t)softhsm,
                               "--",
                               (char *)(uintptr_t)self,
                               "--time",
                               path,
                               "pkcs11-tool",
                               "--module",
                               (char *)(uintptr_t)softhsm,
                               "-L",
                               NULL};
    command_ms(arguments);
    FILE *in = fopen(path, "r");
    if (in && fgets(line, sizeof line, in))
        ms = strtod(line, NULL);
    if (in)
        fclose(in);
    return ms;
}

static void environment_set(const struct bench_place *place, const char *softhsm)
{
    char conf[160], tokens[160];
    snprintf(conf, sizeof conf, "%s/softhsm2.conf", place->folder);
    snprintf(tokens, sizeof tokens, "%s/tokens", place->folder);
    mkdir(tokens, 0700);
    FILE *out = fopen(conf, "w");
    fprintf(out, "directories.tokendir = %s\nlog.level = ERROR\n", tokens);
    fclose(out);
    setenv("SOFTHSM2_CONF", conf, 1);
    setenv("P11PROF_MODULE", softhsm, 1);
    setenv("P11PROF_DB", place->db, 1);
    setenv("P11PROF_SPOOL", place->spool, 1);
}

int main(int argc, char **argv)
{
    static const char *const names[WAYS] = {"direct", "shim, drain=external", "shim, drain=thread",
                                            "shim, drain=exit", "p11prof record"};
    static double ms[WAYS][ROUNDS_MOST];
    if (argc > 3 && strcmp(argv[1], "--time") == 0)
        return time_command(argv[2], argv + 3);
    if (argc < 4) {
        fprintf(stderr, "usage: startup P11PROF SHIM SOFTHSM [ROUNDS]\n");
        return 2;
    }
    unsigned rounds = argc > 4 ? (unsigned)atoi(argv[4]) : 100;
    rounds = rounds < 1 ? 1 : rounds > ROUNDS_MOST ? ROUNDS_MOST : rounds;
    char *const direct[] = {"pkcs11-tool", "--module", argv[3], "-L", NULL};
    char self[4096] = "";
    if (readlink("/proc/self/exe", self, sizeof self - 1) < 0)
        return 1;
    struct bench_place place;
    bench_place_make(&place);
    environment_set(&place, argv[3]);
    for (unsigned i = 0; i < rounds; i++) {
        ms[0][i] = command_ms(direct);
        ms[1][i] = shim_ms(argv[2], "external");
        ms[2][i] = shim_ms(argv[2], "thread");
        ms[3][i] = shim_ms(argv[2], "exit");
        ms[4][i] = record_ms(&place, self, argv[1], argv[3]);
    }
    double direct_ms = bench_quantile(ms[0], rounds, 0.5),
           direct_low_ms = bench_quantile(ms[0], rounds, 0.1);
    printf("pkcs11-tool -L, %u rounds     10 %%    median     ratio of 10 %%, of medians\n",
           rounds);
    for (int way = 0; way < WAYS; way++) {
        double low_ms = bench_quantile(ms[way], rounds, 0.1),
               median_ms = bench_quantile(ms[way], rounds, 0.5);
        printf("  %-22s %8.2f ms %8.2f ms %8.2f %8.2f\n", names[way], low_ms, median_ms,
               low_ms / direct_low_ms, median_ms / direct_ms);
    }
    bench_place_remove(&place);
    return 0;
}
