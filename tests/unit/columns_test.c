/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The table of columns, and the three formats that are made from it. */
#include "report/writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

static bool ends_in(const char *name, const char *suffix)
{
    size_t length = strlen(name), part = strlen(suffix);
    return length >= part && strcmp(name + length - part, suffix) == 0;
}

static void names_carry_their_unit(void **state)
{
    (void)state;
    static const struct {
        const char *suffix;
        enum p11prof_unit unit;
    } units[] = {{"_ns", P11PROF_UNIT_NS},
                 {"_count", P11PROF_UNIT_COUNT},
                 {"bytes_per_s", P11PROF_UNIT_BYTES_PER_S},
                 {"_bytes", P11PROF_UNIT_BYTES},
                 {"_id", P11PROF_UNIT_NUMBER}};
    size_t count;
    const struct p11prof_column *columns = p11prof_columns(&count);
    for (size_t i = 0; i < count; i++) {
        for (size_t u = 0; u < sizeof units / sizeof units[0]; u++)
            if (ends_in(columns[i].name, units[u].suffix) && columns[i].unit != P11PROF_UNIT_MOMENT)
                assert_int_equal(columns[i].unit, units[u].unit);
        if (columns[i].unit == P11PROF_UNIT_MOMENT)
            assert_true(ends_in(columns[i].name, "_ns"));
        assert_ptr_equal(p11prof_column_named(columns[i].name), &columns[i]);
        assert_true(columns[i].heading[0] && columns[i].meaning[0]);
    }
    assert_null(p11prof_column_named("no_such_column"));
}

static const char label[] = "a \"b\",\r\nc \xFF";

static void fill(struct p11prof_table *table)
{
    p11prof_table_add_columns(table, "token_label count p99_ns share unsupported options");
    struct p11prof_cell *row = p11prof_table_add_row(table);
    p11prof_table_set_text(table, row, "token_label", label);
    p11prof_table_set_integer(table, row, "count", INT64_MAX);
    p11prof_table_set_integer(table, row, "p99_ns", 1234);
    row[2].doubtful = true;
    p11prof_table_set_real(table, row, "share", 0.5);
    p11prof_table_set_text(table, row, "unsupported", "p99_ns p999_ns");
    p11prof_table_set_text(table, row, "options", "{\"n\": 9223372036854775807}");
    p11prof_table_add_row(table);
}

/* All of the table in a format. The caller frees it. */
static char *written(enum p11prof_format format)
{
    struct p11prof_table table = {.columns = NULL};
    char *text;
    size_t bytes;
    struct p11prof_writer writer = {.stream = open_memstream(&text, &bytes), .format = format};
    fill(&table);
    p11prof_writer_rows(&writer, &table);
    p11prof_writer_end(&writer, &table);
    fclose(writer.stream);
    p11prof_table_clear(&table);
    return text;
}

static void csv_is_rfc_4180(void **state)
{
    (void)state;
    char *text = written(P11PROF_FORMAT_CSV);
    assert_string_equal(text, "token_label,count,p99_ns,share,unsupported,options\r\n"
                              "\"a \"\"b\"\",\r\nc \xFF\",9223372036854775807,1234,0.500000,"
                              "p99_ns p999_ns,\"{\"\"n\"\": 9223372036854775807}\"\r\n"
                              ",,,,,\r\n");
    free(text);
}

static void json_is_valid_and_exact(void **state)
{
    (void)state;
    char *text = written(P11PROF_FORMAT_JSON);
    cJSON *rows = cJSON_Parse(text);
    assert_int_equal(cJSON_GetArraySize(rows), 2);
    cJSON *row = cJSON_GetArrayItem(rows, 0);
    assert_string_equal(cJSON_GetObjectItem(row, "token_label")->valuestring,
                        "a \"b\",\r\nc \uFFFD");
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(row, "unsupported")), 2);
    assert_true(cJSON_GetObjectItem(row, "share")->valuedouble == 0.5);
    assert_non_null(strstr(text, "\"count\":9223372036854775807"));
    assert_non_null(strstr(text, "\"n\": 9223372036854775807"));
    row = cJSON_GetArrayItem(rows, 1);
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(row, "count")));
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(row, "unsupported")), 0);
    cJSON_Delete(rows);
    free(text);
}

static void text_is_aligned_and_safe(void **state)
{
    (void)state;
    char *text = written(P11PROF_FORMAT_TEXT);
    assert_non_null(strstr(text, "TOKEN"));
    assert_non_null(strstr(text, "  ~1.23 us  50.0 %  "));
    assert_non_null(strstr(text, "a \"b\",\\x0D\\x0Ac \\xFF"));
    assert_null(strchr(text, '\r'));
    free(text);
}

static void a_narrow_line_cuts_texts(void **state)
{
    (void)state;
    struct p11prof_table table = {.columns = NULL};
    char *text;
    size_t bytes;
    struct p11prof_writer writer = {.stream = open_memstream(&text, &bytes), .width_limit = 30};
    p11prof_table_add_columns(&table, "program count");
    struct p11prof_cell *row = p11prof_table_add_row(&table);
    p11prof_table_set_text(&table, row, "program", "\u00E4\u00E4a-program-with-a-very-long-name");
    p11prof_table_set_integer(&table, row, "count", 1234567);
    p11prof_writer_rows(&writer, &table);
    p11prof_writer_end(&writer, &table);
    fclose(writer.stream);
    assert_string_equal(text, "PROGRAM                  COUNT\n"
                              "\u00E4\u00E4a-program-with-a-v\u2026  1234567\n");
    p11prof_table_clear(&table);
    free(text);
}

static void rows_are_ordered(void **state)
{
    (void)state;
    struct p11prof_table table = {.columns = NULL};
    static const int64_t counts[] = {3, 9, 3, 1};
    p11prof_table_add_columns(&table, "run_id count name");
    for (size_t i = 0; i < 4; i++) {
        struct p11prof_cell *row = p11prof_table_add_row(&table);
        p11prof_table_set_integer(&table, row, "run_id", (int64_t)i);
        p11prof_table_set_integer(&table, row, "count", counts[i]);
        p11prof_table_set_text(&table, row, "name", i == 1 ? NULL : i == 0 ? "b" : "a");
    }
    p11prof_table_sort(&table, "count");
    static const int64_t by_count[] = {1, 0, 2, 3};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(p11prof_table_integer(&table, i, "run_id", -1), by_count[i]);
    p11prof_table_sort(&table, "name");
    static const int64_t by_name[] = {2, 3, 0, 1};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(p11prof_table_integer(&table, i, "run_id", -1), by_name[i]);
    p11prof_table_cut(&table, 2);
    assert_int_equal(table.row_count, 2);
    p11prof_table_clear(&table);
}

/* The first of the optional ones goes first, and no more than needed. */
static void a_narrow_line_leaves_columns_out(void **state)
{
    (void)state;
    static const char *const optional[] = {"rv", "slot_id", "session", NULL};
    struct p11prof_table table = {.columns = NULL};
    char *text;
    size_t bytes;
    struct p11prof_writer writer = {.stream = open_memstream(&text, &bytes),
                                    .format = P11PROF_FORMAT_TEXT,
                                    .width_limit = 16,
                                    .optional = optional};
    p11prof_table_add_columns(&table, "slot_id session thread_id rv");
    struct p11prof_cell *row = p11prof_table_add_row(&table);
    p11prof_table_set_integer(&table, row, "slot_id", 1);
    p11prof_table_set_integer(&table, row, "session", 2);
    p11prof_table_set_integer(&table, row, "thread_id", 3);
    p11prof_table_set_text(&table, row, "rv", "CKR_OK");
    p11prof_writer_rows(&writer, &table);
    p11prof_writer_end(&writer, &table);
    fclose(writer.stream);
    assert_string_equal(text, "SESSION  THREAD\n      2       3\n");
    free(text);
    p11prof_table_clear(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_carry_their_unit),
        cmocka_unit_test(csv_is_rfc_4180),
        cmocka_unit_test(json_is_valid_and_exact),
        cmocka_unit_test(text_is_aligned_and_safe),
        cmocka_unit_test(a_narrow_line_cuts_texts),
        cmocka_unit_test(a_narrow_line_leaves_columns_out),
        cmocka_unit_test(rows_are_ordered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
