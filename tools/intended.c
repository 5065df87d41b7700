/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "intended.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool p11prof_spool_waits(const struct p11prof_found_spool *spool)
{
    return spool->problem.status == P11PROF_OK &&
           (spool->gone || spool->drain_mode == P11PROF_DRAIN_EXTERNAL);
}

bool p11prof_spool_is_begun(const struct p11prof_found_spool *spool)
{
    static const uint8_t none[16];
    return memcmp(spool->database_id, none, sizeof none) != 0;
}

bool p11prof_spool_is_begun_in(const struct p11prof_found_spool *spool, struct p11prof_store *store)
{
    uint64_t id[2] = {0, 0};
    if (store)
        p11prof_store_id(store, id);
    return p11prof_spool_is_begun(spool) && memcmp(spool->database_id, id, sizeof id) == 0;
}

bool p11prof_spool_is_for(const struct p11prof_found_spool *spool,
                          const struct p11prof_database *database)
{
    return spool->database_path[0] &&
           p11prof_database_is(database->path, spool->database_path, spool->user_id == geteuid());
}

/* Appends a character; leaves the text as it is where it does not fit. */
static void append(char *out, size_t out_bytes, char character)
{
    size_t length = strlen(out);
    if (length + 1 < out_bytes) {
        out[length] = character;
        out[length + 1] = '\0';
    }
}

void p11prof_spool_command(char *out, size_t out_bytes, const char *database_path)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "/._-+,:@%";
    bool quoted = database_path[strspn(database_path, plain)] != '\0';
    snprintf(out, out_bytes, "p11prof collect --db %s", quoted ? "'" : "");
    for (const char *at = database_path; *at; at++) {
        for (const char *end = "'\\'"; *at == '\'' && *end; end++)
            append(out, out_bytes, *end);
        append(out, out_bytes, *at);
    }
    if (quoted)
        append(out, out_bytes, '\'');
}
