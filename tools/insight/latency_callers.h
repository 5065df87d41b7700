/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Who made the calls of a run. Each process numbers its callers; a place is the same one in all
 * processes. Starts as {0}. One thread. */
#ifndef P11PROF_INSIGHT_LATENCY_CALLERS_H
#define P11PROF_INSIGHT_LATENCY_CALLERS_H

#include "p11prof/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sqlite3;

struct p11prof_latency_callers {
    struct p11prof_latency_caller {
        int64_t code;  /* process << 32 | caller */
        int64_t place; /* the least code of the same place */
        char *name;    /* "file:function+0x41" */
    } * entries;       /* by code */
    size_t count, capacity;
};

/* `redact`: names are what a redaction calls them. */
enum p11prof_status p11prof_latency_callers_load(struct p11prof_latency_callers *out,
                                                 struct sqlite3 *db, int64_t run_id, bool redact,
                                                 struct p11prof_error *error);
void p11prof_latency_callers_clear(struct p11prof_latency_callers *callers);

/* NULL: it is not known. */
const struct p11prof_latency_caller *p11prof_latency_callers_find(
    const struct p11prof_latency_callers *callers, int64_t code);

#endif
