/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "token_list.h"

#include "p11prof/calls.h"

#include <stdio.h>

/* What the tokens of a module leave to choose from. */
struct choice {
    struct p11prof_bench_token first; /* that fits */
    struct p11prof_bench_listing fitting, initialised;
    CK_RV problem; /* the first answer of C_GetTokenInfo that was none */
    CK_SLOT_ID problem_slot;
};

static void consider(void *payload, const struct p11prof_bench_token *token)
{
    struct choice *choice = payload;
    if (token->rv != CKR_OK && choice->problem == CKR_OK) {
        choice->problem = token->rv;
        choice->problem_slot = token->slot_id;
    }
    if (p11prof_bench_token_is_initialised(token))
        p11prof_bench_listing_add(&choice->initialised, NULL, token->slot_id, &token->info);
    if (!token->fits)
        return;
    if (choice->fitting.count == 0)
        choice->first = *token;
    p11prof_bench_listing_add(&choice->fitting, NULL, token->slot_id, &token->info);
}

static enum p11prof_status none(struct choice *choice, struct p11prof_error *error)
{
    char unknown[19], problem[96] = "";
    if (choice->problem != CKR_OK)
        snprintf(problem, sizeof problem, " (C_GetTokenInfo of slot %lu: %s)", choice->problem_slot,
                 p11prof_rv_text(choice->problem, unknown));
    if (choice->initialised.count == 0)
        return p11prof_error_set(error, P11PROF_BAD_INPUT,
                                 "the module has no initialised token%s: plug one in, or make one "
                                 "(softhsm2-util --init-token, pkcs11-tool --init-token)",
                                 problem);
    return p11prof_error_set(error, P11PROF_BAD_INPUT,
                             "no initialised token of the module is the one that was named%s; it "
                             "has %s",
                             problem, p11prof_bench_listing_text(&choice->initialised));
}

static enum p11prof_status several(const struct p11prof_bench_target *target, struct choice *choice,
                                   struct p11prof_error *error)
{
    const char *vs = target->vs ? "vs-" : "";
    return p11prof_error_set(error, P11PROF_BAD_INPUT,
                             "%u tokens fit: choose one with --%sslot, --%stoken-label or --%suri: "
                             "%s",
                             choice->fitting.count, vs, vs, vs,
                             p11prof_bench_listing_text(&choice->fitting));
}

enum p11prof_status p11prof_bench_slot_find(const struct p11prof_bench_target *target,
                                            CK_FUNCTION_LIST *module, CK_SLOT_ID *slot_id,
                                            CK_TOKEN_INFO *token, struct p11prof_error *error)
{
    struct choice choice = {.problem = CKR_OK};
    enum p11prof_status status =
        p11prof_bench_tokens_each(target, module, consider, &choice, error);
    if (status != P11PROF_OK)
        return status;
    if (choice.fitting.count == 0)
        return none(&choice, error);
    if (choice.fitting.count > 1)
        return several(target, &choice, error);
    *slot_id = choice.first.slot_id;
    *token = choice.first.info;
    return P11PROF_OK;
}
