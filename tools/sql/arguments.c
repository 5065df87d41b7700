/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "arguments.h"
#include "report/safe_text.h"

enum { SHOWN_BYTES = 80, MESSAGE_BYTES = 256 };

void p11prof_argument_wrong(sqlite3_context *context, sqlite3_value *value, const char *problem)
{
    char shown[SHOWN_BYTES], message[MESSAGE_BYTES];
    const char *text = (const char *)sqlite3_value_text(value);
    p11prof_safe_text(shown, sizeof shown, text ? text : "NULL");
    sqlite3_snprintf(sizeof message, message, "%s(): '%s' %s",
                     (const char *)sqlite3_user_data(context), shown, problem);
    sqlite3_result_error(context, message, -1);
}

bool p11prof_argument_is_null(sqlite3_value *value)
{
    return sqlite3_value_type(value) == SQLITE_NULL;
}

int p11prof_argument_number(sqlite3_context *context, sqlite3_value *value)
{
    int type = sqlite3_value_numeric_type(value);
    if (type == SQLITE_INTEGER || type == SQLITE_FLOAT)
        return type;
    p11prof_argument_wrong(context, value, "is not a number");
    return 0;
}

bool p11prof_argument_duration(sqlite3_context *context, sqlite3_value *value, uint64_t *out_ns)
{
    int type = p11prof_argument_number(context, value);
    if (type == 0)
        return false;
    double real = sqlite3_value_double(value);
    if (real < 0 || real > 0x1p63) {
        p11prof_argument_wrong(context, value, "is no duration: it is negative or too long");
        return false;
    }
    *out_ns = type == SQLITE_INTEGER ? (uint64_t)sqlite3_value_int64(value) : (uint64_t)real;
    return true;
}

void p11prof_result_ns(sqlite3_context *context, uint64_t ns)
{
    sqlite3_result_int64(context, ns > INT64_MAX ? INT64_MAX : (int64_t)ns);
}
