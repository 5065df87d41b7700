/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "bench.h"

#include "p11prof/drain.h"
#include "p11prof/store.h"

enum { WAIT_MS = 60000 };

uint64_t bench_collect(const struct bench_place *place)
{
    struct p11prof_collect_options options = {.folder = place->spool, .wait_ms = WAIT_MS};
    struct p11prof_collect_result result = {0};
    struct p11prof_error error = {0};
    struct p11prof_store *store;
    if (p11prof_store_open(&store, place->db, P11PROF_STORE_CREATE, &error) ||
        p11prof_collect(store, &options, &result, &error)) {
        fprintf(stderr, "cannot collect: %s\n", error.text);
        exit(1);
    }
    p11prof_store_close(store);
    return result.call_count;
}
