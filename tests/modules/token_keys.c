/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Key generation: a key is a number. */
#include "token.h"

#include <string.h>

static uint64_t last_number;

static CK_ULONG number_of(const CK_ATTRIBUTE *template, CK_ULONG count, CK_ATTRIBUTE_TYPE type)
{
    CK_ULONG number = 0;
    for (CK_ULONG i = 0; i < count; i++)
        if (template[i].type == type && template[i].ulValueLen == sizeof number)
            memcpy(&number, template[i].pValue, sizeof number);
    return number;
}

static CK_ULONG curve_bits(const CK_ATTRIBUTE *template, CK_ULONG count)
{
    static const struct {
        CK_ULONG bytes, bits;
        CK_BYTE last;
    } curves[] = {{10, 256, 7},   {7, 384, 0x22}, {7, 521, 0x23}, {5, 255, 0x6e},
                  {5, 448, 0x6f}, {5, 255, 0x70}, {5, 448, 0x71}};
    for (CK_ULONG i = 0; i < count; i++)
        for (size_t c = 0; template[i].type == CKA_EC_PARAMS && c < sizeof curves / sizeof *curves;
             c++)
            if (template[i].ulValueLen == curves[c].bytes &&
                ((CK_BYTE *)template[i].pValue)[curves[c].bytes - 1] == curves[c].last)
                return curves[c].bits;
    return 0;
}

static CK_RV generator_find(const CK_MECHANISM *mechanism, CK_FLAGS flag,
                            const struct token_mechanism **out)
{
    *out = token_mechanism_find(mechanism->mechanism);
    return *out && (*out)->flags & flag ? CKR_OK : CKR_MECHANISM_INVALID;
}

CK_RV token_C_GenerateKey(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism,
                          CK_ATTRIBUTE_PTR pTemplate, CK_ULONG ulCount, CK_OBJECT_HANDLE_PTR phKey)
{
    struct token_session *session = token_session_find(hSession);
    const struct token_mechanism *generator;
    struct token_object *key;
    CK_ULONG bytes = number_of(pTemplate, ulCount, CKA_VALUE_LEN);
    CK_RV rv = generator_find(pMechanism, CKF_GENERATE, &generator);
    if (!session)
        return CKR_SESSION_HANDLE_INVALID;
    if (rv == CKR_OK && (bytes < generator->min_size || bytes > generator->max_size))
        rv = CKR_KEY_SIZE_RANGE;
    if (rv == CKR_OK)
        rv = token_object_add(session, CKO_SECRET_KEY, generator->key_type, pTemplate, ulCount,
                              &key);
    if (rv != CKR_OK)
        return rv;
    key->bits = bytes * 8;
    key->number = ++last_number;
    *phKey = key->handle;
    return CKR_OK;
}

/* What the public half says of the key, the private one knows too. */
static CK_RV private_add(struct token_session *session, const struct token_object *public,
                         const CK_ATTRIBUTE *template, CK_ULONG count, struct token_object **out)
{
    const struct token_attribute *curve = token_attribute_find(public, CKA_EC_PARAMS);
    const struct token_attribute *set = token_attribute_find(public, CKA_PARAMETER_SET);
    CK_RV rv = token_object_add(session, CKO_PRIVATE_KEY, public->key_type, template, count, out);
    if (rv == CKR_OK && curve)
        rv = token_attribute_add(*out, CKA_EC_PARAMS, curve->value, curve->bytes);
    if (rv == CKR_OK && set)
        rv = token_attribute_add(*out, CKA_PARAMETER_SET, set->value, set->bytes);
    return rv;
}

CK_RV token_C_GenerateKeyPair(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism,
                              CK_ATTRIBUTE_PTR pPublicKeyTemplate,
                              CK_ULONG ulPublicKeyAttributeCount,
                              CK_ATTRIBUTE_PTR pPrivateKeyTemplate,
                              CK_ULONG ulPrivateKeyAttributeCount, CK_OBJECT_HANDLE_PTR phPublicKey,
                              CK_OBJECT_HANDLE_PTR phPrivateKey)
{
    struct token_session *session = token_session_find(hSession);
    const struct token_mechanism *generator;
    struct token_object *public = NULL, *private = NULL;
    CK_ULONG bits = number_of(pPublicKeyTemplate, ulPublicKeyAttributeCount, CKA_MODULUS_BITS);
    CK_RV rv = generator_find(pMechanism, CKF_GENERATE_KEY_PAIR, &generator);
    if (!session)
        return CKR_SESSION_HANDLE_INVALID;
    if (rv == CKR_OK && generator->key_type != CKK_RSA)
        bits = curve_bits(pPublicKeyTemplate, ulPublicKeyAttributeCount);
    if (rv == CKR_OK && token_set_find(generator->key_type, 1))
        bits = number_of(pPublicKeyTemplate, ulPublicKeyAttributeCount, CKA_PARAMETER_SET);
    if (rv == CKR_OK && (bits < generator->min_size || bits > generator->max_size))
        rv = CKR_KEY_SIZE_RANGE;
    if (rv == CKR_OK)
        rv = token_object_add(session, CKO_PUBLIC_KEY, generator->key_type, pPublicKeyTemplate,
                              ulPublicKeyAttributeCount, &public);
    if (rv == CKR_OK)
        rv =
            private_add(session, public, pPrivateKeyTemplate, ulPrivateKeyAttributeCount, &private);
    if (rv == CKR_OK && generator->key_type == CKK_EC_MONTGOMERY)
        rv = token_agreement_add(public, private, bits);
    if (rv != CKR_OK) {
        if (private)
            token_object_remove(private);
        if (public)
            token_object_remove(public);
        return rv;
    }
    public->bits = private->bits = bits;
    public->number = private->number = ++last_number;
    if (token_set_find(generator->key_type, bits))
    private->number ^= token_result_is_wrong();
    *phPublicKey = public->handle;
    *phPrivateKey = private->handle;
    return CKR_OK;
}
