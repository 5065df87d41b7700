/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Settings: which source wins, what a value may be, which files are believed. Built with
 * P11PROF_ETC as a folder that this test makes. */
#include "p11prof/config.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define BESIDE     P11PROF_ETC "/lib/foo.conf"
#define SHIM       P11PROF_ETC "/lib/foo.so"
#define ETC_NAMED  P11PROF_ETC "/p11prof/foo.conf"
#define ETC_COMMON P11PROF_ETC "/p11prof.conf"

static struct p11prof_config config;

static const char *const variables[] = {
    "P11PROF_MODULE", "P11PROF_DB",          "P11PROF_NAME",  "P11PROF_RECORD", "P11PROF_DRAIN",
    "P11PROF_SPOOL",  "P11PROF_SPOOL_LIMIT", "P11PROF_CLOCK", "P11PROF_DEBUG",  "P11PROF_RUN",
};

static void put_bytes(const char *path, const char *bytes, size_t count)
{
    unlink(path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, count, file), count);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, 0644), 0);
}

static void put(const char *path, const char *text)
{
    put_bytes(path, text, strlen(text));
}

static int setup(void **state)
{
    (void)state;
    umask(022);
    mkdir(P11PROF_ETC, 0755);
    mkdir(P11PROF_ETC "/p11prof", 0755);
    mkdir(P11PROF_ETC "/lib", 0755);
    unlink(BESIDE);
    unlink(ETC_NAMED);
    unlink(ETC_COMMON);
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        unsetenv(variables[i]);
    return 0;
}

static void load(void)
{
    p11prof_config_load(&config, SHIM);
}

static void load_beside(const char *text)
{
    put(BESIDE, text);
    load();
}

static void assert_warned(const char *part)
{
    if (!strstr(config.warning, part))
        fail_msg("warning is '%s', not about '%s'", config.warning, part);
}

static void test_defaults(void **state)
{
    (void)state;
    load();
    assert_string_equal(config.module, "");
    assert_string_equal(config.spool, "");
    assert_string_equal(config.run, "");
    assert_int_equal(config.spool_limit_bytes, P11PROF_SPOOL_DEFAULT_BYTES);
    assert_int_equal(config.record, P11PROF_RECORDING_CALLS);
    assert_int_equal(config.drain, P11PROF_DRAIN_AUTO);
    assert_int_equal(config.clock, P11PROF_CLOCK_CHOICE_AUTO);
    assert_false(config.debug);
    assert_string_equal(config.warning, "");
}

/* For each setting the four sources are taken away one after the other, best first. */
static void test_precedence(void **state)
{
    (void)state;
    const struct {
        const char *key, *variable, *values[4];
        const void *field;
        size_t bytes;
    } cases[] = {
        {"module", "P11PROF_MODULE", {"/1", "/2", "/3", "/4"}, config.module, 0},
        {"db", "P11PROF_DB", {"/1", "/2", "/3", "/4"}, config.db, 0},
        {"spool", "P11PROF_SPOOL", {"/1", "/2", "/3", "/4"}, config.spool, 0},
        {"name", "P11PROF_NAME", {"1", "2", "3", "4"}, config.name, 0},
    };
    const char *const files[] = {BESIDE, ETC_NAMED, ETC_COMMON};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        setup(NULL);
        setenv(cases[i].variable, cases[i].values[0], 1);
        for (int j = 0; j < 3; j++) {
            char text[64];
            snprintf(text, sizeof text, "%s = %s\n", cases[i].key, cases[i].values[j + 1]);
            put(files[j], text);
        }
        load();
        assert_string_equal(cases[i].field, cases[i].values[0]);
        unsetenv(cases[i].variable);
        for (int j = 0; j < 3; j++) {
            load();
            assert_string_equal(cases[i].field, cases[i].values[j + 1]);
            unlink(files[j]);
        }
        assert_string_equal(config.warning, "");
    }
}

static void test_precedence_of_words(void **state)
{
    (void)state;
    setenv("P11PROF_RECORD", "off", 1);
    setenv("P11PROF_CLOCK", "tsc", 1);
    put(ETC_NAMED, "drain = exit\nspool_limit = 2MB\n");
    put(ETC_COMMON, "drain = thread\nspool_limit = 3MB\ndebug = 1\n");
    load_beside("record = summary\nclock = monotonic\ndrain = external\n");
    assert_int_equal(config.record, P11PROF_RECORDING_OFF);
    assert_int_equal(config.clock, P11PROF_CLOCK_CHOICE_TSC);
    assert_int_equal(config.drain, P11PROF_DRAIN_EXTERNAL);
    assert_int_equal(config.spool_limit_bytes, 2 << 20);
    assert_true(config.debug);
    assert_string_equal(config.warning, "");
}

static void test_module_source(void **state)
{
    (void)state;
    load_beside("module = /x/real.so\n");
    assert_string_equal(config.module_source, BESIDE);
    setenv("P11PROF_MODULE", "/y/real.so", 1);
    load();
    assert_string_equal(config.module, "/y/real.so");
    assert_string_equal(config.module_source, "P11PROF_MODULE");
}

static void test_syntax(void **state)
{
    (void)state;
    load_beside("\xEF\xBB\xBF# comment\r\n; comment\n\n  \tname = a b \t\r\n   db : /d ; why\n"
                "module=/m=1");
    assert_string_equal(config.name, "a b");
    assert_string_equal(config.db, "/d");
    assert_string_equal(config.module, "/m=1");
    assert_string_equal(config.warning, "");
}

static void test_bad_values(void **state)
{
    (void)state;
    const struct {
        const char *text, *warning;
    } cases[] = {
        {"record = most\n", "foo.conf:1: record is none of"},
        {"\ndrain = Thread\n", "foo.conf:2: drain is none of"},
        {"clock = sun\n", "clock is none of"},
        {"spool_limit = 12x\n", "is no size"},
        {"spool_limit = 1KB\n", "is not between"},
        {"spool_limit = 2GB\n", "is not between"},
        {"module = real.so\n", "is not an absolute path"},
        {"db = x.db\n", "is not an absolute path"},
        {"spool = x\n", "is not an absolute path"},
        {"colour = red\n", "foo.conf:1: colour is no setting"},
        {"run = 01234567-89ab-cdef-0123-456789abcdef\n", "run is no setting"},
        {"[main]\nname = x\n", "stands in a section"},
        {"just words\n", "foo.conf:1: the line is not of the form"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        load_beside(cases[i].text);
        assert_warned(cases[i].warning);
        assert_string_equal(config.module, "");
        assert_string_equal(config.name, "");
        assert_string_equal(config.spool, "");
        assert_int_equal(config.spool_limit_bytes, P11PROF_SPOOL_DEFAULT_BYTES);
        assert_int_equal(config.record, P11PROF_RECORDING_CALLS);
        assert_int_equal(config.drain, P11PROF_DRAIN_AUTO);
        assert_int_equal(config.clock, P11PROF_CLOCK_CHOICE_AUTO);
    }
}

/* Only the first problem is kept, and what is right is used all the same. */
static void test_first_warning(void **state)
{
    (void)state;
    setenv("P11PROF_CLOCK", "sun", 1);
    load_beside("colour = red\nname = kept\n");
    assert_warned("P11PROF_CLOCK is none of");
    assert_string_equal(config.name, "kept");
}

static void test_junk(void **state)
{
    (void)state;
    char junk[70000];
    for (size_t i = 0; i < sizeof junk; i++)
        junk[i] = (char)(i * 2654435761U >> 13);
    put_bytes(BESIDE, junk, sizeof junk);
    load();
    assert_string_not_equal(config.warning, "");
    put_bytes(BESIDE, "name = a\0b\ndb = /d\n", 19);
    load();
    assert_warned("foo.conf:1: the line holds a NUL byte");
    assert_string_equal(config.name, "");
    assert_string_equal(config.db, "/d");
    put_bytes(BESIDE, "", 0);
    load();
    assert_string_equal(config.warning, "");
}

static void test_long_lines(void **state)
{
    (void)state;
    static char text[20000];
    memset(text, 'x', sizeof text);
    memcpy(text, "module = /", 10);
    strcpy(text + 4000, "\nname = after\n");
    load_beside(text);
    assert_int_equal(strlen(config.module), 4000 - 9);
    assert_string_equal(config.name, "after");
    assert_string_equal(config.warning, "");
    memset(text, 'x', sizeof text);
    memcpy(text, "module = /", 10);
    strcpy(text + 19000, "\nname = after\n");
    load_beside(text);
    assert_warned("foo.conf:1: the line is too long");
    assert_string_equal(config.module, "");
    assert_string_equal(config.name, "after");
}

static void test_huge_file(void **state)
{
    (void)state;
    FILE *file = fopen(BESIDE, "w");
    assert_non_null(file);
    fputs("name = first\n", file);
    for (int i = 0; i < 200000; i++)
        fputs("# comment\n", file);
    fputs("db = /last\n", file);
    fclose(file);
    load();
    assert_string_equal(config.name, "first");
    assert_string_not_equal(config.db, "/last");
    assert_warned("is longer than 1 MB");
}

static void test_name_is_cut_between_characters(void **state)
{
    (void)state;
    char name[200] = "";
    for (int i = 0; i < 64; i++)
        strcat(name, "\xC3\xA9");
    setenv("P11PROF_NAME", name, 1);
    load();
    assert_int_equal(strlen(config.name), 126);
    assert_warned("P11PROF_NAME is longer");
}

static void test_name_that_is_no_utf8_is_cut(void **state)
{
    (void)state;
    char name[200] = "";
    memset(name, 0x9B, sizeof name - 1);
    setenv("P11PROF_NAME", name, 1);
    load();
    assert_int_equal(strlen(config.name), 124);
    assert_warned("P11PROF_NAME is longer");
}

static void test_environment(void **state)
{
    (void)state;
    char here[P11PROF_PATH_BYTES];
    assert_non_null(getcwd(here, sizeof here - 8));
    strcat(here, "/x.db");
    setenv("P11PROF_DB", "x.db", 1);
    setenv("P11PROF_RUN", "01234567-89ab-cdef-0123-456789ABCDEF", 1);
    setenv("P11PROF_NAME", "", 1);
    setenv("P11PROF_DEBUG", "0", 1);
    load();
    assert_string_equal(config.db, here);
    assert_string_equal(config.run, "01234567-89ab-cdef-0123-456789ABCDEF");
    assert_false(config.debug);
    assert_string_equal(config.warning, "");
    setenv("P11PROF_DEBUG", "yes", 1);
    setenv("P11PROF_RUN", "01234567-89ab-cdef-0123-456789ABCDEF0", 1);
    load();
    assert_true(config.debug);
    assert_string_equal(config.run, "");
    assert_warned("P11PROF_RUN is no UUID");
}

/* A file that others may write sets nothing and ends the search. */
static void assert_refused(const char *why)
{
    put(ETC_COMMON, "module = /other\n");
    load();
    assert_warned(why);
    assert_string_equal(config.module, "");
}

static void test_modes(void **state)
{
    (void)state;
    put(BESIDE, "module = /m\n");
    assert_int_equal(chmod(BESIDE, 0664), 0);
    assert_refused("'foo.conf' on its path can be written by others");
    assert_int_equal(chmod(BESIDE, 0646), 0);
    assert_refused("can be written by others");
    assert_int_equal(chmod(BESIDE, 0600), 0);
    load();
    assert_string_equal(config.module, "/m");
    assert_int_equal(chmod(P11PROF_ETC "/lib", 0775), 0);
    assert_refused("'lib' on its path can be written by others");
    assert_int_equal(chmod(P11PROF_ETC "/lib", 01777), 0);
    assert_refused("is a file in a folder where others may make files");
    assert_int_equal(chmod(P11PROF_ETC "/lib", 0755), 0);
}

static void test_no_regular_file(void **state)
{
    (void)state;
    assert_int_equal(mkdir(BESIDE, 0755), 0);
    assert_refused("is no regular file");
    assert_int_equal(rmdir(BESIDE), 0);
    assert_int_equal(mkfifo(BESIDE, 0644), 0);
    assert_refused("is no regular file");
}

static void test_links(void **state)
{
    (void)state;
    put(P11PROF_ETC "/target.conf", "module = /m\n");
    assert_int_equal(symlink("../target.conf", BESIDE), 0);
    load();
    assert_string_equal(config.module, "/m");
    assert_int_equal(chmod(P11PROF_ETC "/target.conf", 0666), 0);
    assert_refused("can be written by others");
    unlink(BESIDE);
    assert_int_equal(symlink("foo.conf", BESIDE), 0);
    assert_refused("is one link too many");
    unlink(BESIDE);
    assert_int_equal(symlink("nothing", BESIDE), 0);
    load();
    assert_string_equal(config.module, "/other");
}

/* Who may pass through any folder: the build may lie in one that is closed to others. */
static bool become_other_user(void)
{
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct passes[2] = {
        {.effective = 1U << CAP_DAC_READ_SEARCH, .permitted = 1U << CAP_DAC_READ_SEARCH}};
    return prctl(PR_SET_KEEPCAPS, 1) == 0 && setresuid(65534, 65534, 65534) == 0 &&
           syscall(SYS_capset, &head, passes) == 0;
}

/* Runs `test` as another user; only root can. */
static void as_other_user(void (*test)(void))
{
    if (geteuid() != 0)
        skip();
    pid_t child = fork();
    if (child == 0) {
        if (!become_other_user())
            _exit(2);
        test();
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void expect_refused(void)
{
    load();
    _exit(!strstr(config.warning, "belongs to another user") || config.module[0]);
}

static void expect_taken(void)
{
    load();
    _exit(strcmp(config.module, "/m") != 0);
}

static void test_owner(void **state)
{
    (void)state;
    put(BESIDE, "module = /m\n");
    as_other_user(expect_taken);
    assert_int_equal(chown(BESIDE, 65534, 65534), 0);
    as_other_user(expect_taken);
    assert_refused("belongs to another user");
    assert_int_equal(chown(BESIDE, 65533, 65533), 0);
    as_other_user(expect_refused);
}

static void expect_default_db(const char *expected)
{
    char path[P11PROF_PATH_BYTES];
    p11prof_config_default_db(path, sizeof path);
    if (strcmp(path, expected) != 0)
        _exit(1);
}

static void expect_users_db(void)
{
    setenv("XDG_STATE_HOME", "/state", 1);
    setenv("HOME", "/home/u", 1);
    expect_default_db("/state/p11prof/p11prof.db");
    setenv("XDG_STATE_HOME", "state", 1);
    expect_default_db("/home/u/.local/state/p11prof/p11prof.db");
    setenv("HOME", "", 1);
    expect_default_db("");
    unsetenv("HOME");
    expect_default_db("");
}

static void test_default_db(void **state)
{
    (void)state;
    as_other_user(expect_users_db);
    char path[P11PROF_PATH_BYTES];
    setenv("XDG_STATE_HOME", "/state", 1);
    p11prof_config_default_db(path, sizeof path);
    assert_string_equal(path, "/var/lib/p11prof/p11prof.db");
    p11prof_config_default_db(path, 10);
    assert_string_equal(path, "");
}

static void test_other_file_names(void **state)
{
    (void)state;
    put(BESIDE, "name = found\n");
    const char *const paths[] = {P11PROF_ETC "/lib/foo.so", P11PROF_ETC "/lib/foo.so.1.2",
                                 P11PROF_ETC "/lib/foo", P11PROF_ETC "/./lib/../lib/foo.so"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        p11prof_config_load(&config, paths[i]);
        assert_string_equal(config.name, "found");
    }
    p11prof_config_load(&config, NULL);
    assert_string_equal(config.name, "");
    assert_int_equal(chdir(P11PROF_ETC), 0);
    p11prof_config_load(&config, "lib/foo.so");
    assert_string_equal(config.name, "found");
}

static void test_sizes(void **state)
{
    (void)state;
    const struct {
        const char *text;
        uint64_t bytes;
    } good[] = {{"0", 0},           {"65536", 65536},
                {"1B", 1},          {"64k", 64 << 10},
                {"64KB", 64 << 10}, {"1 MiB", 1 << 20},
                {"1g", 1 << 30},    {"2T", UINT64_C(2) << 40},
                {"1Kib", 1 << 10},  {"16777215T", UINT64_C(16777215) << 40}};
    const char *const bad[] = {"",
                               "-1",
                               "x",
                               "1X",
                               "1KK",
                               "1iB",
                               "1 K B",
                               "1.5M",
                               " 1",
                               "16777216T",
                               "18446744073709551616",
                               "1MB "};
    uint64_t bytes;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(p11prof_config_parse_size(good[i].text, &bytes));
        assert_int_equal(bytes, good[i].bytes);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (p11prof_config_parse_size(bad[i], &bytes))
            fail_msg("'%s' was taken as a size", bad[i]);
}

/* Nothing is left open in the application. */
static void test_descriptors(void **state)
{
    (void)state;
    int before = dup(0);
    close(before);
    load_beside("module = /m\ncolour = red\n");
    assert_int_equal(chmod(BESIDE, 0666), 0);
    load();
    unlink(BESIDE);
    load();
    int after = dup(0);
    close(after);
    assert_int_equal(after, before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_defaults, setup),
        cmocka_unit_test_setup(test_precedence, setup),
        cmocka_unit_test_setup(test_precedence_of_words, setup),
        cmocka_unit_test_setup(test_module_source, setup),
        cmocka_unit_test_setup(test_syntax, setup),
        cmocka_unit_test_setup(test_bad_values, setup),
        cmocka_unit_test_setup(test_first_warning, setup),
        cmocka_unit_test_setup(test_junk, setup),
        cmocka_unit_test_setup(test_long_lines, setup),
        cmocka_unit_test_setup(test_huge_file, setup),
        cmocka_unit_test_setup(test_name_is_cut_between_characters, setup),
        cmocka_unit_test_setup(test_name_that_is_no_utf8_is_cut, setup),
        cmocka_unit_test_setup(test_environment, setup),
        cmocka_unit_test_setup(test_modes, setup),
        cmocka_unit_test_setup(test_no_regular_file, setup),
        cmocka_unit_test_setup(test_links, setup),
        cmocka_unit_test_setup(test_owner, setup),
        cmocka_unit_test_setup(test_default_db, setup),
        cmocka_unit_test_setup(test_sizes, setup),
        cmocka_unit_test_setup(test_descriptors, setup),
        cmocka_unit_test_setup(test_other_file_names, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
