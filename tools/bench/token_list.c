/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "token_list.h"

#include "p11prof/calls.h"
#include "report/safe_text.h"

#include <p11-kit/uri.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRIES = 4, MORE_BYTES = 32 };

/* The slots with a token; to be freed. Between the two calls some may be plugged in. */
static CK_RV slots_read(CK_FUNCTION_LIST *module, CK_SLOT_ID **slots, CK_ULONG *count)
{
    CK_RV rv = CKR_BUFFER_TOO_SMALL;
    *slots = NULL;
    for (int i = 0; i < TRIES && rv == CKR_BUFFER_TOO_SMALL; i++) {
        free(*slots);
        *slots = NULL;
        rv = module->C_GetSlotList(CK_TRUE, NULL, count);
        if (rv != CKR_OK)
            break;
        *slots = calloc(*count + 1, sizeof **slots);
        if (!*slots)
            return CKR_HOST_MEMORY;
        rv = module->C_GetSlotList(CK_TRUE, *slots, count);
    }
    return rv;
}

bool p11prof_bench_token_is_initialised(const struct p11prof_bench_token *token)
{
    return token->rv == CKR_OK && token->info.flags & CKF_TOKEN_INITIALIZED;
}

static bool uri_fits(P11KitUri *uri, CK_FUNCTION_LIST *module,
                     const struct p11prof_bench_token *token)
{
    CK_INFO library;
    CK_SLOT_INFO slot;
    CK_SLOT_ID wanted = p11_kit_uri_get_slot_id(uri);
    memset(&library, 0, sizeof library);
    memset(&slot, 0, sizeof slot);
    module->C_GetInfo(&library);
    module->C_GetSlotInfo(token->slot_id, &slot);
    return (wanted == (CK_SLOT_ID)-1 || wanted == token->slot_id) &&
           p11_kit_uri_match_token_info(uri, &token->info) &&
           p11_kit_uri_match_slot_info(uri, &slot) && p11_kit_uri_match_module_info(uri, &library);
}

static bool fits(const struct p11prof_bench_target *target, CK_FUNCTION_LIST *module,
                 const struct p11prof_bench_token *token)
{
    return p11prof_bench_token_is_initialised(token) &&
           (!target->has_slot || target->slot == token->slot_id) &&
           (!target->has_slot_index || target->slot_index == token->slot_index) &&
           (!target->uri || uri_fits(target->uri, module, token));
}

enum p11prof_status p11prof_bench_tokens_each(
    const struct p11prof_bench_target *target, CK_FUNCTION_LIST *module,
    void (*visit)(void *payload, const struct p11prof_bench_token *token), void *payload,
    struct p11prof_error *error)
{
    char unknown[19];
    CK_ULONG count = 0;
    CK_SLOT_ID *slots;
    enum p11prof_status status = P11PROF_OK;
    CK_RV rv = slots_read(module, &slots, &count);
    if (rv != CKR_OK)
        status = p11prof_error_set(error, P11PROF_FAILED,
                                   "%.200s does not list its slots: C_GetSlotList: %s",
                                   target->module, p11prof_rv_text(rv, unknown));
    for (CK_ULONG i = 0; status == P11PROF_OK && i < count; i++) {
        struct p11prof_bench_token token = {.slot_id = slots[i], .slot_index = i};
        token.rv = module->C_GetTokenInfo(slots[i], &token.info);
        token.fits = fits(target, module, &token);
        visit(payload, &token);
    }
    free(slots);
    return status;
}

void p11prof_bench_field_text(char *out, size_t out_bytes, const CK_UTF8CHAR *field,
                              size_t field_bytes)
{
    char text[sizeof((CK_TOKEN_INFO *)NULL)->label + 1];
    size_t bytes = strnlen((const char *)field, field_bytes);
    while (bytes > 0 && field[bytes - 1] == ' ')
        bytes--;
    snprintf(text, sizeof text, "%.*s", (int)bytes, (const char *)field);
    p11prof_safe_text(out, out_bytes, text);
}

void p11prof_bench_listing_add(struct p11prof_bench_listing *listing, const char *module,
                               CK_SLOT_ID slot_id, const CK_TOKEN_INFO *token)
{
    char label[4 * sizeof token->label + 1], serial[4 * sizeof token->serialNumber + 1];
    char model[4 * sizeof token->model + 1];
    char *end = listing->text + listing->used, *comma = listing->used ? ", " : "";
    size_t room = sizeof listing->text - MORE_BYTES - listing->used;
    p11prof_bench_field_text(label, sizeof label, token->label, sizeof token->label);
    p11prof_bench_field_text(serial, sizeof serial, token->serialNumber,
                             sizeof token->serialNumber);
    p11prof_bench_field_text(model, sizeof model, token->model, sizeof token->model);
    int needed =
        module ? snprintf(end, room, "%s\"%s\" (serial %s) in %s", comma, label, serial, module)
               : snprintf(end, room, "%sslot %lu: \"%s\" (serial %s, model %s)", comma, slot_id,
                          label, serial, model);
    listing->count++;
    if (needed > 0 && (size_t)needed < room) {
        listing->used += (size_t)needed;
    } else {
        *end = '\0';
        listing->left_out_count++;
    }
}

const char *p11prof_bench_listing_text(struct p11prof_bench_listing *listing)
{
    if (listing->left_out_count)
        snprintf(listing->text + listing->used, sizeof listing->text - listing->used,
                 "%s and %u more", listing->used ? "" : "(too long to show)",
                 listing->left_out_count);
    return listing->text;
}
