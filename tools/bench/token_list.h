/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Tokens of a module, and a list of them for an error message. */
#ifndef P11PROF_BENCH_TOKEN_LIST_H
#define P11PROF_BENCH_TOKEN_LIST_H

#include "target.h"

struct p11prof_bench_token {
    CK_SLOT_ID slot_id;
    unsigned long slot_index; /* among the slots with a token */
    CK_RV rv;                 /* what C_GetTokenInfo answered; info is valid if CKR_OK */
    CK_TOKEN_INFO info;
    bool fits; /* initialised, and what the target asks for */
};

/* Calls `visit` for each slot with a token, in the order of C_GetSlotList. The module is
 * initialised. P11PROF_FAILED: the slots cannot be listed. */
enum p11prof_status p11prof_bench_tokens_each(
    const struct p11prof_bench_target *target, CK_FUNCTION_LIST *module,
    void (*visit)(void *payload, const struct p11prof_bench_token *token), void *payload,
    struct p11prof_error *error);

bool p11prof_bench_token_is_initialised(const struct p11prof_bench_token *token);

/* Text for one line: what is foreign in it is made safe. A full list counts what it leaves out. */
struct p11prof_bench_listing {
    char text[360];
    size_t used;
    unsigned count, left_out_count;
};

/* Adds: 'slot 3: "label" (serial 1, model M)', or with a module: '"label" (serial 1) in MODULE'. */
void p11prof_bench_listing_add(struct p11prof_bench_listing *listing, const char *module,
                               CK_SLOT_ID slot_id, const CK_TOKEN_INFO *token);

/* The text, with "and N more" at its end if some were left out. */
const char *p11prof_bench_listing_text(struct p11prof_bench_listing *listing);

/* A blank-padded field, without its blanks, fit for a terminal. `out` has 4 bytes for each of the
 * field's and one. */
void p11prof_bench_field_text(char *out, size_t out_bytes, const CK_UTF8CHAR *field,
                              size_t field_bytes);

#endif
