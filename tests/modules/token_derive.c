/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* X25519 and X448, by libcrypto. */
#include "token.h"

#include <openssl/evp.h>
#include <string.h>

enum { POINT_MAX = 57, SECRET_MAX = 56 };

static const char *curve_name(CK_ULONG bits)
{
    return bits == 448 ? "X448" : "X25519";
}

CK_RV token_agreement_add(struct token_object *public_half, struct token_object *private_half,
                          CK_ULONG bits)
{
    CK_BYTE point[POINT_MAX], value[POINT_MAX];
    size_t point_bytes = sizeof point, value_bytes = sizeof value;
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, curve_name(bits));
    CK_RV rv = CKR_FUNCTION_FAILED;
    if (key && EVP_PKEY_get_raw_public_key(key, point, &point_bytes) == 1 &&
        EVP_PKEY_get_raw_private_key(key, value, &value_bytes) == 1)
        rv = token_attribute_add(public_half, CKA_EC_POINT, point, point_bytes);
    if (rv == CKR_OK)
        rv = token_attribute_add(private_half, CKA_VALUE, value, value_bytes);
    EVP_PKEY_free(key);
    return rv;
}

/* Bytes of the secret; 0: the point is none. */
static size_t agree(const struct token_object *key, const CK_ECDH1_DERIVE_PARAMS *parameter,
                    CK_BYTE secret[static SECRET_MAX])
{
    const struct token_attribute *value = token_attribute_find(key, CKA_VALUE);
    const char *name = curve_name(key->bits);
    size_t bytes = SECRET_MAX;
    EVP_PKEY *own = EVP_PKEY_new_raw_private_key_ex(NULL, name, NULL, value->value, value->bytes);
    EVP_PKEY *peer = EVP_PKEY_new_raw_public_key_ex(NULL, name, NULL, parameter->pPublicData,
                                                    parameter->ulPublicDataLen);
    EVP_PKEY_CTX *context = own ? EVP_PKEY_CTX_new(own, NULL) : NULL;
    if (!context || !peer || EVP_PKEY_derive_init(context) != 1 ||
        EVP_PKEY_derive_set_peer(context, peer) != 1 ||
        EVP_PKEY_derive(context, secret, &bytes) != 1)
        bytes = 0;
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(peer);
    EVP_PKEY_free(own);
    return bytes;
}

CK_RV token_C_DeriveKey(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism,
                        CK_OBJECT_HANDLE hBaseKey, CK_ATTRIBUTE_PTR pTemplate,
                        CK_ULONG ulAttributeCount, CK_OBJECT_HANDLE_PTR phKey)
{
    struct token_session *session = token_session_find(hSession);
    const struct token_mechanism *mechanism = token_mechanism_find(pMechanism->mechanism);
    const struct token_object *base = token_object_find(hBaseKey);
    struct token_object *key;
    CK_BYTE secret[SECRET_MAX] = {0};
    if (!session)
        return CKR_SESSION_HANDLE_INVALID;
    if (!mechanism || !(mechanism->flags & CKF_DERIVE))
        return CKR_MECHANISM_INVALID;
    if (!base)
        return CKR_KEY_HANDLE_INVALID;
    if (base->key_type != mechanism->key_type)
        return CKR_KEY_TYPE_INCONSISTENT;
    size_t bytes = agree(base, pMechanism->pParameter, secret);
    if (bytes == 0)
        return CKR_MECHANISM_PARAM_INVALID;
    CK_RV rv = token_object_add(session, CKO_SECRET_KEY, CKK_GENERIC_SECRET, pTemplate,
                                ulAttributeCount, &key);
    if (rv != CKR_OK)
        return rv;
    secret[0] ^= token_result_is_wrong();
    rv = token_attribute_add(key, CKA_VALUE, secret, bytes);
    key->bits = bytes * 8;
    key->number = token_hash(0, secret, bytes);
    *phKey = key->handle;
    return rv;
}
