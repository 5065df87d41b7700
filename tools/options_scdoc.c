/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* A table of options as scdoc reads it, for the manual page of its command. */
#include "options.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Nothing in the text is markup. */
static void print_plain(const char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        if (strchr("\\*_~`#[]|-", text[i]))
            putchar('\\');
        putchar(text[i]);
    }
}

/* Words in capitals stand for something and are underlined, others are typed as they are. */
static void print_arguments(const char *text)
{
    while (*text) {
        size_t bytes = 0;
        while (isalpha((unsigned char)text[bytes]))
            bytes++;
        bool name = bytes > 1 && isupper((unsigned char)text[0]) && isupper((unsigned char)text[1]);
        if (bytes > 0) {
            fputs(name ? "_" : "*", stdout);
            print_plain(text, bytes);
            fputs(name ? "_" : "*", stdout);
        } else {
            print_plain(text, bytes = 1);
        }
        text += bytes;
    }
}

void p11prof_usage_print_synopsis(const struct p11prof_usage *usage)
{
    printf("*p11prof %s* \\[_OPTION_...\\]", usage->command);
    if (usage->arguments[0]) {
        putchar(' ');
        print_arguments(usage->arguments);
    }
    putchar('\n');
}

static void print_option(const struct p11prof_option *option)
{
    if (option->heading)
        printf("## %s\n\n", option->heading);
    printf("*--%s*", option->name);
    if (option->value) {
        fputs(" _", stdout);
        print_plain(option->value, strlen(option->value));
        putchar('_');
    }
    fputs("\n\t", stdout);
    print_plain(option->help, strlen(option->help));
    fputs("\n\n", stdout);
}

void p11prof_usage_print_options(const struct p11prof_usage *usage)
{
    for (const struct p11prof_option *option = usage->options; option->name; option++)
        print_option(option);
    print_option(&p11prof_option_help);
}
