/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* An application that loads modules in many ways: library_app COUNTS CALLS WAY MODULE...
 *
 * Each MODULE gets a slot of driver.h, and CALLS calls of C_GenerateRandom in turn with the others.
 * WAY: local, global, deepbind, namespace (dlmopen); sqlite: local, beside a database of its own;
 * late: local, and as many calls again from a destructor before and from one after the module's. */
#include "driver.h"
#include "p11prof/pkcs11.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MODULES = 4 };

static struct driver_counts *counts;
static CK_FUNCTION_LIST_PTR modules[MODULES];
static uint64_t call_count;
static unsigned module_count;

static void die(const char *what, const char *why)
{
    fprintf(stderr, "library_app: %s: %s\n", what, why);
    exit(99);
}

static void *symbol_of(void *handle, const char *name)
{
    void *symbol = dlsym(handle, name);
    if (!symbol)
        die(name, dlerror());
    return symbol;
}

static void module_load(const char *way, const char *path)
{
    void *handle = strcmp(way, "namespace") == 0  ? dlmopen(LM_ID_NEWLM, path, RTLD_NOW)
                   : strcmp(way, "global") == 0   ? dlopen(path, RTLD_NOW | RTLD_GLOBAL)
                   : strcmp(way, "deepbind") == 0 ? dlopen(path, RTLD_NOW | RTLD_DEEPBIND)
                                                  : dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!handle)
        die(path, dlerror());
    void *symbol = symbol_of(handle, "C_GetFunctionList");
    CK_C_GetFunctionList get;
    memcpy(&get, &symbol, sizeof get);
    CK_RV rv = get(&modules[module_count]);
    if (rv != CKR_OK)
        exit(90);
    struct driver_slot *slot = &counts->slots[module_count++];
    atomic_store(&counts->slot_count, module_count);
    atomic_store(&slot->pid, (uint32_t)getpid());
    atomic_store(&slot->thread_id, (uint32_t)gettid());
}

static void calls_make(void)
{
    CK_BYTE out[1];
    for (uint64_t i = 0; i < call_count; i++)
        for (unsigned m = 0; m < module_count; m++) {
            uint64_t n = atomic_load(&counts->slots[m].returned_count) + 1;
            modules[m]->C_GenerateRandom(1, out, n);
            atomic_store(&counts->slots[m].returned_count, n);
        }
}

/* A database of the application's own, in the library that the system has. */
static void sqlite_use(const char *path)
{
    int (*open_it)(const char *, void **), (*close_it)(void *);
    int (*run)(void *, const char *, void *, void *, void *);
    void *db, *handle = dlopen("libsqlite3.so.0", RTLD_NOW | RTLD_GLOBAL);
    if (!handle)
        die("libsqlite3.so.0", dlerror());
    void *symbols[] = {symbol_of(handle, "sqlite3_open"), symbol_of(handle, "sqlite3_exec"),
                       symbol_of(handle, "sqlite3_close")};
    memcpy(&open_it, &symbols[0], sizeof open_it);
    memcpy(&run, &symbols[1], sizeof run);
    memcpy(&close_it, &symbols[2], sizeof close_it);
    if (open_it(path, &db) != 0 ||
        run(db, "PRAGMA journal_mode = WAL; CREATE TABLE t (v)", NULL, NULL, NULL) != 0)
        die(path, "cannot be made");
    for (int i = 0; i < 50; i++) {
        calls_make();
        if (run(db, "BEGIN; INSERT INTO t VALUES (1); COMMIT", NULL, NULL, NULL) != 0)
            die(path, "cannot be written");
    }
    close_it(db);
}

static void calls_be_made_late(const char *library)
{
    void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    if (!handle)
        die(library, dlerror());
    void (**at_end)(void) = symbol_of(handle, "library_late_call");
    *at_end = calls_make;
}

int main(int argc, char **argv)
{
    if (argc < 5 || argc > 4 + MODULES)
        die("usage", "library_app COUNTS CALLS WAY MODULE...");
    int fd = open(argv[1], O_RDWR);
    counts = mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fd < 0 || counts == MAP_FAILED)
        die(argv[1], "cannot be mapped");
    close(fd);
    call_count = strtoull(argv[2], NULL, 10);
    bool late = strcmp(argv[3], "late") == 0; /* which one's destructor runs last, glibc decides */
    if (late)
        calls_be_made_late(getenv("P11PROF_TEST_LATE"));
    for (int i = 4; i < argc; i++)
        module_load(argv[3], argv[i]);
    if (late)
        calls_be_made_late(getenv("P11PROF_TEST_LATER"));
    for (unsigned m = 0; m < module_count; m++)
        modules[m]->C_Initialize(NULL);
    if (strcmp(argv[3], "sqlite") == 0)
        sqlite_use(getenv("P11PROF_TEST_OWN_DATABASE"));
    calls_make();
    for (unsigned m = 0; m < module_count; m++)
        modules[m]->C_Finalize(NULL);
    return 0;
}
