/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The page of a report: its lines for a run of known numbers, its columns and width, what a
 * redacted one says. */
#include "store_fixture.h"

#include "report/page.h"
#include "report/run_report.h"

#include <stdlib.h>
#include <string.h>

enum { SIGNS = 40, FAILED = 4, ROWS = 2 + 2 * SIGNS + 5 + 1, MS = 1000000 };

#define DEVICE_ERROR                                                                               \
    "Token, reader or the connection to them failed: look at the device's and the driver's logs, " \
    "and whether it comes back."

static struct p11prof_row rows[ROWS];
static size_t row_count;
static struct fixture_group groups[8];
static size_t group_count;

static struct fixture_group *group_of(const struct p11prof_row *row, bool operation)
{
    int64_t mechanism = row->known & P11PROF_ROW_MECHANISM ? (int64_t)row->mechanism : -1;
    uint16_t code = operation ? row->operation : row->function;
    for (size_t i = 0; i < group_count; i++)
        if (groups[i].group.code == code && groups[i].group.kind == row->kind &&
            groups[i].group.operation == operation)
            return &groups[i];
    assert_true(group_count < sizeof groups / sizeof groups[0]);
    struct fixture_group *group = &groups[group_count++];
    fixture_group_init(group, code, 0);
    group->group.operation = operation;
    group->group.kind = row->kind;
    group->group.mechanism = mechanism;
    group->group.key_type = operation ? (int64_t)CKK_RSA : P11PROF_UNKNOWN;
    group->group.key_bits = operation ? 2048 : P11PROF_UNKNOWN;
    return group;
}

static void count(struct fixture_group *group, const struct p11prof_row *row, uint64_t ns)
{
    if (row->rv == CKR_OK) {
        fixture_group_add(group, ns);
    } else {
        group->group.count++;
        group->group.error_count++;
        group->group.error_sum_ns += ns;
    }
    group->group.in_bytes += row->in_bytes;
}

/* One call of thread 7; `known` besides what every call has. */
static struct p11prof_row *call(unsigned function, unsigned kind, uint64_t start_ns,
                                uint64_t duration_ns)
{
    struct p11prof_row *row = &rows[row_count++];
    *row = (struct p11prof_row){.known = P11PROF_ROW_RV | P11PROF_ROW_CALLER,
                                .function = (uint16_t)function,
                                .kind = (uint8_t)kind,
                                .thread_id = 7,
                                .caller_id = 1 + (uint32_t)(row_count % 2),
                                .start_ns = start_ns,
                                .duration_ns = duration_ns,
                                .rv = CKR_OK};
    return row;
}

static void sign(size_t i)
{
    uint64_t start_ns = (uint64_t)(10 + 3 * i) * MS;
    struct p11prof_row *init = call(P11PROF_C_SignInit, P11PROF_KIND_CALL, start_ns, MS / 10);
    struct p11prof_row *final =
        call(P11PROF_C_Sign, P11PROF_KIND_CALL, start_ns + MS / 2, (uint64_t)MS);
    init->known |= P11PROF_ROW_MECHANISM;
    final->known |= P11PROF_ROW_IN_BYTES | P11PROF_ROW_OPERATION_IN | P11PROF_ROW_MECHANISM |
                    P11PROF_ROW_OPERATION | P11PROF_ROW_KEY_TYPE | P11PROF_ROW_KEY_BITS;
    init->mechanism = final->mechanism = CKM_SHA256_RSA_PKCS;
    final->key_type = CKK_RSA;
    final->key_bits = 2048;
    final->operation = P11PROF_OPERATION_SIGN;
    final->operation_call_count = 2;
    final->operation_start_ns = start_ns;
    final->operation_duration_ns = MS + MS / 10;
    final->in_bytes = 2048;
    final->operation_in_bytes = 2048;
    final->rv = i < FAILED ? CKR_DEVICE_ERROR : CKR_OK;
}

/* C_Initialize 4 ms, C_Login 2 ms; 40 signatures of 100 us and 1 ms, 4 of them fail; 5 size queries
 * of 1 ms; a wait of 50 ms. 55 ms in the module. */
static void make_rows(void)
{
    row_count = group_count = 0;
    call(P11PROF_C_Initialize, P11PROF_KIND_CALL, MS, 4ULL * MS);
    call(P11PROF_C_Login, P11PROF_KIND_CALL, 6ULL * MS, 2ULL * MS);
    for (size_t i = 0; i < SIGNS; i++)
        sign(i);
    for (size_t i = 0; i < 5; i++)
        call(P11PROF_C_GetAttributeValue, P11PROF_KIND_SIZE_QUERY, (uint64_t)(131 + 2 * i) * MS,
             (uint64_t)MS);
    call(P11PROF_C_WaitForSlotEvent, P11PROF_KIND_BLOCKING, 145ULL * MS, 50ULL * MS);
    for (size_t i = 0; i < row_count; i++) {
        count(group_of(&rows[i], false), &rows[i], rows[i].duration_ns);
        if (rows[i].known & P11PROF_ROW_OPERATION)
            count(group_of(&rows[i], true), &rows[i], rows[i].operation_duration_ns);
    }
}

static void sql(const char *text)
{
    char *error = NULL;
    if (sqlite3_exec(p11prof_store_sqlite(fixture_store), text, NULL, NULL, &error) != SQLITE_OK) {
        fail_msg("%s", error);
    }
}

static int page_setup(void **state)
{
    static struct p11prof_caller_row callers[] = {{1, "/folder-planted/first-planted.so", 0},
                                                  {2, "/folder-planted/second-planted.so", 0}};
    struct p11prof_group all[8];
    if (fixture_store_setup(state) != 0)
        return -1;
    make_rows();
    for (size_t i = 0; i < group_count; i++)
        all[i] = groups[i].group;
    struct p11prof_error_count error = {
        P11PROF_C_Sign, CKR_DEVICE_ERROR, FAILED, 4ULL * MS, MS, MS};
    struct p11prof_loss_row loss = {P11PROF_C_Sign, P11PROF_LOSS_LIMIT, 5};
    struct p11prof_thread_sum thread = {7, MS, 201ULL * MS, row_count, 55ULL * MS, 50ULL * MS};
    struct p11prof_in_flight_row open_call = {7, P11PROF_C_Encrypt, 201ULL * MS, 3ULL * MS};
    struct p11prof_token_row token = {.slot_id = 1, .session_count = 1, .described = true};
    strcpy(token.label, "label-planted");
    strcpy(token.model, "the model");
    strcpy(token.serial, "serial-planted");
    struct p11prof_batch batch = {.rows = rows,
                                  .row_count = row_count,
                                  .groups = all,
                                  .group_count = group_count,
                                  .errors = &error,
                                  .error_count = 1,
                                  .losses = &loss,
                                  .loss_count = 1,
                                  .threads = &thread,
                                  .thread_count = 1,
                                  .in_flight = &open_call,
                                  .in_flight_count = 1,
                                  .tokens = &token,
                                  .token_count = 1,
                                  .callers = callers,
                                  .caller_count = 2,
                                  .call_count = row_count,
                                  .last_end_ns = 201ULL * MS,
                                  .process_ended = true};
    strcpy(fixture_spool->program, "program-planted");
    strcpy(fixture_spool->module_path, "/folder-planted/module.so");
    strcpy(fixture_spool->run_name, "name-planted");
    fixture_write(fixture_store, fixture_spool, &batch);
    sql("UPDATE run SET duration_ns = 400000000, host = 'host-planted', user = 'user-planted', "
        "program = 'other-planted', clock = 'tsc', options = '{\"key\": \"option-planted\"}'");
    sql("UPDATE process SET overhead_ns = 20, user = 'user-planted'");
    return 0;
}

/* What p11prof_report_run() writes; valid until the next call. */
static const char *printed(enum p11prof_format format, const struct p11prof_report_options *options)
{
    static char *text;
    static const int64_t run_id = 1;
    const struct p11prof_run_set set = {&run_id, 1};
    size_t bytes;
    struct p11prof_error error = {0};
    free(text);
    FILE *stream = open_memstream(&text, &bytes);
    if (p11prof_report_run(stream, p11prof_store_sqlite(fixture_store), &set, 1, format, options,
                           &error)) {
        fail_msg("%s", error.text);
    }
    fclose(stream);
    return text;
}

/* The page on a terminal of that width; valid until the next call. */
static const char *printed_on(size_t width, const struct p11prof_report_options *options)
{
    static char *text;
    size_t bytes;
    struct p11prof_run_report report = {.exact = false};
    struct p11prof_error error = {0};
    free(text);
    FILE *stream = open_memstream(&text, &bytes);
    struct p11prof_page page = {.stream = stream, .format = P11PROF_FORMAT_TEXT, .width = width};
    if (p11prof_run_report_load_one(&report, p11prof_store_sqlite(fixture_store), 1, options,
                                    &error)) {
        fail_msg("%s", error.text);
    }
    p11prof_run_report_print(&page, &report, options);
    p11prof_run_report_clear(&report);
    fclose(stream);
    return text;
}

static void has(const char *text, const char *part)
{
    if (!strstr(text, part)) {
        fail_msg("there is no '%s' in:\n%s", part, text);
    }
}

static void lacks(const char *text, const char *part)
{
    if (strstr(text, part)) {
        fail_msg("there is '%s' in:\n%s", part, text);
    }
}

/* A line whose words, with one blank between, are these. */
static void has_line(const char *text, const char *words)
{
    char line[512] = "";
    size_t used = 0;
    for (const char *at = text; *at; at++) {
        bool blank = *at == ' ' && (used == 0 || line[used - 1] == ' ');
        if (*at == '\n') {
            line[used] = '\0';
            if (strcmp(line, words) == 0)
                return;
            used = 0;
        } else if (!blank && used + 1 < sizeof line) {
            line[used++] = *at;
        }
    }
    fail_msg("there is no line '%s' in:\n%s", words, text);
}

static void the_head_says_where_the_time_went(void **state)
{
    (void)state;
    const struct p11prof_report_options options = {.top = 0};
    const char *text = printed(P11PROF_FORMAT_TEXT, &options);
    has(text, "Run 1 name-planted (profile, finished)\n");
    has(text, "  calls       93, 5 lost; 232/s\n");
    has(text, "  time        55.0 ms in the module (27.5 % of its thread's time), 50.0 ms waiting, "
              "95.0 ms between calls; what 5 lost calls took is among the latter\n");
    has(text,
        "  start-up    9.00 ms until C_SignInit: 2 calls, 6.00 ms in the module, 4.00 ms of it "
        "C_Initialize\n");
    has(text, "  clock       tsc; each duration contains about 20 ns of measuring (<0.1 % of the "
              "time in the module)\n");
    has(text, "  percentiles exact\n");
    lacks(text, "still being recorded");
}

static void calls_that_wait_are_counted(void **state)
{
    (void)state;
    struct p11prof_report_options options = {.top = 0};
    assert_true(p11prof_selection_add(&options.selection, P11PROF_BY_KIND, "blocking"));
    const char *text = printed(P11PROF_FORMAT_TEXT, &options);
    has(text, "  calls       1 of 93, 5 lost\n");
}

static void tables_have_all_percentiles(void **state)
{
    (void)state;
    const struct p11prof_report_options options = {.top = 0};
    const char *text = printed(P11PROF_FORMAT_TEXT, &options);
    has_line(text, "FUNCTION MECHANISM COUNT ERRORS SHARE MEAN P50 P90 P95 P99 P99.9 MAX");
    has_line(text, "C_Sign CKM_SHA256_RSA_PKCS 40 4 72.7 % 1.00 ms 1.00 ms ~1.00 ms ~1.00 ms "
                   "~1.00 ms ~1.00 ms 1.00 ms");
    has_line(text, "OPERATION MECHANISM KEY TYPE BITS COUNT ERRORS OPS/S MB/S MEAN P50 P90 P95 P99 "
                   "P99.9 MAX");
    has_line(text, "sign CKM_SHA256_RSA_PKCS CKK_RSA 2048 40 4 90.0 0.195 1.10 ms 1.10 ms ~1.10 ms "
                   "~1.10 ms ~1.10 ms ~1.10 ms 1.10 ms");
    has_line(text, "C_GetAttributeValue - size-query 5 0 9.1 % 5.00 ms 1.00 ms 1.00 ms");
    has_line(text, "size queries 9.1 % of the time in the module; waits 50.0 ms, in no share");
    has_line(text, "C_Sign CKR_DEVICE_ERROR 4 1.00 ms 1.00 ms " DEVICE_ERROR);
    has_line(text, "limit C_Sign 5");
    has_line(text, "C_Encrypt 3.00 ms ended program-planted 1001 7");
    lacks(text, "Left out");
    lacks(text, "more row");
}

static void the_rest_is_summed(void **state)
{
    (void)state;
    const struct p11prof_report_options options = {.top = 1};
    const char *text = printed(P11PROF_FORMAT_TEXT, &options);
    has_line(text, "… 3 more rows, 18.2 % of the time (--top 0 shows all)");
    has_line(text, "… 1 more row, 9.1 % of the time");
    lacks(text, "C_Initialize  ");
}

static void chosen_columns_stand_in_their_order(void **state)
{
    (void)state;
    const struct p11prof_report_options options = {.columns = "p99_ns,count,ops_per_s",
                                                   .sort = "count"};
    const char *text = printed(P11PROF_FORMAT_TEXT, &options);
    has_line(text, "FUNCTION MECHANISM P99 COUNT");
    has_line(text, "OPERATION MECHANISM KEY TYPE BITS P99 COUNT OPS/S");
    has_line(text, "FUNCTION RESULT COUNT");
    lacks(text, "Not returned");
    const struct p11prof_report_options named = {.columns = "count,function"};
    has_line(printed(P11PROF_FORMAT_TEXT, &named), "COUNT FUNCTION");
    const struct p11prof_report_options csv = {.columns = "count,function,max_ns"};
    has(printed(P11PROF_FORMAT_CSV, &csv), "count,function,max_ns\r\n40,C_Sign,1000000\r\n");
    const struct p11prof_report_options markdown = {.columns = "count"};
    has(printed(P11PROF_FORMAT_MARKDOWN, &markdown), "| FUNCTION | MECHANISM | COUNT |\n");
}

/* Lines of tables fit; facts and notes are sentences. */
static void no_table_is_wider_than_the_terminal(void **state)
{
    (void)state;
    const struct p11prof_report_options options = {.top = 0};
    for (size_t width = 34; width <= 160; width++) {
        const char *text = printed_on(width, &options);
        for (const char *line = strstr(text, "\nCalls\n"); line; line = strchr(line + 1, '\n')) {
            size_t bytes = strcspn(line + 1, "\n");
            bool sentence = strncmp(line + 1, "  size", 6) == 0 ||
                            strncmp(line + 1, "  …", 5) == 0 || line[1] != ' ';
            if (!sentence && bytes > width + 4) { /* "…" is 3 bytes */
                fail_msg("%zu columns on %zu: %.*s", bytes, width, (int)bytes, line + 1);
            }
        }
    }
    const char *narrow = printed_on(80, &options);
    has(narrow, "Left out for want of width: P99.9, P90, P95");
    has(narrow, "  P99\n");
    lacks(printed_on(160, &options), "Left out");
    const struct p11prof_report_options chosen = {.columns = "p999_ns,p90_ns,p95_ns"};
    has_line(printed_on(60, &chosen), "FUNCTION MECHANISM P99.9 P90 P95");
}

static void a_selection_is_said(void **state)
{
    (void)state;
    struct p11prof_report_options options = {.top = 0};
    assert_true(p11prof_selection_add(&options.selection, P11PROF_BY_FUNCTION, "C_Sign,login"));
    assert_true(p11prof_selection_add(&options.selection, P11PROF_BY_KEY_TYPE, "!EC"));
    assert_true(p11prof_read_moment("10ms", &options.selection.since));
    assert_true(p11prof_read_moment("-1ms", &options.selection.until));
    options.selection.slower_than_ns = 500000;
    options.selection.slower_than_text = "500us";
    const char *text = printed(P11PROF_FORMAT_TEXT, &options);
    has(text,
        "  only        --function C_Sign,login --key-type !EC --slower-than 500us --since 10ms "
        "--until -1ms: all below is of that\n");
    has(text, "  calls       40 of 93, 5 lost\n");
    has(text, "  time        40.0 ms in the module\n");
    has_line(text, "C_Sign CKR_DEVICE_ERROR 4 1.00 ms 1.00 ms " DEVICE_ERROR);
    has(text, "  92.5  0.201  "); /* 36 of 389 ms */
    lacks(text, "start-up");
    has(printed(P11PROF_FORMAT_JSON, &options), "\"selection\":\t\"--function C_Sign,login ");
    has(printed(P11PROF_FORMAT_JSON, &options), "\"rv_code\":\t48");
}

static void what_histograms_cannot_tell_is_said(void **state)
{
    (void)state;
    struct p11prof_report_options options = {.top = 0};
    sql("DELETE FROM call");
    sql("DELETE FROM segment");
    assert_true(p11prof_selection_add(&options.selection, P11PROF_BY_OPERATION, "sign"));
    const char *text = printed(P11PROF_FORMAT_TEXT, &options);
    has(text, "Calls are unknown: ");
    has(text, "  calls       unknown of 93, 5 lost\n");
    has_line(text, "sign CKM_SHA256_RSA_PKCS CKK_RSA 2048 40 4 90.0 0.195 1.10 ms 1.10 ms ~1.10 ms "
                   "~1.10 ms ~1.10 ms ~1.10 ms 1.10 ms");
    const struct p11prof_report_options all = {.top = 0};
    text = printed(P11PROF_FORMAT_TEXT, &all);
    has(text, "  percentiles from histograms");
    lacks(text, "start-up");
    lacks(text, "unknown");
}

static void a_run_without_calls_says_so(void **state)
{
    (void)state;
    const struct p11prof_report_options options = {.top = 0};
    sql("DELETE FROM call; DELETE FROM segment; DELETE FROM window_bucket; DELETE FROM "
        "group_window;"
        "DELETE FROM group_bucket; DELETE FROM call_group; DELETE FROM error_count;"
        "DELETE FROM thread; UPDATE process SET call_count = 0; UPDATE run SET state = NULL;"
        "UPDATE spool SET state = 3");
    const char *text = printed(P11PROF_FORMAT_TEXT, &options);
    has(text, "  state       still being recorded: what is here so far\n");
    has(text, "No PKCS#11 call was recorded.\n");
    lacks(text, "FUNCTION  MECHANISM");
}

/* Words of every text that tells whose run it was; all have "planted" in them. */
static void a_redacted_report_names_nobody(void **state)
{
    (void)state;
    static const char *const groupings[] = {"function", "caller,program", "name,host,token",
                                            "run,process,thread,session,slot,rv"};
    for (int format = P11PROF_FORMAT_TEXT; format <= P11PROF_FORMAT_MARKDOWN; format++) {
        for (size_t i = 0; i < sizeof groupings / sizeof groupings[0]; i++) {
            struct p11prof_report_options options = {.redact = true};
            const char *nearest;
            assert_null(p11prof_grouping_read(&options.by, groupings[i], &nearest));
            lacks(printed((enum p11prof_format)format, &options), "planted");
            options.redact = false;
            if (format != P11PROF_FORMAT_CSV || i == 1 || i == 2)
                has(printed((enum p11prof_format)format, &options), "planted");
        }
    }
    struct p11prof_report_options options = {.redact = true};
    assert_true(p11prof_selection_add(&options.selection, P11PROF_BY_CALLER, "first-planted.so"));
    has(printed(P11PROF_FORMAT_TEXT, &options), "--caller (redacted): ");
    lacks(printed(P11PROF_FORMAT_JSON, &options), "planted");
}

/* The second caller called first, and costs more by the way of sorting: its number stays. */
static void pseudonyms_are_stable(void **state)
{
    (void)state;
    struct p11prof_report_options options = {.redact = true, .columns = "caller,count"};
    const char *nearest;
    assert_null(p11prof_grouping_read(&options.by, "caller", &nearest));
    const char *text = printed(P11PROF_FORMAT_CSV, &options);
    has(text, "caller 1,41\r\n");
    has(text, "caller 2,41\r\n");
    assert_true(p11prof_selection_add(&options.selection, P11PROF_BY_CALLER, "second-planted.so"));
    text = printed(P11PROF_FORMAT_CSV, &options);
    has(text, "caller 2,41\r\n");
    lacks(text, "caller 1");
    options.columns = NULL;
    text = printed(P11PROF_FORMAT_JSON, &options);
    has(text, "\"module_path\":\t\"module.so\"");
    has(text, "\"token_model\":\t\"the model\"");
    has(text, "\"token_serial\":\tnull");
    has(text, "\"program\":\t\"program 2\"");
    has(text, "\"options\":\tnull");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_head_says_where_the_time_went, page_setup,
                                        fixture_store_teardown),
        cmocka_unit_test_setup_teardown(calls_that_wait_are_counted, page_setup,
                                        fixture_store_teardown),
        cmocka_unit_test_setup_teardown(tables_have_all_percentiles, page_setup,
                                        fixture_store_teardown),
        cmocka_unit_test_setup_teardown(the_rest_is_summed, page_setup, fixture_store_teardown),
        cmocka_unit_test_setup_teardown(chosen_columns_stand_in_their_order, page_setup,
                                        fixture_store_teardown),
        cmocka_unit_test_setup_teardown(no_table_is_wider_than_the_terminal, page_setup,
                                        fixture_store_teardown),
        cmocka_unit_test_setup_teardown(a_selection_is_said, page_setup, fixture_store_teardown),
        cmocka_unit_test_setup_teardown(what_histograms_cannot_tell_is_said, page_setup,
                                        fixture_store_teardown),
        cmocka_unit_test_setup_teardown(a_run_without_calls_says_so, page_setup,
                                        fixture_store_teardown),
        cmocka_unit_test_setup_teardown(a_redacted_report_names_nobody, page_setup,
                                        fixture_store_teardown),
        cmocka_unit_test_setup_teardown(pseudonyms_are_stable, page_setup, fixture_store_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
