/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The options of a command: one table makes its parser and its help. */
#ifndef P11PROF_TOOLS_OPTIONS_H
#define P11PROF_TOOLS_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct p11prof_option {
    const char *name;  /* without its dashes */
    int id;            /* what `take` is told, not 0 */
    const char *value; /* what its value is called in the help; NULL: it has none; "[N]": a number
                          that may be left out, then `take` is told NULL */
    const char *help;
};

/* What `p11prof COMMAND --help` prints. */
struct p11prof_usage {
    const char *command;
    const char *arguments;                /* "[RUN...]", "" for none */
    const char *summary;                  /* one sentence */
    const struct p11prof_option *options; /* ends with an entry without name */
    const char *notes;                    /* details and examples, NULL: none */
};

/* Options that many commands have. */
enum {
    P11PROF_OPTION_ID_DB = 'd',
    P11PROF_OPTION_ID_NO_COLLECT = 'n',
    P11PROF_OPTION_ID_FORMAT = 'f',
};
#define P11PROF_OPTION_DB                                                                          \
    {                                                                                              \
        "db", P11PROF_OPTION_ID_DB, "FILE",                                                        \
            "the database (default: P11PROF_DB, a .conf file, the state folder)"                   \
    }
#define P11PROF_OPTION_NO_COLLECT                                                                  \
    {                                                                                              \
        "no-collect", P11PROF_OPTION_ID_NO_COLLECT, NULL, "do not drain waiting spools first"      \
    }
#define P11PROF_OPTION_FORMAT                                                                      \
    {                                                                                              \
        "format", P11PROF_OPTION_ID_FORMAT, "FORMAT", "text (default), json, csv or markdown"      \
    }

/* Reads argv. Calls `take` for each option in its order; `take` returns false if the value is bad,
 * after it said so. Returns true, with *first the index of the first argument that is no option;
 * false, with *exit_code, if the command ends here: --help was answered or something wrong was
 * said. */
bool p11prof_options_read(const struct p11prof_usage *usage, int argc, char **argv,
                          bool (*take)(void *payload, int id, const char *value), void *payload,
                          int *first, int *exit_code);

/* Says "`p11prof COMMAND --help` shows …" and returns the exit code of wrong usage. */
int p11prof_usage_hint(const struct p11prof_usage *usage);

/* Reads a plain decimal number of at most `max`; says what is wrong and returns false otherwise. */
bool p11prof_option_number(const char *option, const char *text, uint64_t max, uint64_t *out);

#endif
