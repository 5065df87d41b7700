/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What the spools of a database's processes say right now. Reads only. One thread. */
#ifndef P11PROF_EXPORTER_LIVE_H
#define P11PROF_EXPORTER_LIVE_H

#include "database.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Starts as {0}. */
struct exporter_live {
    struct exporter_live_program {
        char name[64]; /* of the programs past a limit, "other" */
        uint64_t process_count;
    } * programs;
    size_t program_count, program_capacity;
    struct exporter_live_calls {
        size_t program; /* index */
        unsigned function;
        uint64_t in_flight_count, oldest_ns;
    } * calls;
    size_t call_count, call_capacity;
    uint64_t waiting_count, waiting_bytes; /* spools that no process drains, what they take */
};

/* Looks at all spools that are meant for the database, whose store may not be open. no_programs:
 * their names are left out. */
void exporter_live_look(struct exporter_live *out, const struct p11prof_database *database,
                        bool no_programs);
void exporter_live_clear(struct exporter_live *live);

#endif
