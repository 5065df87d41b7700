/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "latency_rule.h"
#include "report/allocate.h"

#include <stdlib.h>

/* The calls that have one value, by half. */
struct value {
    int64_t value;
    size_t slow[2], fast[2];
};

/* Shares of the slow calls and of the fast ones are looked at on a half, or on both. */
enum { HALF_0, HALF_1, BOTH };

struct values {
    struct value *all; /* ascending */
    size_t count;
    size_t slow[3], fast[3]; /* of all values */
};

/* A range of values that numbers keep to, by index: [first, end). */
struct range {
    size_t first, end;
};

static int by_value(const void *a, const void *b)
{
    const struct p11prof_latency_mark *first = a, *second = b;
    return (first->value > second->value) - (first->value < second->value);
}

static void collect(struct values *out, struct p11prof_latency_mark *marks, size_t count)
{
    qsort(marks, count, sizeof *marks, by_value);
    *out = (struct values){.all = p11prof_zalloc(count + 1, sizeof *out->all)};
    for (size_t i = 0; i < count; i++) {
        unsigned half = marks[i].half;
        if (i == 0 || marks[i].value != marks[i - 1].value)
            out->all[out->count++].value = marks[i].value;
        struct value *value = &out->all[out->count - 1];
        value->slow[half] += marks[i].slow;
        value->fast[half] += !marks[i].slow;
        out->slow[half] += marks[i].slow;
        out->fast[half] += !marks[i].slow;
    }
    out->slow[BOTH] = out->slow[0] + out->slow[1];
    out->fast[BOTH] = out->fast[0] + out->fast[1];
}

/* By how much more of the slow calls than of the fast ones have a value. */
static double gain(const struct values *values, size_t index, int on)
{
    const struct value *value = &values->all[index];
    size_t slow = on == BOTH ? value->slow[0] + value->slow[1] : value->slow[on];
    size_t fast = on == BOTH ? value->fast[0] + value->fast[1] : value->fast[on];
    return (double)slow / (double)values->slow[on] - (double)fast / (double)values->fast[on];
}

/* The numbers from one on that have the most gain. */
static struct range best_end(const struct values *values, int on)
{
    struct range best = {values->count, values->count};
    double most = 0, sum = 0;
    for (size_t i = values->count; i-- > 0;) {
        sum += gain(values, i, on);
        if (sum > most) {
            most = sum;
            best.first = i;
        }
    }
    return best;
}

/* The part of the run that has the most gain. */
static struct range best_part(const struct values *values, int on)
{
    struct range best = {0, 0}, part = {0, 0};
    double most = 0, sum = 0;
    for (size_t i = 0; i < values->count; i++) {
        if (sum <= 0) {
            sum = 0;
            part.first = i;
        }
        sum += gain(values, i, on);
        part.end = i + 1;
        if (sum > most) {
            most = sum;
            best = part;
        }
    }
    return best;
}

/* More bytes, more calls in flight, a longer wait make a call slow, not fewer. */
static struct range best_range(const struct values *values, enum p11prof_latency_factor factor,
                               int on)
{
    return factor == P11PROF_FACTOR_TIME ? best_part(values, on) : best_end(values, on);
}

static void hit(struct p11prof_latency_hits *hits, const struct value *value, int half)
{
    hits->slow += value->slow[half];
    hits->fast += value->fast[half];
}

static void learn_range(struct p11prof_latency_cause *out, struct p11prof_latency_hits *hits,
                        const struct values *values)
{
    struct range range = best_range(values, out->factor, BOTH);
    bool any = range.first < range.end;
    out->low = any && range.first > 0 ? values->all[range.first].value : INT64_MIN;
    out->high = any && range.end < values->count ? values->all[range.end - 1].value : INT64_MAX;
    for (int half = HALF_0; half < BOTH; half++) {
        range = best_range(values, out->factor, half == HALF_0 ? HALF_1 : HALF_0);
        for (size_t i = range.first; i < range.end; i++)
            hit(hits, &values->all[i], half);
    }
}

static void learn_values(struct p11prof_latency_cause *out, struct p11prof_latency_hits *hits,
                         const struct values *values)
{
    out->all_count = values->count;
    for (size_t i = 0; i < values->count; i++) {
        for (int half = HALF_0; half < BOTH; half++)
            if (gain(values, i, half == HALF_0 ? HALF_1 : HALF_0) > 0)
                hit(hits, &values->all[i], half);
        if (gain(values, i, BOTH) <= 0)
            continue;
        if (out->value_count < P11PROF_CAUSE_VALUES_MOST)
            out->values[out->value_count] = values->all[i].value;
        out->value_count++;
    }
}

void p11prof_latency_rule_learn(struct p11prof_latency_cause *out,
                                struct p11prof_latency_hits *hits,
                                struct p11prof_latency_mark *marks, size_t count)
{
    struct values values;
    collect(&values, marks, count);
    *hits = (struct p11prof_latency_hits){0};
    bool enough = values.slow[0] && values.slow[1] && values.fast[0] && values.fast[1];
    if (enough && values.count > 1) {
        hits->all_slow = values.slow[BOTH];
        hits->all_fast = values.fast[BOTH];
        if (p11prof_latency_factor_is_number(out->factor))
            learn_range(out, hits, &values);
        else
            learn_values(out, hits, &values);
    }
    free(values.all);
}
