/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* All functions of the faulty list fail, some lie. */
#include "bench_token.h"

#include <string.h>

struct bench_fault bench_fault;
static CK_FUNCTION_LIST *real;

static bool fault_due(void)
{
    bench_fault.calls++;
    return bench_fault.fail_at > 0 &&
           bench_fault.calls - bench_fault.fail_at <= bench_fault.fail_more;
}

#define FAULTY(name, parameters, arguments)                                                        \
    static CK_RV faulty_##name parameters                                                          \
    {                                                                                              \
        bool due = fault_due();                                                                    \
        CK_RV rv = due && !bench_fault.late ? CKR_OK : real->name arguments;                       \
        if (due)                                                                                   \
            rv = bench_fault.too_small ? CKR_BUFFER_TOO_SMALL : CKR_DEVICE_ERROR;                  \
        return rv;                                                                                 \
    }
#define FAULTY_200 FAULTY
#define FAULTY_201 FAULTY
#define FAULTY_300(...)
#define FAULTY_302(...)
#define CALL(number, name, since, operation, role, parameters, arguments, ...)                     \
    FAULTY_##since(name, parameters, arguments)
#include "p11prof/calls.def"
#undef CALL

static void flip(CK_BYTE *bytes, CK_RV rv)
{
    if (rv == CKR_OK && bench_fault.wrong && bytes)
        bytes[0] ^= 1;
}

#define WRONG_OUTPUT(name)                                                                         \
    static CK_RV wrong_##name(CK_SESSION_HANDLE session, CK_BYTE_PTR in, CK_ULONG in_bytes,        \
                              CK_BYTE_PTR out, CK_ULONG_PTR out_bytes)                             \
    {                                                                                              \
        CK_BYTE scratch[8192];                                                                     \
        CK_RV rv =                                                                                 \
            faulty_##name(session, in, in_bytes, bench_fault.silent ? scratch : out, out_bytes);   \
        flip(bench_fault.silent || bench_fault.ends_only ? NULL : out, rv);                        \
        return rv;                                                                                 \
    }
WRONG_OUTPUT(C_Sign)
WRONG_OUTPUT(C_Encrypt)
WRONG_OUTPUT(C_Decrypt)
WRONG_OUTPUT(C_Digest)
WRONG_OUTPUT(C_EncryptUpdate)
WRONG_OUTPUT(C_DecryptUpdate)
WRONG_OUTPUT(C_DigestEncryptUpdate)
WRONG_OUTPUT(C_DecryptDigestUpdate)
WRONG_OUTPUT(C_SignEncryptUpdate)
WRONG_OUTPUT(C_DecryptVerifyUpdate)

#define WRONG_FINAL(name)                                                                          \
    static CK_RV wrong_##name(CK_SESSION_HANDLE session, CK_BYTE_PTR out, CK_ULONG_PTR bytes)      \
    {                                                                                              \
        CK_RV rv = faulty_##name(session, out, bytes);                                             \
        flip(*bytes > 0 && !bench_fault.parts_only ? out : NULL, rv);                              \
        return rv;                                                                                 \
    }
WRONG_FINAL(C_DigestFinal)
WRONG_FINAL(C_SignFinal)
WRONG_FINAL(C_EncryptFinal)
WRONG_FINAL(C_DecryptFinal)

static CK_RV wrong_C_GenerateRandom(CK_SESSION_HANDLE session, CK_BYTE_PTR out, CK_ULONG bytes)
{
    CK_RV rv = faulty_C_GenerateRandom(session, out, bytes);
    if (rv == CKR_OK && bench_fault.wrong)
        memset(out, 0x5a, bytes);
    return rv;
}

static CK_RV wrong_C_Verify(CK_SESSION_HANDLE session, CK_BYTE_PTR in, CK_ULONG in_bytes,
                            CK_BYTE_PTR signature, CK_ULONG signature_bytes)
{
    CK_RV rv = faulty_C_Verify(session, in, in_bytes, signature, signature_bytes);
    return bench_fault.verify_all ? CKR_OK : rv;
}

static CK_RV wrong_C_VerifyFinal(CK_SESSION_HANDLE session, CK_BYTE_PTR signature, CK_ULONG bytes)
{
    CK_RV rv = faulty_C_VerifyFinal(session, signature, bytes);
    return bench_fault.verify_all ? CKR_OK : rv;
}

/* An object too many. */
static CK_RV wrong_C_CreateObject(CK_SESSION_HANDLE session, CK_ATTRIBUTE_PTR template,
                                  CK_ULONG count, CK_OBJECT_HANDLE_PTR made)
{
    CK_OBJECT_HANDLE other;
    if (bench_fault.wrong)
        real->C_CreateObject(session, template, count, &other);
    return faulty_C_CreateObject(session, template, count, made);
}

/* A copy without what was to be its own. */
static CK_RV wrong_C_CopyObject(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                                CK_ATTRIBUTE_PTR template, CK_ULONG count,
                                CK_OBJECT_HANDLE_PTR made)
{
    return faulty_C_CopyObject(session, object, template, bench_fault.wrong ? 0 : count, made);
}

static CK_RV wrong_C_SetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                                       CK_ATTRIBUTE_PTR template, CK_ULONG count)
{
    return bench_fault.wrong ? CKR_OK
                             : faulty_C_SetAttributeValue(session, object, template, count);
}

/* An OCTET STRING of less than 256 bytes loses its head. */
static void point_bare(CK_ATTRIBUTE *attribute)
{
    CK_BYTE *value = attribute->pValue;
    CK_ULONG head = value && value[1] == 0x81 ? 3 : 2;
    if (!value || attribute->type != CKA_EC_POINT || !(bench_fault.habits & BENCH_BARE_POINTS))
        return;
    attribute->ulValueLen -= head;
    memmove(value, value + head, attribute->ulValueLen);
}

static CK_RV wrong_C_GetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                                       CK_ATTRIBUTE_PTR template, CK_ULONG count)
{
    CK_RV rv = faulty_C_GetAttributeValue(session, object, template, count);
    flip(template[count - 1].pValue, rv);
    if (rv == CKR_OK)
        point_bare(&template[count - 1]);
    return rv;
}

static CK_RV wrong_C_FindObjects(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE_PTR found,
                                 CK_ULONG max, CK_ULONG_PTR count)
{
    CK_RV rv = faulty_C_FindObjects(session, found, max, count);
    if (rv == CKR_OK && bench_fault.wrong && *count > 0)
        found[0]++;
    return rv;
}

static CK_RV wrong_C_Logout(CK_SESSION_HANDLE session)
{
    return bench_fault.wrong ? CKR_OK : faulty_C_Logout(session);
}

/* A key like the one that was asked for, and another one. */
static CK_RV wrong_C_UnwrapKey(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism,
                               CK_OBJECT_HANDLE key, CK_BYTE_PTR wrapped, CK_ULONG bytes,
                               CK_ATTRIBUTE_PTR template, CK_ULONG count, CK_OBJECT_HANDLE_PTR made)
{
    CK_MECHANISM generate = {CKM_AES_KEY_GEN, NULL, 0};
    CK_ULONG value_bytes = 32;
    CK_BBOOL yes = CK_TRUE;
    CK_ATTRIBUTE other[] = {{CKA_VALUE_LEN, &value_bytes, sizeof value_bytes},
                            {CKA_ENCRYPT, &yes, sizeof yes}};
    if (bench_fault.wrong)
        return real->C_GenerateKey(session, &generate, other, 2, made);
    CK_RV rv = faulty_C_UnwrapKey(session, mechanism, key, wrapped, bytes, template, count, made);
    if (rv != CKR_OK)
        *made = key; /* what a handle is after an error is anybody's guess */
    return rv;
}

static CK_RV wrong_C_WrapKey(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism,
                             CK_OBJECT_HANDLE key, CK_OBJECT_HANDLE target, CK_BYTE_PTR out,
                             CK_ULONG_PTR bytes)
{
    CK_RV rv = faulty_C_WrapKey(session, mechanism, key, target, out, bytes);
    if (rv == CKR_OK && bench_fault.wrong)
        out[*bytes - 1] ^= 1;
    return rv;
}

/* What a strict module has against a derivation. */
static CK_RV habits_refuse(const CK_ECDH1_DERIVE_PARAMS *parameter, const CK_ATTRIBUTE *template,
                           CK_ULONG count)
{
    CK_ULONG head = parameter->pPublicData[1] == 0x81 ? 3 : 2;
    bool der = parameter->pPublicData[head - 1] == parameter->ulPublicDataLen - head;
    if (bench_fault.habits & BENCH_DER_PEERS && !der)
        return CKR_MECHANISM_PARAM_INVALID;
    for (CK_ULONG i = 0; bench_fault.habits & BENCH_SENSITIVE_ONLY && i < count; i++)
        if (template[i].type == CKA_SENSITIVE && !*(CK_BBOOL *)template[i].pValue)
            return CKR_TEMPLATE_INCONSISTENT;
    return CKR_OK;
}

/* A secret of the right length that nothing was agreed on. */
static CK_RV wrong_C_DeriveKey(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism,
                               CK_OBJECT_HANDLE key, CK_ATTRIBUTE_PTR template, CK_ULONG count,
                               CK_OBJECT_HANDLE_PTR made)
{
    CK_MECHANISM generate = {CKM_GENERIC_SECRET_KEY_GEN, NULL, 0};
    CK_RV rv = habits_refuse(mechanism->pParameter, template, count);
    if (rv != CKR_OK)
        return rv;
    if (!bench_fault.wrong)
        return faulty_C_DeriveKey(session, mechanism, key, template, count, made);
    return real->C_GenerateKey(session, &generate, template, count, made);
}

/* Halves that do not belong together. */
static CK_RV wrong_C_GenerateKeyPair(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism,
                                     CK_ATTRIBUTE_PTR public_part, CK_ULONG public_count,
                                     CK_ATTRIBUTE_PTR private_part, CK_ULONG private_count,
                                     CK_OBJECT_HANDLE_PTR public_key,
                                     CK_OBJECT_HANDLE_PTR private_key)
{
    CK_OBJECT_HANDLE other;
    CK_RV rv = faulty_C_GenerateKeyPair(session, mechanism, public_part, public_count, private_part,
                                        private_count, public_key, private_key);
    if (rv != CKR_OK || !bench_fault.wrong)
        return rv;
    real->C_DestroyObject(session, *private_key);
    rv = real->C_GenerateKeyPair(session, mechanism, public_part, public_count, private_part,
                                 private_count, &other, private_key);
    real->C_DestroyObject(session, other);
    return rv;
}

/* A key of another length, or, where there is one length only, of another type. */
static CK_RV wrong_C_GenerateKey(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism,
                                 CK_ATTRIBUTE_PTR template, CK_ULONG count,
                                 CK_OBJECT_HANDLE_PTR made)
{
    CK_MECHANISM aes = {CKM_AES_KEY_GEN, NULL, 0};
    CK_ATTRIBUTE changed[16];
    CK_ULONG value_bytes = 24;
    bool des3 = mechanism->mechanism == CKM_DES3_KEY_GEN;
    if (!bench_fault.wrong)
        return faulty_C_GenerateKey(session, mechanism, template, count, made);
    memcpy(changed, template, count * sizeof *template);
    for (CK_ULONG i = 0; i < count; i++)
        if (changed[i].type == CKA_VALUE_LEN) {
            value_bytes = *(CK_ULONG *)changed[i].pValue == 24 ? 16 : 24;
            changed[i].pValue = &value_bytes;
        }
    if (des3)
        changed[count++] = (CK_ATTRIBUTE){CKA_VALUE_LEN, &value_bytes, sizeof value_bytes};
    return real->C_GenerateKey(session, des3 ? &aes : mechanism, changed, count, made);
}

CK_FUNCTION_LIST *bench_token_faulty(const struct bench_token *token)
{
    static CK_FUNCTION_LIST list;
    real = token->real;
    list = *real;
#define LISTED(name) list.name = faulty_##name;
#define LISTED_200   LISTED
#define LISTED_201   LISTED
#define LISTED_300(...)
#define LISTED_302(...)
#define CALL(number, name, since, ...) LISTED_##since(name)
#include "p11prof/calls.def"
#undef CALL
#define LYING(name) list.name = wrong_##name;
    /* clang-format off */
    LYING(C_Sign)
    LYING(C_SignFinal)
    LYING(C_Encrypt)
    LYING(C_EncryptUpdate)
    LYING(C_EncryptFinal)
    LYING(C_Decrypt)
    LYING(C_DecryptUpdate)
    LYING(C_DecryptFinal)
    LYING(C_Digest)
    LYING(C_DigestFinal)
    LYING(C_DigestEncryptUpdate)
    LYING(C_DecryptDigestUpdate)
    LYING(C_SignEncryptUpdate)
    LYING(C_DecryptVerifyUpdate)
    LYING(C_GenerateRandom)
    LYING(C_Verify)
    LYING(C_VerifyFinal)
    LYING(C_GetAttributeValue)
    LYING(C_SetAttributeValue)
    LYING(C_CreateObject)
    LYING(C_CopyObject)
    LYING(C_FindObjects)
    LYING(C_Logout)
    LYING(C_UnwrapKey)
    LYING(C_WrapKey)
    LYING(C_DeriveKey)
    LYING(C_GenerateKeyPair)
    LYING(C_GenerateKey)
    /* clang-format on */
    return &list;
}
