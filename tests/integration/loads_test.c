/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What a thread says its calls are a load of stays with them: through chunks, drains in between,
 * threads that end and rings that are used again. */
#include "driven.h"

#include "calling.h"
#include "p11prof/load.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 3, PAIRS = 5003, OTHERS = 101, ITERATIONS = 5003 };

static CK_FUNCTION_LIST *list;
static bool (*mark)(const struct p11prof_load_note *note);

static void shim_open(void)
{
    void *handle = calling_open(getenv("P11PROF_TEST_SHIM"));
    void *symbol = dlsym(handle, P11PROF_LOAD_MARK_NAME);
    memcpy(&mark, &symbol, sizeof symbol);
    calling_entries(handle).C_GetFunctionList(&list);
}

static void say(uint32_t load, enum p11prof_phase phase, uint64_t start_ns)
{
    struct p11prof_load_note note = {.part = p11prof_part(load, phase),
                                     .window_start_ns = start_ns};
    if (!mark(&note))
        _exit(2);
}

static void sign(unsigned count)
{
    CK_MECHANISM mechanism = {CKM_ECDSA, NULL, 0};
    CK_BYTE data[32] = {0}, out[64];
    for (unsigned i = 0; i < count; i++) {
        CK_ULONG length = sizeof out;
        list->C_SignInit(1 + (CK_SESSION_HANDLE)gettid(), &mechanism, 7);
        list->C_Sign(1 + (CK_SESSION_HANDLE)gettid(), data, sizeof data, out, &length);
    }
}

static void *load_thread(void *started)
{
    uint64_t start_ns = *(const uint64_t *)started;
    sign(1);
    say(2, P11PROF_PHASE_WARMUP, start_ns);
    sign(OTHERS);
    say(2, P11PROF_PHASE_MEASURED, start_ns);
    sign(PAIRS);
    const struct p11prof_load_note none = {0};
    mark(&none);
    sign(1);
    return NULL;
}

/* Twice, so that the second round's threads get the rings of the first. */
static void load_all(void)
{
    CK_SESSION_HANDLE session;
    shim_open();
    list->C_Initialize(NULL);
    for (unsigned round = 0; round < 2; round++) {
        struct timespec now;
        pthread_t threads[THREADS];
        clock_gettime(CLOCK_MONOTONIC, &now);
        uint64_t start_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
        for (unsigned i = 0; i < THREADS; i++)
            pthread_create(&threads[i], NULL, load_thread, &start_ns);
        for (unsigned i = 0; i < THREADS; i++)
            pthread_join(threads[i], NULL);
    }
    const struct p11prof_load_note iterations = {.part = p11prof_part(3, P11PROF_PHASE_MEASURED),
                                                 .iteration_calls = 2,
                                                 .iteration_operation =
                                                     P11PROF_OPERATION_SESSION_OPEN_CLOSE};
    mark(&iterations);
    for (unsigned i = 0; i < ITERATIONS; i++) {
        list->C_OpenSession(1, CKF_SERIAL_SESSION, NULL, NULL, &session);
        list->C_CloseSession(session);
    }
    const struct p11prof_load_note none = {0};
    mark(&none);
    list->C_Finalize(NULL);
}

static void place_set(const struct driven *driven)
{
    setenv("P11PROF_MODULE", driven->module, 1);
    setenv("P11PROF_DB", driven->db, 1);
    setenv("P11PROF_SPOOL", driven->spool, 1);
    setenv("P11PROF_SPOOL_LIMIT", "512MB", 1);
    setenv("P11PROF_DRAIN", "external", 1);
}

static void expect(struct driven *driven, const char *query, long long value)
{
    long long found = driven_ask(driven, query);
    if (found != value)
        fail_msg("%s: %lld, not %lld", query, found, value);
}

static void test_parts(void **state)
{
    (void)state;
    struct driven driven;
    int status;
    driven_set_up(&driven);
    pid_t child = fork();
    if (child == 0) {
        place_set(&driven);
        load_all();
        exit(0);
    }
    for (int i = 0; waitpid(child, &status, WNOHANG) == 0; i++) {
        char command[1024];
        snprintf(command, sizeof command, "P11PROF_SPOOL='%s' %s collect --db '%s' >/dev/null 2>&1",
                 driven.spool, getenv("P11PROF_TEST_COMMAND"), driven.db);
        if (system(command) < 0)
            fail();
    }
    assert_int_equal(status, 0);
    driven_collect(&driven);
    expect(&driven, "SELECT call_count FROM runs",
           3 + 2 * 2LL * THREADS * (PAIRS + OTHERS + 2) + 2LL * ITERATIONS);
    expect(&driven, "SELECT lost_count FROM runs", 0);
    expect(&driven, "SELECT sum(call_count) = (SELECT call_count FROM runs) FROM threads", 1);
    expect(&driven,
           "SELECT (SELECT count(*) FROM threads) - count(*) FROM threads AS t JOIN (SELECT "
           "process_id, thread_id, min(start_ns) AS first, max(start_ns + duration_ns) AS last, "
           "sum(duration_ns) AS sum FROM calls GROUP BY process_id, thread_id) USING (process_id, "
           "thread_id) WHERE t.start_ns = first AND t.start_ns + t.duration_ns = last AND "
           "in_module_ns = sum AND between_ns = t.duration_ns - sum",
           0);
    expect(&driven, "SELECT count(*) FROM call WHERE part = 2 * 4 + 2", 2 * 2LL * THREADS * PAIRS);
    expect(&driven, "SELECT count(*) FROM call WHERE part = 2 * 4 + 1", 2 * 2LL * THREADS * OTHERS);
    expect(&driven, "SELECT count(*) FROM call WHERE part = 3 * 4 + 2", 2LL * ITERATIONS);
    expect(&driven,
           "SELECT count(*) FROM operations WHERE phase = 'measured' AND load = 2 AND "
           "operation = 'sign' AND call_count = 2",
           2LL * THREADS * PAIRS);
    expect(&driven, "SELECT count(*) FROM operations WHERE operation = 'session-open-close'",
           ITERATIONS);
    expect(&driven, "SELECT count FROM operation_stats WHERE phase = 'measured' AND load = 2",
           2LL * THREADS * PAIRS);
    expect(&driven, "SELECT count(*) FROM windows WHERE phase = 'measured' AND operation = 'sign'",
           2);
    expect(&driven,
           "SELECT sum(count) FROM histogram WHERE phase = 'warmup' AND operation = 'sign'",
           2LL * THREADS * OTHERS);
    driven_tear_down(&driven);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_parts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
