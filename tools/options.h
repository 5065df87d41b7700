/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The options of a command: one table makes its parser and its help. */
#ifndef P11PROF_TOOLS_OPTIONS_H
#define P11PROF_TOOLS_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

/* A row of a table leaves out what it does not have. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

/* What a value or an argument is: what completion offers for it. */
enum p11prof_value_kind {
    P11PROF_VALUE_TEXT, /* anything else */
    P11PROF_VALUE_FILE,
    P11PROF_VALUE_FOLDER,
    P11PROF_VALUE_PROGRAM, /* a program to start, and its arguments */
    P11PROF_VALUE_WORDS,   /* one of `words`, nothing else */
    P11PROF_VALUE_RUN,
    P11PROF_VALUE_RUN_NAME,
    P11PROF_VALUE_BASELINE,
    P11PROF_VALUE_QUERY,       /* a ready query of SQL, with its '@' */
    P11PROF_VALUE_TEST,        /* of the load tool */
    P11PROF_VALUE_MIX,         /* tests with their weights */
    P11PROF_VALUE_DIMENSION,   /* a word of --by */
    P11PROF_VALUE_COLUMN,      /* of a report */
    P11PROF_VALUE_CALL_COLUMN, /* of calls */
    P11PROF_VALUE_FILTER,      /* by the dimension that the option's id says */
};

struct p11prof_option {
    const char *name;  /* without its dashes */
    int id;            /* what `take` is told, not 0 */
    const char *value; /* what its value is called in the help; NULL: it has none; "[N]": a number
                          that may be left out, then `take` is told NULL; "NAME,…": several, with
                          commas between */
    const char *help;
    enum p11prof_value_kind kind;
    const char *words;   /* to choose from, with blanks between, NULL: none */
    const char *heading; /* of this option and those behind it, NULL: none begins here */
};

/* What `p11prof COMMAND --help` prints. */
struct p11prof_usage {
    const char *command;
    const char *arguments;                /* "[RUN...]", "" for none */
    const char *summary;                  /* one sentence */
    const struct p11prof_option *options; /* ends with an entry without name */
    const char *notes;                    /* a few examples, a line each, NULL: none */
    enum p11prof_value_kind kind;         /* of its arguments */
    const char *words; /* with which its arguments may begin, with blanks between; NULL: none */
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
            "the database (default: P11PROF_DB, a .conf file, the state folder)",                  \
            P11PROF_VALUE_FILE                                                                     \
    }
#define P11PROF_OPTION_NO_COLLECT                                                                  \
    {                                                                                              \
        "no-collect", P11PROF_OPTION_ID_NO_COLLECT, NULL, "do not drain waiting spools first"      \
    }
#define P11PROF_FORMAT_WORDS "text json csv markdown"
#define P11PROF_OPTION_FORMAT                                                                      \
    {                                                                                              \
        "format", P11PROF_OPTION_ID_FORMAT, "FORMAT", "text (default), json, csv or markdown",     \
            P11PROF_VALUE_WORDS, P11PROF_FORMAT_WORDS                                              \
    }

/* Reads argv. Calls `take` for each option in its order; `take` returns false if the value is bad,
 * after it said so. Returns true, with *first the index of the first argument that is no option;
 * false, with *exit_code, if the command ends here: --help was answered or something wrong was
 * said. */
bool p11prof_options_read(const struct p11prof_usage *usage, int argc, char **argv,
                          bool (*take)(void *payload, int id, const char *value), void *payload,
                          int *first, int *exit_code);

/* The table that a command reads its options with: runs it as far as there. */
const struct p11prof_usage *p11prof_usage_of(int (*command)(int argc, char **argv),
                                             const char *name);

/* What every command has besides its table. */
extern const struct p11prof_option p11prof_option_help;

/* Prints the help: as wide as the terminal, from 40 to 100 columns, else 80. */
void p11prof_usage_print(const struct p11prof_usage *usage);

/* Prints the synopsis, and the options, as scdoc reads them, for the manual page. */
void p11prof_usage_print_synopsis(const struct p11prof_usage *usage);
void p11prof_usage_print_options(const struct p11prof_usage *usage);

/* Says "`p11prof COMMAND --help` shows …" and returns the exit code of wrong usage. */
int p11prof_usage_hint(const struct p11prof_usage *usage);

/* Whether the value is one of the option's words, if it has to be; says so if not, and the nearest.
 * p11prof_options_read() has done it before it calls `take`. */
bool p11prof_option_word(const struct p11prof_option *option, const char *value);

/* Reads a plain decimal number of at most `max`; says what is wrong and returns false otherwise. */
bool p11prof_option_number(const char *option, const char *text, uint64_t max, uint64_t *out);

#endif
