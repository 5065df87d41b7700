/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "complete.h"

#include "../options.h"
#include "shell_line.h"
#include "values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct completion {
    const struct p11prof_command *commands;
    size_t command_count;
    struct shell_line line;
    struct offer offer;
    struct stored stored;
    const struct p11prof_usage *usage;
    /* What the words before the last one say. */
    const struct p11prof_option *open; /* the option that waits for its value */
    size_t arguments;
    const char *first; /* argument */
    bool only_arguments;
};

static void offer_commands(struct completion *c)
{
    offer_begin(&c->offer, 0, false);
    for (size_t i = 0; i < c->command_count; i++)
        offer_one(&c->offer, c->commands[i].name, c->commands[i].summary);
}

static void offer_options(struct completion *c)
{
    char word[64];
    offer_begin(&c->offer, 0, false);
    for (const struct p11prof_option *option = c->usage->options; option->name; option++) {
        snprintf(word, sizeof word, "--%s", option->name);
        offer_one(&c->offer, word, option->help);
    }
    offer_one(&c->offer, "--help", p11prof_option_help.help);
}

/* "--format", "--format=json", or as much of a name as no other option begins with; NULL: none. */
static const struct p11prof_option *find_option(const struct p11prof_usage *usage, const char *word)
{
    const struct p11prof_option *found = NULL;
    size_t length = strcspn(word += 2, "="), count = 0;
    for (const struct p11prof_option *option = usage->options; option->name; option++) {
        if (strncmp(option->name, word, length) != 0)
            continue;
        if (option->name[length] == '\0')
            return option;
        found = option;
        count++;
    }
    return count == 1 ? found : NULL;
}

static bool is_option(const struct completion *c, const char *word)
{
    return !c->only_arguments && word[0] == '-' && word[1] == '-';
}

static bool wants_value(const struct p11prof_option *option, const char *word)
{
    return option && option->value && option->value[0] != '[' && !strchr(word, '=');
}

/* home/x.db of "~/x.db": what the shell will make of it. */
static const char *expand(const char *path)
{
    static char expanded[4096];
    const char *home = getenv("HOME");
    if (path[0] != '~' || path[1] != '/' || !home)
        return path;
    snprintf(expanded, sizeof expanded, "%s%s", home, path + 1);
    return expanded;
}

static void take_value(struct completion *c, const struct p11prof_option *option, const char *value)
{
    if (option->id == P11PROF_OPTION_ID_DB || strcmp(option->name, "db") == 0)
        c->stored.path = expand(value);
}

static void take_word(struct completion *c, const char *word)
{
    const struct p11prof_option *option = is_option(c, word) ? find_option(c->usage, word) : NULL;
    const char *equals = strchr(word, '=');
    if (c->open) {
        take_value(c, c->open, word);
        c->open = NULL;
    } else if (strcmp(word, "--") == 0) {
        c->only_arguments = true;
    } else if (is_option(c, word)) {
        c->open = wants_value(option, word) ? option : NULL;
        if (option && equals)
            take_value(c, option, equals + 1);
    } else if (c->only_arguments || word[0] != '-' || word[1] == '\0') {
        c->first = c->arguments++ == 0 ? word : c->first;
        c->only_arguments = c->only_arguments || c->usage->kind == P11PROF_VALUE_PROGRAM;
    }
}

static void offer_argument(struct completion *c)
{
    if (c->usage->kind == P11PROF_VALUE_PROGRAM)
        offer_of_shell(&c->offer, c->arguments == 0 ? "command" : "arguments");
    else
        values_of_argument(&c->offer, &c->stored, c->usage, c->arguments, c->first);
}

static void offer_last(struct completion *c)
{
    const char *word = c->offer.word, *equals = strchr(word, '=');
    const struct p11prof_option *option =
        !c->open && equals && is_option(c, word) ? find_option(c->usage, word) : NULL;
    if (c->open)
        values_of_option(&c->offer, &c->stored, c->open, 0);
    else if (option && option->value)
        values_of_option(&c->offer, &c->stored, option, (size_t)(equals + 1 - word));
    else if (!c->only_arguments && word[0] == '-')
        offer_options(c);
    else
        offer_argument(c);
}

static const struct p11prof_usage *usage_named(const struct completion *c, const char *name)
{
    for (size_t i = 0; i < c->command_count; i++)
        if (strcmp(c->commands[i].name, name) == 0)
            return p11prof_usage_of(c->commands[i].run, name);
    return NULL;
}

/* "p11prof-report" is 'p11prof report'. */
static const char *command_of(const char *program)
{
    static const char prefix[] = "p11prof-";
    const char *slash = strrchr(program, '/'), *name = slash ? slash + 1 : program;
    return strncmp(name, prefix, sizeof prefix - 1) == 0 ? name + sizeof prefix - 1 : NULL;
}

static void offer_all(struct completion *c)
{
    char **words = c->line.words;
    const char *command = command_of(words[0]);
    size_t last = c->line.count - 1, at = command ? 1 : 2;
    if (!command && last == 1) {
        offer_commands(c);
        offer_words(&c->offer, "help --help --version");
        return;
    }
    if (!command && last == 2 && strcmp(words[1], "help") == 0) {
        offer_commands(c);
        return;
    }
    c->usage = last >= at ? usage_named(c, command ? command : words[1]) : NULL;
    if (!c->usage)
        return;
    for (; at < last; at++)
        take_word(c, words[at]);
    offer_last(c);
}

void p11prof_complete(const struct p11prof_command *commands, size_t count, const char *line,
                      const char *part)
{
    struct completion c = {.commands = commands, .command_count = count};
    if (!freopen("/dev/null", "w", stderr))
        return;
    shell_line_read(&c.line, line, part);
    c.offer = (struct offer){.word = c.line.words[c.line.count - 1], .kept = c.line.kept};
    if (part && c.line.quote)
        printf("\tin %c\n", c.line.quote);
    if (!c.line.closed)
        offer_all(&c);
    stored_close(&c.stored);
    shell_line_clear(&c.line);
}
