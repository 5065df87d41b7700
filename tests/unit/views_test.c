/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The public views: columns, names, percentiles, and a plain SQLite client. */
#include "store_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The columns that the documentation promises, in this order; others may follow. */
static const struct {
    const char *view, *columns;
} promised[] = {
    {"runs", "run_id,uuid,kind,name,state,started_at,duration_ns,host,user,program,library,"
             "cryptoki_version,token_label,token_model,token_serial,token_firmware,os,kernel,cpu,"
             "cpu_count,memory_bytes,governor,clock,tool_version,options,process_count,call_count,"
             "lost_count"},
    {"processes", "run_id,process_id,parent_process_id,pid,program,user,module_path,started_at,"
                  "duration_ns,state,call_count,lost_count,overhead_ns"},
    {"calls", "run_id,process_id,call_id,start_ns,duration_ns,function,rv,rv_code,kind,mechanism,"
              "mechanism_code,session,slot_id,thread_id,key_id,key_type,key_bits,in_bytes,"
              "out_bytes"},
    {"operations", "run_id,process_id,operation_id,operation,mechanism,key_type,key_bits,start_ns,"
                   "duration_ns,elapsed_ns,call_count,in_bytes,out_bytes,rv,thread_id,session,test,"
                   "step,intended_start_ns,phase"},
    {"windows", "run_id,window_id,function,operation,kind,mechanism,key_type,key_bits,start_ns,"
                "duration_ns,count,error_count,sum_ns,sum_squares,min_ns,max_ns,in_bytes,"
                "out_bytes"},
    {"histogram", "run_id,window_id,function,operation,kind,mechanism,key_type,key_bits,low_ns,"
                  "high_ns,count"},
    {"run_histogram", "run_id,group_id,function,operation,kind,mechanism,key_type,key_bits,low_ns,"
                      "high_ns,count"},
    {"function_stats", "run_id,function,kind,mechanism,key_type,key_bits,count,error_count,"
                       "total_ns,mean_ns,min_ns,p50_ns,p90_ns,p95_ns,p99_ns,p999_ns,max_ns"},
    {"operation_stats", "run_id,operation,kind,mechanism,key_type,key_bits,count,error_count,"
                        "total_ns,mean_ns,min_ns,p50_ns,p90_ns,p95_ns,p99_ns,p999_ns,max_ns"},
    {"errors", "run_id,function,rv,rv_code,count"},
    {"sessions", "run_id,process_id,session,slot_id,opened_ns,closed_ns,duration_ns,call_count"},
    {"losses", "run_id,process_id,function,cause,count"},
    {"in_flight", "run_id,process_id,thread_id,function,start_ns,age_ns"},
    {"threads",
     "run_id,process_id,thread_id,start_ns,duration_ns,call_count,in_module_ns,waiting_ns,"
     "between_ns"},
    {"intervals",
     "run_id,load,test,interval,start_ns,duration_ns,until_ns,measured_ns,count,error_count,"
     "ops_per_s,p50_ns,p99_ns,cpu_share,steal_share,temperature_celsius,frequency_hz,rss_bytes,"
     "session_count"},
    {"baselines", "name,created_at,run_id"},
};

static void have_their_columns(void **state)
{
    (void)state;
    char sql[128];
    for (size_t index = 0; index < sizeof promised / sizeof *promised; index++) {
        const char *columns = promised[index].columns;
        snprintf(sql, sizeof sql, "SELECT group_concat(name) FROM pragma_table_info('%s')",
                 promised[index].view);
        const char *found = fixture_text(fixture_store, sql);
        char after = found[strlen(columns)];
        if (strncmp(found, columns, strlen(columns)) != 0 || (after && after != ',')) {
            fail_msg("%s has the columns %s", promised[index].view, found);
        }
    }
}

/* Each view by a client that knows nothing of us. */
static void work_in_the_plain_shell(void **state)
{
    (void)state;
    char command[256];
    if (system("command -v sqlite3 >/dev/null")) {
        skip();
    }
    for (size_t index = 0; index < sizeof promised / sizeof *promised; index++) {
        snprintf(command, sizeof command, "sqlite3 -bail '%s' 'SELECT * FROM %s' >/dev/null",
                 fixture_path("p.db"), promised[index].view);
        assert_int_equal(system(command), 0);
    }
}

static void show_calls(void **state)
{
    (void)state;
    struct p11prof_row rows[] = {
        {.known = P11PROF_ROW_RV | P11PROF_ROW_MECHANISM | P11PROF_ROW_KEY_TYPE |
                  P11PROF_ROW_KEY_BITS | P11PROF_ROW_KEY | P11PROF_ROW_SESSION |
                  P11PROF_ROW_CALLER | P11PROF_ROW_SLOT | P11PROF_ROW_IN_BYTES |
                  P11PROF_ROW_OUT_BYTES,
         .function = P11PROF_C_SignInit,
         .mechanism = 0x1041,
         .key_type = 3,
         .key_bits = 256,
         .key_id = 9,
         .session = UINT64_MAX - 1,
         .slot_id = 4,
         .caller_id = 1,
         .in_bytes = 32,
         .out_bytes = UINT64_MAX,
         .thread_id = 77,
         .start_ns = 1000,
         .duration_ns = 10},
        {.known = P11PROF_ROW_RV | P11PROF_ROW_MECHANISM | P11PROF_ROW_KEY_TYPE,
         .function = 999,
         .rv = 0x80000001,
         .mechanism = UINT64_C(0x8000000000000001),
         .key_type = 0x8000000A,
         .kind = P11PROF_KIND_TOO_SMALL,
         .flags = P11PROF_ROW_NESTED | P11PROF_ROW_SIGNAL},
        {.function = P11PROF_C_Decrypt},
    };
    struct p11prof_caller_row caller = {1, "/usr/lib/engine.so", 4096};
    struct p11prof_batch batch = {
        .rows = rows, .row_count = 3, .callers = &caller, .caller_count = 1, .call_count = 3};
    fixture_write(fixture_store, fixture_spool, &batch);
    fixture_expect(
        "SELECT function || ' ' || rv || ' ' || rv_code || ' ' || kind || ' ' || mechanism || "
        "' ' || mechanism_code || ' ' || session || ' ' || slot_id || ' ' || thread_id || ' ' "
        "|| key_id || ' ' || key_type || ' ' || key_bits || ' ' || in_bytes || ' ' || caller "
        "FROM calls WHERE call_id = 1",
        "C_SignInit CKR_OK 0 call CKM_ECDSA 4161 -2 4 77 9 CKK_EC 256 32 engine.so");
    fixture_expect("SELECT out_bytes IS NULL FROM calls WHERE call_id = 1", "1");
    fixture_expect(
        "SELECT function || ' ' || rv || ' ' || kind || ' ' || mechanism || ' ' || key_type || "
        "' ' || nested || overlapped || in_signal_handler FROM calls WHERE call_id = 2",
        "0x000003E7 0x80000001 too-small 0x8000000000000001 0x8000000A 101");
    fixture_expect(
        "SELECT rv || ' ' || (rv_code IS NULL) || (mechanism IS NULL) || (session IS NULL) || "
        "(key_type IS NULL) || (operation IS NULL) || (caller IS NULL) FROM calls "
        "WHERE call_id = 3",
        "undisclosed 111111");
}

static void show_operations(void **state)
{
    (void)state;
    const uint32_t known = P11PROF_ROW_RV | P11PROF_ROW_IN_BYTES | P11PROF_ROW_OUT_BYTES |
                           P11PROF_ROW_OPERATION | P11PROF_ROW_OPERATION_IN |
                           P11PROF_ROW_OPERATION_OUT;
    struct p11prof_row rows[] = {
        {.function = P11PROF_C_SignInit, .start_ns = 100, .duration_ns = 10},
        {.known = known,
         .function = P11PROF_C_Sign,
         .start_ns = 200,
         .duration_ns = 30,
         .in_bytes = 32,
         .out_bytes = 64,
         .operation = P11PROF_OPERATION_SIGN,
         .operation_call_count = 2,
         .operation_start_ns = 100,
         .operation_duration_ns = 40,
         .operation_in_bytes = 33,
         .operation_out_bytes = 65},
        {.known = known,
         .function = P11PROF_C_GenerateRandom,
         .start_ns = 300,
         .duration_ns = 7,
         .part = p11prof_part(5, P11PROF_PHASE_MEASURED),
         .in_bytes = 0,
         .out_bytes = 16,
         .operation = P11PROF_OPERATION_GENERATE_RANDOM,
         .operation_call_count = 1,
         .operation_start_ns = 300,
         .operation_duration_ns = 7,
         .operation_out_bytes = 16},
    };
    struct p11prof_batch batch = {.rows = rows, .row_count = 3, .call_count = 3};
    fixture_write(fixture_store, fixture_spool, &batch);
    fixture_expect(
        "SELECT group_concat(operation_id || ' ' || operation || ' ' || start_ns || ' ' || "
        "duration_ns || ' ' || elapsed_ns || ' ' || call_count || ' ' || in_bytes || ' ' || "
        "out_bytes) FROM operations",
        "2 sign 100 40 130 2 33 65,3 generate-random 300 7 7 1 0 16");
    fixture_expect("SELECT operation_start_ns IS NULL FROM call WHERE id = 3", "1");
    sqlite3_exec(p11prof_store_sqlite(fixture_store),
                 "INSERT INTO bench_load (run, load, test, name, operation, threads, processes, "
                 "step, unchecked) SELECT id, 5, 'random-32', 'Random', 19, 1, 1, 3, 0 FROM run",
                 NULL, NULL, NULL);
    fixture_expect("SELECT operation_id || test || step || phase || (intended_start_ns IS NULL) "
                   "FROM operations WHERE test NOT NULL",
                   "3random-323measured1");
}

static void list_baselines(void **state)
{
    (void)state;
    struct p11prof_batch batch = {.call_count = 1};
    fixture_write(fixture_store, fixture_spool, &batch);
    assert_int_equal(sqlite3_exec(p11prof_store_sqlite(fixture_store),
                                  "INSERT INTO baseline VALUES ('v1', 1700000000123000000);"
                                  "INSERT INTO baseline_run VALUES ('v1', 1)",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    fixture_expect("SELECT name || ' ' || created_at || ' ' || run_id FROM baselines",
                   "v1 2023-11-14T22:13:20.123Z 1");
}

/* Whether a query makes SQLite build an index first. */
static bool builds_an_index(const char *sql)
{
    sqlite3_stmt *plan;
    bool builds = false;
    char explain[512];
    snprintf(explain, sizeof explain, "EXPLAIN QUERY PLAN %s", sql);
    assert_int_equal(
        sqlite3_prepare_v2(p11prof_store_sqlite(fixture_store), explain, -1, &plan, NULL),
        SQLITE_OK);
    while (sqlite3_step(plan) == SQLITE_ROW) {
        builds |= strstr((const char *)sqlite3_column_text(plan, 3), "AUTOMATIC") != NULL;
    }
    sqlite3_finalize(plan);
    return builds;
}

/* A condition on any column costs a scan, not an index over all rows. */
static void are_only_scanned(void **state)
{
    (void)state;
    static const char *const views[] = {"calls", "operations"};
    for (size_t view = 0; view < 2; view++) {
        char sql[256], columns[1024], *rest = columns;
        snprintf(sql, sizeof sql, "SELECT group_concat(name) FROM pragma_table_info('%s')",
                 views[view]);
        strcpy(columns, fixture_text(fixture_store, sql));
        for (char *column; (column = strsep(&rest, ","));) {
            snprintf(sql, sizeof sql, "SELECT sum(duration_ns) FROM %s WHERE %s = 1", views[view],
                     column);
            if (builds_an_index(sql)) {
                fail_msg("%s", sql);
            }
        }
    }
}

/* The rows of several processes, written in turns, stay apart. */
static void tell_processes_apart(void **state)
{
    (void)state;
    struct p11prof_row rows[2] = {{.duration_ns = 1}, {.duration_ns = 1}};
    struct p11prof_batch batch = {.rows = rows, .row_count = 2, .call_count = 2};
    struct p11prof_spool_header *other = fixture_header(2, 2);
    other->run_id[0] = 2;
    for (int turn = 0; turn < 3; turn++) {
        rows[0].duration_ns = rows[1].duration_ns = 1;
        fixture_write(fixture_store, fixture_spool, &batch);
        fixture_write(fixture_store, fixture_spool, &batch);
        rows[0].duration_ns = rows[1].duration_ns = 100;
        fixture_write(fixture_store, other, &batch);
    }
    free(other);
    fixture_expect(
        "SELECT group_concat(s) FROM (SELECT run_id || ':' || count(*) || ':' || "
        "sum(duration_ns) || ':' || count(DISTINCT call_id) AS s FROM calls GROUP BY run_id)",
        "1:12:12:12,2:6:600:6");
    fixture_expect("SELECT count(*) FROM segment", "6");
}

static int by_value(const void *one, const void *other)
{
    uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;
    return (a > b) - (a < b);
}

/* n durations of about 2^bits ns: each percentile of the view next to the exact one. */
static void check_percentiles(uint16_t function, int64_t n, unsigned bits)
{
    static const struct {
        const char *name;
        int64_t per_mille;
    } percentiles[] = {
        {"p50_ns", 500}, {"p90_ns", 900}, {"p95_ns", 950}, {"p99_ns", 990}, {"p999_ns", 999}};
    struct fixture_group *group = calloc(1, sizeof *group);
    uint64_t *values = calloc((size_t)n, sizeof *values);
    fixture_group_init(group, function, 0);
    for (int64_t index = 0; index < n; index++) {
        values[index] = (uint64_t)(random() % (INT64_C(1) << (1 + random() % bits)));
        fixture_group_add(group, values[index]);
    }
    struct p11prof_batch batch = {.groups = &group->group, .group_count = 1};
    fixture_write(fixture_store, fixture_spool, &batch);
    qsort(values, (size_t)n, sizeof *values, by_value);
    for (size_t index = 0; index < sizeof percentiles / sizeof *percentiles; index++) {
        char sql[128];
        snprintf(sql, sizeof sql, "SELECT %s FROM function_stats WHERE group_id = %u",
                 percentiles[index].name, function);
        int64_t exact = (int64_t)values[(n * percentiles[index].per_mille + 999) / 1000 - 1];
        int64_t allowed = exact / 200 > 1 ? exact / 200 : 1;
        assert_in_range(fixture_integer(fixture_store, sql) + allowed - exact, 0, 2 * allowed);
    }
    free(values);
    free(group);
}

static void give_percentiles(void **state)
{
    (void)state;
    uint16_t group = 1;
    srandom(20);
    for (int64_t n = 1; n <= 21; n++) {
        check_percentiles(group++, n, 12);
    }
    for (unsigned bits = 1; bits <= 30; bits++) {
        check_percentiles(group++, 997, bits);
    }
    check_percentiles(group++, 100000, 30);
}

#define TEST(function)                                                                             \
    cmocka_unit_test_setup_teardown(function, fixture_store_setup, fixture_store_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(have_their_columns),   TEST(work_in_the_plain_shell), TEST(show_calls),
        TEST(list_baselines),       TEST(show_operations),         TEST(are_only_scanned),
        TEST(tell_processes_apart), TEST(give_percentiles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
