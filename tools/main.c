/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* p11prof COMMAND: finds the command and runs it. */
#include "commands.h"
#include "complete/complete.h"
#include "message.h"
#include "options.h"
#include "report/foreign_words.h"
#include "report/nearest.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct p11prof_command commands[] = {
    {"bench", p11prof_command_bench, "put load on a token and measure it", P11PROF_GROUP_LOAD},
    {"record", p11prof_command_record, "run a program with its PKCS#11 module recorded",
     P11PROF_GROUP_RECORD},
    {"runs", p11prof_command_runs, "list, rename and delete runs, show a trend over them",
     P11PROF_GROUP_KEEP},
    {"report", p11prof_command_report, "show counts, errors and latencies of a run",
     P11PROF_GROUP_LOOK},
    {"export", p11prof_command_export,
     "write runs for other programs: JSON, metrics, traces, pages", P11PROF_GROUP_LOOK},
    {"exporter", p11prof_command_exporter, "serve what is recorded to Prometheus",
     P11PROF_GROUP_WATCH},
    {"top", p11prof_command_top, "show live what recorded processes do", P11PROF_GROUP_WATCH},
    {"calls", p11prof_command_calls, "show single calls: slow, failed, around a moment",
     P11PROF_GROUP_LOOK},
    {"errors", p11prof_command_errors, "show what failed, and what that says", P11PROF_GROUP_LOOK},
    {"advise", p11prof_command_advise, "say which calls cost time and need not, and what to change",
     P11PROF_GROUP_LOOK},
    {"histogram", p11prof_command_histogram, "draw how latencies are distributed",
     P11PROF_GROUP_LOOK},
    {"timeline", p11prof_command_timeline, "draw latencies, rate and errors over time",
     P11PROF_GROUP_LOOK},
    {"baseline", p11prof_command_baseline, "save runs to compare later ones with",
     P11PROF_GROUP_COMPARE},
    {"compare", p11prof_command_compare, "tell whether runs differ, with statistics",
     P11PROF_GROUP_COMPARE},
    {"sql", p11prof_command_sql, "query the database", P11PROF_GROUP_LOOK},
    {"import", p11prof_command_import, "take logs and results of other tools into the database",
     P11PROF_GROUP_RECORD},
    {"prune", p11prof_command_prune, "remove rows of old calls, merge old windows",
     P11PROF_GROUP_KEEP},
    {"merge", p11prof_command_merge, "copy the runs of other databases into one",
     P11PROF_GROUP_KEEP},
    {"collect", p11prof_command_collect, "take what waits in spools into the database",
     P11PROF_GROUP_RECORD},
    {"doctor", p11prof_command_doctor, "check what a shim started here would see and do",
     P11PROF_GROUP_RECORD},
};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

static const struct p11prof_command *find(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static void print_group(FILE *stream, enum p11prof_command_group group, const char *title)
{
    fprintf(stream, "\n%s:\n", title);
    for (size_t i = 0; i < COMMANDS; i++)
        if (commands[i].group == group)
            fprintf(stream, "  %-10s %s\n", commands[i].name, commands[i].summary);
}

static void print_usage(FILE *stream)
{
    static const char *const titles[] = {
        [P11PROF_GROUP_RECORD] = "Record",       [P11PROF_GROUP_LOOK] = "Look",
        [P11PROF_GROUP_COMPARE] = "Compare",     [P11PROF_GROUP_LOAD] = "Put load on a token",
        [P11PROF_GROUP_KEEP] = "Keep many runs", [P11PROF_GROUP_WATCH] = "Watch",
    };
    fputs("Usage: p11prof COMMAND [OPTION...]\n", stream);
    for (unsigned group = 0; group < sizeof titles / sizeof titles[0]; group++)
        print_group(stream, group, titles[group]);
    fputs("\n'p11prof help COMMAND' shows its options, 'man p11prof' the manual,\n"
          "'p11prof --version' the version.\n",
          stream);
}

/* All tables for the manual pages, each behind a line "@WHAT COMMAND@". */
static int print_tables(void)
{
    puts("@COMMANDS@");
    for (size_t i = 0; i < COMMANDS; i++)
        printf("*p11prof-%s*(1)\n\t%s\n\n", commands[i].name, commands[i].summary);
    for (size_t i = 0; i < COMMANDS; i++) {
        const struct p11prof_usage *usage = p11prof_usage_of(commands[i].run, commands[i].name);
        printf("@SYNOPSIS %s@\n", commands[i].name);
        p11prof_usage_print_synopsis(usage);
        printf("@OPTIONS %s@\n", commands[i].name);
        p11prof_usage_print_options(usage);
    }
    return P11PROF_EXIT_DONE;
}

static int complain_unknown(const char *name)
{
    const char *names[COMMANDS + 3] = {"help", "--help", "--version"};
    for (size_t i = 0; i < COMMANDS; i++)
        names[i + 3] = commands[i].name;
    const char *meant = p11prof_foreign_command(name);
    if (!meant)
        meant = p11prof_nearest(name, names, COMMANDS + 3);
    if (meant)
        return p11prof_complain(P11PROF_EXIT_USAGE, "unknown command '%s': did you mean '%s'?",
                                name, meant);
    return p11prof_complain(P11PROF_EXIT_USAGE,
                            "unknown command '%s': 'p11prof help' lists the commands", name);
}

static int help(int argc, char **argv)
{
    if (argc < 2 || strcmp(argv[1], "help") == 0) {
        print_usage(stdout);
        return P11PROF_EXIT_DONE;
    }
    if (strcmp(argv[1], "--scdoc") == 0)
        return print_tables();
    const struct p11prof_command *command = find(argv[1]);
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
        p11prof_print_version();
        return P11PROF_EXIT_DONE;
    }
    const struct p11prof_command *command = find(argv[0]);
    return command ? command->run(argc, argv) : complain_unknown(argv[0]);
}

/* "p11prof-report" is a link to p11prof: its name picks the command. */
static const struct p11prof_command *named_by_link(const char *path)
{
    static const char prefix[] = "p11prof-";
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    return strncmp(name, prefix, sizeof prefix - 1) == 0 ? find(name + sizeof prefix - 1) : NULL;
}

int main(int argc, char **argv)
{
    const struct p11prof_command *command = argc > 0 ? named_by_link(argv[0]) : NULL;
    if (argc > 2 && strcmp(argv[1], "--complete") == 0) {
        p11prof_complete(commands, COMMANDS, argv[2], argv[3]);
        return P11PROF_EXIT_DONE;
    }
    int code = command ? command->run(argc, argv) : dispatch(argc - 1, argv + 1);
    errno = 0;
    if (fflush(stdout) != 0 || ferror(stdout))
        return p11prof_complain(P11PROF_EXIT_FAILED, "cannot write the output: %s",
                                strerror(errno));
    return code;
}
