/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The texts of CK_TOKEN_INFO and CK_INFO that the application asked for, kept in the spool's
 * header: each entry is valid while its version is even and not 0. */
#include "facts.h"
#include "spool.h"

/* Makes the version odd. False: another thread is writing the same. */
static bool text_lock(_Atomic(uint32_t) *version)
{
    uint32_t now = atomic_load(version);
    return !(now & 1) && atomic_compare_exchange_strong(version, &now, now + 1);
}

static void text_unlock(_Atomic(uint32_t) *version)
{
    atomic_fetch_add(version, 1);
}

/* The token's entry, or a free one; NULL: there is neither. */
static struct p11prof_spool_token *token_find(struct p11prof_spool_header *header, uint64_t slot_id)
{
    for (unsigned i = 0; i < P11PROF_SPOOL_TOKENS; i++) {
        struct p11prof_spool_token *token = &header->tokens[i];
        if (!atomic_load(&token->version) || token->slot_id == slot_id)
            return token;
    }
    return NULL;
}

static void token_fill(struct p11prof_spool_token *token, uint64_t slot_id,
                       const CK_TOKEN_INFO *info)
{
    token->slot_id = slot_id;
    memcpy(token->label, info->label, sizeof token->label);
    memcpy(token->manufacturer, info->manufacturerID, sizeof token->manufacturer);
    memcpy(token->model, info->model, sizeof token->model);
    memcpy(token->serial, info->serialNumber, sizeof token->serial);
    token->hardware_major = info->hardwareVersion.major;
    token->hardware_minor = info->hardwareVersion.minor;
    token->firmware_major = info->firmwareVersion.major;
    token->firmware_minor = info->firmwareVersion.minor;
}

void p11prof_keep_token(CK_RV rv, CK_SLOT_ID slot_id, const CK_TOKEN_INFO *info)
{
    enum { TEXTS = offsetof(struct p11prof_spool_token, slot_id) };
    struct p11prof_spool_token wanted = {0};
    struct p11prof_spool_header *header = rv == CKR_OK ? p11prof_spool_current() : NULL;
    if (!header || !p11prof_plausible(info, sizeof *info))
        return;
    struct p11prof_spool_token *token = token_find(header, slot_id);
    if (!token)
        return;
    token_fill(&wanted, slot_id, info);
    if (memcmp((char *)token + TEXTS, (char *)&wanted + TEXTS, sizeof wanted - TEXTS) == 0 &&
        atomic_load(&token->version))
        return;
    if (text_lock(&token->version)) {
        token_fill(token, slot_id, info);
        text_unlock(&token->version);
    }
}

static void library_fill(struct p11prof_spool_library *library, const CK_INFO *info)
{
    memcpy(library->manufacturer, info->manufacturerID, sizeof library->manufacturer);
    memcpy(library->description, info->libraryDescription, sizeof library->description);
    library->cryptoki_major = info->cryptokiVersion.major;
    library->cryptoki_minor = info->cryptokiVersion.minor;
    library->library_major = info->libraryVersion.major;
    library->library_minor = info->libraryVersion.minor;
}

void p11prof_keep_library(CK_RV rv, const CK_INFO *info)
{
    struct p11prof_spool_header *header = rv == CKR_OK ? p11prof_spool_current() : NULL;
    if (!header || !p11prof_plausible(info, sizeof *info))
        return;
    /* A module's answer does not change: the first one stays. */
    if (!atomic_load(&header->library.version) && text_lock(&header->library.version)) {
        library_fill(&header->library, info);
        text_unlock(&header->library.version);
    }
}
