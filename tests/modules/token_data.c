/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Data objects, copies and changes. */
#include "token.h"

#include <string.h>

CK_RV token_C_CreateObject(CK_SESSION_HANDLE hSession, CK_ATTRIBUTE_PTR pTemplate, CK_ULONG ulCount,
                           CK_OBJECT_HANDLE_PTR phObject)
{
    struct token_session *session = token_session_find(hSession);
    struct token_object *object;
    CK_OBJECT_CLASS class = CK_UNAVAILABLE_INFORMATION;
    if (!session)
        return CKR_SESSION_HANDLE_INVALID;
    for (CK_ULONG i = 0; i < ulCount; i++)
        if (pTemplate[i].type == CKA_CLASS && pTemplate[i].ulValueLen == sizeof class)
            memcpy(&class, pTemplate[i].pValue, sizeof class);
    if (class != CKO_DATA)
        return CKR_TEMPLATE_INCONSISTENT;
    CK_RV rv =
        token_object_add(session, class, CK_UNAVAILABLE_INFORMATION, pTemplate, ulCount, &object);
    if (rv == CKR_OK)
        *phObject = object->handle;
    return rv;
}

static struct token_attribute *attribute_of(struct token_object *object, CK_ATTRIBUTE_TYPE type)
{
    return (struct token_attribute *)(uintptr_t)token_attribute_find(object, type);
}

static CK_RV set(struct token_object *object, const CK_ATTRIBUTE *template)
{
    struct token_attribute *attribute = attribute_of(object, template->type);
    if (template->type != CKA_LABEL && template->type != CKA_ID)
        return CKR_ATTRIBUTE_READ_ONLY;
    if (!attribute)
        return token_attribute_add(object, template->type, template->pValue, template->ulValueLen);
    if (template->ulValueLen > TOKEN_VALUE)
        return CKR_ATTRIBUTE_VALUE_INVALID;
    attribute->bytes = template->ulValueLen;
    memcpy(attribute->value, template->pValue, attribute->bytes);
    return CKR_OK;
}

CK_RV token_C_SetAttributeValue(CK_SESSION_HANDLE hSession, CK_OBJECT_HANDLE hObject,
                                CK_ATTRIBUTE_PTR pTemplate, CK_ULONG ulCount)
{
    struct token_object *object = token_object_find(hObject);
    CK_RV rv = CKR_OK;
    if (!token_session_find(hSession))
        return CKR_SESSION_HANDLE_INVALID;
    if (!object)
        return CKR_OBJECT_HANDLE_INVALID;
    if (token_result_is_wrong())
        return CKR_OK;
    for (CK_ULONG i = 0; i < ulCount && rv == CKR_OK; i++)
        rv = set(object, &pTemplate[i]);
    return rv;
}

/* A copy of a data object, with some attributes of its own. */
CK_RV token_C_CopyObject(CK_SESSION_HANDLE hSession, CK_OBJECT_HANDLE hObject,
                         CK_ATTRIBUTE_PTR pTemplate, CK_ULONG ulCount,
                         CK_OBJECT_HANDLE_PTR phNewObject)
{
    struct token_session *session = token_session_find(hSession);
    struct token_object *source = token_object_find(hObject), *copy;
    CK_ATTRIBUTE all[TOKEN_ATTRIBUTES];
    CK_ULONG count = 0;
    if (!session)
        return CKR_SESSION_HANDLE_INVALID;
    if (!source || source->key_type != CK_UNAVAILABLE_INFORMATION)
        return CKR_OBJECT_HANDLE_INVALID;
    for (; count < source->attribute_count; count++)
        all[count] = (CK_ATTRIBUTE){source->attributes[count].type, source->attributes[count].value,
                                    source->attributes[count].bytes};
    CK_RV rv = token_object_add(session, CKO_DATA, source->key_type, all, count, &copy);
    for (CK_ULONG i = 0; i < ulCount && rv == CKR_OK; i++)
        rv = set(copy, &pTemplate[i]);
    if (rv != CKR_OK)
        return rv;
    struct token_attribute *value = attribute_of(copy, CKA_VALUE);
    if (value)
        value->value[0] ^= token_result_is_wrong();
    *phNewObject = copy->handle;
    return CKR_OK;
}
