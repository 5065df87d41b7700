/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "driving.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

struct driver_counts *counts;
CK_FUNCTION_LIST *module;
void *handle;
unsigned thread_count;
uint64_t call_count;
char **arguments;

void die(const char *what)
{
    fprintf(stderr, "driver: %s\n", what);
    exit(99);
}

void module_load(const char *path)
{
    handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    CK_C_GetFunctionList get =
        handle ? (CK_C_GetFunctionList)dlsym(handle, "C_GetFunctionList") : NULL;
    if (!get || get(&module) != CKR_OK)
        die("no module");
}

static void counts_map(const char *path)
{
    int fd = open(path, O_RDWR);
    counts =
        fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (counts == MAP_FAILED)
        die("no file to count in");
    close(fd);
}

void *calls_make(void *unused)
{
    static CK_BYTE buffer[1];
    uint32_t index = atomic_fetch_add(&counts->slot_count, 1);
    if (index >= DRIVER_SLOTS)
        die("too many threads");
    struct driver_slot *slot = &counts->slots[index];
    atomic_store(&slot->pid, (uint32_t)getpid());
    atomic_store(&slot->thread_id, (uint32_t)gettid());
    for (uint64_t n = 1; n <= call_count; n++) {
        module->C_GenerateRandom(1, buffer, n);
        atomic_store_explicit(&slot->returned_count, n, memory_order_release);
    }
    return unused;
}

static bool fiber_finalizes;

static void fiber_main(void)
{
    calls_make(NULL);
    if (fiber_finalizes)
        module->C_Finalize(NULL);
}

void fiber_run(size_t stack_bytes, bool finalizes)
{
    static ucontext_t callers, fiber;
    char *stack = mmap(NULL, 2 * stack_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (stack == MAP_FAILED ||
        mprotect(stack + stack_bytes, stack_bytes, PROT_READ | PROT_WRITE) != 0 ||
        getcontext(&fiber) != 0)
        die("no stack");
    fiber.uc_stack.ss_sp = stack + stack_bytes;
    fiber.uc_stack.ss_size = stack_bytes;
    fiber.uc_link = &callers;
    fiber_finalizes = finalizes;
    makecontext(&fiber, fiber_main, 0);
    swapcontext(&callers, &fiber);
    munmap(stack, 2 * stack_bytes);
}

/* errno stays, but where the module changes it itself. */
static void *calls_make_and_look(void *unused)
{
    int error = errno;
    calls_make(NULL);
    if (errno != error && !getenv("P11PROF_TEST_ODD"))
        die("errno was changed");
    return unused;
}

void threads_run(void)
{
    pthread_t threads[64];
    unsigned extra = thread_count > 64 ? 64 : thread_count;
    for (unsigned i = 1; i < extra; i++)
        if (pthread_create(&threads[i], NULL, calls_make_and_look, NULL) != 0)
            die("no thread");
    calls_make_and_look(NULL);
    for (unsigned i = 1; i < extra; i++)
        pthread_join(threads[i], NULL);
}

void wait_for(pid_t child)
{
    int status;
    if (child < 0 || waitpid(child, &status, 0) != child ||
        (WIFEXITED(status) && WEXITSTATUS(status)))
        die("a child failed");
}

int drive(int argc, char **argv, const struct scenario *scenarios, size_t count)
{
    if (argc != 6)
        die("usage: driver SHIM COUNTS SCENARIO THREADS CALLS");
    arguments = argv;
    thread_count = (unsigned)atoi(argv[4]);
    call_count = strtoull(argv[5], NULL, 10);
    counts_map(argv[2]);
    module_load(argv[1]);
    for (size_t i = 0; i < count; i++)
        if (strcmp(argv[3], scenarios[i].name) == 0) {
            scenarios[i].run();
            return 0;
        }
    die("no such scenario");
}
