/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* p11prof COMMAND: finds the command and runs it. */
#include "commands.h"
#include "message.h"
#include "report/foreign_words.h"
#include "report/nearest.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
};

static const struct command commands[] = {
    {"bench", p11prof_command_bench, "put load on a token and measure it"},
    {"record", p11prof_command_record, "run a program with its PKCS#11 module recorded"},
    {"runs", p11prof_command_runs, "list, rename and delete runs, show a trend over them"},
    {"report", p11prof_command_report, "show counts, errors and latencies of a run"},
    {"export", p11prof_command_export, "write runs for other programs: JSON, CSV, metrics, traces"},
    {"calls", p11prof_command_calls, "show single calls: slow, failed, around a moment"},
    {"errors", p11prof_command_errors, "show what failed, and what that says"},
    {"histogram", p11prof_command_histogram, "draw how latencies are distributed"},
    {"timeline", p11prof_command_timeline, "draw latencies, rate and errors over time"},
    {"baseline", p11prof_command_baseline, "save runs to compare later ones with"},
    {"compare", p11prof_command_compare, "tell whether runs differ, with statistics"},
    {"sql", p11prof_command_sql, "query the database"},
    {"import", p11prof_command_import, "take logs and results of other tools into the database"},
    {"prune", p11prof_command_prune, "remove rows of old calls, merge old windows"},
    {"merge", p11prof_command_merge, "copy the runs of other databases into one"},
    {"collect", p11prof_command_collect, "take what waits in spools into the database"},
    {"doctor", p11prof_command_doctor, "check what a shim started here would see and do"},
};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

static const struct command *find(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static void print_usage(FILE *stream)
{
    fputs("Usage: p11prof COMMAND [OPTION...]\n\n", stream);
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(stream, "  %-10s %s\n", commands[i].name, commands[i].summary);
    fputs("\n'p11prof help COMMAND' shows more; 'p11prof --version' the version.\n", stream);
}

static int complain_unknown(const char *name)
{
    const char *names[COMMANDS];
    for (size_t i = 0; i < COMMANDS; i++)
        names[i] = commands[i].name;
    const char *meant = p11prof_foreign_command(name);
    if (!meant)
        meant = p11prof_nearest(name, names, COMMANDS);
    if (meant)
        return p11prof_complain(P11PROF_EXIT_USAGE, "unknown command '%s': did you mean '%s'?",
                                name, meant);
    return p11prof_complain(P11PROF_EXIT_USAGE,
                            "unknown command '%s': 'p11prof help' lists the commands", name);
}

static int help(int argc, char **argv)
{
    if (argc < 2) {
        print_usage(stdout);
        return P11PROF_EXIT_DONE;
    }
    const struct command *command = find(argv[1]);
    char *arguments[] = {argv[1], (char[]){"--help"}, NULL};
    return command ? command->run(2, arguments) : complain_unknown(argv[1]);
}

static int dispatch(int argc, char **argv)
{
    if (argc < 1 || argv[0][0] == '\0') {
        print_usage(stderr);
        return P11PROF_EXIT_USAGE;
    }
    if (strcmp(argv[0], "help") == 0 || strcmp(argv[0], "--help") == 0 ||
        strcmp(argv[0], "-h") == 0)
        return help(argc, argv);
    if (strcmp(argv[0], "--version") == 0) {
        puts("p11prof " P11PROF_VERSION);
        return P11PROF_EXIT_DONE;
    }
    const struct command *command = find(argv[0]);
    return command ? command->run(argc, argv) : complain_unknown(argv[0]);
}

/* "p11prof-report" is a link to p11prof: its name picks the command. */
static const struct command *named_by_link(const char *path)
{
    static const char prefix[] = "p11prof-";
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    return strncmp(name, prefix, sizeof prefix - 1) == 0 ? find(name + sizeof prefix - 1) : NULL;
}

int main(int argc, char **argv)
{
    const struct command *command = argc > 0 ? named_by_link(argv[0]) : NULL;
    int code = command ? command->run(argc, argv) : dispatch(argc - 1, argv + 1);
    errno = 0;
    if (fflush(stdout) != 0 || ferror(stdout))
        return p11prof_complain(P11PROF_EXIT_FAILED, "cannot write the output: %s",
                                strerror(errno));
    return code;
}
