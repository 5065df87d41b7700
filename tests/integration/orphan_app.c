/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* A program for orphan_test.sh: makes 1009 calls of C_GetInfo, forks, and is gone by a signal. The
 * child makes no call; it writes its pid and waits for a signal.
 *
 *   orphan_app MODULE PID_FILE */
#include "p11prof/pkcs11.h"

#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { CALLS = 1009 };

static int wait_for_signal(const char *pid_file)
{
    FILE *file = fopen(pid_file, "w");
    if (!file)
        return 1;
    fprintf(file, "%d\n", (int)getpid());
    fclose(file);
    return pause();
}

int main(int argc, char **argv)
{
    CK_FUNCTION_LIST_PTR list = NULL;
    CK_C_GetFunctionList entry = NULL;
    CK_INFO info;
    if (argc != 3)
        return 2;
    void *module = dlopen(argv[1], RTLD_NOW);
    void *symbol = module ? dlsym(module, "C_GetFunctionList") : NULL;
    memcpy(&entry, &symbol, sizeof entry);
    if (!entry || entry(&list) != CKR_OK || list->C_Initialize(NULL) != CKR_OK)
        return 1;
    for (int i = 0; i < CALLS; i++)
        if (list->C_GetInfo(&info) != CKR_OK)
            return 1;
    if (fork() == 0)
        return wait_for_signal(argv[2]);
    return raise(SIGKILL);
}
