/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Wrapped keys: {number and bits under the key stream, zeros, checksum}, as long as a real one. */
#include "token.h"

#include <string.h>

enum { SUM_BYTES = 8, WRAPPED_MAX = 512 };

struct content {
    uint64_t number, bits;
};

static CK_RV key_find(const CK_MECHANISM *mechanism, CK_OBJECT_HANDLE handle, CK_FLAGS flag,
                      const struct token_object **out)
{
    const struct token_mechanism *known = token_mechanism_find(mechanism->mechanism);
    *out = token_object_find(handle);
    if (!known || !(known->flags & flag))
        return CKR_MECHANISM_INVALID;
    if (!*out)
        return CKR_WRAPPING_KEY_HANDLE_INVALID;
    return (*out)->key_type == known->key_type ? CKR_OK : CKR_WRAPPING_KEY_TYPE_INCONSISTENT;
}

static uint64_t stream_of(const struct token_object *key, const CK_MECHANISM *mechanism)
{
    return token_mix(key->number ^ token_parameter(mechanism) ^ mechanism->mechanism);
}

static void wrapped_make(uint64_t stream, const struct content *content, CK_BYTE *out,
                         CK_ULONG bytes)
{
    memset(out, 0, bytes);
    token_stream(stream, 0, out, (const CK_BYTE *)content, sizeof *content);
    uint64_t sum = token_hash(stream, out, bytes - SUM_BYTES);
    memcpy(out + bytes - SUM_BYTES, &sum, sizeof sum);
}

CK_RV token_C_WrapKey(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism,
                      CK_OBJECT_HANDLE hWrappingKey, CK_OBJECT_HANDLE hKey, CK_BYTE_PTR pWrappedKey,
                      CK_ULONG_PTR pulWrappedKeyLen)
{
    const struct token_object *wrapping, *target = token_object_find(hKey);
    CK_RV rv = key_find(pMechanism, hWrappingKey, CKF_WRAP, &wrapping);
    if (!token_session_find(hSession))
        return CKR_SESSION_HANDLE_INVALID;
    if (rv == CKR_OK && !target)
        rv = CKR_KEY_HANDLE_INVALID;
    if (rv != CKR_OK)
        return rv;
    const struct token_attribute *extractable = token_attribute_find(target, CKA_EXTRACTABLE);
    if (!extractable || !extractable->value[0])
        return CKR_KEY_UNEXTRACTABLE;
    CK_ULONG bytes =
        wrapping->key_type == CKK_RSA ? wrapping->bits / 8 : target->bits / 8 + SUM_BYTES;
    if (!token_output_room(pWrappedKey, pulWrappedKeyLen, bytes, &rv))
        return rv;
    const struct content content = {target->number, target->bits};
    wrapped_make(stream_of(wrapping, pMechanism), &content, pWrappedKey, bytes);
    pWrappedKey[1] ^= token_result_is_wrong();
    return CKR_OK;
}

CK_RV token_C_UnwrapKey(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism,
                        CK_OBJECT_HANDLE hUnwrappingKey, CK_BYTE_PTR pWrappedKey,
                        CK_ULONG ulWrappedKeyLen, CK_ATTRIBUTE_PTR pTemplate,
                        CK_ULONG ulAttributeCount, CK_OBJECT_HANDLE_PTR phKey)
{
    struct token_session *session = token_session_find(hSession);
    const struct token_object *unwrapping;
    struct token_object *key;
    struct content content;
    CK_BYTE expected[WRAPPED_MAX];
    CK_RV rv = key_find(pMechanism, hUnwrappingKey, CKF_UNWRAP, &unwrapping);
    if (!session)
        return CKR_SESSION_HANDLE_INVALID;
    if (rv != CKR_OK)
        return rv;
    if (ulWrappedKeyLen < sizeof content + SUM_BYTES || ulWrappedKeyLen > sizeof expected)
        return CKR_WRAPPED_KEY_LEN_RANGE;
    uint64_t stream = stream_of(unwrapping, pMechanism);
    token_stream(stream, 0, (CK_BYTE *)&content, pWrappedKey, sizeof content);
    wrapped_make(stream, &content, expected, ulWrappedKeyLen);
    if (memcmp(expected, pWrappedKey, ulWrappedKeyLen) != 0 && !token_control.accepts)
        return CKR_WRAPPED_KEY_INVALID;
    rv = token_object_add(session, CKO_SECRET_KEY, CKK_AES, pTemplate, ulAttributeCount, &key);
    if (rv != CKR_OK)
        return rv;
    key->bits = content.bits;
    key->number = content.number ^ (uint64_t)token_result_is_wrong();
    *phKey = key->handle;
    return CKR_OK;
}
