/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The user's own key: found by label and id, and looked at. */
#include "p11prof/curves.h"
#include "p11prof/parameter_sets.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

enum { FOUND_MAX = 16, LABELS_MAX = 8, LABEL_BYTES = 64, VALUE_MAX = 4096, DES3_BITS = 192 };

/* A module, a session in it, and where to say what is wrong. */
struct search {
    CK_FUNCTION_LIST *module;
    CK_SESSION_HANDLE session;
    struct p11prof_error *error;
};

static const struct half {
    CK_OBJECT_CLASS class;
    const char *name;
    size_t offset;
} halves[] = {
    {CKO_PUBLIC_KEY, "public", offsetof(struct p11prof_bench_own_key, public_key)},
    {CKO_PRIVATE_KEY, "private", offsetof(struct p11prof_bench_own_key, private_key)},
    {CKO_SECRET_KEY, "secret", offsetof(struct p11prof_bench_own_key, secret_key)},
};

static CK_OBJECT_HANDLE *handle_of(struct p11prof_bench_own_key *key, const struct half *half)
{
    return (CK_OBJECT_HANDLE *)((char *)key + half->offset);
}

static enum p11prof_status failed(const struct search *search, const char *function, CK_RV rv)
{
    char rv_text[32];
    return p11prof_error_set(search->error, P11PROF_FAILED, "cannot look for the key: %s: %s",
                             function, p11prof_rv_text(rv, rv_text));
}

static enum p11prof_status find(const struct search *search, CK_ATTRIBUTE *template,
                                CK_ULONG template_count, CK_OBJECT_HANDLE found[FOUND_MAX],
                                CK_ULONG *found_count)
{
    CK_ULONG count = 0;
    CK_RV rv = search->module->C_FindObjectsInit(search->session, template, template_count);
    *found_count = 0;
    if (rv != CKR_OK)
        return failed(search, "C_FindObjectsInit", rv);
    do {
        *found_count += count;
        rv = search->module->C_FindObjects(search->session, found + *found_count,
                                           FOUND_MAX - *found_count, &count);
    } while (rv == CKR_OK && count > 0 && *found_count + count < FOUND_MAX);
    if (rv == CKR_OK && count > 0)
        *found_count += count;
    search->module->C_FindObjectsFinal(search->session);
    return rv == CKR_OK ? P11PROF_OK : failed(search, "C_FindObjects", rv);
}

/* Bytes of an attribute; 0: it is not there, or not to be had. */
static CK_ULONG read(const struct search *search, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
                     void *value, CK_ULONG room)
{
    CK_ATTRIBUTE attribute = {type, value, room};
    if (object == CK_INVALID_HANDLE ||
        search->module->C_GetAttributeValue(search->session, object, &attribute, 1) != CKR_OK ||
        attribute.ulValueLen > room)
        return 0;
    return attribute.ulValueLen;
}

static CK_ULONG number_read(const struct search *search, CK_OBJECT_HANDLE object,
                            CK_ATTRIBUTE_TYPE type)
{
    CK_ULONG number;
    return read(search, object, type, &number, sizeof number) == sizeof number ? number : 0;
}

static CK_BBOOL allowed(const struct search *search, CK_OBJECT_HANDLE object,
                        CK_ATTRIBUTE_TYPE type)
{
    CK_BBOOL value;
    return read(search, object, type, &value, sizeof value) == sizeof value && value;
}

static enum p11prof_status several(const struct search *search, const struct half *half,
                                   CK_ULONG count)
{
    return p11prof_error_set(search->error, P11PROF_BAD_INPUT,
                             "%lu %s keys of the token fit: name one by label and id (--key-uri "
                             "\"pkcs11:object=LABEL;id=%%01\")",
                             count, half->name);
}

/* One object of a class by what the user gave. */
static enum p11prof_status half_find(const struct search *search, struct p11prof_bench_own_key *key,
                                     const struct half *half)
{
    CK_OBJECT_CLASS class = half->class;
    CK_ATTRIBUTE template[3] = {{CKA_CLASS, &class, sizeof class}};
    CK_OBJECT_HANDLE found[FOUND_MAX];
    CK_ULONG count = 1, found_count;
    if (key->label[0])
        template[count++] = (CK_ATTRIBUTE){CKA_LABEL, key->label, strlen(key->label)};
    if (key->id_bytes > 0)
        template[count++] = (CK_ATTRIBUTE){CKA_ID, key->id, key->id_bytes};
    enum p11prof_status status = find(search, template, count, found, &found_count);
    if (status != P11PROF_OK || found_count == 0)
        return status;
    if (found_count > 1)
        return several(search, half, found_count);
    *handle_of(key, half) = found[0];
    return P11PROF_OK;
}

/* Halves of a pair often have labels of their own; the id is the same. */
static enum p11prof_status other_half_find(const struct search *search,
                                           struct p11prof_bench_own_key *key)
{
    const struct half *half = key->public_key == CK_INVALID_HANDLE ? &halves[0] : &halves[1];
    CK_OBJECT_HANDLE known = half == &halves[0] ? key->private_key : key->public_key;
    CK_OBJECT_CLASS class = half->class;
    CK_BYTE id[256];
    CK_OBJECT_HANDLE found[FOUND_MAX];
    CK_ULONG found_count, id_bytes = read(search, known, CKA_ID, id, sizeof id);
    if (id_bytes == 0 || *handle_of(key, half) != CK_INVALID_HANDLE)
        return P11PROF_OK;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof class}, {CKA_ID, id, id_bytes}};
    enum p11prof_status status = find(search, template, 2, found, &found_count);
    if (status == P11PROF_OK && found_count == 1)
        *handle_of(key, half) = found[0];
    return status;
}

/* Labels of keys that are there: the user sees what else could have been meant. */
static enum p11prof_status missing(const struct search *search,
                                   const struct p11prof_bench_own_key *key)
{
    char labels[LABELS_MAX * (LABEL_BYTES + 4)] = "", label[LABEL_BYTES];
    char quoted[LABEL_BYTES + 2]; /* "rsa" is no part of "rsa2" */
    size_t used = 0, listed = 0;
    for (unsigned i = 0; i < 3; i++) {
        CK_OBJECT_CLASS class = halves[i].class;
        CK_ATTRIBUTE template = {CKA_CLASS, &class, sizeof class};
        CK_OBJECT_HANDLE found[FOUND_MAX];
        CK_ULONG count;
        if (find(search, &template, 1, found, &count) != P11PROF_OK)
            return P11PROF_FAILED;
        for (CK_ULONG j = 0; j < count && listed < LABELS_MAX; j++) {
            CK_ULONG bytes = read(search, found[j], CKA_LABEL, label, sizeof label - 1);
            label[bytes] = 0;
            if (bytes == 0)
                continue;
            snprintf(quoted, sizeof quoted, "\"%s\"", label);
            if (!strstr(labels, quoted))
                used += (size_t)snprintf(labels + used, sizeof labels - used, "%s%s",
                                         listed++ ? ", " : "", quoted);
        }
    }
    return p11prof_error_set(search->error, P11PROF_MISSING,
                             "the token has no key \"%s\"%s; keys that are there: %.300s",
                             key->label, key->id_bytes ? " of that id" : "",
                             listed ? labels : "none (private ones show after a login only)");
}

/* --- what is found out about it --- */

static void rsa_look(const struct search *search, struct p11prof_bench_own_key *key,
                     CK_OBJECT_HANDLE object)
{
    CK_BYTE value[VALUE_MAX], *modulus = value;
    CK_ULONG bytes = read(search, object, CKA_MODULUS, value, sizeof value);
    while (bytes > 0 && *modulus == 0)
        modulus++, bytes--;
    key->bits = bytes ? (unsigned)(8 * bytes) - (unsigned)(__builtin_clz(*modulus) - 24) : 0;
}

static void ec_look(const struct search *search, struct p11prof_bench_own_key *key,
                    CK_OBJECT_HANDLE object)
{
    static const char p256[] = "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07",
                      secp[] = "\x06\x05\x2b\x81\x04\x00";
    CK_BYTE parameters[64];
    CK_ULONG bytes = read(search, object, CKA_EC_PARAMS, parameters, sizeof parameters);
    if (bytes == 0)
        bytes = read(search, key->public_key, CKA_EC_PARAMS, parameters, sizeof parameters);
    key->bits = p11prof_curve_bits(parameters, bytes);
    key->nist_curve =
        (bytes == sizeof p256 - 1 && memcmp(parameters, p256, bytes) == 0) ||
        (bytes == sizeof secp && memcmp(parameters, secp, sizeof secp - 1) == 0 && key->bits > 256);
}

static void des3_look(const struct search *search, struct p11prof_bench_own_key *key,
                      CK_OBJECT_HANDLE object)
{
    (void)search, (void)object;
    key->bits = DES3_BITS;
}

static void length_look(const struct search *search, struct p11prof_bench_own_key *key,
                        CK_OBJECT_HANDLE object)
{
    key->bits = (uint32_t)(8 * number_read(search, object, CKA_VALUE_LEN));
}

/* A set that 3.2 does not know leaves the size at 0: no test fits. */
static void set_look(const struct search *search, struct p11prof_bench_own_key *key,
                     CK_OBJECT_HANDLE object)
{
    const struct p11prof_parameter_set *set = p11prof_parameter_set_of_value(
        number_read(search, object, CKA_KEY_TYPE), number_read(search, object, CKA_PARAMETER_SET));
    key->bits = set ? set->number : 0;
}

static const struct type {
    CK_KEY_TYPE key_type;
    enum p11prof_bench_key_kind kind;
    void (*size_look)(const struct search *search, struct p11prof_bench_own_key *key,
                      CK_OBJECT_HANDLE object);
    CK_MECHANISM_TYPE hmac; /* of keys that are for one only */
} types[] = {
    {CKK_RSA, P11PROF_BENCH_KEY_RSA, rsa_look, 0},
    {CKK_EC, P11PROF_BENCH_KEY_EC, ec_look, 0},
    {CKK_EC_EDWARDS, P11PROF_BENCH_KEY_EDWARDS, ec_look, 0},
    {CKK_EC_MONTGOMERY, P11PROF_BENCH_KEY_MONTGOMERY, ec_look, 0},
    {CKK_DES3, P11PROF_BENCH_KEY_DES3, des3_look, 0},
    {CKK_AES, P11PROF_BENCH_KEY_AES, length_look, 0},
    {CKK_GENERIC_SECRET, P11PROF_BENCH_KEY_GENERIC, length_look, 0},
    {CKK_SHA_1_HMAC, P11PROF_BENCH_KEY_GENERIC, length_look, CKM_SHA_1_HMAC},
    {CKK_SHA224_HMAC, P11PROF_BENCH_KEY_GENERIC, length_look, CKM_SHA224_HMAC},
    {CKK_SHA256_HMAC, P11PROF_BENCH_KEY_GENERIC, length_look, CKM_SHA256_HMAC},
    {CKK_SHA384_HMAC, P11PROF_BENCH_KEY_GENERIC, length_look, CKM_SHA384_HMAC},
    {CKK_SHA512_HMAC, P11PROF_BENCH_KEY_GENERIC, length_look, CKM_SHA512_HMAC},
    {CKK_SHA3_224_HMAC, P11PROF_BENCH_KEY_GENERIC, length_look, CKM_SHA3_224_HMAC},
    {CKK_SHA3_256_HMAC, P11PROF_BENCH_KEY_GENERIC, length_look, CKM_SHA3_256_HMAC},
    {CKK_SHA3_384_HMAC, P11PROF_BENCH_KEY_GENERIC, length_look, CKM_SHA3_384_HMAC},
    {CKK_SHA3_512_HMAC, P11PROF_BENCH_KEY_GENERIC, length_look, CKM_SHA3_512_HMAC},
    {CKK_ML_DSA, P11PROF_BENCH_KEY_ML_DSA, set_look, 0},
    {CKK_ML_KEM, P11PROF_BENCH_KEY_ML_KEM, set_look, 0},
    {CKK_SLH_DSA, P11PROF_BENCH_KEY_SLH_DSA, set_look, 0},
};

static void kind_look(const struct search *search, struct p11prof_bench_own_key *key,
                      CK_OBJECT_HANDLE object)
{
    CK_KEY_TYPE key_type = number_read(search, object, CKA_KEY_TYPE);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (types[i].key_type != key_type)
            continue;
        key->kind = types[i].kind;
        key->hmac = types[i].hmac;
        types[i].size_look(search, key, object);
    }
}

static void uses_look(const struct search *search, struct p11prof_bench_own_key *key)
{
    bool secret = key->secret_key != CK_INVALID_HANDLE;
    CK_OBJECT_HANDLE public_key = secret ? key->secret_key : key->public_key;
    CK_OBJECT_HANDLE private_key = secret ? key->secret_key : key->private_key;
    key->can_verify = allowed(search, public_key, CKA_VERIFY);
    key->can_encrypt = allowed(search, public_key, CKA_ENCRYPT);
    key->can_wrap = allowed(search, public_key, CKA_WRAP);
    key->can_encapsulate = allowed(search, public_key, CKA_ENCAPSULATE);
    key->can_decapsulate = allowed(search, private_key, CKA_DECAPSULATE);
    key->can_sign = allowed(search, private_key, CKA_SIGN);
    key->can_decrypt = allowed(search, private_key, CKA_DECRYPT);
    key->can_unwrap = allowed(search, private_key, CKA_UNWRAP);
    key->can_derive = allowed(search, private_key, CKA_DERIVE);
}

static enum p11prof_status handles_find(const struct search *search,
                                        struct p11prof_bench_own_key *key)
{
    enum p11prof_status status = P11PROF_OK;
    for (unsigned i = 0; i < 3 && status == P11PROF_OK; i++)
        status = half_find(search, key, &halves[i]);
    if (status == P11PROF_OK)
        status = other_half_find(search, key);
    return status;
}

/* The object that tells most of the key; CK_INVALID_HANDLE: none was found. */
static CK_OBJECT_HANDLE main_handle(const struct p11prof_bench_own_key *key)
{
    if (key->private_key != CK_INVALID_HANDLE)
        return key->private_key;
    return key->public_key != CK_INVALID_HANDLE ? key->public_key : key->secret_key;
}

enum p11prof_status p11prof_bench_own_key_find(struct p11prof_bench_own_key *key,
                                               CK_FUNCTION_LIST *module, CK_SESSION_HANDLE session,
                                               struct p11prof_error *error)
{
    const struct search search = {module, session, error};
    key->public_key = key->private_key = key->secret_key = CK_INVALID_HANDLE;
    key->kind = P11PROF_BENCH_KEY_NONE;
    key->hmac = 0;
    enum p11prof_status status = handles_find(&search, key);
    if (status != P11PROF_OK)
        return status;
    CK_OBJECT_HANDLE handle = main_handle(key);
    if (handle == CK_INVALID_HANDLE)
        return missing(&search, key);
    if (key->secret_key != CK_INVALID_HANDLE && handle != key->secret_key)
        return p11prof_error_set(error, P11PROF_BAD_INPUT,
                                 "a secret key and a key pair fit \"%s\": add the id (--key-uri)",
                                 key->label);
    if (!key->label[0]) /* it was named by its id: people know labels */
        read(&search, handle, CKA_LABEL, key->label, sizeof key->label - 1);
    kind_look(&search, key, handle);
    uses_look(&search, key);
    return P11PROF_OK;
}
