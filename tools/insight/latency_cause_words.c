/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "latency_words.h"
#include "report/units.h"

#include <inttypes.h>
#include <stddef.h>

/* "are with key 3": what stands before values, and the word for one and for several of them. */
static const struct {
    const char *name, *verb, *one, *several;
} factors[P11PROF_FACTORS] = {
    [P11PROF_FACTOR_RV] = {"rv", "ended with", "", "results"},
    [P11PROF_FACTOR_KEY_KIND] = {"key-size", "are with", "", "kinds of keys"},
    [P11PROF_FACTOR_BYTES] = {"bytes", "have", "", ""},
    [P11PROF_FACTOR_ITEMS] = {"items", "have", "", ""},
    [P11PROF_FACTOR_KEY] = {"key", "are with", "key ", "keys"},
    [P11PROF_FACTOR_FIRST_PROCESS] = {"first-in-process", "are the first in their process", "", ""},
    [P11PROF_FACTOR_FIRST_KEY] = {"first-with-key", "are the first with their key", "", ""},
    [P11PROF_FACTOR_FIRST_SESSION] = {"first-in-session", "are the first in their session", "", ""},
    [P11PROF_FACTOR_IDLE] = {"idle", "came", "", ""},
    [P11PROF_FACTOR_LEVEL] = {"in-flight", "began with", "", ""},
    [P11PROF_FACTOR_SLOT] = {"slot", "are of", "slot ", "slots"},
    [P11PROF_FACTOR_CALLER] = {"caller", "are of", "", "callers"},
    [P11PROF_FACTOR_PROCESS] = {"process", "are of", "process ", "processes"},
    [P11PROF_FACTOR_THREAD] = {"thread", "are of", "thread ", "threads"},
    [P11PROF_FACTOR_SESSION] = {"session", "are of", "session ", "sessions"},
    [P11PROF_FACTOR_TIME] = {"time", "began", "", ""},
};

const char *p11prof_latency_factor_name(enum p11prof_latency_factor factor)
{
    return factors[factor].name;
}

static void print_in_process(FILE *stream, const struct p11prof_latency_told *told, int64_t number,
                             int64_t process)
{
    fprintf(stream, "%" PRId64, number);
    if (told->gather->several_processes)
        fprintf(stream, " of process %" PRId64, process);
}

static void print_value(FILE *stream, const struct p11prof_latency_told *told,
                        enum p11prof_latency_factor factor, int64_t value)
{
    char buffer[P11PROF_CODE_BYTES];
    const struct p11prof_latency_key *key;
    const struct p11prof_latency_caller *caller;
    fputs(factors[factor].one, stream);
    switch (factor) {
    case P11PROF_FACTOR_RV:
        fputs(p11prof_code_names_text(&told->names->rvs, value, buffer), stream);
        return;
    case P11PROF_FACTOR_KEY_KIND:
        p11prof_latency_kind_print(stream, told, (size_t)value);
        return;
    case P11PROF_FACTOR_CALLER:
        caller = p11prof_latency_callers_find(told->gather->callers, value);
        fputs(caller ? caller->name : "an unknown caller", stream);
        return;
    case P11PROF_FACTOR_KEY:
        print_in_process(stream, told, value & UINT32_MAX, value >> 32);
        return;
    case P11PROF_FACTOR_SESSION:
        key = &told->gather->session_map.keys[value >> 24];
        print_in_process(stream, told, key->parts[1], key->parts[0]);
        return;
    default:
        fprintf(stream, "%" PRId64, value);
    }
}

static void print_values(FILE *stream, const struct p11prof_latency_told *told,
                         const struct p11prof_latency_cause *cause)
{
    if (cause->value_count > P11PROF_CAUSE_VALUES_MOST) {
        fprintf(stream, " %zu of %zu %s%s", cause->value_count, cause->all_count,
                factors[cause->factor].several,
                cause->factor == P11PROF_FACTOR_KEY ? p11prof_latency_keys_note(told) : "");
        return;
    }
    for (size_t i = 0; i < cause->value_count; i++) {
        fputs(i == 0 ? " " : i + 1 < cause->value_count ? ", " : " or ", stream);
        print_value(stream, told, cause->factor, cause->values[i]);
    }
}

static void print_number(FILE *stream, enum p11prof_latency_factor factor, int64_t value)
{
    char text[P11PROF_UNIT_TEXT_BYTES];
    uint64_t number = value > 0 ? (uint64_t)value : 0;
    if (factor == P11PROF_FACTOR_BYTES)
        p11prof_format_bytes(text, number);
    else if (factor == P11PROF_FACTOR_IDLE || factor == P11PROF_FACTOR_TIME)
        p11prof_format_ns(text, number);
    else
        snprintf(text, sizeof text, "%" PRIu64, number);
    fputs(text, stream);
}

/* "before 2 s", "from 1 s to 2 s": since the run's start. */
static void print_time(FILE *stream, const struct p11prof_latency_cause *cause)
{
    if (cause->low != INT64_MIN) {
        fputs(cause->high == INT64_MAX ? " at " : " from ", stream);
        print_number(stream, cause->factor, cause->low);
    }
    if (cause->high == INT64_MAX) {
        fputs(" of the run or later", stream);
        return;
    }
    fputs(cause->low == INT64_MIN ? " until " : " to ", stream);
    print_number(stream, cause->factor, cause->high);
    fputs(" of the run", stream);
}

static void print_range(FILE *stream, const struct p11prof_latency_cause *cause)
{
    static const char *const after[P11PROF_FACTORS] = {
        [P11PROF_FACTOR_ITEMS] = " items",
        [P11PROF_FACTOR_IDLE] = " after the one before",
        [P11PROF_FACTOR_LEVEL] = " other calls in flight"};
    fputc(' ', stream);
    print_number(stream, cause->factor, cause->low);
    fputs(" or more", stream);
    fputs(after[cause->factor] ? after[cause->factor] : "", stream);
}

void p11prof_latency_cause_print(FILE *stream, const struct p11prof_latency_told *told,
                                 const struct p11prof_latency_cause *cause)
{
    enum p11prof_latency_factor factor = cause->factor;
    bool first = factor == P11PROF_FACTOR_FIRST_PROCESS || factor == P11PROF_FACTOR_FIRST_KEY ||
                 factor == P11PROF_FACTOR_FIRST_SESSION;
    fputs(first && cause->values[0] == 0 ? "are not those that " : "", stream);
    fputs(factors[factor].verb, stream);
    if (first)
        return;
    if (factor == P11PROF_FACTOR_TIME)
        print_time(stream, cause);
    else if (p11prof_latency_factor_is_number(factor))
        print_range(stream, cause);
    else
        print_values(stream, told, cause);
}
