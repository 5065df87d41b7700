/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Objects and their attributes. */
#include "token.h"

#include <string.h>

bool token_object_visible(const struct token_object *object)
{
    return object->handle != CK_INVALID_HANDLE && (!object->private || token_state.logged_in);
}

struct token_object *token_object_find(CK_OBJECT_HANDLE handle)
{
    for (unsigned i = 0; i < token_state.object_end; i++)
        if (handle != CK_INVALID_HANDLE && token_state.objects[i].handle == handle)
            return token_object_visible(&token_state.objects[i]) ? &token_state.objects[i] : NULL;
    return NULL;
}

void token_object_remove(struct token_object *object)
{
    object->handle = CK_INVALID_HANDLE;
    token_state.object_count--;
}

void token_session_objects_remove(CK_SESSION_HANDLE session)
{
    for (unsigned i = 0; i < token_state.object_end; i++)
        if (token_state.objects[i].handle != CK_INVALID_HANDLE &&
            token_state.objects[i].session == session)
            token_object_remove(&token_state.objects[i]);
}

/* At a logout private session objects go, those of the token can be seen no more. */
void token_private_objects_hide(void)
{
    for (unsigned i = 0; i < token_state.object_end; i++) {
        struct token_object *object = &token_state.objects[i];
        if (object->handle != CK_INVALID_HANDLE && object->private &&
            object->session != CK_INVALID_HANDLE)
            token_object_remove(object);
    }
}

/* --- making --- */

CK_RV token_attribute_add(struct token_object *object, CK_ATTRIBUTE_TYPE type, const void *value,
                          CK_ULONG bytes)
{
    struct token_attribute *added = &object->attributes[object->attribute_count];
    if (object->attribute_count == TOKEN_ATTRIBUTES || bytes > TOKEN_VALUE)
        return CKR_ATTRIBUTE_VALUE_INVALID;
    object->attribute_count++;
    added->type = type;
    added->bytes = bytes;
    memcpy(added->value, value, bytes);
    return CKR_OK;
}

const struct token_attribute *token_attribute_find(const struct token_object *object,
                                                   CK_ATTRIBUTE_TYPE type)
{
    for (unsigned i = 0; i < object->attribute_count; i++)
        if (object->attributes[i].type == type)
            return &object->attributes[i];
    return NULL;
}

static bool is_true(const struct token_object *object, CK_ATTRIBUTE_TYPE type)
{
    const struct token_attribute *attribute = token_attribute_find(object, type);
    return attribute && attribute->value[0];
}

static CK_RV fill(struct token_object *object, CK_OBJECT_CLASS class, CK_KEY_TYPE key_type,
                  const CK_ATTRIBUTE *template, CK_ULONG count)
{
    CK_RV rv = token_attribute_add(object, CKA_CLASS, &class, sizeof class);
    if (rv == CKR_OK && key_type != CK_UNAVAILABLE_INFORMATION)
        rv = token_attribute_add(object, CKA_KEY_TYPE, &key_type, sizeof key_type);
    for (CK_ULONG i = 0; i < count && rv == CKR_OK; i++)
        if (template[i].type != CKA_CLASS && template[i].type != CKA_KEY_TYPE)
            rv = token_attribute_add(object, template[i].type, template[i].pValue,
                                     template[i].ulValueLen);
    return rv;
}

/* Who may make it, and where. */
static CK_RV place(struct token_object *object, const struct token_session *session)
{
    bool on_token = is_true(object, CKA_TOKEN);
    object->private = is_true(object, CKA_PRIVATE);
    object->session = on_token ? CK_INVALID_HANDLE : session->handle;
    if (object->private && !token_state.logged_in)
        return CKR_USER_NOT_LOGGED_IN;
    return on_token && !(session->flags & CKF_RW_SESSION) ? CKR_SESSION_READ_ONLY : CKR_OK;
}

CK_RV token_object_add(struct token_session *session, CK_OBJECT_CLASS class, CK_KEY_TYPE key_type,
                       const CK_ATTRIBUTE *template, CK_ULONG count, struct token_object **out)
{
    CK_ULONG limit = token_control.objects ? token_control.objects : TOKEN_OBJECTS;
    struct token_object *object = token_state.objects;
    if (token_state.object_count >= limit)
        return CKR_DEVICE_MEMORY;
    while (object->handle != CK_INVALID_HANDLE)
        object++;
    *object = (struct token_object){.key_type = key_type};
    CK_RV rv = fill(object, class, key_type, template, count);
    if (rv == CKR_OK)
        rv = place(object, session);
    if (rv != CKR_OK)
        return rv;
    object->handle = ++token_state.last_handle;
    token_state.object_count++;
    if (object == &token_state.objects[token_state.object_end])
        token_state.object_end++;
    *out = object;
    return CKR_OK;
}

/* --- asking --- */

/* The value of a public key of 3.2, as long as it should be. */
static CK_RV value_read(const struct token_object *object, CK_ATTRIBUTE *out, CK_ULONG room)
{
    const struct token_set *set = token_set_find(object->key_type, object->bits);
    const struct token_attribute *class = token_attribute_find(object, CKA_CLASS);
    if (!set || class->value[0] != CKO_PUBLIC_KEY)
        return CKR_ATTRIBUTE_TYPE_INVALID;
    if (out->pValue && room < set->public_bytes)
        return CKR_BUFFER_TOO_SMALL;
    out->ulValueLen = set->public_bytes;
    if (!out->pValue)
        return CKR_OK;
    memset(out->pValue, 0, set->public_bytes);
    token_stream(token_mix(object->number), 0, out->pValue, out->pValue, set->public_bytes);
    return CKR_OK;
}

static CK_RV attribute_read(const struct token_object *object, CK_ATTRIBUTE *out)
{
    const struct token_attribute *attribute = token_attribute_find(object, out->type);
    CK_ULONG room = out->ulValueLen;
    out->ulValueLen = CK_UNAVAILABLE_INFORMATION;
    if (out->type == CKA_VALUE && is_true(object, CKA_SENSITIVE))
        return CKR_ATTRIBUTE_SENSITIVE;
    if (out->type == CKA_VALUE && !attribute)
        return value_read(object, out, room);
    if (!attribute)
        return CKR_ATTRIBUTE_TYPE_INVALID;
    if (out->pValue && room < attribute->bytes)
        return CKR_BUFFER_TOO_SMALL;
    out->ulValueLen = attribute->bytes;
    if (out->pValue)
        memcpy(out->pValue, attribute->value, attribute->bytes);
    return CKR_OK;
}

CK_RV token_C_GetAttributeValue(CK_SESSION_HANDLE hSession, CK_OBJECT_HANDLE hObject,
                                CK_ATTRIBUTE_PTR pTemplate, CK_ULONG ulCount)
{
    const struct token_object *object = token_object_find(hObject);
    CK_RV last = CKR_OK;
    if (!token_session_find(hSession))
        return CKR_SESSION_HANDLE_INVALID;
    if (!object)
        return CKR_OBJECT_HANDLE_INVALID;
    for (CK_ULONG i = 0; i < ulCount; i++) {
        CK_RV rv = attribute_read(object, &pTemplate[i]);
        last = rv == CKR_OK ? last : rv;
    }
    return last;
}

CK_RV token_C_DestroyObject(CK_SESSION_HANDLE hSession, CK_OBJECT_HANDLE hObject)
{
    const struct token_session *session = token_session_find(hSession);
    struct token_object *object = token_object_find(hObject);
    if (!session)
        return CKR_SESSION_HANDLE_INVALID;
    if (!object)
        return CKR_OBJECT_HANDLE_INVALID;
    if (object->session == CK_INVALID_HANDLE && !(session->flags & CKF_RW_SESSION))
        return CKR_SESSION_READ_ONLY;
    if (object->session == CK_INVALID_HANDLE && token_keeps())
        return CKR_FUNCTION_FAILED;
    token_object_remove(object);
    return CKR_OK;
}
