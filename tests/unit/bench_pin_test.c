/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Where the PIN of a bench comes from. The module is one that nobody loads. */
#include "bench/pin.h"
#include "under_valgrind.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define PIN_FILE "bench_pin_test.pin"

enum { ENDED_WELL = 7 };

static struct p11prof_bench_target target;
static struct p11prof_error error;

static enum p11prof_status find(struct p11prof_bench_target_options options)
{
    p11prof_bench_target_clear(&target);
    memset(&error, 0, sizeof error);
    options.module = P11PROF_TEST_MODULE;
    return p11prof_bench_target_find(&target, &options, &error);
}

static void is_pin(const char *pin)
{
    if (error.text[0]) {
        fail_msg("%s", error.text);
    }
    assert_true(target.has_pin);
    assert_int_equal(target.pin_bytes, strlen(pin));
    assert_memory_equal(target.pin, pin, strlen(pin));
}

static void from(const char *source, const char *pin)
{
    find((struct p11prof_bench_target_options){.pin_source = source});
    is_pin(pin);
}

static void not_from(const char *source, const char *problem)
{
    assert_int_equal(find((struct p11prof_bench_target_options){.pin_source = source}),
                     P11PROF_BAD_INPUT);
    if (!strstr(error.text, problem) || !strstr(error.text, "pin-source")) {
        fail_msg("%s: %s", source, error.text);
    }
    assert_false(target.has_pin);
}

static void put(const char *text, mode_t mode)
{
    unlink(PIN_FILE);
    int file = open(PIN_FILE, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_int_equal(write(file, text, strlen(text)), strlen(text));
    assert_int_equal(fchmod(file, mode), 0);
    close(file);
}

/* What find() writes to stderr. */
static void warnings_of(struct p11prof_bench_target_options options, char *text, size_t text_bytes)
{
    int ends[2], before = dup(STDERR_FILENO);
    assert_int_equal(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    find(options);
    dup2(before, STDERR_FILENO);
    close(before);
    close(ends[1]);
    ssize_t bytes = read(ends[0], text, text_bytes - 1);
    text[bytes > 0 ? bytes : 0] = '\0';
    close(ends[0]);
}

static void a_variable_gives_it(void **state)
{
    (void)state;
    char longest[257];
    memset(longest, '1', sizeof longest);
    longest[255] = '\0';
    setenv("TEST_PIN", "12 34", 1);
    from("env:TEST_PIN", "12 34");
    setenv("TEST_PIN", longest, 1);
    from("env:TEST_PIN", longest);
    longest[255] = '1';
    longest[256] = '\0';
    setenv("TEST_PIN", longest, 1);
    not_from("env:TEST_PIN", "longer than 255 bytes");
    setenv("TEST_PIN", "", 1);
    not_from("env:TEST_PIN", "empty");
    unsetenv("TEST_PIN");
    not_from("env:TEST_PIN", "not set");
    not_from("env:", "not set");
}

static void a_file_gives_its_first_line(void **state)
{
    (void)state;
    char text[600];
    put("4321\nmore\n", 0600);
    from("file:" PIN_FILE, "4321");
    put("4321\r\n", 0600);
    from("file:" PIN_FILE, "4321");
    put("4321", 0600);
    from("file:" PIN_FILE, "4321");
    put("\n4321\n", 0600);
    not_from("file:" PIN_FILE, "empty");
    put("", 0600);
    not_from("file:" PIN_FILE, "empty");
    memset(text, '1', sizeof text);
    text[sizeof text - 1] = '\0';
    put(text, 0600);
    not_from("file:" PIN_FILE, "longer than 255 bytes");
    not_from("file:/nonexistent", strerror(ENOENT));
    not_from("file:/", strerror(EISDIR));
}

static void a_file_for_all_is_warned_of(void **state)
{
    (void)state;
    char text[600];
    const struct p11prof_bench_target_options options = {.pin_source = "file:" PIN_FILE};
    put("4321\n", 0600);
    warnings_of(options, text, sizeof text);
    assert_string_equal(text, "");
    put("4321\n", 0640);
    warnings_of(options, text, sizeof text);
    assert_non_null(strstr(text, "warning: others can read the PIN in " PIN_FILE));
    is_pin("4321");
}

static void a_descriptor_gives_one_line(void **state)
{
    (void)state;
    char source[32], byte;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    snprintf(source, sizeof source, "fd:%d", ends[0]);
    assert_int_equal(write(ends[1], "777\nnext", 8), 8);
    int kept = dup(ends[0]);
    from(source, "777");
    assert_int_equal(read(kept, &byte, 1), 1);
    assert_int_equal(byte, 'n');
    assert_int_equal(fcntl(ends[0], F_GETFD), -1); /* it is not handed on */
    close(kept);
    close(ends[1]);
    not_from(source, strerror(EBADF));
    not_from("fd:", "number");
    not_from("fd:-1", "number");
    not_from("fd:3x", "number");
    not_from("fd:99999999999", "number");
}

static void other_sources_are_refused(void **state)
{
    (void)state;
    not_from("", "env:NAME, file:PATH, fd:N or prompt");
    not_from("1234", "env:NAME, file:PATH, fd:N or prompt");
    setenv("TEST_PIN", "1234", 1);
    assert_int_equal(
        find((struct p11prof_bench_target_options){.pin = "1", .pin_source = "env:TEST_PIN"}),
        P11PROF_BAD_INPUT);
    assert_int_equal(find((struct p11prof_bench_target_options){.pin = ""}), P11PROF_BAD_INPUT);
}

static void a_uri_gives_it(void **state)
{
    (void)state;
    char text[600], uri[300];
    const struct p11prof_bench_target_options value = {.uri = "pkcs11:?pin-value=56%2078"};
    warnings_of(value, text, sizeof text);
    assert_non_null(strstr(text, "list of processes"));
    is_pin("56 78");
    put("4321\n", 0600);
    snprintf(uri, sizeof uri, "pkcs11:object=a?pin-source=file://%s/" PIN_FILE,
             getcwd(text, sizeof text));
    find((struct p11prof_bench_target_options){.key_uri = uri});
    is_pin("4321");
    setenv("TEST_PIN", "99", 1);
    find((struct p11prof_bench_target_options){.uri = uri, .pin_source = "env:TEST_PIN"});
    is_pin("99");
    assert_int_equal(find((struct p11prof_bench_target_options){
                         .uri = "pkcs11:?pin-value=1&pin-source=file:" PIN_FILE}),
                     P11PROF_BAD_INPUT);
    assert_int_equal(
        find((struct p11prof_bench_target_options){.uri = "pkcs11:?pin-source=%7C/bin/echo%201"}),
        P11PROF_BAD_INPUT);
}

static void it_is_wiped(void **state)
{
    (void)state;
    static const CK_BYTE zeros[P11PROF_BENCH_PIN_BYTES];
    setenv("TEST_PIN", "1234", 1);
    from("env:TEST_PIN", "1234");
    p11prof_bench_target_clear(&target);
    assert_memory_equal(target.pin, zeros, sizeof zeros);
}

/* This program again: what it was started with is shown to others. */
static int shown(char *pin, char *uri)
{
    char line[4096] = "";
    find((struct p11prof_bench_target_options){.pin = pin, .uri = uri});
    FILE *file = fopen("/proc/self/cmdline", "r");
    size_t bytes = file ? fread(line, 1, sizeof line, file) : 0;
    bool found = memmem(line, bytes, "7777", 4) || memmem(line, bytes, "8888", 4);
    bool whole = memmem(line, bytes, "token=a?", 8) && memmem(line, bytes, "&module-name=b", 14);
    return target.pin_bytes == 4 && memcmp(target.pin, "7777", 4) == 0 && !found && whole
               ? ENDED_WELL
               : 1;
}

static int ending(pid_t child)
{
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void the_argument_is_overwritten(void **state)
{
    (void)state;
    if (under_valgrind()) /* others see the arguments of valgrind */
        skip();
    pid_t child = fork();
    if (child == 0) {
        dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
        execl("/proc/self/exe", "bench_pin_test", "7777",
              "pkcs11:token=a?pin-value=8888&module-name=b", NULL);
        _exit(1);
    }
    assert_int_equal(WEXITSTATUS(ending(child)), ENDED_WELL);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_variable_gives_it),
        cmocka_unit_test(a_file_gives_its_first_line),
        cmocka_unit_test(a_file_for_all_is_warned_of),
        cmocka_unit_test(a_descriptor_gives_one_line),
        cmocka_unit_test(other_sources_are_refused),
        cmocka_unit_test(a_uri_gives_it),
        cmocka_unit_test(it_is_wiped),
        cmocka_unit_test(the_argument_is_overwritten),
    };
    if (argc == 3)
        return shown(argv[1], argv[2]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
