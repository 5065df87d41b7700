/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "derive_peer.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

enum { PARAMETERS_MAX = 64, OCTET_STRING = 4, UNCOMPRESSED = 4, LONG_FORM = 0x81 };

/* CKA_EC_PARAMS or CKA_EC_POINT of either half: some modules tell them of one only. */
static CK_ULONG attribute_read(struct p11prof_bench_job *job, CK_ATTRIBUTE_TYPE type,
                               CK_BYTE *value, CK_ULONG room)
{
    const CK_OBJECT_HANDLE halves[] = {job->key->public_key, job->key->private_key};
    for (unsigned i = 0; i < 2; i++) {
        CK_ATTRIBUTE attribute = {type, value, room};
        if (halves[i] != CK_INVALID_HANDLE &&
            job->raw->C_GetAttributeValue(job->session, halves[i], &attribute, 1) == CKR_OK &&
            attribute.ulValueLen > 0 && attribute.ulValueLen <= room)
            return attribute.ulValueLen;
    }
    return 0;
}

/* NULL: another kind of curve. */
static const char *montgomery_name(const struct p11prof_bench_job *job)
{
    if (job->test->key_kind != P11PROF_BENCH_KEY_MONTGOMERY)
        return NULL;
    return job->test->key_bits == 448 ? "X448" : "X25519";
}

static EVP_PKEY *key_generate(const CK_BYTE *parameters, CK_ULONG bytes)
{
    EVP_PKEY *curve = d2i_KeyParams(EVP_PKEY_EC, NULL, &parameters, (long)bytes), *key = NULL;
    EVP_PKEY_CTX *context = curve ? EVP_PKEY_CTX_new(curve, NULL) : NULL;
    if (!context || EVP_PKEY_keygen_init(context) <= 0 || EVP_PKEY_keygen(context, &key) <= 0)
        key = NULL;
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(curve);
    return key;
}

/* The point in a CKA_EC_POINT, which is DER by the standard, and the bare point in many modules. */
static const CK_BYTE *point_in(const CK_BYTE *value, CK_ULONG *bytes, CK_ULONG point_bytes,
                               bool montgomery)
{
    CK_ULONG head = value[1] == LONG_FORM ? 3 : 2;
    if (*bytes == point_bytes && (montgomery || value[0] == UNCOMPRESSED))
        return value;
    if (*bytes != head + point_bytes || value[0] != OCTET_STRING || value[head - 1] != point_bytes)
        return NULL;
    *bytes = point_bytes;
    return value + head;
}

static EVP_PKEY *token_key_read(struct p11prof_bench_job *job, EVP_PKEY *peer, CK_ULONG point_bytes)
{
    CK_BYTE value[P11PROF_BENCH_POINT_MAX + 3];
    CK_ULONG bytes = attribute_read(job, CKA_EC_POINT, value, sizeof value);
    const char *montgomery = montgomery_name(job);
    const CK_BYTE *point = bytes > 3 ? point_in(value, &bytes, point_bytes, montgomery) : NULL;
    if (montgomery)
        return point ? EVP_PKEY_new_raw_public_key_ex(NULL, montgomery, NULL, point, bytes) : NULL;
    EVP_PKEY *key = point ? EVP_PKEY_new() : NULL;
    if (key && EVP_PKEY_copy_parameters(key, peer) > 0 &&
        EVP_PKEY_set1_encoded_public_key(key, point, bytes) > 0)
        return key;
    EVP_PKEY_free(key);
    return NULL;
}

static void secret_make(struct p11prof_bench_peer *out, EVP_PKEY *peer, EVP_PKEY *token_key)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(peer, NULL);
    out->secret_bytes = sizeof out->secret;
    if (!context || EVP_PKEY_derive_init(context) <= 0 ||
        EVP_PKEY_derive_set_peer(context, token_key) <= 0 ||
        EVP_PKEY_derive(context, out->secret, &out->secret_bytes) <= 0)
        out->secret_bytes = 0;
    EVP_PKEY_CTX_free(context);
}

static bool point_keep(struct p11prof_bench_peer *out, EVP_PKEY *peer)
{
    unsigned char *point = NULL;
    size_t bytes = EVP_PKEY_get1_encoded_public_key(peer, &point);
    bool fits = bytes > 0 && bytes + 3 <= sizeof out->der;
    if (fits) {
        CK_ULONG head = 0;
        out->der[head++] = OCTET_STRING;
        if (bytes > 127)
            out->der[head++] = LONG_FORM;
        out->der[head++] = (CK_BYTE)bytes;
        memcpy(out->point, point, bytes);
        memcpy(out->der + head, point, bytes);
        out->point_bytes = bytes;
        out->der_bytes = head + bytes;
    }
    OPENSSL_free(point);
    return fits;
}

const char *p11prof_bench_peer_make(struct p11prof_bench_peer *peer, struct p11prof_bench_job *job)
{
    CK_BYTE parameters[PARAMETERS_MAX];
    const char *montgomery = montgomery_name(job);
    CK_ULONG bytes = attribute_read(job, CKA_EC_PARAMS, parameters, sizeof parameters);
    if (bytes == 0 && !montgomery)
        return "the token does not tell the key's curve (CKA_EC_PARAMS)";
    EVP_PKEY *key =
        montgomery ? EVP_PKEY_Q_keygen(NULL, NULL, montgomery) : key_generate(parameters, bytes);
    if (!key)
        return "libcrypto does not know the key's curve";
    bool kept = point_keep(peer, key);
    EVP_PKEY *token_key = kept ? token_key_read(job, key, peer->point_bytes) : NULL;
    if (token_key)
        secret_make(peer, key, token_key);
    EVP_PKEY_free(token_key);
    EVP_PKEY_free(key);
    return kept ? NULL : "the points of the key's curve are too long";
}

void p11prof_bench_peer_mac(const struct p11prof_bench_peer *peer, const CK_BYTE *in,
                            size_t in_bytes, CK_BYTE mac[static 32])
{
    HMAC(EVP_sha256(), peer->secret, (int)peer->secret_bytes, in, in_bytes, mac, NULL);
}
