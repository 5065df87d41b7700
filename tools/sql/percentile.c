/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "percentile.h"
#include "arguments.h"
#include "report/quantile.h"

#include <string.h>

/* A group's values, each as a key: a number that is ordered as they are. */
struct values {
    uint64_t *keys;
    size_t count, capacity;
    uint32_t millionths;
    bool started; /* millionths is known */
    bool real;    /* keys are of reals, since one value is */
};

static const uint64_t sign = UINT64_C(1) << 63;

static uint64_t key_of_integer(int64_t integer)
{
    return (uint64_t)integer ^ sign;
}

static int64_t integer_of_key(uint64_t key)
{
    return (int64_t)(key ^ sign);
}

static uint64_t key_of_real(double real)
{
    uint64_t bits;
    memcpy(&bits, &real, sizeof bits);
    return bits & sign ? ~bits : bits ^ sign;
}

static double real_of_key(uint64_t key)
{
    double real;
    uint64_t bits = key & sign ? key ^ sign : ~key;
    memcpy(&real, &bits, sizeof real);
    return real;
}

static void make_real(struct values *values)
{
    for (size_t i = 0; i < values->count && !values->real; i++)
        values->keys[i] = key_of_real((double)integer_of_key(values->keys[i]));
    values->real = true;
}

static bool make_room(struct values *values)
{
    if (values->count < values->capacity)
        return true;
    size_t capacity = values->capacity ? 2 * values->capacity : 64;
    uint64_t *keys = sqlite3_realloc64(values->keys, capacity * sizeof *keys);
    if (!keys)
        return false;
    values->keys = keys;
    values->capacity = capacity;
    return true;
}

static void add(sqlite3_context *context, struct values *values, sqlite3_value *value)
{
    if (p11prof_argument_is_null(value))
        return;
    int type = p11prof_argument_number(context, value);
    if (type == 0)
        return;
    if (!make_room(values)) {
        sqlite3_result_error_nomem(context);
        return;
    }
    if (type == SQLITE_FLOAT)
        make_real(values);
    values->keys[values->count++] = values->real ? key_of_real(sqlite3_value_double(value))
                                                 : key_of_integer(sqlite3_value_int64(value));
}

static bool read_millionths(sqlite3_context *context, struct values *values, sqlite3_value *value)
{
    if (p11prof_argument_number(context, value) == 0)
        return false;
    double percent = sqlite3_value_double(value);
    if (!(percent >= 0 && percent <= 100)) {
        p11prof_argument_wrong(context, value, "is not a percentage from 0 to 100");
        return false;
    }
    uint32_t millionths = (uint32_t)(percent * (P11PROF_MILLION / 100) + 0.5);
    if (values->started && millionths != values->millionths) {
        p11prof_argument_wrong(context, value, "is not the percentage of the row before");
        return false;
    }
    values->millionths = millionths;
    values->started = true;
    return true;
}

static struct values *values_of(sqlite3_context *context)
{
    struct values *values = sqlite3_aggregate_context(context, sizeof *values);
    if (!values)
        sqlite3_result_error_nomem(context);
    return values;
}

void p11prof_percentile_step(sqlite3_context *context, int count, sqlite3_value **arguments)
{
    (void)count;
    struct values *values = values_of(context);
    if (values && read_millionths(context, values, arguments[1]))
        add(context, values, arguments[0]);
}

void p11prof_median_step(sqlite3_context *context, int count, sqlite3_value **arguments)
{
    (void)count;
    struct values *values = values_of(context);
    if (!values)
        return;
    values->millionths = p11prof_quantile_millionths[P11PROF_P50];
    add(context, values, arguments[0]);
}

void p11prof_percentile_final(sqlite3_context *context)
{
    struct values *values = sqlite3_aggregate_context(context, 0);
    if (!values)
        return;
    if (values->count > 0) {
        uint64_t rank = p11prof_quantile_rank(values->count, values->millionths), key;
        p11prof_select(values->keys, values->count, &rank, 1, &key);
        if (values->real)
            sqlite3_result_double(context, real_of_key(key));
        else
            sqlite3_result_int64(context, integer_of_key(key));
    }
    sqlite3_free(values->keys);
}
