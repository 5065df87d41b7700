/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "options.h"
#include "commands.h"
#include "message.h"
#include "report/foreign_words.h"
#include "report/nearest.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPTIONS_MAX = 64, HELP = 'h' };

const struct p11prof_option p11prof_option_help = {"help", HELP, NULL, "show this"};

/* Where p11prof_usage_of() wants the table, NULL: nobody asks. */
static const struct p11prof_usage **asked;

const struct p11prof_usage *p11prof_usage_of(int (*command)(int argc, char **argv),
                                             const char *name)
{
    const struct p11prof_usage *usage = NULL;
    char *arguments[] = {(char *)name, NULL};
    asked = &usage;
    command(1, arguments);
    asked = NULL;
    return usage;
}

static int has_argument(const struct p11prof_option *option)
{
    if (!option->value)
        return no_argument;
    return option->value[0] == '[' ? optional_argument : required_argument;
}

/* The same options as getopt_long() wants them. */
static size_t fill_long_options(const struct p11prof_usage *usage, struct option *out)
{
    size_t count = 0;
    for (const struct p11prof_option *option = usage->options; option->name; option++)
        out[count++] = (struct option){option->name, has_argument(option), NULL, option->id};
    out[count++] = (struct option){p11prof_option_help.name, no_argument, NULL, HELP};
    out[count] = (struct option){NULL, 0, NULL, 0};
    return count;
}

int p11prof_usage_hint(const struct p11prof_usage *usage)
{
    p11prof_note("'p11prof %s --help' shows what it takes", usage->command);
    return P11PROF_EXIT_USAGE;
}

static void complain_unknown(const struct option *options, size_t count, const char *word)
{
    const char *names[OPTIONS_MAX];
    char name[64];
    for (size_t i = 0; i < count; i++)
        names[i] = options[i].name;
    snprintf(name, sizeof name, "%.*s", (int)strcspn(word, "="), word);
    const char *bare = name + strspn(name, "-");
    const char *meant = p11prof_foreign_option(bare, names, count);
    if (!meant)
        meant = p11prof_nearest(bare, names, count);
    if (meant)
        p11prof_complain(0, "unknown option '%s': did you mean '--%s'?", word, meant);
    else
        p11prof_complain(0, "unknown option '%s'", word);
}

/* A short option, alone or with its value behind it ("-lFILE": getopt_long() stays there). */
static bool short_option(char **argv, char *out)
{
    const char *before = argv[optind - 1], *at = argv[optind];
    snprintf(out, 3, "-%c", optopt);
    return strcmp(before, out) == 0 || (at && at[0] == '-' && at[1] == optopt && at[2]);
}

/* The first of its options with that id. */
static const struct p11prof_option *option_of(const struct p11prof_usage *usage, int id)
{
    const struct p11prof_option *option = usage->options;
    while (option->id != id)
        option++;
    return option;
}

/* What getopt_long() refused: '?' or ':'. */
static int complain_bad(const struct p11prof_usage *usage, const struct option *options,
                        size_t count, int result, char **argv)
{
    const char *word = argv[optind - 1];
    char letter[3];
    const struct p11prof_option *option = result == ':' ? option_of(usage, optopt) : NULL;
    if (option)
        p11prof_complain(0, "option '%s' needs a value: %s", word,
                         option->words ? option->words : option->value);
    else if (optopt > ' ' && optopt < 127 && short_option(argv, letter))
        complain_unknown(options, count, letter);
    else if (optopt != 0 && word[0] == '-' && word[1] == '-')
        p11prof_complain(0, "option '%.*s' takes no value", (int)strcspn(word, "="), word);
    else
        complain_unknown(options, count, word);
    return p11prof_usage_hint(usage);
}

/* A number that follows an option whose number may be left out is its number. */
static const char *value_of(const struct p11prof_option *option, int argc, char **argv)
{
    if (optarg || optind >= argc || has_argument(option) != optional_argument)
        return optarg;
    const char *next = argv[optind];
    bool number = next[0] && strspn(next, "0123456789") == strlen(next);
    return number ? argv[optind++] : NULL;
}

bool p11prof_options_read(const struct p11prof_usage *usage, int argc, char **argv,
                          bool (*take)(void *payload, int id, const char *value), void *payload,
                          int *first, int *exit_code)
{
    struct option options[OPTIONS_MAX];
    size_t count = fill_long_options(usage, options);
    /* Behind the name of a program all options are its own. */
    const char *letters = usage->kind == P11PROF_VALUE_PROGRAM ? "+:h" : ":h";
    int result;
    optind = 0; /* glibc: start anew */
    opterr = 0;
    *exit_code = P11PROF_EXIT_DONE;
    if (asked) {
        *asked = usage;
        return false;
    }
    while ((result = getopt_long(argc, argv, letters, options, NULL)) != -1) {
        if (result == HELP) {
            p11prof_usage_print(usage);
            return false;
        }
        if (result == '?' || result == ':') {
            *exit_code = complain_bad(usage, options, count, result, argv);
            return false;
        }
        const struct p11prof_option *option = option_of(usage, result);
        const char *value = value_of(option, argc, argv);
        if ((value && !p11prof_option_word(option, value)) || !take(payload, result, value)) {
            *exit_code = p11prof_usage_hint(usage);
            return false;
        }
    }
    *first = optind;
    return true;
}

bool p11prof_option_number(const char *option, const char *text, uint64_t max, uint64_t *out)
{
    char *end;
    errno = 0;
    *out = strtoull(text, &end, 10);
    if (text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0 && *out <= max)
        return true;
    p11prof_complain(0, "--%s wants a number from 0 to %llu, not '%s'", option,
                     (unsigned long long)max, text);
    return false;
}
