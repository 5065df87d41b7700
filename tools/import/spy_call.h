/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* One call as a log of pkcs11-spy tells it. Numbers are taken from it, and what the application
 * asked of the token; no bytes of buffers, and nothing of a line outlives it. */
#ifndef P11PROF_IMPORT_SPY_CALL_H
#define P11PROF_IMPORT_SPY_CALL_H

#include "p11prof/feed.h"

enum { P11PROF_SPY_FOUND_MAX = 64, P11PROF_SPY_NOTES_MAX = 16 };

/* What a template says of a key. */
struct p11prof_spy_template {
    uint32_t known; /* enum p11prof_object_known */
    uint64_t class, key_type, key_bits;
};

struct p11prof_spy_call {
    unsigned function;
    uint32_t flags; /* enum p11prof_record_flag */
    uint64_t session, fact[3];
    bool timed;
    uint64_t wall_ns; /* since 1970 */
    int32_t pid;      /* 0: unknown; so for the thread */
    uint32_t thread_id;
    bool tangled; /* its lines are mixed with those of other calls */
    /* Of templates and answers. */
    struct p11prof_spy_template templates[2]; /* the second one of a private key of a pair */
    unsigned template_number;
    bool answers; /* lines are results now */
    unsigned
        next_bytes; /* what the bytes of the next line are of: CKA_ name's number; 0: nothing */
    uint32_t asked_count, asked_without_buffer_count;
    uint64_t made[2];
    uint32_t made_count;
    uint64_t found[P11PROF_SPY_FOUND_MAX];
    uint32_t found_count;
    /* Of CK_TOKEN_INFO. Of CK_INFO: description, manufacturer, Cryptoki and library version stand
     * in label, manufacturer, hardware and firmware version. */
    struct p11prof_token_row texts;
};

void p11prof_spy_call_start(struct p11prof_spy_call *call, unsigned function);

/* Takes in a line between the call's head and its result; false if pkcs11-spy prints no such line.
 */
bool p11prof_spy_call_line(struct p11prof_spy_call *call, const char *line);

/* Whether it waits for a slot event while others go on. */
bool p11prof_spy_call_waits(const struct p11prof_spy_call *call);

/* The notes of objects that belong before the call; returns their count. */
uint32_t p11prof_spy_call_notes(const struct p11prof_spy_call *call, uint64_t rv,
                                struct p11prof_record notes[P11PROF_SPY_NOTES_MAX]);

#endif
