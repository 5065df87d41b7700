/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "message.h"
#include "commands.h"
#include "report/safe_text.h"

#include <stdbool.h>
#include <stdio.h>

static void say(const char *prefix, const char *format, va_list arguments)
{
    char text[2048];
    char safe[4 * sizeof text];
    vsnprintf(text, sizeof text, format, arguments);
    p11prof_safe_text(safe, sizeof safe, text);
    fprintf(stderr, "p11prof: %s%s\n", prefix, safe);
}

void p11prof_note(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say("", format, arguments);
    va_end(arguments);
}

void p11prof_warn(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say("warning: ", format, arguments);
    va_end(arguments);
}

int p11prof_complain(int exit_code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say("error: ", format, arguments);
    va_end(arguments);
    return exit_code;
}

int p11prof_complain_of(const struct p11prof_error *error)
{
    bool bad_input = error->status == P11PROF_MISSING || error->status == P11PROF_BAD_INPUT ||
                     error->status == P11PROF_REFUSED;
    return p11prof_complain(bad_input ? P11PROF_EXIT_USAGE : P11PROF_EXIT_FAILED, "%s",
                            error->text);
}
