/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The options that choose which calls of a run a command is about: the same in all of them. */
#ifndef P11PROF_TOOLS_SELECT_OPTIONS_H
#define P11PROF_TOOLS_SELECT_OPTIONS_H

#include "options.h"
#include "report/selection.h"

/* Ids are below those of dimensions, shifted out of the way of letters. */
enum {
    P11PROF_SELECT_FIRST = 0x200,
    P11PROF_SELECT_SINCE = P11PROF_SELECT_FIRST + P11PROF_DIMENSIONS,
    P11PROF_SELECT_UNTIL,
    P11PROF_SELECT_SLOWER_THAN,
    P11PROF_SELECT_END,
};

#define P11PROF_SELECT_BY(name, id, value, help)                                                   \
    {                                                                                              \
        name, P11PROF_SELECT_FIRST + id, value, help, P11PROF_VALUE_FILTER                         \
    }

/* Entries of a command's table of options. */
#define P11PROF_OPTIONS_SELECT                                                                     \
    P11PROF_SELECT_BY("function", P11PROF_BY_FUNCTION, "NAME,…", "only these C_* functions"),      \
        P11PROF_SELECT_BY("operation", P11PROF_BY_OPERATION, "NAME,…",                             \
                          "only these operations, and the calls that ended them"),                 \
        P11PROF_SELECT_BY("test", P11PROF_BY_TEST, "ID,…", "only these tests of a bench"),         \
        P11PROF_SELECT_BY("mechanism", P11PROF_BY_MECHANISM, "NAME,…", "only these mechanisms"),   \
        P11PROF_SELECT_BY("key-type", P11PROF_BY_KEY_TYPE, "NAME,…", "only keys of these types"),  \
        P11PROF_SELECT_BY("key-bits", P11PROF_BY_KEY_BITS, "N,…", "only keys of these sizes"),     \
        P11PROF_SELECT_BY("key", P11PROF_BY_KEY, "N,…", "only these keys (column key_id)"),        \
        P11PROF_SELECT_BY("process", P11PROF_BY_PROCESS, "N,…", "only these processes"),           \
        P11PROF_SELECT_BY("program", P11PROF_BY_PROGRAM, "NAME,…", "only these programs"),         \
        P11PROF_SELECT_BY("thread", P11PROF_BY_THREAD, "N,…", "only these threads"),               \
        P11PROF_SELECT_BY("session", P11PROF_BY_SESSION, "N,…", "only these sessions"),            \
        P11PROF_SELECT_BY("slot", P11PROF_BY_SLOT, "N,…", "only these slots"),                     \
        P11PROF_SELECT_BY("caller", P11PROF_BY_CALLER, "NAME,…",                                   \
                          "only calls from these functions, files or sites (file:f+0x41)"),        \
        P11PROF_SELECT_BY("library", P11PROF_BY_LIBRARY, "FILE,…", "only calls from these files"), \
        P11PROF_SELECT_BY("rv", P11PROF_BY_RV, "NAME,…",                                           \
                          "only these results; failed: all but CKR_OK"),                           \
        P11PROF_SELECT_BY("kind", P11PROF_BY_KIND, "NAME,…",                                       \
                          "only call, size-query, too-small or blocking"),                         \
        {"slower-than", P11PROF_SELECT_SLOWER_THAN, "TIME", "only what took as long or longer"},   \
        {"since", P11PROF_SELECT_SINCE, "MOMENT",                                                  \
         "only what began then or later: 90s, -30s, 2026-11-24T10:15"},                            \
    {                                                                                              \
        "until", P11PROF_SELECT_UNTIL, "MOMENT", "only what began earlier"                         \
    }

/* Whether an option is one of them. */
bool p11prof_is_select_option(int id);

/* Takes one of them; false if its value is bad, after it said so. */
bool p11prof_select_option(struct p11prof_selection *out, int id, const char *value);

#endif
