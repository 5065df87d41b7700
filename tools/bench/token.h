/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What a worker has of its token: initialised, logged in, asked what it offers. */
#ifndef P11PROF_BENCH_TOKEN_H
#define P11PROF_BENCH_TOKEN_H

#include "protocol.h"

struct token_state {
    CK_SLOT_ID slot_id;
    CK_SESSION_HANDLE session; /* of the worker itself: keys are made in it */
    bool initialized;          /* by us: C_Finalize is ours, too */
    struct bench_token_facts token;
    struct p11prof_bench_token_facts offers;
};

/* C_Initialize, slot, token, login; then, through the module's `raw` functions, its mechanisms.
 * What fails is described; tear_down is due in any case. */
enum p11prof_status token_set_up(struct token_state *facts, CK_FUNCTION_LIST *module,
                                 CK_FUNCTION_LIST *raw, const struct p11prof_bench_target *target,
                                 bool token_keys, struct p11prof_error *error);
void token_tear_down(struct token_state *facts, CK_FUNCTION_LIST *module);

/* One more session; read-write for token keys. */
enum p11prof_status token_session_open(CK_FUNCTION_LIST *module, const struct token_state *facts,
                                       bool read_write, CK_SESSION_HANDLE *session,
                                       struct p11prof_error *error);

/* What the token says of a mechanism; all 0 if nothing. */
void token_mechanism(const struct token_state *facts, CK_MECHANISM_TYPE type,
                     CK_MECHANISM_INFO *info);

#endif
