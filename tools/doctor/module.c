/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "../record/elf_file.h"
#include "../record/parts.h"
#include "checks.h"
#include "p11prof/copies.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LOAD_MS = 10000 };

/* In a child: a module's constructors may print, hang or crash. Writes what went wrong. */
static _Noreturn void load(const char *path, int report)
{
    int null = open("/dev/null", O_RDWR);
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    dup2(null, STDERR_FILENO);
    void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!module)
        dprintf(report, "%s", dlerror());
    else if (!dlsym(module, "C_GetFunctionList") && !dlsym(module, "C_GetInterface"))
        dprintf(report, "it exports neither C_GetFunctionList nor C_GetInterface");
    _exit(0);
}

/* Reads until the child closes its end. False if it did not within LOAD_MS. */
static bool read_report(int from, char *text, size_t text_bytes)
{
    struct pollfd waiting = {.fd = from, .events = POLLIN};
    size_t used = 0;
    for (ssize_t bytes = 1; bytes > 0 && used + 1 < text_bytes; used += (size_t)bytes) {
        if (poll(&waiting, 1, LOAD_MS) <= 0)
            return false;
        bytes = read(from, text + used, text_bytes - used - 1);
        if (bytes < 0)
            break;
    }
    text[used] = '\0';
    return true;
}

/* Whether the module loads; what went wrong in `problem`. */
static bool loads(const char *path, char *problem, size_t problem_bytes)
{
    int ends[2], status;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return true;
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        load(path, ends[1]);
    }
    close(ends[1]);
    problem[0] = '\0';
    bool ended = child > 0 && read_report(ends[0], problem, problem_bytes);
    close(ends[0]);
    if (child > 0 && !ended)
        kill(child, SIGKILL);
    if (child > 0 && waitpid(child, &status, 0) == child && ended && WIFSIGNALED(status))
        snprintf(problem, problem_bytes, "it crashes when it is loaded: %s",
                 strsignal(WTERMSIG(status)));
    if (child > 0 && !ended)
        snprintf(problem, problem_bytes, "it is not loaded after %d s", LOAD_MS / 1000);
    return problem[0] == '\0';
}

static void check_load(struct p11prof_checks *checks, const char *path)
{
    char problem[512];
    if (loads(path, problem, sizeof problem))
        p11prof_check_add(checks, P11PROF_VERDICT_OK, "module", NULL, NULL, "%s loads", path);
    else
        p11prof_check_add(checks, P11PROF_VERDICT_PROBLEM, "module", NULL,
                          "name the module that the application used before", "%s: %s", path,
                          problem);
}

static void check_file(struct p11prof_checks *checks, const char *path)
{
    struct p11prof_file file;
    const char *problem = NULL;
    p11prof_file_read(&file, path);
    if (access(path, R_OK) != 0)
        problem = strerror(errno);
    else if (file.kind == P11PROF_FILE_FOREIGN)
        problem = "built for another machine or word size";
    else if (file.kind != P11PROF_FILE_LIBRARY && file.kind != P11PROF_FILE_EXECUTABLE)
        problem = "no shared library";
    else if (p11prof_file_holds(path, P11PROF_SHIM_PLACE_MAGIC, P11PROF_COPY_MAGIC_BYTES))
        problem = "the shim itself: it would call itself";
    if (problem)
        p11prof_check_add(checks, P11PROF_VERDICT_PROBLEM, "module", NULL,
                          "name the module that the application used before", "%s: %s", path,
                          problem);
    else
        check_load(checks, path);
}

void p11prof_check_module(struct p11prof_checks *checks)
{
    char shim[P11PROF_PATH_BYTES];
    struct p11prof_error error;
    checks->section = "module";
    if (p11prof_find_shim(shim, sizeof shim, &error) == P11PROF_OK)
        p11prof_check_add(checks, P11PROF_VERDICT_OK, "shim", NULL, NULL, "%s", shim);
    else
        p11prof_check_add(checks, P11PROF_VERDICT_PROBLEM, "shim", NULL, NULL, "%s", error.text);
    if (checks->config.module[0])
        check_file(checks, p11prof_plain_path(checks->config.module));
    else
        p11prof_check_add(checks, P11PROF_VERDICT_PROBLEM, "module", NULL,
                          "set P11PROF_MODULE or a .conf file ('p11prof record --module' sets it "
                          "itself)",
                          "no real module is set: a shim that an application loads here fails");
}
