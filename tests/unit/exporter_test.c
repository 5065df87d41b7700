/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Pages of the exporter: what they add up, what they fold, and that no counter goes back. */
#include "store_fixture.h"

#include "exporter/page.h"
#include "p11prof/calls.h"
#include "retention/delete.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SERIES_MAX = 20000, CALLS_LINES = 34 };

static struct p11prof_store *reader;
static struct exporter_sums sums;
static char text[512 * 1024];

static int setup(void **state)
{
    fixture_store_setup(state);
    reader = fixture_open(fixture_path("p.db"), P11PROF_STORE_READ_ONLY);
    sums = (struct exporter_sums){.book = {.series_max = SERIES_MAX}};
    return 0;
}

static int teardown(void **state)
{
    exporter_sums_clear(&sums);
    p11prof_store_close(reader);
    return fixture_store_teardown(state);
}

static const char *page_of(const struct exporter_live *live)
{
    static const struct exporter_live nobody;
    struct exporter_page page = {.sums = &sums, .live = live ? live : &nobody};
    struct p11prof_error error = {0};
    if (exporter_sums_refresh(&sums, p11prof_store_sqlite(reader), &error) != P11PROF_OK)
        fail_msg("%s", error.text);
    memset(text, 0, sizeof text);
    FILE *stream = fmemopen(text, sizeof text, "w");
    exporter_page_write(stream, &page);
    fclose(stream);
    return text;
}

static size_t lines(const char *start)
{
    size_t count = 0;
    for (const char *at = text; at && *at; at = strchr(at, '\n'), at = at ? at + 1 : NULL)
        count += strncmp(at, start, strlen(start)) == 0;
    return count;
}

static void has(const char *part)
{
    if (!strstr(text, part))
        fail_msg("there is no '%s' in:\n%s", part, text);
}

/* The value of the series that starts so; -1: there is none. */
static int64_t value(const char *start)
{
    const char *at = strstr(text, start), *end = at ? strstr(at, "} ") : NULL;
    return end ? strtoll(end + 2, NULL, 10) : -1;
}

/* Calls of a run of its own number, process and spool, in its next batch. */
struct calls {
    uint8_t run, process;
    uint16_t function;
    uint64_t mechanism; /* 0: none */
    unsigned count;
    uint64_t duration_ns;
    uint64_t rv; /* CKR_OK, or of one more that fails */
    bool last;
    const char *program;
};

static void write_calls(const struct calls *calls)
{
    static struct fixture_group group;
    struct p11prof_spool_header *header = fixture_header(calls->process, calls->process);
    struct p11prof_error_count failed = {calls->function, calls->rv, 1, 10, 10, 10};
    struct p11prof_token_row token = {
        .slot_id = 1, .session_count = 1, .described = true, .label = "a\"b\\c"};
    struct p11prof_batch batch = {.groups = &group.group,
                                  .group_count = 1,
                                  .errors = &failed,
                                  .error_count = calls->rv != 0,
                                  .tokens = &token,
                                  .token_count = 1,
                                  .call_count = calls->count + (calls->rv != 0),
                                  .last_end_ns = 7000000000,
                                  .process_ended = calls->last};
    header->run_id[0] = calls->run;
    if (calls->program)
        strcpy(header->program, calls->program);
    fixture_group_init(&group, calls->function, 0);
    if (calls->mechanism)
        group.group.mechanism = (int64_t)calls->mechanism;
    for (unsigned i = 0; i < calls->count; i++)
        fixture_group_add(&group, calls->duration_ns);
    group.group.count += calls->rv != 0;
    group.group.error_count += calls->rv != 0;
    group.group.error_sum_ns += calls->rv != 0 ? 10 : 0;
    fixture_write(fixture_store, header, &batch);
    free(header);
}

#define SIGN "p11prof_calls_total{program=\"program\",token=\"a\\\"b\\\\c\",function=\"C_Sign\""

static void an_empty_database_has_no_counters(void **state)
{
    (void)state;
    page_of(NULL);
    assert_int_equal(lines("p11prof_calls_total"), 0);
    assert_int_equal(lines("# TYPE p11prof_calls_total"), 0);
    has("p11prof_series_folded 0\n");
    has("p11prof_spools_waiting 0\n");
    has("p11prof_build_info{version=\"" P11PROF_VERSION "\"");
}

static void runs_are_added_up(void **state)
{
    (void)state;
    write_calls(&(struct calls){1, 1, P11PROF_C_Sign, CKM_RSA_PKCS, 7, 2000, 0, true, NULL});
    write_calls(&(struct calls){2, 2, P11PROF_C_Sign, CKM_RSA_PKCS, 5, 5000, 0, false, NULL});
    page_of(NULL);
    has(SIGN ",kind=\"call\",mechanism=\"CKM_RSA_PKCS\",key_type=\"\",key_bits=\"\"} 12\n");
    assert_int_equal(lines("p11prof_calls_total{"), 1);
    has("p11prof_runs{kind=\"profile\",state=\"running\"} 1\n");
    has("p11prof_runs{kind=\"profile\",state=\"finished\"} 1\n");
    has("p11prof_last_call_timestamp_seconds{program=\"program\"} 1700000007.123\n");
}

static void histograms_are_cumulative(void **state)
{
    (void)state;
    write_calls(&(struct calls){1, 1, P11PROF_C_Sign, 0, 7, 2000, 0, false, NULL});
    write_calls(&(struct calls){1, 1, P11PROF_C_Sign, 0, 5, 5000, CKR_DEVICE_ERROR, false, NULL});
    page_of(NULL);
    assert_int_equal(lines("p11prof_call_duration_seconds_bucket{"), EXPORTER_BOUNDS + 1);
    has("le=\"1.024e-06\"} 0\n");
    has("le=\"2.048e-06\"} 7\n");
    has("le=\"4.096e-06\"} 7\n");
    has("le=\"8.192e-06\"} 12\n");
    has("le=\"68.719476736\"} 12\n");
    has("le=\"+Inf\"} 12\n");
    assert_int_equal(value(SIGN), 13); /* one failed: it has no duration here */
    assert_int_equal(value("p11prof_call_duration_seconds_count{"), 12);
    has("key_bits=\"\"} 3.9e-05\n");
    has(",rv=\"CKR_DEVICE_ERROR\"} 1\n");
}

static void a_bound_is_in_its_bucket(void **state)
{
    (void)state;
    struct exporter_values values = {.count = 0};
    exporter_bucket_add(&values, 1025, 1); /* [1024, 1025) */
    exporter_bucket_add(&values, 1026, 2);
    exporter_bucket_add(&values, UINT64_MAX, 4);
    assert_int_equal(values.buckets[0], 1);
    assert_int_equal(values.buckets[1], 2);
    assert_int_equal(values.buckets[EXPORTER_BOUNDS], 4);
}

/* What changed is read again, what did not is not lost; the same as a look at all of it. */
static void later_pages_are_those_of_a_new_exporter(void **state)
{
    (void)state;
    static char before[sizeof text];
    int64_t last = 0;
    for (unsigned i = 1; i <= 5; i++) {
        write_calls(&(struct calls){1, 1, P11PROF_C_Sign, 0, i, 1000 * i, 0, i == 5, NULL});
        write_calls(
            &(struct calls){1, 1 + i, P11PROF_C_Digest, i, 2, 9000, CKR_DATA_INVALID, i > 2, NULL});
        page_of(NULL);
        assert_true(value(SIGN) > last);
        last = value(SIGN);
    }
    strcpy(before, text);
    exporter_sums_clear(&sums);
    assert_string_equal(page_of(NULL), before);
}

/* They are over for long: their sums are kept together. */
static void settled_runs_stay(void **state)
{
    (void)state;
    for (uint8_t i = 1; i <= 4; i++)
        write_calls(&(struct calls){i, i, P11PROF_C_Sign, 0, 10, 2000, 0, true, NULL});
    page_of(NULL);
    assert_int_equal(value(SIGN), 40);
    for (size_t i = 0; i < sums.run_count; i++)
        assert_true(sums.runs[i].settled && !sums.runs[i].parts);
    write_calls(&(struct calls){5, 5, P11PROF_C_Sign, 0, 1, 2000, 0, false, NULL});
    page_of(NULL);
    assert_int_equal(value(SIGN), 41);
    assert_false(sums.runs[4].settled);
    write_calls(&(struct calls){2, 6, P11PROF_C_Sign, 0, 1, 2000, 0, true, NULL}); /* a late one */
    page_of(NULL);
    assert_int_equal(value(SIGN), 42);
}

static void a_deleted_run_is_gone(void **state)
{
    (void)state;
    struct p11prof_error error = {0};
    uint64_t calls;
    for (uint8_t i = 1; i <= 3; i++)
        write_calls(&(struct calls){i, i, P11PROF_C_Sign, 0, 10 * i, 2000, 0, i != 3, NULL});
    page_of(NULL);
    assert_int_equal(value(SIGN), 60);
    assert_int_equal(p11prof_run_delete(fixture_store, 2, &calls, &error), P11PROF_OK);
    page_of(NULL);
    assert_int_equal(value(SIGN), 40);
    assert_int_equal(p11prof_run_delete(fixture_store, 3, &calls, &error), P11PROF_OK);
    page_of(NULL);
    assert_int_equal(value(SIGN), 10);
}

static void too_many_series_are_folded(void **state)
{
    (void)state;
    sums.book.series_max = 2 * CALLS_LINES;
    for (uint8_t i = 1; i <= 9; i++)
        write_calls(&(struct calls){1, 1, P11PROF_C_Sign, 0x80000000 + i, i, 2000, 0, false, NULL});
    page_of(NULL);
    has("mechanism=\"0x80000001\",key_type=\"\",key_bits=\"\"} 1\n");
    has("mechanism=\"0x80000002\",key_type=\"\",key_bits=\"\"} 2\n");
    has("p11prof_calls_total{program=\"other\",token=\"other\",function=\"C_Sign\",kind=\"call\","
        "mechanism=\"other\",key_type=\"other\",key_bits=\"other\"} 42\n");
    assert_int_equal(lines("p11prof_calls_total{"), 3);
    has("p11prof_series_folded 8\n"); /* and the program's last call */
    write_calls(&(struct calls){1, 1, P11PROF_C_Sign, 0x80000001, 5, 2000, 0, false, NULL});
    page_of(NULL);
    has("mechanism=\"0x80000001\",key_type=\"\",key_bits=\"\"} 6\n");
}

static void results_without_a_name_are_few(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 40; i++)
        write_calls(&(struct calls){1, 1, P11PROF_C_Sign, 0, 1, 2000, 0x80000100 + i, false, NULL});
    write_calls(&(struct calls){1, 1, P11PROF_C_Sign, 0, 1, 2000, CKR_DEVICE_ERROR, false, NULL});
    page_of(NULL);
    assert_int_equal(lines("p11prof_call_errors_by_result_total{"), 32 + 2);
    has(",rv=\"other\"} 8\n");
    has(",rv=\"0x80000100\"} 1\n");
    has(",rv=\"CKR_DEVICE_ERROR\"} 1\n");
}

static void names_can_be_left_out(void **state)
{
    (void)state;
    sums.book.no_programs = sums.book.no_tokens = true;
    write_calls(&(struct calls){1, 1, P11PROF_C_Sign, 0, 3, 2000, 0, false, "one"});
    write_calls(&(struct calls){2, 2, P11PROF_C_Sign, 0, 4, 2000, 0, false, "two"});
    page_of(NULL);
    has("p11prof_calls_total{program=\"\",token=\"\",function=\"C_Sign\",kind=\"call\",mechanism="
        "\"\",key_type=\"\",key_bits=\"\"} 7\n");
    assert_null(strstr(text, "program=\"one"));
}

static void harm_is_escaped(void **state)
{
    (void)state;
    struct exporter_live_program program = {.name = "a\"b\\c\nd\xFF", .process_count = 2};
    struct exporter_live_calls call = {0, P11PROF_C_Sign, 3, 1500000000};
    struct exporter_live live = {.programs = &program,
                                 .program_count = 1,
                                 .calls = &call,
                                 .call_count = 1,
                                 .waiting_count = 4,
                                 .waiting_bytes = 8192};
    page_of(&live);
    has("p11prof_live_processes{program=\"a\\\"b\\\\c\\\\x0Ad\\\\xFF\"} 2\n");
    has("\",function=\"C_Sign\"} 3\n");
    has("p11prof_oldest_call_in_flight_seconds{program=\"a\\\"b");
    has("\",function=\"C_Sign\"} 1.5\n");
    has("p11prof_spools_waiting 4\n");
    has("p11prof_spool_waiting_bytes 8192\n");
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH(an_empty_database_has_no_counters),
        WITH(runs_are_added_up),
        WITH(histograms_are_cumulative),
        cmocka_unit_test(a_bound_is_in_its_bucket),
        WITH(later_pages_are_those_of_a_new_exporter),
        WITH(settled_runs_stay),
        WITH(a_deleted_run_is_gone),
        WITH(too_many_series_are_folded),
        WITH(results_without_a_name_are_few),
        WITH(names_can_be_left_out),
        WITH(harm_is_escaped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
