/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Another module whose calls take a known part longer: each keeps the processor, or sleeps, for so
 * many percent of the time that it took.
 *
 * P11PROF_TEST_STRETCHED  the other module; default: SoftHSM
 * NAME.percent            beside a copy NAME.so of this module: how many, "10", "2.5" or "10
 * sleep"; "10 sleep 3" from 3 s after it was loaded on; 0 where there is no such file. So two
 * copies in one environment differ.
 */
#include "call_log.h"

#include "p11prof/calls.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static CK_FUNCTION_LIST *stretched;
static double part; /* 0.1: 10 % */
static bool sleeps;
static uint64_t from_ns; /* before that, none */

static void part_read(void)
{
    char path[4096], how[8] = "";
    double after_s = 0;
    Dl_info self;
    if (!dladdr(&part, &self))
        abort();
    size_t bytes = strlen(self.dli_fname);
    if (bytes > 3 && strcmp(self.dli_fname + bytes - 3, ".so") == 0)
        bytes -= 3;
    snprintf(path, sizeof path, "%.*s.percent", (int)bytes, self.dli_fname);
    FILE *file = fopen(path, "re");
    if (file && (fscanf(file, "%lf %7s %lf", &part, how, &after_s) < 1 ||
                 (*how && strcmp(how, "sleep") != 0)))
        abort();
    if (file)
        fclose(file);
    part /= 100;
    sleeps = *how;
    from_ns = call_log_now_ns() + (uint64_t)(after_s * 1e9);
}

__attribute__((constructor)) static void stretched_load(void)
{
    const char *path = getenv("P11PROF_TEST_STRETCHED");
    void *handle = dlopen(path ? path : "/usr/lib/softhsm/libsofthsm2.so", RTLD_NOW | RTLD_LOCAL);
    CK_C_GetFunctionList get =
        handle ? (CK_C_GetFunctionList)dlsym(handle, "C_GetFunctionList") : NULL;
    if (!get || get(&stretched) != CKR_OK) {
        fprintf(stderr, "P11PROF_TEST_STRETCHED: %s\n", handle ? "no module" : dlerror());
        abort();
    }
    part_read();
}

static CK_RV stretch(uint64_t start_ns, CK_RV rv)
{
    uint64_t taken_ns = call_log_now_ns() - start_ns;
    uint64_t more_ns = start_ns < from_ns ? 0 : (uint64_t)((double)taken_ns * part);
    if (more_ns)
        call_log_wait(start_ns, sleeps ? more_ns : taken_ns + more_ns, sleeps);
    return rv;
}

#define DEFINE(number, name, since, operation, role, parameters, arguments, ...)                   \
    EXPORTED CK_RV name parameters;                                                                \
    CK_RV name parameters                                                                          \
    {                                                                                              \
        uint64_t start_ns = call_log_now_ns();                                                     \
        return stretch(start_ns, stretched->name arguments);                                       \
    }
#include "module_2x.h"
