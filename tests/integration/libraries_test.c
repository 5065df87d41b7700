/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The shim beside other libraries, other shims, and however it is loaded: the application ends
 * well, and every call of every module is recorded, once a shim. */
#include "driven.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CALLS = 1003, PATHS = 4, END_SECONDS = 30 };

static const char *const drains[] = {"thread", "exit", "external"};

/* Copies of the shim, each with a .conf beside it. */
static void copy_make(const struct driven *driven, const char *name, const char *module,
                      const char *drain)
{
    char path[400];
    struct stat facts;
    snprintf(path, sizeof path, "%s/%s.so", driven->folder, name);
    int from = open(getenv("P11PROF_TEST_SHIM"), O_RDONLY | O_CLOEXEC);
    int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
    assert_true(from >= 0 && to >= 0 && fstat(from, &facts) == 0);
    for (off_t done = 0; done < facts.st_size;)
        assert_true(sendfile(to, from, &done, (size_t)(facts.st_size - done)) > 0);
    close(from);
    close(to);
    snprintf(path, sizeof path, "%s/%s.conf", driven->folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "module = %s\ndb = %s\nspool = %s\ndrain = %s\nname = %s\n", module, driven->db,
            driven->spool, drain, name);
    fclose(file);
}

static int wait_for(pid_t child)
{
    int status;
    for (int i = 0; i < END_SECONDS * 100; i++) {
        if (waitpid(child, &status, WNOHANG) == child)
            return status;
        usleep(10000);
    }
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    fail_msg("the application hangs");
    return status;
}

/* Runs library_app with these modules: names of copies, or paths. Its status. */
static int app_run(struct driven *driven, const char *app, const char *way,
                   const char *const *modules)
{
    char calls[16], paths[PATHS][400];
    const char *arguments[5 + PATHS] = {app, driven->counts_path, calls, way};
    snprintf(calls, sizeof calls, "%d", CALLS);
    for (unsigned i = 0; i < PATHS && modules[i]; i++) {
        snprintf(paths[i], sizeof paths[i], *modules[i] == '/' ? "%.0s%s" : "%s/%s.so",
                 driven->folder, modules[i]);
        arguments[4 + i] = paths[i];
    }
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        const struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        if (fcntl(ends[1], F_DUPFD, 100) < 0)
            _exit(97);
        unsetenv("P11PROF_MODULE");
        if (driven->in_child)
            driven->in_child(driven);
        execv(app, (char *const *)(uintptr_t)arguments);
        _exit(98);
    }
    close(ends[1]);
    driven->end = ends[0];
    return wait_for(child);
}

struct library_case {
    const char *name, *way, *preload; /* the variable that names what is preloaded */
    const char *modules[PATHS];       /* that are loaded: copies of the shim */
    unsigned a_count, b_count;        /* times CALLS that each copy is to record */
    bool stacked;                     /* a's module is b */
};

static const char *preload;

static void preload_set(const struct driven *driven)
{
    char path[400];
    snprintf(path, sizeof path, "%s/own.db", driven->folder);
    setenv("P11PROF_TEST_OWN_DATABASE", path, 1);
    if (preload)
        setenv("LD_PRELOAD", preload, 1);
}

/* The calls of one copy: numbers 1 ... n, each as often as the application loaded it. */
static void assert_recorded(struct driven *driven, const char *name, unsigned count, unsigned times)
{
    char query[300];
    const char *const columns[] = {"count(*)", "count(DISTINCT out_bytes)",
                                   "coalesce(max(out_bytes), 0)"};
    for (size_t i = 0; i < 3; i++) {
        snprintf(query, sizeof query,
                 "SELECT %s FROM calls JOIN runs USING (run_id) WHERE "
                 "name = '%s' AND function = 'C_GenerateRandom'",
                 columns[i], name);
        assert_int_equal(driven_ask(driven, query), CALLS * count / (i && times ? times : 1));
    }
}

static void one(const struct library_case *library, const char *app, const char *drain)
{
    struct driven driven;
    char path[400];
    unsigned loaded[2] = {0};
    preload = library->preload ? getenv(library->preload) : NULL;
    if (library->preload && (!preload || access(preload, R_OK) != 0))
        return;
    driven_set_up(&driven);
    driven.in_child = preload_set;
    snprintf(path, sizeof path, "%s/b.so", driven.folder);
    copy_make(&driven, "a", library->stacked ? path : getenv("P11PROF_TEST_NULL"), drain);
    copy_make(&driven, "b", getenv("P11PROF_TEST_OTHER"), drain);
    int status = app_run(&driven, app, library->way, library->modules);
    printf("%s, %s: status 0x%x\n", library->name, drain, (unsigned)status);
    assert_int_equal(status, 0);
    driven_collect(&driven);
    for (unsigned i = 0; i < PATHS && library->modules[i]; i++)
        loaded[library->modules[i][0] - 'a']++;
    assert_recorded(&driven, "a", library->a_count, loaded[0]);
    assert_recorded(&driven, "b", library->b_count, loaded[1] + (library->stacked ? loaded[0] : 0));
    assert_int_equal(driven_ask(&driven, "SELECT sum(lost_count) FROM runs"), 0);
    driven_tear_down(&driven);
}

static const struct library_case cases[] = {
    {"local", "local", NULL, {"a"}, 1, 0, false},
    {"global", "global", NULL, {"a"}, 1, 0, false},
    {"deepbind", "deepbind", NULL, {"a"}, 1, 0, false},
    {"a namespace", "namespace", NULL, {"a"}, 1, 0, false},
    {"two namespaces", "namespace", NULL, {"a", "a"}, 2, 0, false},
    {"two copies", "local", NULL, {"a", "b"}, 1, 1, false},
    {"two copies, global", "global", NULL, {"a", "b"}, 1, 1, false},
    {"one copy twice", "local", NULL, {"a", "a"}, 2, 0, false},
    {"a shim over a shim", "local", NULL, {"a"}, 1, 1, true},
    {"a shim over a shim, global", "global", NULL, {"a"}, 1, 1, true},
    {"both of them", "global", NULL, {"a", "b"}, 1, 2, true},
    {"a database of its own", "sqlite", NULL, {"a"}, 51, 0, false},
    {"another SQLite first", "sqlite", "P11PROF_TEST_SQLITE", {"a"}, 51, 0, false},
    {"an SQLite that aborts", "local", "P11PROF_TEST_ABORTS", {"a"}, 1, 0, false},
    {"jemalloc", "local", "P11PROF_TEST_JEMALLOC", {"a", "b"}, 1, 1, false},
    {"calls after our end", "late", NULL, {"a"}, 3, 0, false},
};

static void run_all(const char *app)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t drain = 0; drain < sizeof drains / sizeof *drains; drain++)
            one(&cases[i], app, drains[drain]);
}

static void test_ways(void **state)
{
    (void)state;
    run_all(getenv("P11PROF_TEST_APP"));
}

/* ASan's runtime is in the application, not in the shim. */
static void test_sanitized_application(void **state)
{
    (void)state;
    const char *app = getenv("P11PROF_TEST_APP_ASAN");
    if (!app || !app[0])
        skip();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (!cases[i].preload && strcmp(cases[i].way, "deepbind") != 0 &&
            strcmp(cases[i].way, "namespace") != 0)
            one(&cases[i], app, i % 2 ? "exit" : "thread");
}

/* Two copies that name each other as the real module: refused, not called without end. */
static void test_circle(void **state)
{
    struct driven driven;
    char path[2][400];
    const char *const modules[PATHS] = {"a", "b"};
    (void)state;
    driven_set_up(&driven);
    preload = NULL;
    snprintf(path[0], sizeof path[0], "%s/a.so", driven.folder);
    snprintf(path[1], sizeof path[1], "%s/b.so", driven.folder);
    copy_make(&driven, "a", path[1], "thread");
    copy_make(&driven, "b", path[0], "thread");
    int status = app_run(&driven, getenv("P11PROF_TEST_APP"), "local", modules);
    close(driven.end);
    assert_int_equal(status, 90 << 8);
    driven_tear_down(&driven);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ways),
        cmocka_unit_test(test_sanitized_application),
        cmocka_unit_test(test_circle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
