/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#define P11_KIT_FUTURE_UNSTABLE_API
#include "bench_fixture.h"

#include "bench/child.h"
#include "under_valgrind.h"

#include <dlfcn.h>
#include <p11-kit/p11-kit.h>

enum { SHARED_BYTES = 1024 };

struct p11prof_bench_target target;
struct p11prof_error error;

void run(const char *format, ...)
{
    char command[2048];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(command, sizeof command, format, arguments);
    va_end(arguments);
    assert_int_equal(system(command), 0);
}

void put(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

int setup(void **state)
{
    (void)state;
    run("rm -rf " FOLDER " && mkdir -p " MODULES " " FOLDER "/tmp && mkdir -m 700 " FOLDER
        "/spool");
    unsetenv("SOFTHSM2_CONF");
    unsetenv("P11PROF_MODULE");
    unsetenv("P11PROF_SOFTHSM");
    setenv("TMPDIR", FOLDER "/tmp", 1);
    setenv("P11PROF_SPOOL", FOLDER "/spool", 1);
    setenv("P11PROF_DB", FOLDER "/db", 1);
    p11_kit_override_system_files(FOLDER "/none", FOLDER "/none", MODULES, FOLDER "/none",
                                  FOLDER "/none");
    memset(&error, 0, sizeof error);
    return 0;
}

int teardown(void **state)
{
    (void)state;
    p11prof_bench_target_clear(&target);
    return 0;
}

enum p11prof_status find(struct p11prof_bench_target_options options)
{
    p11prof_bench_target_clear(&target);
    return p11prof_bench_target_find(&target, &options, &error);
}

void finds(struct p11prof_bench_target_options options, const char *module)
{
    char path[P11PROF_PATH_BYTES];
    if (find(options) != P11PROF_OK) {
        fail_msg("%s", error.text);
    }
    assert_non_null(realpath(module, path));
    assert_string_equal(target.module, path);
}

void fails(struct p11prof_bench_target_options options, enum p11prof_status status,
           const char *part)
{
    assert_int_equal(find(options), status);
    if (!strstr(error.text, part)) {
        fail_msg("'%s' is not in: %s", part, error.text);
    }
}

void need_softhsm(void)
{
    if (access(SOFTHSM, R_OK) != 0)
        skip();
}

/* What a worker does, in one: 0 if it is logged in at the token. */
static void work(void *shared)
{
    char *label = shared;
    CK_SLOT_ID slot;
    CK_TOKEN_INFO token;
    CK_SESSION_HANDLE session;
    CK_FUNCTION_LIST *module;
    bool logged_in = false;
    void *library = dlopen(target.module, RTLD_NOW);
    CK_RV (*get)(CK_FUNCTION_LIST **) = NULL;
    *(void **)&get = library ? dlsym(library, "C_GetFunctionList") : NULL;
    if (!get || get(&module) != CKR_OK || module->C_Initialize(NULL) != CKR_OK ||
        p11prof_bench_slot_find(&target, module, &slot, &token, &error) != P11PROF_OK ||
        module->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &session) != CKR_OK ||
        p11prof_bench_login(&target, module, session, &token, &logged_in, &error) != P11PROF_OK ||
        !logged_in)
        snprintf(label, SHARED_BYTES, "failed: %s", error.text);
    else
        memcpy(label, token.label, sizeof token.label);
}

void works_with(const char *label)
{
    char problem[128];
    char *shared;
    if (under_valgrind()) /* a module that was mapped as a file makes it fail when it is loaded */
        return;
    shared = p11prof_bench_shared_new(SHARED_BYTES);
    if (!p11prof_bench_child_run(work, shared, 20000, problem, sizeof problem)) {
        fail_msg("%s", problem);
    }
    if (strncmp(shared, label, strlen(label)) != 0) {
        fail_msg("%s", shared);
    }
    p11prof_bench_shared_free(shared, SHARED_BYTES);
}
