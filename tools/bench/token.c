/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "token.h"

#include "../report/allocate.h"
#include "../report/safe_text.h"
#include "attach.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MECHANISMS_MOST = 1 << 16 };

static enum p11prof_status initialize(struct token_state *facts, CK_FUNCTION_LIST *module,
                                      struct p11prof_error *error)
{
    CK_C_INITIALIZE_ARGS arguments = {.flags = CKF_OS_LOCKING_OK};
    CK_RV rv = module->C_Initialize(&arguments);
    if (rv == CKR_CANT_LOCK)
        rv = module->C_Initialize(NULL);
    facts->initialized = rv == CKR_OK;
    if (rv == CKR_OK || rv == CKR_CRYPTOKI_ALREADY_INITIALIZED)
        return P11PROF_OK;
    return attach_failed(error, "C_Initialize", rv,
                         "check the module's own configuration and that its device is there");
}

/* Blank-padded text of the token. */
static void text_take(char *out, size_t out_bytes, const CK_UTF8CHAR *text, size_t bytes)
{
    char plain[65] = "";
    while (bytes > 0 && (text[bytes - 1] == ' ' || text[bytes - 1] == '\0'))
        bytes--;
    memcpy(plain, text, bytes);
    p11prof_safe_text(out, out_bytes, plain);
}

static void token_describe(struct bench_token_facts *out, const CK_TOKEN_INFO *token)
{
    text_take(out->label, sizeof out->label, token->label, sizeof token->label);
    text_take(out->manufacturer, sizeof out->manufacturer, token->manufacturerID,
              sizeof token->manufacturerID);
    text_take(out->model, sizeof out->model, token->model, sizeof token->model);
    text_take(out->serial, sizeof out->serial, token->serialNumber, sizeof token->serialNumber);
    snprintf(out->firmware, sizeof out->firmware, "%u.%u", token->firmwareVersion.major,
             token->firmwareVersion.minor);
}

static void library_describe(struct bench_token_facts *out, CK_FUNCTION_LIST *module)
{
    CK_INFO info;
    char description[129], manufacturer[129];
    if (module->C_GetInfo(&info) != CKR_OK)
        return;
    text_take(description, sizeof description, info.libraryDescription,
              sizeof info.libraryDescription);
    text_take(manufacturer, sizeof manufacturer, info.manufacturerID, sizeof info.manufacturerID);
    snprintf(out->library, sizeof out->library, "%.90s %u.%u (%.80s)", description,
             info.libraryVersion.major, info.libraryVersion.minor, manufacturer);
    snprintf(out->cryptoki, sizeof out->cryptoki, "%u.%u", info.cryptokiVersion.major,
             info.cryptokiVersion.minor);
}

static int ascending(const void *left, const void *right)
{
    CK_MECHANISM_TYPE a = *(const CK_MECHANISM_TYPE *)left, b = *(const CK_MECHANISM_TYPE *)right;
    return a < b ? -1 : a > b;
}

static enum p11prof_status mechanisms_read(struct token_state *facts, CK_FUNCTION_LIST *module,
                                           struct p11prof_error *error)
{
    CK_ULONG count = 0;
    struct p11prof_bench_token_facts *offers = &facts->offers;
    CK_RV rv = module->C_GetMechanismList(facts->slot_id, NULL, &count);
    if (rv == CKR_OK && count > MECHANISMS_MOST)
        rv = CKR_GENERAL_ERROR;
    if (rv == CKR_OK) {
        offers->mechanisms = p11prof_zalloc(count + 1, sizeof *offers->mechanisms);
        rv = module->C_GetMechanismList(facts->slot_id, offers->mechanisms, &count);
    }
    if (rv != CKR_OK)
        return attach_failed(error, "C_GetMechanismList", rv, "the token cannot be measured");
    qsort(offers->mechanisms, count, sizeof *offers->mechanisms, ascending);
    offers->infos = p11prof_zalloc(count + 1, sizeof *offers->infos);
    offers->mechanism_count = count;
    for (size_t i = 0; i < count; i++)
        if (module->C_GetMechanismInfo(facts->slot_id, offers->mechanisms[i], &offers->infos[i]) !=
            CKR_OK)
            offers->infos[i] = (CK_MECHANISM_INFO){.ulMaxKeySize = CK_UNAVAILABLE_INFORMATION,
                                                   .flags = ~(CK_FLAGS)0};
    return P11PROF_OK;
}

enum p11prof_status token_session_open(CK_FUNCTION_LIST *module, const struct token_state *facts,
                                       bool read_write, CK_SESSION_HANDLE *session,
                                       struct p11prof_error *error)
{
    CK_FLAGS flags = CKF_SERIAL_SESSION | (read_write ? CKF_RW_SESSION : 0);
    CK_RV rv = module->C_OpenSession(facts->slot_id, flags, NULL, NULL, session);
    if (rv == CKR_OK)
        return P11PROF_OK;
    *session = CK_INVALID_HANDLE;
    return attach_failed(error, "C_OpenSession", rv,
                         rv == CKR_SESSION_COUNT
                             ? "the token allows no more sessions; use fewer threads"
                             : "the token cannot be used now");
}

enum p11prof_status token_set_up(struct token_state *facts, CK_FUNCTION_LIST *module,
                                 CK_FUNCTION_LIST *raw, const struct p11prof_bench_target *target,
                                 bool token_keys, struct p11prof_error *error)
{
    CK_TOKEN_INFO token = {.flags = 0};
    facts->session = CK_INVALID_HANDLE;
    enum p11prof_status status = initialize(facts, module, error);
    if (status != P11PROF_OK)
        return status;
    library_describe(&facts->token, module);
    status = p11prof_bench_slot_find(target, module, &facts->slot_id, &token, error);
    if (status != P11PROF_OK)
        return status;
    facts->token.slot_id = facts->slot_id;
    token_describe(&facts->token, &token);
    status = token_session_open(module, facts, token_keys, &facts->session, error);
    if (status == P11PROF_OK)
        status = p11prof_bench_login(target, module, facts->session, &token,
                                     &facts->token.logged_in, error);
    if (status != P11PROF_OK)
        return status;
    facts->offers.logged_in = facts->token.logged_in;
    facts->offers.login_required = (token.flags & CKF_LOGIN_REQUIRED) != 0;
    facts->offers.write_protected = (token.flags & CKF_WRITE_PROTECTED) != 0;
    return mechanisms_read(facts, raw, error);
}

void token_tear_down(struct token_state *facts, CK_FUNCTION_LIST *module)
{
    if (facts->initialized && facts->session != CK_INVALID_HANDLE)
        module->C_CloseSession(facts->session);
    if (facts->initialized)
        module->C_Finalize(NULL);
    free(facts->offers.mechanisms);
    free(facts->offers.infos);
    *facts = (struct token_state){0};
}

void token_mechanism(const struct token_state *facts, CK_MECHANISM_TYPE type,
                     CK_MECHANISM_INFO *info)
{
    const struct p11prof_bench_token_facts *offers = &facts->offers;
    const CK_MECHANISM_TYPE *found =
        bsearch(&type, offers->mechanisms, offers->mechanism_count, sizeof type, ascending);
    *info = found ? offers->infos[found - offers->mechanisms] : (CK_MECHANISM_INFO){0};
}
