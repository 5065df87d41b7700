/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "pin.h"

#include "message.h"
#include "target_uri.h"
#include "token_list.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

static enum p11prof_status keep(struct p11prof_bench_target *target, const char *pin, size_t bytes,
                                const char *from, struct p11prof_error *error)
{
    if (bytes == 0)
        return p11prof_error_set(error, P11PROF_BAD_INPUT, "%.300s: the PIN is empty", from);
    if (bytes >= sizeof target->pin)
        return p11prof_error_set(error, P11PROF_BAD_INPUT,
                                 "%.300s: the PIN is longer than %zu bytes", from,
                                 sizeof target->pin - 1);
    memcpy(target->pin, pin, bytes);
    target->pin_bytes = bytes;
    target->has_pin = true;
    return P11PROF_OK;
}

/* What a process was started with is shown to every user: its arguments lie between its name and
 * the name of its file, and may be written. */
static void overwrite_argument(const char *text, size_t bytes)
{
    uintptr_t at = (uintptr_t)text;
    if (at > (uintptr_t)program_invocation_name && at < getauxval(AT_EXECFN))
        explicit_bzero((char *)at, bytes);
}

static void overwrite_uri(const char *uri)
{
    const char *pin = uri ? strstr(uri, "pin-value=") : NULL;
    if (pin)
        overwrite_argument(pin + strlen("pin-value="), strcspn(pin + strlen("pin-value="), "&"));
}

static void warn_of_argument(const char *option)
{
    p11prof_warn("others can see a PIN in %s in the list of processes: use --pin-source", option);
}

static enum p11prof_status from_environment(struct p11prof_bench_target *target, const char *name,
                                            const char *from, struct p11prof_error *error)
{
    const char *pin = getenv(name);
    if (!pin)
        return p11prof_error_set(error, P11PROF_BAD_INPUT, "%.300s: the variable is not set", from);
    return keep(target, pin, strlen(pin), from, error);
}

/* Closes the descriptor, unless it is a standard stream. */
static enum p11prof_status from_descriptor(struct p11prof_bench_target *target, int file,
                                           const char *from, struct p11prof_error *error)
{
    char line[P11PROF_BENCH_PIN_BYTES];
    enum p11prof_status status;
    ssize_t bytes = p11prof_bench_line_read(file, line, sizeof line);
    if (bytes > 0 && (size_t)bytes < sizeof line && line[bytes - 1] == '\r')
        bytes--;
    status = bytes >= 0
                 ? keep(target, line, (size_t)bytes, from, error)
                 : p11prof_error_set(error, P11PROF_BAD_INPUT, "%.300s: %s", from, strerror(errno));
    explicit_bzero(line, sizeof line);
    if (file > STDERR_FILENO)
        close(file);
    return status;
}

static enum p11prof_status from_file(struct p11prof_bench_target *target, const char *path,
                                     const char *from, struct p11prof_error *error)
{
    struct stat found;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (file < 0)
        return p11prof_error_set(error, P11PROF_BAD_INPUT, "%.300s: %s", from, strerror(errno));
    if (fstat(file, &found) == 0 && S_ISREG(found.st_mode) && found.st_mode & (S_IRGRP | S_IROTH))
        p11prof_warn("others can read the PIN in %s: chmod 600 it", path);
    return from_descriptor(target, file, from, error);
}

static enum p11prof_status from_number(struct p11prof_bench_target *target, const char *number,
                                       const char *from, struct p11prof_error *error)
{
    char *end;
    errno = 0;
    long file = strtol(number, &end, 10);
    if (*number < '0' || *number > '9' || *end || errno || file > INT_MAX)
        return p11prof_error_set(error, P11PROF_BAD_INPUT,
                                 "%.300s: a descriptor is a number, as in fd:3 with 3<FILE", from);
    return from_descriptor(target, (int)file, from, error);
}

static enum p11prof_status from_prompt(struct p11prof_bench_target *target, const char *prompt,
                                       bool may_be_empty, struct p11prof_error *error)
{
    char line[P11PROF_BENCH_PIN_BYTES];
    size_t bytes = 0;
    enum p11prof_status status = p11prof_bench_prompt(prompt, line, sizeof line, &bytes, error);
    if (status == P11PROF_OK && (bytes > 0 || !may_be_empty))
        status = keep(target, line, bytes, "the prompt", error);
    explicit_bzero(line, sizeof line);
    return status;
}

static enum p11prof_status from_source(struct p11prof_bench_target *target, const char *option,
                                       const char *source, struct p11prof_error *error)
{
    char from[320];
    snprintf(from, sizeof from, "%s %s", option, source);
    if (strcmp(source, "prompt") == 0)
        return from_prompt(target, "PIN: ", false, error);
    if (strncmp(source, "env:", 4) == 0)
        return from_environment(target, source + 4, from, error);
    if (strncmp(source, "file:", 5) == 0)
        return from_file(target, source + 5, from, error);
    if (strncmp(source, "fd:", 3) == 0)
        return from_number(target, source + 3, from, error);
    return p11prof_error_set(error, P11PROF_BAD_INPUT,
                             "%s is env:NAME, file:PATH, fd:N or prompt, not '%.200s'", option,
                             source[0] == '|' ? "a program" : source);
}

/* A URI's PIN counts where no option gives one. */
static enum p11prof_status from_uri(struct p11prof_bench_target *target,
                                    struct p11prof_error *error)
{
    const char *pin = p11prof_bench_uri_pin_value(target);
    const char *source = p11prof_bench_uri_pin_source(target);
    if (pin) {
        warn_of_argument("a URI");
        return keep(target, pin, strlen(pin), "pin-value of the URI", error);
    }
    return source ? from_source(target, "pin-source of the URI", source, error) : P11PROF_OK;
}

enum p11prof_status p11prof_bench_pin_take(struct p11prof_bench_target *target,
                                           const struct p11prof_bench_target_options *options,
                                           struct p11prof_error *error)
{
    enum p11prof_status status;
    if (options->pin && options->pin_source)
        status = p11prof_error_set(error, P11PROF_BAD_INPUT,
                                   "--pin and --pin-source cannot be given together");
    else if (options->pin_source)
        status = from_source(target, "--pin-source", options->pin_source, error);
    else if (options->pin)
        status = keep(target, options->pin, strlen(options->pin), "--pin", error);
    else if (options->pin_of && options->pin_of->has_pin)
        status = keep(target, (const char *)options->pin_of->pin, options->pin_of->pin_bytes,
                      "the other token", error);
    else
        status = from_uri(target, error);
    if (options->pin) {
        warn_of_argument("--pin");
        overwrite_argument(options->pin, strlen(options->pin));
    }
    overwrite_uri(options->uri);
    overwrite_uri(options->key_uri);
    p11prof_bench_uri_forget_pin(target);
    return status;
}

enum p11prof_status p11prof_bench_pin_ask(struct p11prof_bench_target *target,
                                          const CK_TOKEN_INFO *token, struct p11prof_error *error)
{
    const CK_FLAGS useless =
        CKF_PROTECTED_AUTHENTICATION_PATH | CKF_USER_PIN_LOCKED | CKF_USER_PIN_FINAL_TRY;
    char label[4 * sizeof token->label + 1], prompt[sizeof label + 64];
    if (!(token->flags & CKF_LOGIN_REQUIRED) || token->flags & useless)
        return P11PROF_OK;
    p11prof_bench_field_text(label, sizeof label, token->label, sizeof token->label);
    snprintf(prompt, sizeof prompt, "PIN of \"%s\" (empty: do not log in): ", label);
    return from_prompt(target, prompt, true, error);
}
