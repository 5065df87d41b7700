/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "token.h"

#include <stdlib.h>
#include <string.h>

static bool fits(const struct token_object *object, const CK_ATTRIBUTE *template, CK_ULONG count)
{
    for (CK_ULONG i = 0; i < count; i++) {
        const struct token_attribute *found = token_attribute_find(object, template[i].type);
        if (!found || found->bytes != template[i].ulValueLen ||
            memcmp(found->value, template[i].pValue, found->bytes) != 0)
            return false;
    }
    return token_object_visible(object);
}

CK_RV token_C_FindObjectsInit(CK_SESSION_HANDLE hSession, CK_ATTRIBUTE_PTR pTemplate,
                              CK_ULONG ulCount)
{
    struct token_session *session = token_session_find(hSession);
    if (!session)
        return CKR_SESSION_HANDLE_INVALID;
    if (session->finds)
        return CKR_OPERATION_ACTIVE;
    session->found = calloc(token_state.object_count + 1, sizeof *session->found);
    if (!session->found)
        return CKR_HOST_MEMORY;
    session->finds = true;
    session->found_count = session->found_next = 0;
    for (unsigned i = 0; i < token_state.object_end; i++)
        if (fits(&token_state.objects[i], pTemplate, ulCount))
            session->found[session->found_count++] = token_state.objects[i].handle;
    return CKR_OK;
}

CK_RV token_C_FindObjects(CK_SESSION_HANDLE hSession, CK_OBJECT_HANDLE_PTR phObject,
                          CK_ULONG ulMaxObjectCount, CK_ULONG_PTR pulObjectCount)
{
    struct token_session *session = token_session_find(hSession);
    *pulObjectCount = 0;
    if (!session)
        return CKR_SESSION_HANDLE_INVALID;
    if (!session->finds)
        return CKR_OPERATION_NOT_INITIALIZED;
    while (*pulObjectCount < ulMaxObjectCount && session->found_next < session->found_count)
        phObject[(*pulObjectCount)++] = session->found[session->found_next++];
    return CKR_OK;
}

CK_RV token_C_FindObjectsFinal(CK_SESSION_HANDLE hSession)
{
    struct token_session *session = token_session_find(hSession);
    if (!session)
        return CKR_SESSION_HANDLE_INVALID;
    if (!session->finds)
        return CKR_OPERATION_NOT_INITIALIZED;
    free(session->found);
    session->found = NULL;
    session->finds = false;
    return CKR_OK;
}
