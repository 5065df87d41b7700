/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "live_calls.h"
#include "p11prof/calls.h"
#include "p11prof/drain.h"

#include <stdio.h>
#include <string.h>

struct search {
    struct p11prof_table *table;
    const char *run_uuid;
    int64_t run_id;
};

void p11prof_uuid_text(char *out, const uint8_t uuid[16])
{
    for (int i = 0; i < 16; i++) {
        bool dash = i == 4 || i == 6 || i == 8 || i == 10;
        out += sprintf(out, "%s%02x", dash ? "-" : "", uuid[i]);
    }
}

static void take_call(void *payload, const struct p11prof_live_call *call)
{
    struct search *search = payload;
    struct p11prof_table *table = search->table;
    char uuid[37];
    p11prof_uuid_text(uuid, call->run_id);
    if (strcmp(uuid, search->run_uuid) != 0 || call->function > P11PROF_CALLS)
        return;
    struct p11prof_cell *row = p11prof_table_add_row(table);
    p11prof_table_set_integer(table, row, "run_id", search->run_id);
    p11prof_table_set_integer(table, row, "pid", call->pid);
    p11prof_table_set_text(table, row, "program", call->program);
    p11prof_table_set_integer(table, row, "thread_id", call->thread_id);
    p11prof_table_set_text(table, row, "function", p11prof_calls[call->function].name);
    p11prof_table_set_integer(table, row, "age_ns", (int64_t)call->age_ns);
    p11prof_table_set_text(table, row, "state", "running");
}

void p11prof_live_calls(struct p11prof_table *table, const char *folder, const char *run_uuid,
                        int64_t run_id)
{
    struct search search = {table, run_uuid, run_id};
    p11prof_in_flight_visit(folder, take_call, &search);
}
