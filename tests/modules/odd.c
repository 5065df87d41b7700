/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* A module that does something odd in a call: what $P11PROF_TEST_ODD says, when C_GenerateRandom is
 * asked for ODD_AT bytes. Every other call answers at once. */
#include "p11prof/pkcs11.h"

#include <errno.h>
#include <fenv.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ODD_AT = 500 };

/* Codes of vendors, and more bits than any has: for every call. */
static CK_RV vendor_code(CK_ULONG number)
{
    static const CK_RV codes[] = {0x80000001,     0xCE534351,     0xffffffff,
                                  (CK_RV)1 << 32, (CK_RV)1 << 63, (CK_RV)-1};
    return codes[number % (sizeof codes / sizeof *codes)];
}

static void ignore(int number)
{
    (void)number;
}

/* Whatever a thread or process has that a call could leave changed. */
static CK_RV change_signals(void)
{
    const struct sigaction action = {.sa_handler = ignore};
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    for (int number = 1; number < 32; number++)
        sigaction(number, &action, NULL);
    return CKR_OK;
}

static CK_RV change_arithmetic(void)
{
    fesetround(FE_UPWARD);
    feenableexcept(FE_ALL_EXCEPT);
    errno = 4711;
    return CKR_OK;
}

static CK_RV fork_and_wait(void)
{
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    return waitpid(child, NULL, 0) == child ? CKR_OK : CKR_DEVICE_ERROR;
}

/* Others get the numbers that it closes. */
static CK_RV close_all(void)
{
    syscall(SYS_close_range, 3u, ~0u, 0u);
    for (int i = 0; i < 20; i++)
        if (syscall(SYS_dup, STDIN_FILENO) < 0) /* TSan knows one table of descriptors only */
            return CKR_DEVICE_ERROR;
    return CKR_OK;
}

static _Noreturn CK_RV hang(void)
{
    for (;;)
        pause();
}

static _Noreturn CK_RV exit_inside(void)
{
    exit(7);
}

static _Noreturn CK_RV quit(void)
{
    _exit(7);
}

static _Noreturn CK_RV abort_inside(void)
{
    abort();
}

static CK_RV fault(void)
{
    raise(SIGSEGV);
    return CKR_OK;
}

static CK_RV nothing(void)
{
    return CKR_OK;
}

static const struct {
    const char *name;
    CK_RV (*act)(void);
} odds[] = {
    {"hangs", hang},
    {"exits", exit_inside},
    {"quits", quit},
    {"aborts", abort_inside},
    {"faults", fault},
    {"masks", change_signals},
    {"computes", change_arithmetic},
    {"closes", close_all},
    {"forks", fork_and_wait},
    {"none", nothing},
    {"vendor", nothing},
};

static CK_RV act(const char *name)
{
    for (size_t i = 0; i < sizeof odds / sizeof *odds; i++)
        if (strcmp(name, odds[i].name) == 0)
            return odds[i].act();
    abort();
}

static CK_RV generate_random(CK_SESSION_HANDLE session, CK_BYTE *out, CK_ULONG bytes)
{
    const char *odd = getenv("P11PROF_TEST_ODD");
    (void)session, (void)out;
    if (odd && strcmp(odd, "vendor") == 0)
        return vendor_code(bytes);
    return odd && bytes == ODD_AT ? act(odd) : CKR_OK;
}

static CK_RV answer(void *unused)
{
    (void)unused;
    return CKR_OK;
}

static CK_FUNCTION_LIST list = {
    .version = {2, 40},
    .C_Initialize = answer,
    .C_Finalize = answer,
    .C_GenerateRandom = generate_random,
};

__attribute__((visibility("default"))) CK_RV C_GetFunctionList(CK_FUNCTION_LIST **out)
{
    *out = &list;
    return CKR_OK;
}
