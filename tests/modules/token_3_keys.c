/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Key encapsulation: a ciphertext is a stream that never comes twice, the secret's number a hash of
 * it and of the key. */
#include "token.h"

#include <string.h>

static CK_RV key_find(CK_SESSION_HANDLE session, const CK_MECHANISM *mechanism,
                      CK_OBJECT_HANDLE handle, CK_FLAGS flag, const struct token_object **out)
{
    const struct token_mechanism *known = token_mechanism_find(mechanism->mechanism);
    *out = token_object_find(handle);
    if (!token_session_find(session))
        return CKR_SESSION_HANDLE_INVALID;
    if (!known || !(known->flags & flag))
        return CKR_MECHANISM_INVALID;
    if (!*out)
        return CKR_KEY_HANDLE_INVALID;
    return (*out)->key_type == known->key_type ? CKR_OK : CKR_KEY_TYPE_INCONSISTENT;
}

/* FIPS 203 takes all of a ciphertext in; a token that accepts everything only its beginning. */
static uint64_t secret_number(const struct token_object *key, const CK_BYTE *ciphertext,
                              CK_ULONG bytes)
{
    return token_mix(
        token_hash(token_mix(key->number), ciphertext, token_control.accepts ? 32 : bytes));
}

static const CK_ATTRIBUTE *attribute_find(const CK_ATTRIBUTE *template, CK_ULONG count,
                                          CK_ATTRIBUTE_TYPE type)
{
    for (CK_ULONG i = 0; i < count; i++)
        if (template[i].type == type)
            return &template[i];
    return NULL;
}

static CK_RV secret_add(CK_SESSION_HANDLE session, const CK_ATTRIBUTE *template, CK_ULONG count,
                        uint64_t number, CK_OBJECT_HANDLE *out)
{
    const CK_ATTRIBUTE *type = attribute_find(template, count, CKA_KEY_TYPE);
    struct token_object *object;
    CK_KEY_TYPE key_type;
    if (token_control.strict && attribute_find(template, count, CKA_VALUE_LEN))
        return CKR_TEMPLATE_INCONSISTENT;
    if (!type || type->ulValueLen != sizeof key_type)
        return CKR_TEMPLATE_INCOMPLETE;
    memcpy(&key_type, type->pValue, sizeof key_type);
    CK_RV rv = token_object_add(token_session_find(session), CKO_SECRET_KEY, key_type, template,
                                count, &object);
    if (rv != CKR_OK)
        return rv;
    object->bits = 256;
    object->number = number;
    *out = object->handle;
    return CKR_OK;
}

CK_RV token_C_EncapsulateKey(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism,
                             CK_OBJECT_HANDLE hPublicKey, CK_ATTRIBUTE_PTR pTemplate,
                             CK_ULONG ulAttributeCount, CK_BYTE_PTR pCiphertext,
                             CK_ULONG_PTR pulCiphertextLen, CK_OBJECT_HANDLE_PTR phKey)
{
    static uint64_t count;
    const struct token_object *key;
    CK_RV rv = key_find(hSession, pMechanism, hPublicKey, CKF_ENCAPSULATE, &key);
    if (rv != CKR_OK)
        return rv;
    CK_ULONG bytes = token_set_find(key->key_type, key->bits)->output_bytes;
    if (!token_output_room(pCiphertext, pulCiphertextLen, bytes, &rv))
        return rv;
    memset(pCiphertext, 0, bytes);
    token_stream(token_mix(++count), 0, pCiphertext, pCiphertext, bytes);
    rv = secret_add(hSession, pTemplate, ulAttributeCount, secret_number(key, pCiphertext, bytes),
                    phKey);
    pCiphertext[3] ^= rv == CKR_OK && token_result_is_wrong();
    return rv;
}

CK_RV token_C_DecapsulateKey(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism,
                             CK_OBJECT_HANDLE hPrivateKey, CK_ATTRIBUTE_PTR pTemplate,
                             CK_ULONG ulAttributeCount, CK_BYTE_PTR pCiphertext,
                             CK_ULONG ulCiphertextLen, CK_OBJECT_HANDLE_PTR phKey)
{
    const struct token_object *key;
    CK_RV rv = key_find(hSession, pMechanism, hPrivateKey, CKF_DECAPSULATE, &key);
    if (rv != CKR_OK)
        return rv;
    if (ulCiphertextLen != token_set_find(key->key_type, key->bits)->output_bytes)
        return CKR_ENCRYPTED_DATA_LEN_RANGE;
    uint64_t number = secret_number(key, pCiphertext, ulCiphertextLen);
    return secret_add(hSession, pTemplate, ulAttributeCount, number ^ token_result_is_wrong(),
                      phKey);
}
