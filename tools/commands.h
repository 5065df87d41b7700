/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The commands of p11prof, one file each. A command gets its own name as argv[0], prints what was
 * asked for to stdout and all else to stderr, and returns the exit code of the process. It answers
 * --help itself; main.c only dispatches. */
#ifndef P11PROF_TOOLS_COMMANDS_H
#define P11PROF_TOOLS_COMMANDS_H

enum p11prof_exit {
    P11PROF_EXIT_DONE = 0,
    P11PROF_EXIT_NO = 1,       /* the answer is "no": a problem, a regression, a failed threshold */
    P11PROF_EXIT_USAGE = 2,    /* wrong usage or bad input */
    P11PROF_EXIT_FAILED = 3,   /* the module, token or database failed */
    P11PROF_EXIT_SIGNAL = 128, /* plus the signal's number */
};

int p11prof_command_bench(int argc, char **argv);
int p11prof_command_record(int argc, char **argv);
int p11prof_command_runs(int argc, char **argv);
int p11prof_command_calls(int argc, char **argv);
int p11prof_command_errors(int argc, char **argv);
int p11prof_command_advise(int argc, char **argv);
int p11prof_command_compare(int argc, char **argv);
int p11prof_command_report(int argc, char **argv);
int p11prof_command_export(int argc, char **argv);
int p11prof_command_exporter(int argc, char **argv);
int p11prof_command_histogram(int argc, char **argv);
int p11prof_command_timeline(int argc, char **argv);
int p11prof_command_baseline(int argc, char **argv);
int p11prof_command_top(int argc, char **argv);
int p11prof_command_sql(int argc, char **argv);
int p11prof_command_collect(int argc, char **argv);
int p11prof_command_doctor(int argc, char **argv);
int p11prof_command_prune(int argc, char **argv);
int p11prof_command_merge(int argc, char **argv);
int p11prof_command_import(int argc, char **argv);

/* p11prof --version. */
void p11prof_print_version(void);

enum p11prof_command_group {
    P11PROF_GROUP_RECORD,
    P11PROF_GROUP_LOOK,
    P11PROF_GROUP_COMPARE,
    P11PROF_GROUP_LOAD,
    P11PROF_GROUP_KEEP,
    P11PROF_GROUP_WATCH,
};

struct p11prof_command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
    enum p11prof_command_group group;
};

#endif
