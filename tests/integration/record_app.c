/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* A program for record_test.sh: for each module C_Initialize, 7 C_GetInfo, C_Finalize. A module is
 * loaded by the name given; "linked" is the one that this program is linked to, if it is.
 *
 *   record_app [-k | -d] MODULE...
 *
 *   -k  dies of SIGKILL before C_Finalize
 *   -d  goes on as a daemon: the 7 calls take a second more after the parent has ended */
#include "p11prof/pkcs11.h"

#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CALLS = 7 };

static CK_FUNCTION_LIST_PTR load(const char *name)
{
    CK_FUNCTION_LIST_PTR list = NULL;
    CK_C_GetFunctionList entry = NULL;
#ifdef RECORD_APP_LINKED
    if (strcmp(name, "linked") == 0)
        entry = C_GetFunctionList;
#endif
    if (!entry) {
        void *module = dlopen(name, RTLD_NOW | RTLD_LOCAL);
        void *symbol = module ? dlsym(module, "C_GetFunctionList") : NULL;
        memcpy(&entry, &symbol, sizeof entry);
    }
    if (entry && entry(&list) == CKR_OK)
        return list;
    fprintf(stderr, "record_app: %s: %s\n", name, entry ? "no function list" : dlerror());
    exit(1);
}

static void become_daemon(void)
{
    if (fork() != 0)
        _exit(0);
    setsid();
}

static void use(CK_FUNCTION_LIST_PTR list, char mode)
{
    CK_INFO info;
    list->C_Initialize(NULL);
    if (mode == 'd')
        become_daemon();
    for (int i = 0; i < CALLS; i++) {
        list->C_GetInfo(&info);
        if (mode == 'd')
            usleep(1000000 / CALLS);
    }
    if (mode == 'k')
        raise(SIGKILL);
    list->C_Finalize(NULL);
}

int main(int argc, char **argv)
{
    CK_FUNCTION_LIST_PTR lists[8];
    char mode = argc > 1 && argv[1][0] == '-' ? argv[1][1] : '\0';
    int first = mode ? 2 : 1, count = argc - first;
    for (int i = 0; i < count && i < 8; i++)
        lists[i] = load(argv[first + i]);
    for (int i = 0; i < count && i < 8; i++)
        use(lists[i], mode);
    return 0;
}
